"""Fields: how both systems describe theirs, which are selected, and how often each was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import attrs

from mkdyn.adapters.sqlite.columns import (
    SYSTEMS,
    custom_of,
    entity_of,
    instant,
    plain,
    system_or_none,
    value_or_none,
    written,
)
from mkdyn.adapters.sqlite.database import Row, Tables
from mkdyn.domain.directions import Direction
from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.fields import FieldPair, FieldSpec, PairState
from mkdyn.domain.lenses.matrix import counterpart_type, lens_between
from mkdyn.domain.systems import System
from mkdyn.domain.types import DYNAMICS_TYPES, MARKETO_TYPES
from mkdyn.domain.values import from_json
from mkdyn.errors import StateCorruptError
from mkdyn.ports.store import Description, SelectedPair

_PAIRS: Final = """
    SELECT entity, custom, dynamics, marketo, direction, authority, state, reason, selection, late, dynamics_spec, marketo_spec
    FROM pair ORDER BY id
"""

_PUT: Final = """
    INSERT INTO pair (
        entity, custom, dynamics, marketo, direction, authority, state, reason, selection, late, dynamics_spec, marketo_spec
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (entity, dynamics) DO UPDATE SET
        custom = excluded.custom, marketo = excluded.marketo, direction = excluded.direction,
        authority = excluded.authority, state = excluded.state, reason = excluded.reason, selection = excluded.selection,
        late = excluded.late,
        dynamics_spec = excluded.dynamics_spec, marketo_spec = excluded.marketo_spec
"""

_COUNT: Final = """
    INSERT INTO selection (entity, field, times) VALUES (?, ?, ?)
    ON CONFLICT (entity, field) DO UPDATE SET times = max(times, excluded.times)
"""


_DESCRIBE: Final = "INSERT OR REPLACE INTO description (system, object, at, fields) VALUES (?, ?, ?, ?)"


class PairTables(Tables):
    """The tables `description`, `pair` and `selection`."""

    def description(self, system: System, object: str, /) -> Description | None:
        """Return how a system described an object's fields when it was last asked, or None."""
        sql = "SELECT system, at, fields FROM description WHERE system = ? AND object = ?"
        return next(iter(self._database.read(_description_from, sql, (system.value, object))), None)

    def describe(self, system: System, object: str, description: Description, /) -> None:
        """Remember how a system describes an object's fields."""
        fields = written([attrs.asdict(spec) for spec in description.fields])
        self._database.write(_DESCRIBE, (system.value, object, instant(description.at), fields))

    def pairs(self) -> Sequence[SelectedPair]:
        """Return the selected pairs, in the order of their selection."""
        return self._database.read(_pair_from, _PAIRS)

    def put_pairs(self, pairs: Iterable[SelectedPair], /) -> None:
        """Keep pairs; one of the same entity and Dynamics field is replaced."""
        for selected in pairs:
            pair = selected.pair
            self._database.write(_PUT, _pair_row(selected))
            self._database.write(_COUNT, (pair.entity.logical_name, pair.dynamics, pair.selection))

    def remove_pairs(self, pairs: Iterable[tuple[AnyEntity, str]], /) -> None:
        """Forget pairs by entity and Dynamics field; how often they were selected is remembered."""
        rows = ((entity.logical_name, field) for entity, field in pairs)
        self._database.write_many("DELETE FROM pair WHERE entity = ? AND dynamics = ?", rows)

    def selections(self, entity: AnyEntity, field: str, /) -> int:
        """Return how often a Dynamics field has been selected, now or before."""
        sql = "SELECT times FROM selection WHERE entity = ? AND field = ?"
        return int(self._database.value(sql, (entity.logical_name, field)) or 0)


def _pair_row(selected: SelectedPair) -> Row:
    """Return the columns from `entity` on; the number is the table's to give."""
    pair = selected.pair
    return (
        pair.entity.logical_name,
        custom_of(pair.entity),
        pair.dynamics,
        pair.marketo,
        pair.direction.value,
        value_or_none(pair.authority),
        pair.state.value,
        plain(pair.reason),
        pair.selection,
        pair.late,
        written(attrs.asdict(selected.dynamics)),
        written(attrs.asdict(selected.marketo)),
    )


@lru_cache(maxsize=1_024)  # every run reads the selection several times, and it seldom changes
def _pair_from(row: Row) -> SelectedPair:
    """Return the pair of the columns from `entity` on, with the lens that its two fields call for."""
    entity, custom, dynamics, marketo, direction, authority, state, reason, selection, late, left, right = row
    dynamics_spec = _known_spec(System.DYNAMICS, f"{entity}.{dynamics}", from_json(left))
    marketo_spec = _known_spec(System.MARKETO, f"{entity}.{dynamics}", from_json(right))
    pair = FieldPair(
        entity_of(entity, custom),
        dynamics,
        marketo,
        direction=Direction(direction),
        authority=system_or_none(authority),
        lens=lens_between(dynamics_spec, marketo_spec),
        state=PairState(state),
        reason=reason,
        selection=selection,
        late=bool(late),
    )
    return SelectedPair(pair=pair, dynamics=dynamics_spec, marketo=marketo_spec)


@lru_cache(maxsize=64)  # the same: hundreds of fields an object, and a look at them in every run
def _description_from(row: Row) -> Description:
    system, at, fields = row
    specs = tuple(_spec(SYSTEMS[system], data) for data in from_json(fields))
    return Description(at=datetime.fromisoformat(at), fields=specs)


def _known_spec(system: System, where: str, data: dict[str, Any]) -> FieldSpec:
    """Return one of a pair's fields.

    Raises:
        StateCorruptError: Its type is none that we know: nobody can say what its baselines mean.
    """
    kind = data["type"]
    if kind not in DYNAMICS_TYPES and kind not in MARKETO_TYPES:
        raise StateCorruptError(
            f"{where} is selected with a field of type {kind} in {system}, which this release does not know.",
            what_to_do="Install the release that wrote the state file, or restore a backup and audit first.",
        )
    return _spec(system, data)


def _spec(system: System, data: dict[str, Any]) -> FieldSpec:
    if data.pop("calculated", False):  # as the first version of the file had it
        data["nature"] = "calculated"
    data["choices"] = {int(number): label for number, label in data["choices"].items()}
    data["translations"] = {
        int(language): {int(number): label for number, label in labels.items()}
        for language, labels in data.get("translations", {}).items()
    }
    data["targets"] = tuple(data["targets"])
    return _of_today(system, FieldSpec(**data))


def _of_today(system: System, spec: FieldSpec) -> FieldSpec:
    """Return a field with a type that its system has: Marketo's once had some of Dynamics', as in `decimal`."""
    if system is System.MARKETO and spec.type in DYNAMICS_TYPES and spec.type not in MARKETO_TYPES:
        return attrs.evolve(spec, type=counterpart_type(spec) or "unsupported")
    return spec if spec.type in DYNAMICS_TYPES or spec.type in MARKETO_TYPES else attrs.evolve(spec, type="unsupported")
