"""A selection as TOML: to keep under version control, to review, to deploy.

    [[field]]
    entity = "contact"
    dynamics = "new_tier"
    create = "Customer tier"        # or marketo = "customerTier", where there is such a field
    name = "customerTier"           # where Marketo would name the new field otherwise
    type = "text"                   # where it is to hold something else than it would
    direction = "to_marketo"        # where narrower than the entity's own
    authority = "dynamics"          # where one system's word is final

A custom entity is defined once, by its Dynamics name; one that no field is of is a fault:

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
from mkdyn.domain.entities import ENTITY_NAMES, AnyEntity, CustomEntity
from mkdyn.domain.fields import FieldPair, NewField
from mkdyn.domain.names import nearest_hint
from mkdyn.domain.registry import Pick
from mkdyn.domain.systems import System
from mkdyn.domain.toml_heads import Heads
from mkdyn.domain.types import FieldType
from mkdyn.errors import FieldError, UnknownEntityError

_FIELD_KEYS: Final = ("entity", "dynamics", "marketo", "create", "name", "type", "direction", "authority")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_NEEDED: Final = ("entity", "dynamics")
_ENTITY_KEYS: Final = ("parent", "via", "marketo")


def picks_from_toml(text: str) -> Sequence[Pick]:
    """Read a selection; each pick knows its line.

    Raises:
        FieldError: It is no TOML, or something in it is wrong; all that is, is in its `faults`.
    """
    picks, faults = read_selection(text)
    if faults:
        raise file_error(faults)
    return picks


def read_selection(text: str) -> tuple[Sequence[Pick], Sequence[FieldError]]:
    """Read what can be read of a selection; return it, and what is wrong with the rest.

    Raises:
        FieldError: It is no TOML.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FieldError(f"The selection is no TOML: {error}.", what_to_do="Put that line right.") from error
    heads = Heads(text)
    found, definitions = data.pop("field", []), data.pop("entity", {})
    reader = _Reader(definitions if _is_table(definitions) else {}, heads)
    if not _is_table(definitions):
        reader.fault(FieldError("entity is no table.", what_to_do="Write [entity.NAME] above each."))
    for name in data:
        reader.unknown(name, ("field", "entity"), None)
    if not _are_tables(found):
        reader.fault(FieldError("field is no list of tables.", what_to_do="Write [[field]] above each."))
        return (), reader.faults
    picks = [reader.pick(table, heads.field(place, len(found))) for place, table in enumerate(found)]
    reader.expect_all_used()
    return [pick for pick in picks if pick is not None], reader.faults


def file_error(faults: Iterable[FieldError]) -> FieldError:
    """Return the one error of a selection file, its faults in the order of their lines."""
    ordered = tuple(sorted(faults, key=lambda fault: fault.line or 0))
    return FieldError.of(ordered, f"{len(ordered)} faults in the selection, nothing was changed")


def _is_table(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, dict)


def _are_tables(value: object) -> TypeGuard[Sequence[Mapping[str, Any]]]:
    return isinstance(value, list) and all(map(_is_table, cast("Sequence[object]", value)))


