"""Several calls at once, whose results stand in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar, cast

import anyio

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


async def abreast(calls: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """Make calls at once; the first error ends the others, and is raised as itself.

    Args:
        calls: What to call; how many are under way is the pace's business.
    """
    waiting = list(calls)
    found: dict[int, T] = {}
    failed: list[Exception] = []

    async def make(place: int, call: Callable[[], Awaitable[T]], scope: anyio.CancelScope) -> None:
        try:
            found[place] = await call()
        except Exception as error:  # noqa: BLE001 - raised below, and not in a group
            failed.append(error)
            scope.cancel()

    async with anyio.create_task_group() as tasks:
        for place, call in enumerate(waiting):
            tasks.start_soon(make, place, call, tasks.cancel_scope)
    if failed:
        raise failed[0]
    return [found[place] for place in range(len(waiting))]


async def both(first: Callable[[], Awaitable[A]], second: Callable[[], Awaitable[B]]) -> tuple[A, B]:
    """Make two calls of different kinds at once."""
    calls: list[Callable[[], Awaitable[A | B]]] = [first, second]
    left, right = await abreast(calls)
    return cast("A", left), cast("B", right)
