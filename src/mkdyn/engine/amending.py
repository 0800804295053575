"""What a merge does not know of: what was refused before, and writes of ours that arrive late, or may have arrived."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mkdyn.domain.collisions import Collision, Resolution, Win
from mkdyn.domain.evidence import Proof
from mkdyn.domain.holds import Hold, Quarantined
from mkdyn.domain.lenses.lens import Unfit
from mkdyn.domain.merged import Merged
from mkdyn.domain.records import Agreed, Baseline, Twofold
from mkdyn.domain.systems import System
from mkdyn.domain.values import fingerprint
from mkdyn.engine.kinds import Kind
from mkdyn.engine.parting import Subject
from mkdyn.engine.seeing import Seen
from mkdyn.engine.session import Session


def tell_of_late(subject: Subject, seen: Seen, merged: Merged) -> None:
    """Report what is taken back in Marketo because a write of ours seems to have arrived late.

    Somebody may have entered just that value: the feed shows the same then.
    """
    kind, told = subject.kind, {item.collision.field for item in merged.resolutions}
    for name in seen.proof.arrived.keys() & seen.proof.overwritten.keys() & merged.to_marketo.keys():
        pair = kind.by_marketo.get(name)
        if pair is None or pair.dynamics in told:
            continue
        kept, shown = merged.to_marketo[name], seen.shown[System.MARKETO][name]
        collision = Collision(entity=kind.entity, field=pair.dynamics, was=kept, marketo=shown, dynamics=kept)
        verdict = Win(System.DYNAMICS, because="a write of ours seems to have arrived late there")
        key = subject.link.dynamics
        merged.resolutions.append(Resolution(collision=collision, verdict=verdict, key=key, kind="overwritten"))


def replaced(session: Session, subject: Subject, proof: Proof, *, elsewhere: bool) -> list[Resolution]:
    """Return reports of edits that our writes replaced in Marketo, and that nobody is to decide on any more.

    Args:
        session: The run.
        subject: The linked record.
        proof: What the feed proves of it.
        elsewhere: Whether only fields count that the record does not sync: a contact those of the lead that it was.
    """
    found: list[Resolution] = []
    kinds = [*(() if elsewhere else (subject.kind,)), *(kind for kind in session.persons if kind is not subject.kind)]
    for name, lost in proof.overwritten.items():
        kind = next((kind for kind in kinds if name in kind.by_marketo), None)
        if kind is None or (elsewhere and (name in subject.kind.by_marketo or name in subject.kind.strange)):
            continue
        pair = kind.by_marketo[name]
        stands = pair.lens.to_dynamics(proof.standing[name])
        dynamics = None if isinstance(stands, Unfit) else stands
        collision = Collision(entity=kind.entity, field=pair.dynamics, was=dynamics, marketo=lost, dynamics=dynamics)
        verdict = Win(System.DYNAMICS, because="the field did not sync there any more when it was heard of")
        found.append(
            Resolution(collision=collision, verdict=verdict, key=subject.link.dynamics, kind="overwritten")
        )  # fmt: skip
    return found


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


def in_doubt(session: Session, subject: Subject, baseline: Baseline, keys: Collection[str]) -> Baseline:
    """Return a baseline that keeps a doubt, which goes with its observation, about fields that can't be decided now.

    Where a write to Marketo may have arrived, Dynamics counts as changed later, and Marketo, too, unless it shows that
    write; else what is in doubt is no baseline any more.
    """
    names = {
        item.pair.key: item.pair.marketo for item in session.store.pairs() if item.pair.entity == subject.kind.entity
    }
    sent = {
        key: [echo.after for echo in subject.link.echoes.get(names.get(key, ""), ()) if not echo.sure] for key in keys
    }
    kept: dict[str, Agreed] = {key: agreed for key, agreed in baseline.items() if key not in keys}
    for key in keys:
        was = baseline[key]
        if sent[key]:
            kept[key] = Twofold(was.dynamics if isinstance(was, Twofold) else was, sent[key][-1])
    return kept