class _Reader:
    """Reads tables, and collects what is wrong with them."""

    def __init__(self, definitions: Mapping[str, Any], heads: Heads) -> None:
        self.faults: list[FieldError] = []
        self._definitions, self._heads = definitions, heads
        self._customs: dict[str, CustomEntity | None] = {}
        self._used: set[str] = set()
        for name in definitions:
            self._define(name, ())

    def fault(self, fault: FieldError, line: int | None = None) -> None:
        """Note a fault."""
        fault.line = line
        self.faults.append(fault)

    def unknown(self, name: str, known: Iterable[str], line: int | None) -> None:
        """Note a setting, named with where it stands, that means nothing there."""
        hint = nearest_hint(name.rpartition(".")[2], known)
        self.fault(FieldError(f"{name} is no setting of a selection{hint}.", what_to_do="Leave it out."), line)

    def pick(self, table: Mapping[str, Any], line: int | None) -> Pick | None:
        """Read one `[[field]]`; one whose direction or authority is wrong is read for the sake of its other faults."""
        before = len(self.faults)
        for name in sorted(table.keys() - set(_FIELD_KEYS)):
            self.unknown(name, _FIELD_KEYS, line)
        texts = {name: self._text(table, name, line) for name in _FIELD_KEYS}
        for name in _NEEDED:
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
        self._use(entity)
        kind = self._one_of("type", texts["type"], get_args(FieldType), line)
        unsure = len(self.faults) > before
        direction = self._one_of("direction", texts["direction"], [item.value for item in Direction], line)
        authority = self._one_of("authority", texts["authority"], [item.value for item in System], line)
        if entity is None or not texts["dynamics"] or unsure:
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
        if not value and value is not None and name not in _NEEDED:
            self.fault(FieldError(f"{name} is empty.", what_to_do=f'Write {name} = "…", or leave it out.'), line)
        return value

    def _one_of(self, name: str, value: str | None, words: Sequence[str], line: int | None) -> Any:  # noqa: ANN401 - one of *words*
        if value is None or value in words:
            return value
        hint = nearest_hint(value, words)
        self.fault(
            FieldError(f"{name} {value} is not known{hint}.", what_to_do=f"Take one of {', '.join(words)}."), line
        )
        return None

    def _entity(self, name: str, line: int | None) -> AnyEntity | None:
        if name in ENTITY_NAMES:
            return ENTITY_NAMES[name]
        if name in self._definitions:
            return self._customs[name]
        hint = nearest_hint(name, [*ENTITY_NAMES, *self._definitions])
        self.fault(
            UnknownEntityError(
                f"entity {name} is not known{hint}.",
                what_to_do=f"A table of your own needs [entity.{name}] in the file.",
            ),
            line,
        )
        return None

    def _use(self, entity: AnyEntity | None) -> None:
        """Note that a field is of an entity, and so needs its parents, too."""
        while isinstance(entity, CustomEntity):
            self._used.add(entity.logical_name)
            entity = entity.parent

    def _define(self, name: str, below: tuple[str, ...]) -> None:
        """Read one `[entity.NAME]`, its parents first; None stands for one that can't be read."""
        if name in self._customs:
            return
        table, line = self._definitions[name], self._heads.entity(name)
        if wrong := self._is_no_entity(name, table, below):
            self.fault(FieldError(wrong, what_to_do="Put it right, or leave it out."), line)
            self._customs[name] = None
            return
        for setting in sorted(table.keys() - set(_ENTITY_KEYS)):
            self.unknown(f"entity.{name}.{setting}", _ENTITY_KEYS, line)
        texts = {setting: self._text(table, setting, line) for setting in _ENTITY_KEYS}
        parent = texts["parent"]
        if parent is not None and parent in self._definitions:
            self._define(parent, (*below, name))
        above = self._entity(parent, line) if parent else None
        self._customs[name] = CustomEntity(name, parent=above, via=texts["via"], marketo=texts["marketo"])

    def _is_no_entity(self, name: str, table: object, below: tuple[str, ...]) -> str | None:
        """Say why a definition is none, if it is not."""
        if name in ENTITY_NAMES:
            return f"[entity.{name}] is known without being defined."
        if name in below:
            circle = " belongs to ".join([*below[below.index(name) :], name])
            return f"[entity.{name}] is its own parent: {circle}."
        return None if _is_table(table) else f"entity.{name} is no table."

    def expect_all_used(self) -> None:
        """Note every definition that no field is of, nor of a child of it."""
        for name in self._definitions:
            if name not in self._used and self._customs[name] is not None:
                self.fault(
                    FieldError(
                        f"[entity.{name}] is used by no field.", what_to_do="Pick a field of it, or leave it out."
                    ),
                    self._heads.entity(name),
                )


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
    name = entity.logical_name
    return _table(f"[entity.{name if _BARE.fullmatch(name) else _quoted(name)}]", facts)


def _field_text(item: Pick | FieldPair) -> str:
    new = item.marketo if isinstance(item.marketo, NewField) else None
    facts = {
        "entity": str(item.entity),
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
