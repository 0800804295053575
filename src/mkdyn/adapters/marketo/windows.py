"""A long feed, read at several places at once and told in order.

A paging token leads from page to page, so one of them brings no more than a page in the time of a call, however many
calls are allowed. Several tokens, each made of a time, bring several pages: each reads on to where the next begins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Set as AbstractSet
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeAlias

import attrs

from mkdyn.adapters.http.abreast import abreast
from mkdyn.adapters.http.shapes import Json
from mkdyn.adapters.marketo.responses import Envelope

#: How many windows are read at once: three use up five calls a second where a call takes half a second, and half of
#: five, the other half being what reads the persons told of, where it takes a second.
ABREAST: Final = 3
#: The least and the most pages of a window. Each costs about a call and a half: its token, and a page cut in two.
PAGES_MIN: Final = 15
PAGES_MAX: Final = 40
#: After how many pages the first window says how long a page is.
MEASURED: Final = 3
#: How many pages wait for their turn before only the first window is read on.
HELD_MAX: Final = 2 * PAGES_MAX * ABREAST

#: Returns an activity's id and time.
Told: TypeAlias = Callable[[Json], tuple[str, datetime]]
#: Reads the feed from a time on.
Stream: TypeAlias = Callable[[datetime], AsyncGenerator[Envelope]]
#: Reads a page of another feed.
Beside: TypeAlias = Callable[[], Awaitable[None]]


def window_end(begin: datetime, end: datetime, page: timedelta) -> datetime | None:
    """Return where to let a window end, a whole second; None where the rest is best read as one.

    Windows grow smaller towards the end, so that they end together.

    Args:
        begin: Where it begins.
        end: Up to where the feed is settled; no window begins later.
        page: How much time a page covers, about.
    """
    if page <= timedelta() or end <= begin:
        return None
    left = (end - begin) / page
    pages = min(max(left / ABREAST, PAGES_MIN), PAGES_MAX)
    if left < pages + PAGES_MIN:
        return None
    until = (begin + pages * page).replace(microsecond=0)
    return until if until > begin else None


@attrs.define
class _Window:
    """A part of the feed.

    Attributes:
        begin: Where it begins.
        answers: Its pages.
        until: Where the next window begins; None while this one is the last.
        reached: The time of the latest that it told; everything before that was told.
        pages: How many pages were read.
        held: Those that wait for their turn.
        done: Whether it was read to its end.
    """

    begin: datetime
    answers: AsyncGenerator[Envelope]
    until: datetime | None = None
    reached: datetime = attrs.field(init=False)
    pages: int = 0
    held: deque[Envelope] = attrs.field(factory=deque[Envelope])
    done: bool = False

    def __attrs_post_init__(self) -> None:
        self.reached = self.begin

    async def take(self, told: Told) -> None:
        """Read a page."""
        answer = await anext(self.answers, None)
        if answer is None:
            self.done = True
            return
        self.held.append(answer)
        self.pages += 1
        self.reached = max([self.reached, *(told(item)[1] for item in answer.result)])
        self.done = not answer.more or (self.until is not None and self.reached >= self.until)


async def in_windows(
    stream: Stream, told: Told, since: datetime, end: datetime, beside: Beside
) -> AsyncGenerator[Envelope]:
    """Yield the feed's pages, oldest first, each activity in one of them only.

    It begins with one window; once that shows how long a page is, more are opened, where so much is left that they
    are worth it. They are read in rounds, a page of each, and nothing goes on between two pages that are yielded.

    Args:
        stream: Reads the feed from a time on.
        told: Returns an activity's id and time.
        since: Where the feed begins.
        end: Up to where it is settled; what is later is read by one window.
        beside: What to call in each round too; it does nothing once it is done.
    """
    windows = deque([_Window(since, stream(since))])
    # What the ends of windows told beyond them: the next ones tell it again.
    beyond: dict[str, datetime] = {}
    try:
        while windows:
            _open(windows, stream, end)
            held = sum(len(window.held) for window in windows)
            going = [window for window in windows if not window.done][: ABREAST if held < HELD_MAX else 1]
            calls: list[Beside] = [*(partial(window.take, told) for window in going), beside]
            await abreast(calls)
            while windows:
                head = windows[0]
                while head.held:
                    answer = head.held.popleft()
                    fresh = _less(answer, told, beyond.keys())
                    if head.done and not head.held:
                        beyond |= dict(map(told, answer.result))
                    yield fresh
                if not head.done:
                    break
                await windows.popleft().answers.aclose()
                beyond = {id: at for id, at in beyond.items() if windows and at >= windows[0].begin}
    finally:
        for window in windows:
            await window.answers.aclose()


def _open(windows: deque[_Window], stream: Stream, end: datetime) -> None:
    """Divide the last window, as far as it is known how long a page is, and it is worth it.

    A window gets its end together with the one that follows it, so nothing lies between them. The last one is not
    read yet, as long as there are enough before it.
    """
    pages = sum(window.pages for window in windows)
    if pages < MEASURED:
        return
    page = sum((window.reached - window.begin for window in windows), timedelta()) / pages
    while sum(not window.done for window in windows) <= ABREAST:
        last = windows[-1]
        until = None if last.done else window_end(last.reached, end, page)
        if until is None:
            return
        last.until = until
        windows.append(_Window(until, stream(until)))


def _less(answer: Envelope, told: Told, known: AbstractSet[str]) -> Envelope:
    """Return an answer without what was told before."""
    if not known:
        return answer
    return attrs.evolve(answer, result=[item for item in answer.result if told(item)[0] not in known])
