"""Which pairs are backfilled, and for which records."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone

import attrs
import pytest

from mkdyn.domain import Direction, Entity, FieldPair, FieldValue, PairState, Pick
from mkdyn.domain.backfill import Span, to_backfill
from mkdyn.errors import FieldError, NotEligibleError, UnknownFieldError

WAITS = FieldPair(entity=Entity.LEAD, dynamics="new_tier", marketo="tier", state=PairState.BACKFILLING)
ACTIVE = FieldPair(entity=Entity.LEAD, dynamics="jobtitle", marketo="title")
GONE = attrs.evolve(WAITS, dynamics="new_gone", state=PairState.MISSING, reason="new_gone in Dynamics is not there")
OURS = FieldPair(entity=Entity.LEAD, dynamics="mkt_leadscore", marketo="score", direction=Direction.TO_DYNAMICS)
ALL = (ACTIVE, WAITS, GONE, OURS)


def pick(name: str) -> Pick:
    """Return the pick of a lead's field."""
    return Pick(Entity.LEAD, name)


def test_without_picks_all_that_wait_are_refreshed() -> None:
    """And nothing else."""
    assert to_backfill([], ALL) == [WAITS]
    with pytest.raises(FieldError) as caught:
        to_backfill([], [ACTIVE, GONE])
    assert caught.value.what == "No field waits for its backfill."
    assert caught.value.what_to_do == "To refresh one again, name it: sync.backfill(Pick(…))."


def test_picks_are_refreshed_in_their_order_and_once() -> None:
    """Whether they wait, or are to be repaired."""
    assert to_backfill([pick("jobtitle"), pick("new_tier"), pick("jobtitle")], ALL) == [ACTIVE, WAITS]


@pytest.mark.parametrize(
    ("name", "kind", "what", "what_to_do"),
    [
        (
            "fax", UnknownFieldError, "lead.fax is not selected.",
            "Select it first: sync.fields.select(Pick(…)).",
        ),
        (
            "new_gone", NotEligibleError, "lead.new_gone is missing: new_gone in Dynamics is not there.",
            "It goes on when both systems show it again.",
        ),
        (
            "mkt_leadscore", NotEligibleError,
            "lead.mkt_leadscore syncs Marketo → Dynamics only: there is nothing to refresh in Marketo.",
            "Leave it out.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_refreshed(name: str, kind: type[FieldError], what: str, what_to_do: str) -> None:
    """Each with its way out."""
    with pytest.raises(kind) as caught:
        to_backfill([pick("jobtitle"), pick(name)], ALL)
    assert (caught.value.what, caught.value.what_to_do) == (what, what_to_do)


def test_several_that_cannot_be_refreshed_are_told_at_once() -> None:
    """Counted, and each in full."""
    with pytest.raises(FieldError, match="2 of 3 picks refused, none refreshed") as caught:
        to_backfill([pick("fax"), pick("jobtitle"), pick("new_gone")], ALL)
    assert [type(fault) for fault in caught.value.faults] == [UnknownFieldError, NotEligibleError]


@pytest.mark.parametrize(
    ("since", "until", "moments", "covered"),
    [
        (None, None, (), True),
        (date(2026, 7, 1), None, (), False),
        (date(2026, 7, 1), None, (None,), False),
        (date(2026, 7, 1), None, (date(2026, 7, 1),), True),
        (date(2026, 7, 1), None, (date(2026, 6, 30),), False),
        (None, date(2026, 7, 1), (date(2026, 6, 30),), True),
        (None, date(2026, 7, 1), (date(2026, 7, 1),), False),
        (date(2026, 7, 1), date(2026, 7, 2), (date(2026, 6, 1), date(2026, 7, 1)), True),
        (date(2026, 7, 1), date(2026, 7, 2), (date(2026, 6, 1), date(2026, 8, 1)), False),
        (date(2026, 7, 1), None, (datetime(2026, 7, 1, tzinfo=UTC),), True),
        (date(2026, 7, 1), None, (datetime(2026, 7, 1, 1, tzinfo=timezone(timedelta(hours=2))),), False),
    ],
)
def test_days(since: date | None, until: date | None, moments: tuple[FieldValue, ...], covered: bool) -> None:
    """In UTC; the last one is not part of them; one moment of a record's is enough."""
    assert Span(since, until).covers(*moments) == covered


def test_days_are_not_those_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it stands."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert Span(date(2026, 7, 1)).covers(datetime(2026, 6, 30, 20, tzinfo=UTC)) is False
    finally:
        monkeypatch.undo()
        time.tzset()


def test_days_in_words() -> None:
    """An open end shows nothing."""
    assert [str(span) for span in (Span(), Span(date(2026, 7, 1)), Span(None, date(2026, 7, 2)))] == [
        "..", "2026-07-01..", "..2026-07-02",
    ]  # fmt: skip
    assert [Span().bounded, Span(date(2026, 7, 1)).bounded, Span(None, date(2026, 7, 2)).bounded] == [False, True, True]
