"""The key of a record as Marketo shows it."""

from __future__ import annotations

from collections.abc import Sequence

from mkdyn.adapters.http.shapes import Json
from mkdyn.domain.keys import joined


def key_in(item: Json, key: str, compound: Sequence[str]) -> str | None:
    """Return the key of a record as Marketo shows it; None if it shows none.

    Args:
        item: The record.
        key: The one field that is its key, unless there are several.
        compound: Those.
    """
    found = [item.get(name) for name in compound or (key,)]
    if any(value is None for value in found):
        return None
    return joined(found) if compound else str(found[0])
