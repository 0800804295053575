"""Asks Marketo, at its pace and with our token; what nothing was done of is asked again."""

from __future__ import annotations

from typing import Final

import anyio
import attrs

from mkdyn.adapters.http import Http, Request
from mkdyn.adapters.http.tokens import KeptTokens, Token
from mkdyn.adapters.http.turns import Turns
from mkdyn.adapters.marketo.codes import treatment
from mkdyn.adapters.marketo.limits import WINDOW_S, Ledger, MarketoLimits
from mkdyn.adapters.marketo.requests import token_request
from mkdyn.adapters.marketo.responses import Envelope, RefusedError, envelope_of, token_of, unreadable
from mkdyn.errors import BudgetSpentError, CheckError, ConfigError, CredentialsError, ThrottledError, UnreachableError

#: How often one call is sent again.
_TRIES_MAX: Final = 5
#: Seconds before a token's end at which it is renewed; asked earlier, Marketo gives the same one again.
_EARLY_S: Final = 30.0
#: Seconds to wait: after too many at once, and each time something is unavailable.
_CROWDED_S: Final = 1.0
_BACKOFF_S: Final = (1.0, 4.0, 15.0, 60.0)
_SERVER: Final = 500
_TOO_LARGE: Final = (413, 414)


class Client:
    """Asks one instance as one service.

    Args:
        http: Reaches it.
        client_id: The service's.
        client_secret: Its secret.
        limits: How fast it may be asked.
    """

    def __init__(self, http: Http, *, client_id: str, client_secret: str, limits: MarketoLimits) -> None:
        self._http = http
        self._request = token_request(client_id, client_secret)
        self._tokens = KeptTokens(self._fetch, early_s=_EARLY_S)
        self._turns: Turns[Ledger] = Turns(Ledger(limits))
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
            BudgetSpentError: The day's calls are used up.
            ThrottledError: It asks us to slow down, again and again; nothing was done.
            UnreachableError: No answer came, or none that says what became of it.
        """
        renewed = False
        for tries in range(_TRIES_MAX):
            token = await self._tokens.token()
            try:
                return await self._once(request, token, repeatable=repeatable)
            except RefusedError as error:
                match treatment(error.code):
                    case "renew" if not renewed:
                        renewed = True
                        await self._tokens.renewed(token)
                    case "renew":
                        raise CredentialsError(
                            f"Marketo accepts no token of ours ({error.code}).",
                            what_to_do="Check that the service and its API user are still there.",
                        ) from None
                    case "pause":
                        self._turns.ledger.refused(anyio.current_time(), WINDOW_S)
                    case "crowded":
                        self._turns.ledger.refused(anyio.current_time(), _CROWDED_S, crowded=True)
                    case "again":
                        await anyio.sleep(_BACKOFF_S[min(tries, len(_BACKOFF_S) - 1)])
                    case "unknown" if repeatable and tries < len(_BACKOFF_S) - 1:
                        await anyio.sleep(_BACKOFF_S[tries])
                    case "unknown":
                        raise UnreachableError(
                            f"Marketo failed ({error.code}).", what_to_do="Try again later."
                        ) from None
                    case "spent":
                        raise BudgetSpentError(
                            "Marketo's calls of the day are used up.", what_to_do="Go on after midnight, US Central."
                        ) from None
                    case "forbidden":
                        raise _forbidden(error.code) from None
                    case _:
                        raise
        raise ThrottledError("Marketo asks us to slow down, again and again.", what_to_do="Try again later.")

    async def _once(self, request: Request, token: str, *, repeatable: bool) -> Envelope:
        spent_s = self._turns.ledger.spent_s(anyio.current_time())
        if spent_s is not None:
            raise BudgetSpentError(
                "Our part of Marketo's calls of the day is used up.",
                what_to_do="Go on tomorrow, or give more: MarketoLimits(share=…).",
                retry_after_s=spent_s,
            )
        authorized = attrs.evolve(request, headers={**request.headers, "Authorization": f"Bearer {token}"})
        async with self._turns.turn():
            response = await self._http.send(authorized, repeatable=repeatable)
        if response.status in _TOO_LARGE:
            raise ConfigError(f"Marketo finds a call too large ({response.status}).", what_to_do="Sync fewer fields.")
        if response.status >= _SERVER:
            raise RefusedError("500")
        return envelope_of(response)

    async def _fetch(self) -> Token:
        for wait_s in _BACKOFF_S:
            token, user = token_of(await self._http.send(self._request, repeatable=True))
            if token.lasts_s > 0:
                self.user = user
                return token
            await anyio.sleep(wait_s)  # in its last second: the next one is another
        raise unreadable("every token it gives is at its end")

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()


def _forbidden(code: str) -> CheckError:
    if code == "1018":
        return CheckError(
            ("Marketo: the native CRM sync is on, so these records can't be written. Switch it off first.",)
        )
    return CheckError((f"Marketo: the API user lacks a permission ({code}). Give its role the API permissions.",))
