"""What a merge does not know of: what was refused before, and writes of ours that arrive late."""

from __future__ import annotations

from collections.abc import Sequence

from mkdyn.domain.collisions import Collision, Resolution, Win
from mkdyn.domain.holds import Hold, Quarantined
from mkdyn.domain.merged import Merged
from mkdyn.domain.systems import System
from mkdyn.domain.values import fingerprint
from mkdyn.engine.kinds import Kind
from mkdyn.engine.parting import Subject
from mkdyn.engine.seeing import Seen


def tell_of_late(subject: Subject, seen: Seen, merged: Merged) -> None:
    """Report what is taken back in Marketo because a write of ours seems to have arrived late.

    Somebody may have entered just that value: the feed shows the same then.
    """
    kind, told = subject.kind, {item.collision.field for item in merged.resolutions}
    for name in seen.proof.arrived & seen.proof.overwritten.keys() & merged.to_marketo.keys():
        pair = kind.by_marketo.get(name)
        if pair is None or pair.dynamics in told:
            continue
        kept, shown = merged.to_marketo[name], seen.shown[System.MARKETO][name]
        collision = Collision(entity=kind.entity, field=pair.dynamics, was=kept, marketo=shown, dynamics=kept)
        verdict = Win(System.DYNAMICS, because="a write of ours seems to have arrived late there")
        key = subject.link.dynamics
        merged.resolutions.append(Resolution(collision=collision, verdict=verdict, key=key, kind="overwritten"))


def keep_refused(kind: Kind, merged: Merged, standing: Sequence[Hold | Quarantined]) -> None:
    """Leave out what a system refused before: an edit wakes a hold, and nothing else does."""
    for hold in standing:
        if not isinstance(hold, Hold) or not hold.refused or hold.field not in kind.by_dynamics:
            continue
        pair = kind.by_dynamics[hold.field]
        for after, name in ((merged.to_marketo, pair.marketo), (merged.to_dynamics, pair.dynamics)):
            if name in after and fingerprint(after[name]) == hold.refused:
                del after[name]
                merged.awaited.pop(pair.key, None)
                merged.holds.append(hold)
