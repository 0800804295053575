"""What a call asks, and what it is answered, without any HTTP; and how Marketo says no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeGuard

import attrs

#: A JSON object.
Object: TypeAlias = Mapping[str, Any]

BATCH_MAX: Final = 300
_MISSING: Final = "1002"
_WRONG_TYPE: Final = "1001"
INVALID: Final = "1003"


def is_list(found: object) -> TypeGuard[list[Any]]:
    """Whether JSON is a list."""
    return isinstance(found, list)


def is_object(found: object) -> TypeGuard[Object]:
    """Whether JSON is an object."""
    return isinstance(found, dict)


class RefusedError(Exception):
    """Marketo refuses the whole call.

    Attributes:
        code: The code.
        message: What it says.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@attrs.frozen(kw_only=True)
class Question:
    """A call as its endpoint sees it.

    Attributes:
        path: The parts of the path that vary, by name.
        parameters: The query, or the form that stands for it.
        body: The JSON object that was sent; None where none was.
        file: The file that was sent.
    """

    path: Mapping[str, str] = attrs.field(factory=dict[str, str])
    parameters: Mapping[str, Sequence[str]] = attrs.field(factory=dict[str, Sequence[str]], repr=False)
    body: Object | None = attrs.field(default=None, repr=False)
    file: bytes | None = attrs.field(default=None, repr=False)

    def text(self, name: str) -> str | None:
        """Return a parameter's last value; None where it is empty or not there."""
        values = self.parameters.get(name, ())
        return values[-1] or None if values else None

    def required(self, name: str) -> str:
        """Return a parameter that the call needs.

        Raises:
            RefusedError: It is not there.
        """
        value = self.text(name)
        if value is None:
            raise RefusedError(_MISSING, f"Missing value for required parameter '{name}'")
        return value

    def texts(self, name: str) -> list[str]:
        """Return a parameter's values, repeated or divided by commas."""
        return [part for value in self.parameters.get(name, ()) for part in value.split(",") if part]

    def batch_size(self) -> int:
        """Return how many records a page may hold.

        Raises:
            RefusedError: It is no number of records.
        """
        asked = self.text("batchSize")
        if asked is None:
            return BATCH_MAX
        if not asked.isdecimal() or int(asked) == 0:
            raise RefusedError(_WRONG_TYPE, f"Invalid value '{asked}'. Required of type 'Integer'")
        return min(int(asked), BATCH_MAX)

    def records(self, code: str, *, member: str = "input") -> list[Object]:
        """Return the records that were sent.

        Args:
            code: What to refuse too many with.
            member: Where they are.

        Raises:
            RefusedError: There are none, or too many, or something else.
        """
        records: Any = None if self.body is None else self.body.get(member)
        if not is_list(records) or not records:
            raise RefusedError(_MISSING, f"Missing value for required parameter '{member}'")
        if not all(map(is_object, records)):
            raise RefusedError(INVALID, f"'{member}' must hold objects")
        if len(records) > BATCH_MAX:
            raise RefusedError(code, f"Number of records in '{member}' exceeds {BATCH_MAX}")
        return records

    def choice(self, name: str, *allowed: str) -> str:
        """Return one of a few words of the body; the first where it says nothing.

        Raises:
            RefusedError: It is another word.
        """
        chosen: object = (self.body or {}).get(name) or allowed[0]
        if not isinstance(chosen, str) or chosen not in allowed:
            raise RefusedError(INVALID, f"Invalid value for '{name}': {', '.join(allowed)} are allowed")
        return chosen


@attrs.frozen(kw_only=True)
class Answer:
    """What goes into the envelope of a success.

    Attributes:
        result: What was found or done; None where the answer has no such member.
        next_page: The token of the next page.
        more: Whether there is more; None where the answer does not say.
        file: The file that is answered instead of all that; an empty one is one that is not there.
    """

    result: Sequence[Object] | None = attrs.field(default=None, repr=False)
    next_page: str | None = None
    more: bool | None = None
    file: bytes | None = attrs.field(default=None, repr=False)

    def members(self) -> dict[str, object]:
        """Return the envelope's members."""
        members: dict[str, object] = {}
        if self.result is not None:
            members["result"] = self.result
        if self.next_page is not None:
            members["nextPageToken"] = self.next_page
        if self.more is not None:
            members["moreResult"] = self.more
        return members


def skipped(code: str, message: str) -> dict[str, object]:
    """Return what is said of a record that is refused."""
    return {"status": "skipped", "reasons": [{"code": code, "message": message}]}
