"""Every row of the tables of errors in the documentation, against a server that answers so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mkdyn import errors
from mkdyn.adapters.marketo.codes import TREATMENTS
from mkdyn.adapters.marketo.responses import reason_of
from mkdyn.adapters.marketo.writing import _Group, _outcome
from mkdyn.domain.outcomes import Applied, Delete, Outcome, Rejected, Stale, Unknown, Update
from mkdyn.errors import MkdynError
from mkdyn.testing.servers.marketo import Fail, Refuse

from .instance import Instance

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "marketo-errors.md"
ROW = re.compile(r"^\| `(?P<code>\d+)` \| [^|]+ \| (?P<write>[^|]+) \|(?: (?P<read>\w+) \|)?$")

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


def rows(*, whole: bool) -> Iterator[tuple[str, str, str]]:
    """The page's rows of calls as a whole, or of single records: code, what a write ends as, what a read raises."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        found = ROW.match(line)
        if found and bool(found["read"]) == whole:
            yield found["code"], found["write"], found["read"] or ""


def test_the_page_has_every_code() -> None:
    """No code is known that is not told, nor told that is not known."""
    assert sorted(code for code, *_ in rows(whole=True)) == sorted(TREATMENTS)


def _ended(outcome: Outcome | MkdynError) -> str:
    match outcome:
        case Applied():
            return "again"
        case Stale(gone=True):
            return "Stale, gone"
        case Rejected(field=str()):
            return "Rejected, with the field"
        case Rejected() | Unknown() | Stale():
            return type(outcome).__name__
        case _:
            return type(outcome).__name__


@pytest.mark.parametrize(("code", "write", "read"), [*rows(whole=True)])
async def test_a_call_that_is_refused_as_a_whole(code: str, write: str, read: str) -> None:
    """Once: what is sent again goes through then."""
    for wanted, writes in ((write, True), (read, False)):
        instance = Instance()
        key = instance.fake.create("lead", lastName="A")
        await instance.connector.describe("lead")
        instance.server.faults.append(_once(instance, code))
        ended: Outcome | MkdynError | None = None
        try:
            if writes:
                [ended] = await instance.connector.write("lead", [Update(key=key, values={"title": "x"})])
            else:
                assert await instance.connector.read("lead", [key], fields=["title"])
        except MkdynError as error:
            ended = error
        assert ("again" if ended is None else _ended(ended)) == wanted


def _once(instance: Instance, code: str) -> Refuse | Fail:
    """A fault of the next call."""
    call = instance.server.arrivals.total() + 1
    return Fail(call=call, status=int(code)) if code in ("500", "502") else Refuse(call=call, code=code)


@pytest.mark.parametrize(("code", "write", "_"), [*rows(whole=False)])
def test_a_record_that_is_refused(code: str, write: str, _: str) -> None:
    """By Marketo's reason alone."""
    blames = write.endswith("with the field")
    message = "Invalid value for field 'title'" if blames else "No."
    item = {"status": "skipped", "reasons": [{"code": code, "message": message}]}
    outcome = _outcome("lead", _Group("updateOnly", "id"), Update(key="1", values={"title": "x"}), item)
    assert _ended(outcome) == write
    assert reason_of(item) == (code, "title" if blames else "")


def test_what_is_gone_need_not_be_deleted() -> None:
    """It is done."""
    item = {"status": "skipped", "reasons": [{"code": "1004", "message": "Lead not found"}]}
    assert _outcome("lead", _Group("delete", "id"), Delete(key="1"), item) == Applied(key="1")


def test_every_class_named_on_the_page_is_one_of_ours() -> None:
    """A class that is renamed is renamed there, too."""
    named = {word for row in rows(whole=True) for word in row[1:] if word.endswith("Error")}
    assert all(hasattr(errors, name) for name in named)
