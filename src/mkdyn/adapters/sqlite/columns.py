"""Between a value and a column: values as JSON, times as text in UTC, entities as name and definition."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, cast

from mkdyn.domain.entities import AnyEntity, CustomEntity, Entity
from mkdyn.domain.records import Agreed, LinkState, Twofold, make_twofold
from mkdyn.domain.systems import System
from mkdyn.domain.values import FieldValue, from_json, to_json

#: The column of a list with nothing in it: the usual one, and not worth a reader.
NOTHING: Final = "[]"


#: What a column calls a system, a link's state: looked up, since an enumeration takes its time to do the same.
SYSTEMS: Final = {system.value: system for system in System}
STATES: Final = {state.value: state for state in LinkState}


def written(value: object) -> str:
    """Return values as JSON that SQLite takes.

    A text cut in the middle of a character has half of it left (Dynamics counts in UTF-16). JSON can say
    so in its escapes, UTF-8 can't.
    """
    if not value and isinstance(value, tuple | list | dict):  # often: no evidence, no doubt, no echo
        return "{}" if isinstance(value, dict) else NOTHING
    text = to_json(value)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def as_dict(values: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    """Return values as JSON takes them; a copy only of what is no dictionary."""
    return values if isinstance(values, dict) else dict(values)


def plain(text: str) -> str:
    """Return a sentence that SQLite takes, whatever a system put in."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def listed(items: Iterable[object]) -> str:
    """Return keys or names as the JSON list that a query takes apart with json_each."""
    return json.dumps(list(items))


def instant(at: datetime) -> str:
    """Return a time as text that sorts as times do."""
    return _in_utc(at if at.tzinfo is UTC else at.astimezone(UTC))


@lru_cache(maxsize=1024)  # a batch has one time, a page of a feed has few
def _in_utc(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


def instant_or_none(at: datetime | None) -> str | None:
    """Return a time as text, or None."""
    return None if at is None else instant(at)


def time_or_none(text: str | None) -> datetime | None:
    """Read what `instant_or_none` wrote."""
    return None if text is None else datetime.fromisoformat(text)


def value_or_none(system: System | None) -> str | None:
    """Return a system's name, or None."""
    return None if system is None else system.value


def system_or_none(name: str | None) -> System | None:
    """Read what `value_or_none` wrote."""
    return None if name is None else SYSTEMS[name]


# -- entities: two columns, the table's name and, for a seventh kind, its definition ---


@lru_cache(maxsize=128)
def custom_of(entity: AnyEntity) -> str | None:
    """Return the definition of a custom entity, or None for one of the six."""
    return None if isinstance(entity, Entity) else written(_definition(entity))


def entity_of(name: str, custom: str | None) -> AnyEntity:
    """Return the entity of the two columns."""
    return Entity(name) if custom is None else _custom(custom)


def _definition(entity: AnyEntity) -> object:
    if isinstance(entity, Entity):
        return entity.logical_name
    parent = None if entity.parent is None else _definition(entity.parent)
    return {"name": entity.logical_name, "parent": parent, "via": entity.via, "marketo": entity.marketo}


@lru_cache(maxsize=128)
def _custom(text: str) -> AnyEntity:
    return _defined(from_json(text))


def _defined(found: Any) -> AnyEntity:  # noqa: ANN401 - JSON is untyped
    if isinstance(found, str):
        return Entity(found)
    parent = None if found["parent"] is None else _defined(found["parent"])
    return CustomEntity(found["name"], parent=parent, via=found["via"], marketo=found["marketo"])


# -- baselines: a field's values are never lists, so two values are a list of two ------


def agreed_as_data(baseline: Mapping[str, Agreed]) -> dict[str, object]:
    """Return baselines as plain data."""
    if not baseline:
        return {}
    return {
        name: [agreed.dynamics, agreed.marketo] if type(agreed) is Twofold else agreed
        for name, agreed in baseline.items()
    }


def agreed_from(data: dict[str, Any]) -> dict[str, Agreed]:
    """Read what `agreed_as_data` wrote."""
    return {
        name: make_twofold(*cast("list[FieldValue]", found)) if isinstance(found, list) else found
        for name, found in data.items()
    }
