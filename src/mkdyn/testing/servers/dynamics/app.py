"""The server: an ASGI application in front of a fake organisation."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from email.utils import format_datetime
from functools import partial
from itertools import count
from typing import Final
from uuid import uuid4

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from mkdyn.errors import ThrottledError, UnreachableError
from mkdyn.testing.dynamics import FakeDynamics
from mkdyn.testing.servers.dynamics.batch import batch
from mkdyn.testing.servers.dynamics.faults import EmptyPage, HalfBatch, Kind, Refuse, WireFault
from mkdyn.testing.servers.dynamics.gate import TOO_MANY, Gate, TooManyError
from mkdyn.testing.servers.dynamics.queries import emptied
from mkdyn.testing.servers.dynamics.question import (
    Answer,
    Question,
    RefusedError,
    check_length,
    error_body,
    refusal,
)
from mkdyn.testing.servers.dynamics.sending import Cut, instead, response
from mkdyn.testing.servers.dynamics.service import answer, as_call, kind_of
from mkdyn.testing.servers.dynamics.settings import DEFAULT_APPLICATION, Application, Quirks, ServerLimits, Work
from mkdyn.testing.servers.dynamics.tokens import Tokens
from mkdyn.testing.servers.dynamics.world import AlternateKey, Organization, PlugIn
from mkdyn.testing.servers.faults import Drop, Fail, Slow

_ROOT: Final = re.compile(r"/api/data/v9\.[0-2]/?")
_METHODS: Final = ("GET", "POST", "PATCH", "PUT", "DELETE")
_COOKIE: Final = "ARRAffinity"

#: Decides what goes wrong with a call of that kind.
Trouble = Callable[[Kind], "WireFault | None"]


class DynamicsServer:
    """Dataverse's Web API and the token endpoint of Entra ID, in front of a fake organisation.

    It is an ASGI application: give it to `httpx.ASGITransport`, or to uvicorn. The fake's people can
    act between any two requests (`fake.between`), and the fake's faults come true on the wire: a
    `Throttle` is answered 429, a lost answer breaks the connection off.

    Args:
        fake: The organisation; by default a new one.
        applications: Who gets tokens; the first one is the connector's user.
        tokens: Tokens that are good without anybody asking for them.
        limits: Service protection, and what a request may be.
        work: How long the server's work takes.
        quirks: What organisations differ in, and what nobody has documented.
        clock: Seconds, as they go by; by default the event loop's.
        faults: What goes wrong on the wire.

    Attributes:
        fake: The organisation.
        faults: What goes wrong; add and remove at will.
        trouble: Asked for each call that no fault is for: what goes wrong with it, if anything does.
        requests: How many requests there were, by method and status; those for tokens too.
    """

    def __init__(
        self,
        fake: FakeDynamics | None = None,
        *,
        applications: Iterable[Application] = (DEFAULT_APPLICATION,),
        tokens: Iterable[str] = (),
        limits: ServerLimits | None = None,
        work: Work | None = None,
        quirks: Quirks | None = None,
        clock: Callable[[], float] = anyio.current_time,
        faults: Iterable[WireFault] = (),
    ) -> None:
        self.fake: FakeDynamics = fake or FakeDynamics()
        self.faults: list[WireFault] = list(faults)
        self.trouble: Trouble | None = None
        self.requests: Counter[tuple[str, int]] = Counter()
        self._limits = limits or ServerLimits()
        self._work = work or Work()
        self._clock = clock
        self._organization = Organization(self.fake.backstage(), self._limits, quirks or Quirks())
        self._tokens: Tokens = Tokens(applications, tokens, clock=clock, lifetime_s=self._limits.token_s)
        self._gates: dict[tuple[str, int], Gate] = {}
        self._turns = count()
        self._calls: Counter[Kind | None] = Counter()
        self._app = Starlette(
            routes=[
                Route("/{tenant}/oauth2/v2.0/token", self._token, methods=["POST"]),
                Route("/{tenant}/v2.0/.well-known/openid-configuration", _login, methods=["GET"]),
                Route("/api/data/{rest:path}", self._api, methods=list(_METHODS)),
            ]
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.fake!r}, {self.calls} calls>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI wants it."""
        await self._app(scope, receive, send)

    # What a test looks at and turns

    @property
    def refusals(self) -> Mapping[str, int]:
        """How many requests service protection refused, by code."""
        every: Counter[str] = Counter()
        for gate in self._gates.values():
            every.update(gate.refused)
        return every

    @property
    def calls(self) -> int:
        """How many calls there were, those for tokens too."""
        return self._calls[None]

    @property
    def impatient(self) -> int:
        """How many requests came before they were to."""
        return sum(gate.impatient for gate in self._gates.values())

    def inject(self, fault: WireFault) -> None:
        """Add a fault; `call=server.calls + 1` is the next call."""
        self.faults.append(fault)

    def expire_tokens(self) -> None:
        """Let every access token expire that was asked for."""
        self._tokens.expire()

    def add_key(self, table: str, name: str, *columns: str) -> None:
        """Someone makes an alternate key of a table's columns."""
        self._organization.keys.setdefault(table, []).append(AlternateKey(name, columns))

    def detect_duplicates(self, table: str, *columns: str) -> None:
        """Someone publishes a duplicate detection rule."""
        self._organization.duplicate_rules[table] = columns

    def plug_in(self, runs: PlugIn) -> None:
        """Someone registers a plug-in, which runs after each row that is written through the API."""
        self._organization.plug_ins.append(runs)

    # Requests

    async def _token(self, request: Request) -> Response:
        fault = self._fault("token")
        body = await request.body()
        if isinstance(fault, Slow):
            await anyio.sleep(fault.seconds)
        lost = Cut() if isinstance(fault, Drop) else None
        return self._counted(request, lost or instead(fault) or response(self._tokens.answer(body), {}, fault))

    async def _api(self, request: Request) -> Response:
        question = await _question(request)
        fault = self._fault(kind_of(question))
        try:
            check_length(question, self._limits.url_characters)
            application = self._tokens.application_of(question.headers.get("authorization", ""))
        except RefusedError as error:
            return self._counted(request, instead(fault) or _unknown(error))
        server = self._server(request)
        gate = self._gates.setdefault((application.client_id, server), Gate(self._limits, clock=self._clock))
        try:
            gate.enter()
        except TooManyError as error:
            told = {**self._told(gate, server), "Retry-After": str(error.retry_after_s)}
            return self._counted(request, response(refusal(error), told))
        return self._counted(request, await self._admitted(gate, server, question, fault))

    async def _admitted(self, gate: Gate, server: int, question: Question, fault: WireFault | None) -> Response:
        """Answer a request that service protection has let in."""
        ran_s = self._work.request_s
        try:
            if isinstance(fault, Slow) and fault.when == "before":
                await anyio.sleep(fault.seconds)
            arrives = not isinstance(fault, Refuse | Fail | Drop) or fault.applied == "yes"
            found = await self._answered(question, fault) if arrives else None
            ran_s = ran_s if found is None else self._takes(question, found)
            await anyio.sleep(ran_s)
        finally:
            gate.leave(ran_s)
        if isinstance(fault, Slow) and fault.when == "after":
            await anyio.sleep(fault.seconds)
        lost = Cut() if isinstance(fault, Drop) or (arrives and found is None) else None
        return lost or instead(fault) or (Cut() if found is None else response(found, self._told(gate, server), fault))

    async def _answered(self, question: Question, fault: WireFault | None) -> Answer | None:
        """Carry out what was asked for, as a call of the fake; None where its answer is lost."""
        method, table = as_call(self._organization, question)
        try:
            call = await self._organization.backstage.calls.begin(method, table)
            found = self._carried_out(question, fault) if call.arrives else None
            await call.end()
        except ThrottledError as error:
            headers = {} if error.retry_after_s is None else {"Retry-After": str(math.ceil(error.retry_after_s))}
            body = error_body(TOO_MANY, "Number of requests exceeded the limit.")
            return Answer(status=429, headers=headers, body=body)
        except UnreachableError:
            return None
        return found

    def _carried_out(self, question: Question, fault: WireFault | None) -> Answer:
        organization = self._organization
        try:
            if question.path == "$batch" and question.method == "POST":
                parts, boundary = batch(organization, question, partial(answer, organization))
                return parts.answer(boundary, fault.parts if isinstance(fault, HalfBatch) else None)
            found = answer(organization, question)
            return emptied(organization, question, found) if isinstance(fault, EmptyPage) else found
        except RefusedError as error:
            return refusal(error, organization.quirks.codes)

    def _takes(self, question: Question, found: Answer) -> float:
        """Return how long a request's work takes."""
        work = self._work
        row_s = work.read_row_s if question.method == "GET" else work.write_row_s
        return work.request_s + found.rows * row_s

    def _fault(self, kind: Kind) -> WireFault | None:
        """Count a call; return what goes wrong with it."""
        self._calls[None] += 1
        self._calls[kind] += 1
        for fault in self.faults:
            if fault.of in (None, kind) and fault.call in (None, self._calls[fault.of]):
                return fault
        return None if self.trouble is None else self.trouble(kind)

    def _server(self, request: Request) -> int:
        """Return which web server a request comes to: the one its cookie names, or the next."""
        cookie = request.cookies.get(_COOKIE, "")
        return (int(cookie) if cookie.isdecimal() else next(self._turns)) % self._limits.servers

    def _told(self, gate: Gate, server: int) -> dict[str, str]:
        """Return the headers that every answer has."""
        told = {
            "Date": format_datetime(self.fake.time.astimezone(UTC), usegmt=True),
            "x-ms-service-request-id": str(uuid4()),
            "REQ_ID": str(uuid4()),
            "x-ms-dop-hint": str(self._limits.parallelism),
            "x-ms-ratelimit-burst-remaining-xrm-requests": str(gate.requests_left),
            "x-ms-ratelimit-time-remaining-xrm-requests": f"{gate.execution_left_s:,.2f}",
        }
        if self._limits.servers > 1:
            told["Set-Cookie"] = f"{_COOKIE}={server}; path=/; secure; HttpOnly"
        return told

    def _counted(self, request: Request, result: Response) -> Response:
        self.requests[request.method, 0 if isinstance(result, Cut) else result.status_code] += 1
        return result


async def _question(request: Request) -> Question:
    scope = request.scope
    path = bytes(scope["raw_path"]).decode("ascii")
    return Question(
        method=request.method,
        path=_ROOT.sub("", path, count=1),
        query=bytes(scope["query_string"]).decode("ascii"),
        headers=dict(request.headers),
        body=await request.body(),
        origin=_origin(request),
    )


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"


async def _login(request: Request) -> Response:
    """Say where tokens are given: MSAL asks for that before it asks for one."""
    tenant = f"{_origin(request)}/{request.path_params['tenant']}"
    return JSONResponse(
        {
            "issuer": f"{tenant}/v2.0",
            "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
            "token_endpoint": f"{tenant}/oauth2/v2.0/token",
        }
    )


def _unknown(error: RefusedError) -> Response:
    """Return what somebody is told who is not known here: nothing but how to be."""
    if error.status != 401:  # noqa: PLR2004 - Unauthorized
        return response(refusal(error), {})
    where = 'Bearer authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"'
    return Response(status_code=401, headers={"WWW-Authenticate": where})
