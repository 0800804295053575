"""`MarketoBulk`: whether and when updates of persons go to Marketo in files, and its feed comes in some."""

from __future__ import annotations

from typing import TypeVar

import attrs

from mkdyn.adapters.marketo.crossover import Aim, Terms
from mkdyn.adapters.marketo.limits import WINDOW_S, MarketoLimits
from mkdyn.errors import ConfigError

AmountT = TypeVar("AmountT", int, float)


def _is_positive(_: object, attribute: attrs.Attribute[AmountT], value: AmountT) -> None:
    if value <= 0:
        raise ConfigError(f"Marketo's files: {attribute.name} is above 0.")


@attrs.frozen(kw_only=True)
class MarketoBulk:
    """Updates of persons in files, and a long feed of them, where that saves calls or time.

    Marketo does not say how long it takes for a file; measure it, and say so.

    Attributes:
        aim: What files are to save: calls of the day's quota, or time.
        job_s: Seconds that Marketo is taken to need for a file, its waiting for a turn included.
        poll_s: Seconds between two looks at how far it is.
        deadline_s: Seconds after which a file is not waited for any more; what became of its rows is then read back.
        jobs: How many files are under way at once: Marketo works on two, for the whole instance.
        file_bytes: The most bytes of a file: Marketo takes ten million.
        batch_max: The most updates that are handed over at once.
        call_s: Seconds that a call of three hundred records takes.
        rows_min: The fewest rows that go in files, whatever is saved; None to have that computed.

    Raises:
        ConfigError: A number is not above 0.
    """

    aim: Aim = "calls"
    job_s: float = attrs.field(default=600.0, validator=_is_positive)
    poll_s: float = attrs.field(default=60.0, validator=_is_positive)
    deadline_s: float = attrs.field(default=3_600.0, validator=_is_positive)
    jobs: int = attrs.field(default=2, validator=_is_positive)
    file_bytes: int = attrs.field(default=9_500_000, validator=_is_positive)
    batch_max: int = attrs.field(default=30_000, validator=_is_positive)
    call_s: float = attrs.field(default=2.0, validator=_is_positive)
    rows_min: int | None = None


def terms_of(bulk: MarketoBulk, limits: MarketoLimits) -> Terms:
    """Return what calls and files cost within some limits."""
    pace = min(limits.calls_per_20_s / WINDOW_S, limits.concurrent_calls / bulk.call_s)
    return Terms(
        aim=bulk.aim,
        job_s=bulk.job_s,
        poll_s=bulk.poll_s,
        jobs=bulk.jobs,
        file_bytes=bulk.file_bytes,
        calls_per_s=limits.share * pace,
        rows_min=bulk.rows_min,
    )
