"""Pages, and the tokens between them: base32, opaque, with `=` at the end."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from mkdyn.testing.servers.marketo.question import INVALID, Answer, Object, Question, RefusedError

T = TypeVar("T")


def token(kind: str, *numbers: int) -> str:
    """Return a token that says where to go on."""
    return base64.b32encode(",".join([kind, *map(str, numbers)]).encode()).decode()


def numbers_of(kind: str, text: str, code: str = INVALID) -> list[int]:
    """Return the numbers of a token.

    Raises:
        RefusedError: It is no token of that kind.
    """
    try:
        name, *numbers = base64.b32decode(text).decode().split(",")
        found = [int(number) for number in numbers]
    except (binascii.Error, ValueError):
        name, found = "", []
    if name != kind:
        raise RefusedError(code, "Invalid paging token")
    return found


def paged(question: Question, found: Sequence[T], show: Callable[[Iterable[T]], list[Object]]) -> Answer:
    """Return one page of what was found; where all fits on it, the answer does not speak of pages."""
    asked = question.text("nextPageToken")
    start = numbers_of("page", asked)[0] if asked else 0
    end = start + question.batch_size()
    page = show(found[start:end])
    if end < len(found):
        return Answer(result=page, next_page=token("page", end), more=True)
    return Answer(result=page, more=False) if asked else Answer(result=page)
