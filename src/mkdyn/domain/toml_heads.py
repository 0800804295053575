"""On which lines a selection file's tables begin: the TOML parser does not tell."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any


class Heads:
    """Where tables begin in a file: the lines of their heads, as far as they have one."""

    def __init__(self, text: str) -> None:
        self._fields: list[int] = []
        self._entities: dict[str, int] = {}
        self._any_entity: int | None = None
        for number, line in enumerate(text.split("\n"), start=1):
            if line.lstrip().startswith("["):
                with suppress(tomllib.TOMLDecodeError):  # no head, but a list that goes on
                    self._note(tomllib.loads(line.strip()), number)

    def _note(self, head: Mapping[str, Any], number: int) -> None:
        if isinstance(head.get("field"), list):
            self._fields.append(number)
        if "entity" in head:
            self._entities.update(dict.fromkeys(head["entity"], number))
            self._any_entity = self._any_entity or number

    def field(self, place: int, count: int) -> int | None:
        """Return the line of one of *count* fields; None where they have no heads of their own."""
        return self._fields[place] if len(self._fields) == count else None

    def entity(self, name: str) -> int | None:
        """Return the line of an entity, or of the table it is in."""
        return self._entities.get(name, self._any_entity)
