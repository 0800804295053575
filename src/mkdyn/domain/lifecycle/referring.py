"""References to other records: whether Marketo can take one, and what becomes of it if not. Pure."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from mkdyn.domain.entities import AnyEntity, CustomEntity
from mkdyn.domain.fields import FieldPair
from mkdyn.domain.lifecycle.table import ANY, Table, one_of
from mkdyn.domain.mapping import standard_row

#: What is known of the row that a reference names.
Target: TypeAlias = Literal["linked", "on its way", "of another kind", "not there"]
Referring: TypeAlias = Literal["carry", "empty", "wait"]

#: A reference that Marketo is to be given: a field of Marketo's can name one kind of records, and an owner or a
#: customer of Dynamics may be of two.
REFER: Final[Table[Referring, bool, Target]] = Table(
    "a reference to another record",
    {
        "what the field names syncs": (True, False),
        "the row is": ("linked", "on its way", "of another kind", "not there"),
    },
    {
        (False, ANY): "carry",
        (True, one_of("linked", "on its way")): "carry",
        (True, "of another kind"): "empty",
        (True, "not there"): "wait",
    },
)


def named_by(pair: FieldPair) -> AnyEntity | None:
    """Return the kind of records that a pair's Marketo field names, if it is a reference there, too."""
    if isinstance(pair.entity, CustomEntity):
        return pair.entity.parent if pair.dynamics == pair.entity.via else None
    row = standard_row(pair.entity, pair.dynamics)
    return row.refers_to if row is not None and row.marketo == pair.marketo else None
