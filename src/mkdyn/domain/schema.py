"""What has changed in a system's description of its fields, and what that does to the selected pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

import attrs

from mkdyn.domain.fields import FieldPair, FieldSpec, PairState
from mkdyn.domain.lenses.matrix import DEFAULT_READING, Reading, lens_between
from mkdyn.domain.registry import Eligible, NotEligible, eligibility
from mkdyn.domain.systems import System
from mkdyn.errors import TypeMismatchError

#: What can happen to a field. A field deleted and made anew under its old name is `replaced`.
ChangeKind: TypeAlias = Literal[
    "added", "removed", "replaced", "retyped", "resized", "choices", "relabelled", "readable", "unreadable",
    "masked", "unmasked", "writable", "unwritable",
]  # fmt: skip

_WORDS: Final[Mapping[ChangeKind, str]] = {
    "added": "is new",
    "removed": "is not there any more",
    "replaced": "was deleted and made anew",
    "retyped": "has another type",
    "resized": "has another length, precision or range",
    "choices": "has other choices or labels",
    "relabelled": "has another label",
    "readable": "can be read now",
    "unreadable": "can't be read any more",
    "masked": "is shown masked now",
    "unmasked": "is not shown masked any more",
    "writable": "can be written now",
    "unwritable": "can't be written any more",
}
#: Changes after which a value may fit that did not, or the other way about.
SHAPES: Final = frozenset[ChangeKind]({"retyped", "resized", "choices"})


#: Why an active pair should be backfilled.
STALE: Final = "its values may look different now: backfill it"


@attrs.frozen(kw_only=True)
class SchemaChange:
    """One thing that is different about one field.

    Attributes:
        system: Whose field.
        object: The system's name of the object it belongs to.
        field: Its name.
        kind: What happened to it.
        detail: From what to what, where that can be said in a few words; never a record's value.
    """

    system: System
    object: str
    field: str
    kind: ChangeKind
    detail: str = ""

    def __str__(self) -> str:
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.system} {self.object}.{self.field} {_WORDS[self.kind]}{detail}"


def compared(
    system: System, object: str, before: Iterable[FieldSpec], after: Iterable[FieldSpec]
) -> tuple[SchemaChange, ...]:
    """Return what is different in an object's description, by field name."""
    old, new = {spec.name: spec for spec in before}, {spec.name: spec for spec in after}
    return tuple(
        SchemaChange(system=system, object=object, field=name, kind=kind, detail=detail)
        for name in sorted({*old, *new})
        for kind, detail in _differences(old.get(name), new.get(name))
    )


def _differences(old: FieldSpec | None, new: FieldSpec | None) -> Iterable[tuple[ChangeKind, str]]:
    if old is None or new is None:
        yield ("removed", "") if new is None else ("added", "")
        return
    if _is_another(old, new):
        yield "replaced", ""
    if old.type != new.type:
        yield "retyped", f"{old.type}, now {new.type}"
    elif _size(old) != _size(new):
        yield "resized", "" if old.shape == new.shape else f"{old.shape}, now {new.shape}"
    if (old.choices, old.translations) != (new.choices, new.translations):
        yield "choices", ""
    if old.label != new.label:
        yield "relabelled", f"{old.label}, now {new.label}"
    if old.readable != new.readable:
        yield ("readable" if new.readable else "unreadable"), ""
    if old.masked != new.masked:
        yield ("masked" if new.masked else "unmasked"), ""
    if old.writable != new.writable:
        yield ("writable" if new.writable else "unwritable"), ""


def _size(spec: FieldSpec) -> tuple[object, ...]:
    return spec.length, spec.precision, spec.minimum, spec.maximum, spec.default


@attrs.frozen
class Standing:
    """What a pair's fields allow now.

    Attributes:
        state: What becomes of the pair.
        reason: Why it does not sync, if it doesn't; else why it should be backfilled, if it should.
        system: Where the field is that does not let it sync.
        returned: Whether it syncs again: both systems are compared with what they last agreed on.
        wakes: Whether values that did not fit may fit now.
    """

    state: PairState
    reason: str = ""
    system: System | None = None
    returned: bool = False
    wakes: bool = False


def standing(
    pair: FieldPair,
    was: tuple[FieldSpec, FieldSpec],
    now: tuple[FieldSpec | None, FieldSpec | None],
    reading: Reading = DEFAULT_READING,
) -> Standing:
    """Decide what becomes of a selected pair, given its fields as they were selected and as they are.

    Args:
        pair: The pair.
        was: The Dynamics and the Marketo field it was selected with.
        now: The same as the systems describe them now; None where there is none.
        reading: How values are read.
    """
    dynamics, marketo = now
    if dynamics is None or _is_another(was[0], dynamics):
        return _gone(System.DYNAMICS, was[0], dynamics)
    if marketo is None or _is_another(was[1], marketo):
        return _gone(System.MARKETO, was[1], marketo)
    blocked = _blocked(pair, dynamics, marketo, reading)
    if blocked is not None:
        return blocked
    changes = [(was[0], dynamics), (was[1], marketo)]
    shapes = {kind for old, new in changes for kind, _ in _differences(old, new)} & SHAPES
    stale = any(_shows_otherwise(old, new, reading) for old, new in changes)
    returned = pair.state in (PairState.MISSING, PairState.BLOCKED)
    return Standing(
        PairState.ACTIVE if returned else pair.state,
        reason=STALE if stale else "" if returned else pair.reason,
        returned=returned,
        wakes=bool(shapes),
    )


def _is_another(before: FieldSpec, after: FieldSpec) -> bool:
    """Whether a field has only the name of the one before."""
    return before.id is not None and after.id is not None and before.id != after.id


def _gone(system: System, before: FieldSpec, after: FieldSpec | None) -> Standing:
    what = "is not there any more" if after is None else "was deleted and made anew; select it again"
    return Standing(PairState.MISSING, f"{before.name} in {system} {what}", system)


def _shows_otherwise(old: FieldSpec, new: FieldSpec, reading: Reading) -> bool:
    """Whether a value that is stored may look different in the other system now, though nobody edited it."""
    before, after = old.labels(reading.language), new.labels(reading.language)
    relabelled = any(after.get(choice) != label for choice, label in before.items())
    return old.type != new.type or old.precision != new.precision or relabelled


def _blocked(pair: FieldPair, dynamics: FieldSpec, marketo: FieldSpec, reading: Reading) -> Standing | None:
    """Return why the two fields, both there, can't be used, or None if they can."""
    verdict = eligibility(dynamics)
    if isinstance(verdict, NotEligible):
        return Standing(PairState.BLOCKED, verdict.reason, System.DYNAMICS)
    if pair.direction.writes(System.DYNAMICS) and not isinstance(verdict, Eligible):
        return Standing(PairState.BLOCKED, verdict.reason, System.DYNAMICS)
    if not marketo.readable or (pair.direction.writes(System.MARKETO) and not marketo.writable):
        right = "written" if marketo.readable else "read"
        return Standing(PairState.BLOCKED, f"{marketo.name} can't be {right} in Marketo any more", System.MARKETO)
    try:
        lens_between(dynamics, marketo, reading)
    except TypeMismatchError:
        reason = f"{dynamics.shape} in Dynamics does not fit {marketo.shape} in Marketo"
        return Standing(PairState.BLOCKED, reason, System.DYNAMICS)
    return None
