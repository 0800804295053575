"""Who is asking: tokens as Entra ID gives them to applications."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import parse_qs
from uuid import uuid4

import attrs

from mkdyn.testing.servers.dynamics.question import NOT_A_MEMBER, Answer, RefusedError
from mkdyn.testing.servers.dynamics.settings import Application

_UNKNOWN_APPLICATION: Final = 700016
_BAD_SECRET: Final = 7000215
_BAD_SCOPE: Final = 500011
_BAD_REQUEST: Final = 900144


@attrs.define
class _Issued:
    """A token of one application."""

    application: Application
    ends: float


class Tokens:
    """The tokens of an organisation's applications.

    Args:
        applications: Who may ask.
        fixed: Tokens that are always good, as the first application's.
        clock: Seconds, as they go by.
        lifetime_s: How long a token is good.
    """

    def __init__(
        self,
        applications: Iterable[Application],
        fixed: Iterable[str],
        *,
        clock: Callable[[], float],
        lifetime_s: float,
    ) -> None:
        self._applications = {application.client_id: application for application in applications}
        self._clock = clock
        self._lifetime_s = lifetime_s
        first = next(iter(self._applications.values()))
        self._issued = {token: _Issued(first, math.inf) for token in fixed}

    def answer(self, body: bytes) -> Answer:
        """Answer a request for a token, as the endpoint of Entra ID does."""
        form = {name: values[-1] for name, values in parse_qs(body.decode()).items()}
        missing = next(
            (name for name in ("grant_type", "client_id", "client_secret", "scope") if name not in form), None
        )
        if missing is not None or form["grant_type"] != "client_credentials":
            what = f"The request body must contain the following parameter: '{missing or 'grant_type'}'."
            return _refused("invalid_request", _BAD_REQUEST, what)
        application = self._applications.get(form["client_id"])
        if application is None:
            return _refused("unauthorized_client", _UNKNOWN_APPLICATION, "Application was not found in the directory.")
        if application.client_secret != form["client_secret"]:
            return _refused("invalid_client", _BAD_SECRET, "Invalid client secret provided.", status=401)
        if not form["scope"].endswith("/.default"):
            return _refused("invalid_resource", _BAD_SCOPE, "The resource principal was not found in the tenant.")
        token = f"eyJ0eXAiOiJKV1Qi.{uuid4().hex}"
        self._issued[token] = _Issued(application, self._clock() + self._lifetime_s)
        lasts = int(self._lifetime_s)
        body_of: Mapping[str, object] = {
            "token_type": "Bearer", "expires_in": lasts, "ext_expires_in": lasts, "access_token": token,
        }  # fmt: skip
        return Answer(body=body_of)

    def application_of(self, authorization: str) -> Application:
        """Return whose token a header holds.

        Raises:
            RefusedError: It holds none that is good, or one of somebody who is not in the organisation.
        """
        kind, _, token = authorization.partition(" ")
        issued = self._issued.get(token.strip())
        if kind.lower() != "bearer" or issued is None or issued.ends <= self._clock():
            raise RefusedError(401, "", "")
        if not issued.application.member:
            raise RefusedError(403, NOT_A_MEMBER, "The user is not a member of the organization.")
        return issued.application

    def expire(self) -> None:
        """Let every token that was issued expire; fixed ones stay good."""
        for issued in self._issued.values():
            if issued.ends != math.inf:
                issued.ends = -math.inf


def _refused(error: str, code: int, why: str, *, status: int = 400) -> Answer:
    description = f"AADSTS{code}: {why}"
    return Answer(status=status, body={"error": error, "error_description": description, "error_codes": [code]})
