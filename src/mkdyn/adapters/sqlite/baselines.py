"""Baselines between a link and its column: read when someone looks, and changed without being read.

Of most links a run asks for the version only, and of those it writes to, a few fields move. So a link brings
its baselines as text, and what has moved lies on top of that text when the link comes back.
"""

from __future__ import annotations

import json
import re
from collections.abc import ItemsView, Iterator, KeysView, Mapping
from typing import Final

from mkdyn.adapters.sqlite.columns import agreed_as_data, agreed_from, written
from mkdyn.adapters.sqlite.database import UNREADABLE, unreadable
from mkdyn.domain.records import Agreed, Baseline, Moved
from mkdyn.domain.values import from_json

#: How many fields are put into the text one by one: of more, reading and writing all of it takes less.
_FEW: Final = 5
#: Names that JSON writes as they are; no other text in quotes has a colon after it.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.#]+").fullmatch
_VALUE_AT: Final = json.JSONDecoder().raw_decode


class Kept(Mapping[str, Agreed]):
    """A link's baselines as the file holds them.

    Args:
        text: The column.
        where: The file's name, for the message if the text can't be read.
    """

    __slots__ = ("_read", "_where", "text")

    def __init__(self, text: str, where: str) -> None:
        self.text: str = text
        self._where = where
        self._read: dict[str, Agreed] | None = None

    def read(self) -> dict[str, Agreed]:
        """Return the baselines.

        Raises:
            StateCorruptError: The file holds something else.
        """
        if self._read is None:
            try:
                self._read = agreed_from(from_json(self.text))
            except UNREADABLE as error:
                raise unreadable(error, self._where) from error
        return self._read

    def with_changes(self, changes: Baseline) -> str:
        """Return the column with *changes*; what does not change is carried over as it stands.

        Raises:
            StateCorruptError: The file holds something else.
        """
        data = agreed_as_data(changes)
        try:
            if len(data) <= _FEW and all(map(_PLAIN, data)):
                return _replaced(self.text, data)
            return written({**json.loads(self.text), **data})
        except UNREADABLE as error:
            raise unreadable(error, self._where) from error

    def __getitem__(self, name: str) -> Agreed:
        return (self._read or self.read())[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.read())

    def __len__(self) -> int:
        return len(self.read())

    # A mapping has these already, a key at a time; a dictionary's own are faster.

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self.read().keys()

    def items(self) -> ItemsView[str, Agreed]:
        """Return the names with what was agreed on."""
        return self.read().items()


def column_of(baseline: Baseline) -> str:
    """Return a link's baselines as a column."""
    match baseline:
        case Kept():
            return baseline.text
        case Moved(before=Kept() as kept, changes=changes):
            return kept.with_changes(changes)
        case _:
            return written(agreed_as_data(baseline))


def _replaced(text: str, data: Mapping[str, object]) -> str:
    """Return an object's text with other values of some names, without reading the rest: a fifth of the time.

    Raises:
        ValueError: It is no such text.
    """
    if text[:1] != "{" or text[-1:] != "}":
        message = "it is no object"
        raise ValueError(message)
    for name, value in data.items():
        found = 0 if text.startswith(f'{{"{name}":') else text.find(f',"{name}":')
        if found < 0:
            comma = "" if text == "{}" else ","
            text = f'{text[:-1]}{comma}"{name}":{written(value)}}}'
        else:
            start = found + len(name) + 4  # behind the comma or the brace, two quotes and a colon
            _, end = _VALUE_AT(text, start)
            text = text[:start] + written(value) + text[end:]
    return text
