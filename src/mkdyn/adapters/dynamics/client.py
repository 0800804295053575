"""Asks Dynamics, at its pace and with our token; what nothing was done of is asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import uuid4

import anyio
import attrs

from mkdyn.adapters.dynamics.auth import Tokens
from mkdyn.adapters.dynamics.batch import Answer, Item, ItemAnswer, Part, boundary_of, read_batch, write_batch
from mkdyn.adapters.dynamics.line import Line
from mkdyn.adapters.dynamics.pace import Pace
from mkdyn.adapters.dynamics.refusals import failure
from mkdyn.adapters.dynamics.requests import ROOT
from mkdyn.adapters.dynamics.responses import error_of, unreadable

_REFUSED: Final = 400
_UNAUTHORIZED: Final = 401
_TOO_MANY: Final = 429
#: How often one request is sent again after it was refused with "too many".
_TRIES_MAX: Final = 5
#: Seconds to wait where Dynamics does not say how long.
_WAIT_S: Final = 30.0

_ALWAYS: Final[Mapping[str, str]] = {"OData-MaxVersion": "4.0", "OData-Version": "4.0"}


class Client:
    """Asks one organisation as one user."""

    def __init__(self, line: Line, tokens: Tokens, pace: Pace) -> None:
        self._line = line
        self._tokens = tokens
        self._pace = pace

    async def ask(self, part: Part, *, about: str = "") -> Answer:
        """Ask something that changes nothing.

        Args:
            part: The question.
            about: The table it is about, for messages.

        Raises:
            MkdynError: It is refused, as `failure` says.
        """
        answer = await self._send(part, repeatable=True)
        if answer.status >= _REFUSED:
            raise failure(error_of(answer), about)
        return answer

    async def ask_privately(self, part: Part, *, about: str = "") -> Answer:
        """Ask something whose address holds people's data: within a batch, so that nobody on the way logs it.

        Args:
            part: The question.
            about: The table it is about, for messages.

        Raises:
            MkdynError: It is refused, as `failure` says.
        """
        [answer] = await self.ask_all([part])
        if answer.status >= _REFUSED:
            raise failure(error_of(answer), about)
        return answer

    async def ask_all(self, parts: Sequence[Part]) -> list[Answer]:
        """Ask several things that change nothing, in one request; each has an answer of its own.

        Raises:
            MkdynError: They are refused as one.
            UnreachableError: There are not as many answers as questions.
        """
        answers = [item for item in await self.batch(parts, repeatable=True) if isinstance(item, Answer)]
        if len(answers) != len(parts):
            raise unreadable("a batch has not as many answers as questions")
        return answers

    async def batch(self, items: Sequence[Item], *, repeatable: bool) -> list[ItemAnswer]:
        """Send several requests as one, and go on where one is refused; answers are in order, and may be fewer.

        Raises:
            MkdynError: They are refused as one: nothing was done.
            UnreachableError: No answer came, or none that can be read.
        """
        answer = await self._send(_enveloped(items), repeatable=repeatable)
        kind = answer.headers.get("content-type", "")
        if boundary_of(kind) is None:
            if answer.status >= _REFUSED:
                raise failure(error_of(answer), "")
            raise unreadable("a batch has no parts")
        return read_batch(kind, answer.body)

    async def _send(self, part: Part, *, repeatable: bool) -> Answer:
        token = await self._tokens.token()
        answer = await self._at_pace(_with(part, token), repeatable=repeatable)
        if answer.status != _UNAUTHORIZED:
            return answer
        return await self._at_pace(_with(part, await self._tokens.renewed(token)), repeatable=repeatable)

    async def _at_pace(self, part: Part, *, repeatable: bool) -> Answer:
        ledger, tries = self._pace.ledger, 1
        while True:
            async with self._pace.turn():
                answer = await self._line.send(part, repeatable=repeatable)
            ledger.hinted(answer.headers.get("x-ms-dop-hint"))
            if answer.status != _TOO_MANY:
                return answer
            wait_s = _wait_s(answer)
            ledger.refused(anyio.current_time(), wait_s)
            if tries >= _TRIES_MAX:
                raise failure(error_of(answer), "", retry_after_s=wait_s)
            tries += 1


def _wait_s(answer: Answer) -> float:
    hint = answer.headers.get("retry-after", "")
    return float(hint) if hint.isdecimal() else _WAIT_S


def _with(part: Part, token: str) -> Part:
    return attrs.evolve(part, headers={**part.headers, **_ALWAYS, "Authorization": f"Bearer {token}"})


def _enveloped(items: Sequence[Item]) -> Part:
    boundary = f"batch_{uuid4().hex}"
    return Part(
        method="POST",
        target=f"{ROOT}$batch",
        headers={
            "Accept": "application/json",
            "Content-Type": f'multipart/mixed; boundary="{boundary}"',
            "Prefer": "odata.continue-on-error",
        },
        body=write_batch(items, boundary),
    )
