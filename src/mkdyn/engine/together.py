"""Do several things at once, and fail as one thing would."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

import anyio


async def together(*calls: Callable[[], Awaitable[object]]) -> None:
    """Await all calls at once; the first that fails cancels the others, and its own error is raised.

    A task group raises groups; `except MkdynError` must find the error itself.
    """
    try:
        async with anyio.create_task_group() as tasks:
            for call in calls:
                tasks.start_soon(_awaited, call)
    except BaseExceptionGroup as group:
        raise _first(group) from None


async def _awaited(call: Callable[[], Awaitable[object]]) -> None:
    await call()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error that is no group: a nested run may have made groups of its own."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error
