"""Persons to be updated, all of them in files."""

from __future__ import annotations

from collections.abc import Sequence

from mkdyn import MarketoBulk
from mkdyn.domain.outcomes import Update
from mkdyn.domain.values import FieldValue
from mkdyn.testing import FakeMarketo

#: Every update goes in a file.
ALWAYS = MarketoBulk(rows_min=1)


def people(number: int) -> tuple[FakeMarketo, list[str]]:
    """An instance with persons, and their keys."""
    fake = FakeMarketo()
    return fake, [fake.create("lead", lastName=f"Person {count}") for count in range(number)]


def titled(keys: Sequence[str], title: str = "CTO") -> list[Update]:
    """Updates of a field."""
    return [Update(key=key, values={"title": title}) for key in keys]


def titles(fake: FakeMarketo) -> set[FieldValue]:
    """What the persons show of it."""
    return {record.values["title"] for record in fake.records("lead")}
