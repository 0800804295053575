"""JSON as Dataverse writes it: decimals digit for digit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import cast

_name = lru_cache(maxsize=10_000)(json.dumps)


def written(value: object) -> str:
    """Return a value as JSON.

    Raises:
        TypeError: JSON knows no such value.
    """
    match value:
        case Decimal():
            return f"{value:f}"
        case Mapping():
            members = cast("Mapping[str, object]", value)
            return "{" + ",".join([f"{_name(name)}:{written(member)}" for name, member in members.items()]) + "}"
        case list() | tuple():
            return "[" + ",".join([written(member) for member in cast("Sequence[object]", value)]) + "]"
        case _:
            return json.dumps(value)
