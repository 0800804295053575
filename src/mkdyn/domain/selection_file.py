"""A selection as TOML: to keep under version control, to review, to deploy.

    [[field]]
    entity = "contact"
    dynamics = "new_tier"
    create = "Customer tier"        # or marketo = "customerTier", where there is such a field
    name = "customerTier"           # where Marketo would name the new field otherwise
    type = "text"                   # where it is to hold something else than it would
    direction = "to_marketo"        # where narrower than the entity's own
    authority = "dynamics"          # where one system's word is final

A custom entity is defined once, by its Dynamics name:

    [entity.new_subscription]
    parent = "contact"
    via = "new_contactid"
    marketo = "subscription_c"
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeGuard, cast, get_args

from mkdyn.domain.directions import Direction
from mkdyn.domain.entities import AnyEntity, CustomEntity, Entity
from mkdyn.domain.fields import FieldPair, NewField
from mkdyn.domain.registry import Pick
from mkdyn.domain.selection import nearest
from mkdyn.domain.systems import System
from mkdyn.domain.types import FieldType
from mkdyn.errors import FieldError, UnknownEntityError

_ENTITIES: Final[Mapping[str, Entity]] = {
    **{entity.logical_name: entity for entity in Entity},
    **{str(entity): entity for entity in Entity},
}
_TABLE: Final = re.compile(r"\s*\[\[\s*field\s*\]\]")
_FIELD_KEYS: Final = ("entity", "dynamics", "marketo", "create", "name", "type", "direction", "authority")
_ENTITY_KEYS: Final = ("parent", "via", "marketo")


def picks_from_toml(text: str) -> Sequence[Pick]:
    """Read a selection; each pick knows its line.

    Raises:
        FieldError: It is no TOML, or something in it is wrong; all that is, is in its `faults`.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FieldError(f"The selection is no TOML: {error}.", what_to_do="Put that line right.") from error
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if _TABLE.match(line)]
    found, definitions = data.pop("field", []), data.pop("entity", {})
    reader = _Reader(definitions if _is_table(definitions) else {})
    if not _is_table(definitions):
        reader.fault(FieldError("entity is no table.", what_to_do="Write [entity.NAME] above each."))
    tables: Sequence[Mapping[str, Any]] = []
    if _are_tables(found):
        tables = found
    else:
        reader.fault(FieldError("field is no list of tables.", what_to_do="Write [[field]] above each."))
    for name in data:
        reader.unknown(name, ("field", "entity"), None)
    picks = [
        reader.pick(table, lines[index] if len(lines) == len(tables) else None) for index, table in enumerate(tables)
    ]
    if reader.faults:
        raise FieldError.of(tuple(reader.faults), len(picks))
    return [pick for pick in picks if pick is not None]


def _is_table(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, dict)


def _are_tables(value: object) -> TypeGuard[Sequence[Mapping[str, Any]]]:
    return isinstance(value, list) and all(map(_is_table, cast("Sequence[object]", value)))


