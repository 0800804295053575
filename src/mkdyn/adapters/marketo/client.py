"""Asks Marketo, at its pace and with our token; what nothing was done of is asked again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import anyio
import attrs

from mkdyn.adapters.http import Http, Request, Response
from mkdyn.adapters.http.retries import AgainError, Patience, Retries
from mkdyn.adapters.http.tokens import KeptTokens, Token
from mkdyn.adapters.http.turns import Turns
from mkdyn.adapters.marketo.codes import treatment
from mkdyn.adapters.marketo.limits import Ledger, MarketoLimits
from mkdyn.adapters.marketo.requests import asking, token_request
from mkdyn.adapters.marketo.responses import (
    NATIVE_SYNC,
    NOTHING,
    Envelope,
    ForbiddenError,
    RefusedError,
    calls_of,
    envelope_of,
    file_of,
    token_of,
    unreadable,
)
from mkdyn.errors import BudgetSpentError, CredentialsError, ThrottledError, UnreachableError

T = TypeVar("T")

#: Seconds before a token's end at which it is renewed; asked earlier, Marketo gives the same one again.
_EARLY_S: Final = 1.0
#: How often a token is asked for that comes in its last second, and how long to wait for the next one.
_DYING_MAX: Final = 4
_DYING_S: Final = 1.0
_SERVER: Final = 500
_TOO_LARGE: Final = (413, 414)


class Client:
    """Asks one instance as one service.

    Args:
        http: Reaches it.
        client_id: The service's.
        client_secret: Its secret.
        limits: How fast it may be asked.
        retries: How patient we are with one call.

    Attributes:
        user: The service's user; empty before the first call.
    """

    def __init__(
        self, http: Http, *, client_id: str, client_secret: str, limits: MarketoLimits, retries: Retries
    ) -> None:
        self._http = http
        self._request = token_request(client_id, client_secret)
        self._tokens = KeptTokens(self._fetch, early_s=_EARLY_S)
        self._turns: Turns[Ledger] = Turns(Ledger(limits))
        self._patience = Patience(retries)
        self.user: str = ""

    async def ask(self, request: Request, *, repeatable: bool = True) -> Envelope:
        """Send a request.

        Args:
            request: What to send.
            repeatable: Whether it changes nothing, or the same once more changes nothing further.

        Raises:
            RefusedError: Marketo refuses what is asked, and always would.
            CredentialsError: It does not accept our token, nor another one.
            CheckError: Our user lacks a right.
            BudgetSpentError: The day's calls are used up; nothing was done.
            ThrottledError: It asks us to slow down, again and again; nothing was done.
            UnreachableError: No answer came, or none that says what became of it.
        """
        return await self._patience.run(partial(self._attempt, request, envelope_of, NOTHING, repeatable=repeatable))

    async def fetch(self, request: Request, *, checksum: str | None = None) -> str | None:
        """Fetch a file, again where it is not what it should be; None where there is none.

        Args:
            request: What to send.
            checksum: The SHA-256 of its bytes, in hexadecimal digits; None where nobody says.

        Raises:
            MkdynError: As `ask` does; where the checksum is of another file, again and again, it is unreachable.
        """
        read = partial(file_of, checksum=checksum)
        return await self._patience.run(partial(self._attempt, request, read, None, repeatable=True))

    async def usage(self) -> Envelope:
        """Ask what was used today, by everybody; it also says what time it is there.

        Raises:
            MkdynError: As `ask` does.
        """
        answer = await self.ask(asking("stats/usage"))
        if answer.at is not None:
            self._turns.ledger.told(anyio.current_time(), answer.at, calls_of(answer, self.user))
        return answer

    async def _attempt(self, request: Request, read: Callable[[Response], T], nothing: T, *, repeatable: bool) -> T:
        """Ask once, and once more with another token.

        Args:
            request: What to send.
            read: What to make of the answer.
            nothing: What it comes to that nothing was found.
            repeatable: Whether it may be sent again.
        """
        token = await self._token()
        try:
            try:
                return read(await self._once(request, token))
            except RefusedError as error:
                if treatment(error.code) != "renew":
                    raise
            return read(await self._once(request, await self._token(refused=token)))
        except RefusedError as error:
            self._judge(error, repeatable=repeatable)
            return nothing
        except UnreachableError as error:
            if repeatable:
                raise AgainError(error) from None
            raise

    def _judge(self, error: RefusedError, *, repeatable: bool) -> None:
        """Raise what a refusal comes to; that nothing was found is an answer."""
        now, ledger = anyio.current_time(), self._turns.ledger
        match treatment(error.code):
            case "renew":
                raise CredentialsError(
                    f"Marketo accepts no token of ours ({error.code}).",
                    what_to_do="Check that the service and its API user are still there.",
                ) from None
            case "pause":
                raise AgainError(_slower(error.code), after_s=ledger.refused(now)) from None
            case "crowded":
                ledger.crowded()
                raise AgainError(_slower(error.code)) from None
            case "empty":
                return
            case "again":
                raise AgainError(_failed(error.code)) from None
            case "unknown" if repeatable:
                raise AgainError(_failed(error.code)) from None
            case "unknown":
                raise _failed(error.code) from error  # the code says whether fewer at once may do
            case "spent":
                raise BudgetSpentError(
                    f"Marketo's calls of the day are used up ({error.code}).",
                    what_to_do="Go on after midnight, US Central.",
                ) from None
            case "forbidden":
                raise _forbidden(error.code) from None
            case _:
                raise error

    async def _token(self, *, refused: str | None = None) -> str:
        try:
            return await (self._tokens.token() if refused is None else self._tokens.renewed(refused))
        except UnreachableError as error:
            raise AgainError(error) from None  # nothing was sent but the wish for a token

    async def _once(self, request: Request, token: str) -> Response:
        spent_s = self._turns.ledger.spent_s(anyio.current_time())
        if spent_s is not None:
            raise BudgetSpentError(
                "Our part of Marketo's calls of the day is used up.",
                what_to_do="Go on tomorrow, or give more: MarketoLimits(share=…).",
                retry_after_s=spent_s,
            )
        authorized = attrs.evolve(request, headers={**request.headers, "Authorization": f"Bearer {token}"})
        async with self._turns.turn():
            response = await self._http.send(authorized, repeatable=False)
        if response.status in _TOO_LARGE:
            raise RefusedError(str(response.status))
        if response.status >= _SERVER:
            raise RefusedError("500")
        return response

    async def _fetch(self) -> Token:
        for _ in range(_DYING_MAX):
            token, user = token_of(await self._http.send(self._request, repeatable=True))
            if token.lasts_s > 0:
                self.user = user
                return token
            await anyio.sleep(_DYING_S)
        raise unreadable("every token it gives is at its end")

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()


def _slower(code: str) -> ThrottledError:
    return ThrottledError(f"Marketo asks us to slow down, again and again ({code}).", what_to_do="Try again later.")


def _failed(code: str) -> UnreachableError:
    return UnreachableError(f"Marketo failed ({code}).", what_to_do="Try again later.")


def _forbidden(code: str) -> ForbiddenError:
    if code == NATIVE_SYNC:
        return ForbiddenError(
            code, "Marketo: the native CRM sync is on, so these records can't be written. Switch it off first."
        )
    return ForbiddenError(
        code, f"Marketo: the API user lacks a permission ({code}). Give its role the API permissions."
    )
