"""Who was deleted: a feed of its own, read a page at a time, beside the changes.

Marketo looks for deletions in all of its log, block by block, so it may take many calls to learn that there are none.
One token leads to the next, and an empty page doesn't say how far it goes: they can't be read abreast of each other.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import attrs

from mkdyn.adapters.marketo.responses import Envelope


@attrs.define
class Deletions:
    """The deletions from a place in the log on.

    Attributes:
        done: Whether all were read.
    """

    _answers: AsyncGenerator[Envelope]
    done: bool = False
    _keys: dict[str, None] = attrs.field(factory=dict[str, None])

    @property
    def keys(self) -> Sequence[str]:
        """The persons who were deleted, as far as they were read, oldest deletion first."""
        return list(self._keys)

    async def take(self) -> None:
        """Read a page; nothing, once all were read."""
        if self.done:
            return
        answer = await anext(self._answers, None)
        if answer is None:
            self.done = True
            return
        self._keys |= dict.fromkeys(str(item["leadId"]) for item in answer.result if "leadId" in item)
        self.done = not answer.more

    async def take_all(self) -> None:
        """Read what is left."""
        while not self.done:
            await self.take()

    async def aclose(self) -> None:
        """Read no more."""
        await self._answers.aclose()