class _Reader:
    """Reads tables, and collects what is wrong with them."""

    def __init__(self, customs: Mapping[str, Mapping[str, Any]]) -> None:
        self.faults: list[FieldError] = []
        self._definitions = customs
        self._customs: dict[str, CustomEntity] = {}

    def fault(self, fault: FieldError, line: int | None = None) -> None:
        """Note a fault."""
        fault.line = line
        self.faults.append(fault)

    def unknown(self, name: str, known: Iterable[str], line: int | None) -> None:
        """Note a setting, named with where it stands, that means nothing there."""
        near = nearest(name.rpartition(".")[2], known)
        hint = f"; nearest: {near}" if near else ""
        self.fault(FieldError(f"{name} is no setting of a selection{hint}.", what_to_do="Leave it out."), line)

    def pick(self, table: Mapping[str, Any], line: int | None) -> Pick | None:
        """Read one `[[field]]`."""
        before = len(self.faults)
        for name in sorted(table.keys() - set(_FIELD_KEYS)):
            self.unknown(name, _FIELD_KEYS, line)
        texts = {name: self._text(table, name, line) for name in _FIELD_KEYS}
        for name in ("entity", "dynamics"):
            if not table.get(name):
                self.fault(FieldError(f"{name} is missing.", what_to_do=f'Write {name} = "…".'), line)
        if texts["marketo"] and texts["create"]:
            self.fault(
                FieldError(
                    "marketo and create exclude each other.",
                    what_to_do="Keep one: a field that is there, or a new one.",
                ),
                line,
            )
        if texts["name"] and not texts["create"]:
            self.fault(
                FieldError("name is that of a new field.", what_to_do="Write create, too, or take marketo for it."),
                line,
            )
        entity = self._entity(texts["entity"], line) if texts["entity"] else None
        direction = self._one_of("direction", texts["direction"], [item.value for item in Direction], line)
        authority = self._one_of("authority", texts["authority"], [item.value for item in System], line)
        kind = self._one_of("type", texts["type"], get_args(FieldType), line)
        if entity is None or not texts["dynamics"] or len(self.faults) > before:
            return None
        new = NewField(texts["create"], name=texts["name"], type=kind) if texts["create"] else None
        return Pick(
            entity,
            texts["dynamics"],
            marketo=new or texts["marketo"],
            direction=Direction(direction) if direction else None,
            authority=System(authority) if authority else None,
            line=line,
        )

    def _text(self, table: Mapping[str, Any], name: str, line: int | None) -> str | None:
        value = table.get(name)
        if value is not None and not isinstance(value, str):
            self.fault(FieldError(f"{name} is no text.", what_to_do=f'Write {name} = "…".'), line)
            return None
        return value

    def _one_of(self, name: str, value: str | None, words: Sequence[str], line: int | None) -> Any:  # noqa: ANN401 - one of *words*
        if value is None or value in words:
            return value
        near = nearest(value, words)
        hint = f"; nearest: {near}" if near else ""
        self.fault(
            FieldError(f"{name} {value} is not known{hint}.", what_to_do=f"Take one of {', '.join(words)}."), line
        )
        return None

    def _entity(self, name: str, line: int | None) -> AnyEntity | None:
        if name in _ENTITIES:
            return _ENTITIES[name]
        if name in self._definitions:
            return self._custom(name, line, ())
        near = nearest(name, [*_ENTITIES, *self._definitions])
        hint = f"; nearest: {near}" if near else ""
        self.fault(
            UnknownEntityError(
                f"entity {name} is not known{hint}.",
                what_to_do=f"A table of your own needs [entity.{name}] in the file.",
            ),
            line,
        )
        return None

    def _custom(self, name: str, line: int | None, below: tuple[str, ...]) -> CustomEntity | None:
        """Read one `[entity.NAME]`, its parents first."""
        if name in self._customs:
            return self._customs[name]
        table = self._definitions[name]
        if name in below or not _is_table(table):
            what = f"[entity.{name}] is its own parent." if name in below else f"entity.{name} is no table."
            self.fault(FieldError(what, what_to_do="Put it right, or leave it out."), line)
            return None
        for setting in sorted(table.keys() - set(_ENTITY_KEYS)):
            self.unknown(f"entity.{name}.{setting}", _ENTITY_KEYS, line)
        texts = {setting: self._text(table, setting, line) for setting in _ENTITY_KEYS}
        parent = texts["parent"]
        above: AnyEntity | None = None
        if parent and parent in self._definitions:
            above = self._custom(parent, line, (*below, name))
        elif parent:
            above = self._entity(parent, line)
        self._customs[name] = CustomEntity(name, parent=above, via=texts["via"], marketo=texts["marketo"])
        return self._customs[name]


# -- writing -----------------------------------------------------------------------------------------------


def picks_to_toml(picks: Iterable[Pick | FieldPair]) -> str:
    """Write a selection that `picks_from_toml` reads back as it is."""
    found = list(picks)
    customs: dict[str, CustomEntity] = {}
    for item in found:
        _define(item.entity, customs)
    return "\n".join([*map(_entity_text, customs.values()), *map(_field_text, found)])


def _define(entity: AnyEntity | None, customs: dict[str, CustomEntity]) -> None:
    if isinstance(entity, CustomEntity):
        _define(entity.parent, customs)
        customs[entity.logical_name] = entity


def _entity_text(entity: CustomEntity) -> str:
    parent = None if entity.parent is None else entity.parent.logical_name
    facts = {"parent": parent, "via": entity.via, "marketo": entity.marketo}
    return _table(f"[entity.{_quoted(entity.logical_name)}]", facts)


def _field_text(item: Pick | FieldPair) -> str:
    new = item.marketo if isinstance(item.marketo, NewField) else None
    facts = {
        "entity": item.entity.logical_name if isinstance(item.entity, CustomEntity) else str(item.entity),
        "dynamics": item.dynamics,
        "marketo": None if new is not None else item.marketo,
        "create": None if new is None else new.label,
        "name": None if new is None else new.name,
        "type": None if new is None else new.type,
        "direction": None if item.direction is None else item.direction.value,
        "authority": None if item.authority is None else item.authority.value,
    }
    return _table("[[field]]", facts)


def _table(head: str, facts: Mapping[str, object]) -> str:
    return "\n".join([head, *(f"{name} = {_quoted(value)}" for name, value in facts.items() if value is not None), ""])


def _quoted(value: object) -> str:
    """Return a TOML basic string: JSON's, but for the one character that only TOML escapes."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
