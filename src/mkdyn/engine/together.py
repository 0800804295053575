"""Do several things at once, and fail as one thing would."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

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
        raise group.exceptions[0] from None


async def _awaited(call: Callable[[], Awaitable[object]]) -> None:
    await call()
