"""Lenses between days, and between points in time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo
from typing import Final

from mkdyn.domain.lenses.lens import Lens, Unfit, carrying
from mkdyn.domain.values import FieldValue

_NO_SUCH_DAY = Unfit("out-of-range", "the calendar has no such day.")
_SECONDS = "fractions of a second"
_EARLY = "days before 1753"

#: The first year that Dynamics knows (source: Microsoft, "Behavior and format of the date and time column").
YEAR_MIN: Final = 1753


def _known(value: FieldValue | Unfit) -> FieldValue | Unfit:
    """Refuse a day or an instant that Dynamics does not know, and return any other as it is."""
    early = isinstance(value, date) and value.year < YEAR_MIN
    return Unfit("out-of-range", f"Dynamics knows no day before {YEAR_MIN}.") if early else value


def _instant(value: datetime) -> datetime | Unfit:
    if value.tzinfo is None:
        return Unfit("no-time-zone", "the time has no zone.")
    try:
        return value.astimezone(UTC)
    except OverflowError:  # the first or last day of the calendar, in another zone
        return _NO_SUCH_DAY


def _whole(value: datetime) -> FieldValue | Unfit:
    found = _instant(value)
    return found.replace(microsecond=0) if isinstance(found, datetime) and found.microsecond else found


def datetime_lens() -> Lens:
    """Return the lens between two instants; Marketo keeps whole seconds, in UTC."""
    return Lens(
        name="datetime",
        to_marketo=carrying(datetime, _whole, "date and time"),
        to_dynamics=carrying(datetime, lambda value: _known(_instant(value)), "date and time"),
        loses=_SECONDS,
        holds=_EARLY,
    )


def wall_clock_lens() -> Lens:
    """Return the lens between a time that is the same for everybody and Marketo's instants.

    The digits stay what they are, as if the wall hung in UTC: shifted, they would be another time.
    """

    def to_marketo(value: datetime) -> FieldValue | Unfit:
        if value.tzinfo is not None:
            return Unfit("time-zone", "the time has a zone, and the field knows none.")
        return value.replace(microsecond=0, tzinfo=UTC)

    def to_dynamics(value: datetime) -> FieldValue | Unfit:
        found = _known(_instant(value))
        return found.replace(tzinfo=None) if isinstance(found, datetime) else found

    return Lens(
        name="wall-clock",
        to_marketo=carrying(datetime, to_marketo, "date and time"),
        to_dynamics=carrying(datetime, to_dynamics, "date and time"),
        loses=_SECONDS,
        holds=_EARLY,
    )


def _day(value: date) -> FieldValue | Unfit:
    return Unfit("wrong-type", "it has a time of day.") if isinstance(value, datetime) else value


def date_lens() -> Lens:
    """Return the lens between two calendar days."""
    return Lens(
        name="date",
        to_marketo=carrying(date, _day, "date"),
        to_dynamics=carrying(date, lambda value: _known(_day(value)), "date"),
        holds=_EARLY,
    )


def user_date_lens(zone: tzinfo = UTC) -> Lens:
    """Return the lens between a day that Dynamics keeps as an instant, and Marketo's calendar days.

    Args:
        zone: Where the day begins: the organisation's time zone.
    """

    def to_marketo(value: datetime) -> FieldValue | Unfit:
        if value.tzinfo is None:
            return Unfit("no-time-zone", "the time has no zone.")
        try:
            return value.astimezone(zone).date()
        except OverflowError:
            return _NO_SUCH_DAY

    def to_dynamics(value: date) -> FieldValue | Unfit:
        found = _day(value)
        if isinstance(found, Unfit):
            return found
        return _known(_instant(datetime.combine(value, time(), tzinfo=zone)))

    return Lens(
        name="user-date",
        to_marketo=carrying(datetime, to_marketo, "date and time"),
        to_dynamics=carrying(date, to_dynamics, "date"),
        loses="the time of day",
        holds=_EARLY,
    )
