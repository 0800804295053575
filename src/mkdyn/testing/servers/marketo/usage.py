"""Who has used how much of an instance, day by day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from mkdyn.testing.servers.marketo.question import Object

#: What the endpoints call last7days.
WEEK: Final = 7


class Usage:
    """Calls and errors, counted as the usage endpoints tell them."""

    def __init__(self) -> None:
        self._calls: defaultdict[date, Counter[str]] = defaultdict(Counter)
        self._errors: defaultdict[date, Counter[str]] = defaultdict(Counter)
        self._by_user: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def called(self, day: date, user: str) -> None:
        """Count a call that is paid for."""
        self._calls[day][user] += 1

    def failed(self, day: date, user: str, code: str) -> None:
        """Count an error."""
        self._errors[day][code] += 1
        self._by_user[user][code] += 1

    def errors_of(self, user: str) -> Mapping[str, int]:
        """Return how often each code was a user's answer."""
        return self._by_user[user]

    def calls_told(self, today: date, *, days: int) -> Sequence[Object]:
        """Return the calls of the last days, as an answer tells them."""
        return [
            {
                "date": day.isoformat(),
                "total": counts.total(),
                "users": [{"userId": user, "count": count} for user, count in counts.items()],
            }
            for day, counts in self._last(self._calls, today, days)
        ]

    def errors_told(self, today: date, *, days: int) -> Sequence[Object]:
        """Return the errors of the last days, as an answer tells them."""
        return [
            {
                "date": day.isoformat(),
                "total": counts.total(),
                "errors": [{"errorCode": code, "count": count} for code, count in counts.items()],
            }
            for day, counts in self._last(self._errors, today, days)
        ]

    @staticmethod
    def _last(counted: Mapping[date, Counter[str]], today: date, days: int) -> list[tuple[date, Counter[str]]]:
        past = [today - timedelta(days=back) for back in range(days)]
        return [(day, counted[day] if day in counted else Counter()) for day in past]
