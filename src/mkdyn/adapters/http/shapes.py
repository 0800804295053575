"""JSON as it comes: objects and lists where they are expected, and nothing where they are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

#: An object; what it holds is looked at where it is read.
Json: TypeAlias = Mapping[str, Any]


def as_object(value: object) -> Json | None:
    """Return an object, or None if it is none."""
    return cast("Json", value) if isinstance(value, Mapping) else None


def as_objects(value: object) -> Sequence[Json] | None:
    """Return a list of objects, or None if it is none."""
    if not isinstance(value, list):
        return None
    found = cast("list[object]", value)
    return cast("list[Json]", found) if all(isinstance(item, Mapping) for item in found) else None


def as_list(value: object) -> Sequence[object]:
    """Return a value that is a list; nothing of any other."""
    return cast("list[object]", value) if isinstance(value, list) else ()


def inside(value: object, name: str) -> Json:
    """Return the object under a name in another; an empty one if there is none."""
    return as_object((as_object(value) or {}).get(name)) or {}


def listed(value: object, name: str) -> Sequence[Json]:
    """Return the objects listed under a name in another; none if there are none."""
    return as_objects((as_object(value) or {}).get(name)) or ()
