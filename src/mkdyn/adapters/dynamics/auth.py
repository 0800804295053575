"""Tokens: Entra's for an application user, or whatever a caller's own function gives."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol, TypeAlias
from urllib.parse import quote, urlencode

import attrs

from mkdyn.adapters.dynamics.batch import Answer, Part
from mkdyn.adapters.dynamics.responses import json_of
from mkdyn.adapters.http.shapes import Json
from mkdyn.adapters.http.tokens import KeptTokens, Token
from mkdyn.errors import ConfigError, CredentialsError, UnreachableError

#: A caller's own way to a token: asked for each request, so it should keep what it has got.
TokenFunction: TypeAlias = Callable[[], Awaitable[str]]

#: Where Entra gives tokens; clouds of their own have others.
LOGIN_URL: Final = "https://login.microsoftonline.com"
#: Seconds before its end at which a token is renewed.
_EARLY_S: Final = 300.0
_NUMBER: Final = re.compile(r"[0-9]+")
_SERVER: Final = 500
_REFUSED: Final = 400
_TOO_MANY: Final = 429


@attrs.frozen(kw_only=True)
class ClientCredentials:
    """An application user's credentials at Entra.

    Attributes:
        tenant: The tenant's id, or one of its domains.
        client_id: The application's id.
        client_secret: Its secret.
        login_url: Where tokens are given; clouds of their own have others.
    """

    tenant: str
    client_id: str
    client_secret: str = attrs.field(repr=False)
    login_url: str = LOGIN_URL

    def __attrs_post_init__(self) -> None:
        lacking = [name for name in ("tenant", "client_id", "client_secret") if not getattr(self, name)]
        if lacking:
            raise ConfigError(f"Dynamics' credentials lack {', '.join(lacking)}.", what_to_do="Give all three.")


def token_request(credentials: ClientCredentials, resource: str) -> Part:
    """Return the request for a token.

    Args:
        credentials: Who asks.
        resource: The environment's address: the token is for it alone.
    """
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
        "scope": f"{resource}/.default",
    }
    return Part(
        method="POST",
        target=f"/{quote(credentials.tenant, safe='')}/oauth2/v2.0/token",
        headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode(form).encode(),
    )


def token_of(answer: Answer) -> Token:
    """Read Entra's answer.

    Raises:
        CredentialsError: It does not accept who we say we are; asking again won't help.
        UnreachableError: It is busy, or its answer can't be read.
    """
    if answer.status == _TOO_MANY or answer.status >= _SERVER:
        raise UnreachableError(f"Entra answered {answer.status}.", what_to_do="Try again later.")
    if answer.status >= _REFUSED:
        raise _refusal(answer)
    found = json_of(answer)
    text, lasts = found.get("access_token"), found.get("expires_in")
    if not isinstance(text, str) or not text or not text.isascii() or not text.isprintable():
        raise UnreachableError("Entra's answer holds no token.", what_to_do="Try again later.")
    return Token(text=text, lasts_s=float(str(lasts)) if str(lasts).isdecimal() else 0.0)


#: What Entra's own numbers ask for; its sentences hold ids, and are not told on.
_REMEDIES: Final = {
    7000215: "The client secret is wrong: give its value, not its id.",
    7000222: "The client secret has expired: make a new one.",
    700016: "The tenant knows no application with this client id.",
    90002: "There is no such tenant.",
    500011: "The tenant knows no environment with this address.",
}


def _refusal(answer: Answer) -> CredentialsError:
    found: Json = {}
    with suppress(UnreachableError):
        found = json_of(answer)
    numbers = [int(number) for number in _NUMBER.findall(str(found.get("error_codes", "")))]
    told = f" (AADSTS{numbers[0]})" if numbers else ""
    remedy = next((_REMEDIES[number] for number in numbers if number in _REMEDIES), None)
    return CredentialsError(
        f"Entra gives no token{told}.", what_to_do=remedy or "Check the tenant, the client id and its secret."
    )


class Tokens(Protocol):
    """Where tokens come from."""

    async def token(self) -> str:
        """Return a token that should be good."""
        ...

    async def renewed(self, refused: str) -> str:
        """Return another than the one that was refused."""
        ...


class EntraTokens(KeptTokens):
    """Entra's tokens.

    Args:
        ask: Sends the request for one.
    """

    def __init__(self, ask: Callable[[], Awaitable[Answer]]) -> None:
        async def fetch() -> Token:
            return token_of(await ask())

        super().__init__(fetch, early_s=_EARLY_S)


class OwnTokens:
    """Asks a caller's own function each time."""

    def __init__(self, function: TokenFunction) -> None:
        self._function = function

    async def token(self) -> str:
        """See `Tokens.token`."""
        return await self._function()

    async def renewed(self, refused: str) -> str:
        """See `Tokens.renewed`; the function may know that its token has ended."""
        del refused
        return await self._function()
