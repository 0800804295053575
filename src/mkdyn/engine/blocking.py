"""One word for scripts that do not await: `wait(sync.run())`."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Generator, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from threading import Event
from typing import Literal, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

T = TypeVar("T")


class Wait:
    """Runs awaitables on one event loop in a thread of its own, and waits for them.

    Connections outlive a call; notebooks work; Ctrl-C cancels what runs and leaves the
    store sound.
    """

    def __init__(self, portal: BlockingPortal, stack: ExitStack) -> None:
        self._portal, self._stack = portal, stack

    def __call__(self, awaitable: Awaitable[T], /) -> T:
        """Return what *awaitable* comes to, or raise what it raises."""
        ended = Event()
        future = self._portal.start_task_soon(_awaited, awaitable, ended)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            ended.wait()  # until the run has let go of the store
            raise

    def enter(self, manager: AbstractAsyncContextManager[T], /) -> T:
        """Enter *manager* now; it is left together with the `with` block."""
        return self._stack.enter_context(self._portal.wrap_async_context_manager(manager))

    def iterate(self, items: AsyncIterable[T], /) -> Iterator[T]:
        """Go through *items*, waiting for each."""
        iterator = aiter(items)
        while (found := self(_next(iterator))) is not None:
            yield found[0]


async def _awaited(awaitable: Awaitable[T], ended: Event) -> T:
    try:
        return await awaitable
    finally:
        ended.set()


async def _next(iterator: AsyncIterator[T]) -> tuple[T] | None:
    try:
        return (await anext(iterator),)
    except StopAsyncIteration:
        return None


@contextmanager
def blocking(backend: Literal["asyncio", "trio"] = "asyncio") -> Generator[Wait]:
    """Lend a `wait`.

    Args:
        backend: The event loop's library.
    """
    with start_blocking_portal(backend) as portal, ExitStack() as stack:
        yield Wait(portal, stack)
