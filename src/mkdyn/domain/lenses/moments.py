"""Lenses between days, and between points in time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo

from mkdyn.domain.lenses.lens import Lens, Unfit, carrying
from mkdyn.domain.values import FieldValue

_NO_SUCH_DAY = Unfit("out-of-range", "the calendar has no such day.")
_SECONDS = "fractions of a second"


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
        to_dynamics=carrying(datetime, _instant, "date and time"),
        loses=_SECONDS,
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
        found = _instant(value)
        return found.replace(tzinfo=None) if isinstance(found, datetime) else found

    return Lens(
        name="wall-clock",
        to_marketo=carrying(datetime, to_marketo, "date and time"),
        to_dynamics=carrying(datetime, to_dynamics, "date and time"),
        loses=_SECONDS,
    )


def _day(value: date) -> FieldValue | Unfit:
    return Unfit("wrong-type", "it has a time of day.") if isinstance(value, datetime) else value


def date_lens() -> Lens:
    """Return the lens between two calendar days."""
    carry = carrying(date, _day, "date")
    return Lens(name="date", to_marketo=carry, to_dynamics=carry)


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
        return _instant(datetime.combine(value, time(), tzinfo=zone))

    return Lens(
        name="user-date",
        to_marketo=carrying(datetime, to_marketo, "date and time"),
        to_dynamics=carrying(date, to_dynamics, "date"),
        loses="the time of day",
    )
