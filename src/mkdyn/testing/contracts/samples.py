"""Things to put into a store: every kind of value, every kind of entity."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

from mkdyn.domain.entities import CustomEntity, Entity
from mkdyn.domain.values import FieldValue, Values

#: Nine in the morning.
NINE: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
#: The same instant, as a clock in New York shows it.
NINE_ABROAD: Final = NINE.astimezone(timezone(timedelta(hours=-5)))
HOUR: Final = timedelta(hours=1)

#: A value of every type, and the ones that are easily taken for another.
VALUES: Final[Values] = {
    "firstname": "Žofie “Zoë” 🐝\n",
    "empty": "",
    "none": None,
    "true": True,
    "one": 1,
    "large": 2**63,
    "float": 0.1,
    "whole": 1.0,
    "decimal": Decimal("1.10"),
    "instant": NINE,
    "exact": NINE.replace(microsecond=123456),
    "abroad": NINE_ABROAD,
    "day": date(2026, 3, 2),
    "half a bee": "\ud83d",
    "like ours": '{"$date":"2026-03-02"}',
}

#: Entities of your own, one below the other, below one of the six.
SUBSCRIPTION: Final = CustomEntity("new_subscription", parent=Entity.ACCOUNT, via="new_account")
VISIT: Final = CustomEntity("new_visit", parent=SUBSCRIPTION, via="new_subscription", marketo="visit_c")

GUIDS: Final = tuple(f"{number:08x}-0000-4000-8000-000000000000" for number in range(1, 10))


def exactly(values: Mapping[str, FieldValue]) -> dict[str, tuple[str, str]]:
    """Return values so that what Python calls equal differs: 1, 1.0 and True; 1.1 and 1.10."""
    return {name: (type(value).__name__, str(value)) for name, value in values.items()}
