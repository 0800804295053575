"""What is kept back of a linked record, and what is not any more."""

from __future__ import annotations

from collections.abc import Sequence

from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.holds import Hold, Quarantined
from mkdyn.domain.merged import Merged
from mkdyn.domain.records import Twofold
from mkdyn.engine.parting import UNSEEN, Subject
from mkdyn.engine.seeing import ANSWERS, Seen, hold_answer


def released(
    subject: Subject, seen: Seen, merged: Merged, standing: Sequence[Hold | Quarantined]
) -> list[tuple[AnyEntity, str, str | None]]:
    """Return what stood of the record and does not any more.

    A field that Marketo refused to take as written stays held until it is decided anew; what is written stays until
    that is done: should it come to nothing, whatever is held is how the record is looked at again. That a system did
    not show the record is over as soon as both do.
    """
    held = {hold.field for hold in (*merged.holds, *seen.holds)}
    written = {pair.dynamics for pair in subject.kind.pairs if pair.key in merged.awaited}
    decided = {pair.dynamics for pair in subject.kind.pairs if pair.key in merged.agreed}
    return [
        (item.entity, item.key, item.field if isinstance(item, Hold) else None)
        for item in standing
        if (
            not (item.field in held | written or (item.code in ANSWERS and item.field not in decided))
            if isinstance(item, Hold)
            else item.code in UNSEEN or not merged.awaited
        )
    ]


def still_apart(subject: Subject, seen: Seen, merged: Merged, standing: Sequence[Hold | Quarantined]) -> Sequence[Hold]:
    """Return what Marketo's answer is again, after an edit that a system refused and that somebody has undone."""
    other = {item.field for item in standing if isinstance(item, Hold) and item.code not in ANSWERS}
    held = {hold.field for hold in (*merged.holds, *seen.holds)}
    return [
        hold_answer(subject, pair.marketo, "rewritten")
        for pair in subject.kind.pairs
        if pair.dynamics in other - held
        and not (pair.key in merged.agreed or pair.key in merged.awaited)
        and isinstance(was := seen.baseline.get(pair.key), Twofold)
        and not (was.filled_in or pair.lens.agree(was.dynamics, was.marketo))
    ]
