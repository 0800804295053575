"""One Marketo instance that is called: who calls, whether it may, what it is answered. No HTTP library in here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from email import message_from_bytes
from typing import Any, Final
from urllib.parse import parse_qs

import anyio
import attrs

from mkdyn.errors import ThrottledError, UnreachableError
from mkdyn.testing.marketo import FakeMarketo
from mkdyn.testing.servers.marketo.endpoints import Endpoint, endpoint_of
from mkdyn.testing.servers.marketo.gate import Gate, Ticket
from mkdyn.testing.servers.marketo.jobs import Queue
from mkdyn.testing.servers.marketo.question import Answer, Object, Question, RefusedError, is_object
from mkdyn.testing.servers.marketo.settings import Quirks, ServerLimits, Service
from mkdyn.testing.servers.marketo.tokens import Tokens
from mkdyn.testing.servers.marketo.usage import Usage
from mkdyn.testing.servers.marketo.world import World

IDENTITY: Final = "/identity/oauth/token"
#: Answers that nobody pays for (source: Adobe, "Error codes", those with an asterisk).
_UNBILLED: Final = frozenset({"600", "601", "602", "604", "605", "608", "611"})
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_MULTIPART: Final = "multipart/form-data"
_NOBODY: Final = "nobody"


class AnswerLostError(ConnectionError):
    """The caller will never hear of this call; the connection is cut."""


@attrs.frozen(kw_only=True)
class Arrival:
    """A call as it comes in.

    Attributes:
        method: The HTTP method; `_method` takes its place.
        path: The path.
        parameters: The query, and a form's fields.
        content_type: What the body is said to be, without its charset; of a multipart one, with its boundary.
        body: The body.
        token: The token of its header.
    """

    method: str
    path: str
    parameters: Mapping[str, Sequence[str]] = attrs.field(repr=False)
    content_type: str
    body: bytes = attrs.field(repr=False)
    token: str | None = attrs.field(repr=False)


def arrival(method: str, path: str, query: str, content_type: str, body: bytes, authorization: str) -> Arrival:
    """Make a call out of what HTTP brought."""
    kind = content_type.partition(";")[0].strip().casefold()
    if kind == _MULTIPART:
        kind = f"{kind};{content_type.partition(';')[2]}"  # the boundary, letter for letter
    parameters = parse_qs(query, keep_blank_values=True)
    if kind == _FORM:
        for name, values in parse_qs(body.decode(errors="replace"), keep_blank_values=True).items():
            parameters.setdefault(name, []).extend(values)
    if method == "POST" and parameters.get("_method"):
        method = parameters["_method"][-1].upper()
    scheme, _, token = authorization.partition(" ")
    bearer = token.strip() if scheme.casefold() == "bearer" else None
    return Arrival(method=method, path=path, parameters=parameters, content_type=kind, body=body, token=bearer or None)


@attrs.frozen(kw_only=True)
class Reply:
    """What a call is answered, before it is made bytes.

    Attributes:
        content: A JSON object, or a file; an empty one is not there.
        status: The HTTP status.
    """

    content: Object | bytes = attrs.field(repr=False)
    status: int = 200


@attrs.define
class _Visit:
    """A call that is being answered: whose, and what is to be done when it has come to its end."""

    user: str = _NOBODY
    ticket: Ticket | None = None
    billed: bool = True
    when_done: Sequence[Callable[[], None]] = ()


class Instance:
    """One instance.

    Attributes:
        world: What the endpoints work on.
        gate: Who is let in.
        tokens: Who is who.
        usage: Who has used how much.
        codes: How often each error was answered.
    """

    def __init__(
        self,
        fake: FakeMarketo,
        *,
        services: Iterable[Service],
        limits: ServerLimits,
        quirks: Quirks,
        latency_s: float,
        clock: Callable[[], float],
    ) -> None:
        self.usage: Usage = Usage()
        self.gate: Gate = Gate(limits, clock=clock, now=lambda: fake.time)
        self.tokens: Tokens = Tokens(services, clock=clock, lifetime_s=limits.token_s)
        self.world: World = World(fake, quirks, self.gate, self.usage, *_queues(clock, limits))
        self.codes: Counter[str] = Counter()
        self.latency_s = latency_s
        self._answers = 0

    def name_of(self, call: Arrival) -> str:
        """Return the name of the endpoint that a call means; nothing where there is none."""
        if call.path == IDENTITY:
            return "identity"
        try:
            return endpoint_of(call.method, call.path)[0].name
        except RefusedError:
            return ""

    async def answer(self, call: Arrival, *, before_s: float = 0.0, after_s: float = 0.0) -> Reply:
        """Answer a call, which takes its time.

        Args:
            call: The call.
            before_s: How long it takes until it has its effect.
            after_s: How long it takes from then on, besides the usual time.

        Raises:
            AnswerLostError: A fault of the fake has the answer lost.
        """
        if call.path == IDENTITY:
            await _rest(before_s + after_s)
            return self._identity(call)
        visit = _Visit()
        try:
            reply = await self._reply(call, visit, before_s)
            await _rest(self.latency_s + after_s)
        finally:
            self._leave(visit)
        return reply

    async def _reply(self, call: Arrival, visit: _Visit, before_s: float) -> Reply:
        try:
            service = self.tokens.service_of(self._token(call))
            visit.user = service.user or self.world.backstage.identity.user
            visit.ticket = self.gate.enter()
            await _rest(before_s)
            answer = await self._carry_out(call, service, visit)
        except RefusedError as refused:
            visit.billed = refused.code not in _UNBILLED
            return self.refusal(refused, visit.user)
        if answer.file is not None:
            return Reply(content=answer.file, status=200 if answer.file else 404)
        return Reply(content={"requestId": self._request_id(), "success": True, **answer.members()})

    def _leave(self, visit: _Visit) -> None:
        """Let a call out."""
        for act in visit.when_done:
            act()
        if visit.ticket is None:
            return
        self.gate.leave(visit.ticket, billed=visit.billed)
        if visit.billed:
            self.usage.called(visit.ticket.day, visit.user)

    def refusal(self, refused: RefusedError, user: str = _NOBODY) -> Reply:
        """Return the answer that refuses a call."""
        self.codes[refused.code] += 1
        self.usage.failed(self.gate.today, user, refused.code)
        errors = [{"code": refused.code, "message": refused.message}]
        return Reply(content={"requestId": self._request_id(), "success": False, "errors": errors})

    def _request_id(self) -> str:
        self._answers += 1
        milliseconds = int(self.world.fake.time.timestamp() * 1000)
        return f"{self._answers * 7919 % 0xFFFFF:x}#{milliseconds:x}"

    # Who calls

    def _token(self, call: Arrival) -> str | None:
        asked = call.parameters.get("access_token", ())
        if call.token is None and asked and self.world.quirks.tokens_in_query:
            return asked[-1]
        return call.token

    def _identity(self, call: Arrival) -> Reply:
        if call.method not in {"GET", "POST"}:
            return self.refusal(RefusedError("605", f"Request method '{call.method}' not supported"))
        question = Question(parameters=call.parameters)
        if question.text("grant_type") != "client_credentials":
            return _not_you("unsupported_grant_type", "Unsupported grant type")
        id, secret = question.text("client_id") or "", question.text("client_secret") or ""
        issued = self.tokens.issue(id, secret)
        if issued is None:
            return _not_you("invalid_client", "Bad client credentials")
        token, left = issued
        user = self.tokens.service_of(token).user or self.world.backstage.identity.user
        return Reply(content={"access_token": token, "token_type": "bearer", "expires_in": left, "scope": user})

    # What is asked

    async def _carry_out(self, call: Arrival, service: Service, visit: _Visit) -> Answer:
        endpoint, path = endpoint_of(call.method, call.path)
        if endpoint.permissions and service.permissions.isdisjoint(endpoint.permissions):
            raise RefusedError("603", "Access denied")
        uploaded = _uploaded(call) if endpoint.body == "file" else None
        question = Question(path=path, parameters=call.parameters, body=_body(call, endpoint), file=uploaded)
        calls = self.world.backstage.calls
        try:
            counted = await calls.begin(endpoint.counts_as, endpoint.object or path.get("name", ""))
            self.world.imports.settle()
            self.world.extracts.settle()
            answer = endpoint.run(self.world, question) if counted.arrives else Answer()
            visit.when_done = self.world.finish()
            await counted.end()
        except ThrottledError as error:
            limits = self.gate.limits
            message = f"Max rate limit '{limits.calls_per_window}' exceeded with in '{limits.window_s:g}' secs"
            raise RefusedError("606", message) from error
        except UnreachableError as error:
            raise AnswerLostError from error
        return answer


def _not_you(error: str, description: str) -> Reply:
    return Reply(status=401, content={"error": error, "error_description": description})


def _queues(clock: Callable[[], float], limits: ServerLimits) -> tuple[Queue, Queue]:
    too_many = f"There are {limits.jobs_waiting} imports currently being processed. Please try again later"
    fulls = (("1016", too_many), ("1029", "Too many jobs in queue"))
    imports, extracts = (
        Queue(clock=clock, takes_s=limits.job_s, slots=limits.jobs_running, room=limits.jobs_waiting, full=full)
        for full in fulls
    )
    return imports, extracts


def _uploaded(call: Arrival) -> bytes | None:
    """Return the file of a multipart body; None where there is none.

    Raises:
        RefusedError: The body is something else.
    """
    if not call.content_type.startswith(_MULTIPART):
        raise RefusedError("612", "Invalid Content Type")
    message = message_from_bytes(f"Content-Type: {call.content_type}\r\n\r\n".encode() + call.body)
    parts: Any = message.get_payload()
    if not message.is_multipart():
        raise RefusedError("613", "Invalid Multipart Request")
    for part in parts:
        if part.get_param("name", header="content-disposition") == "file":
            content: bytes = part.get_payload(decode=True)
            return content
    return None


def _body(call: Arrival, endpoint: Endpoint) -> Object | None:
    """Return the JSON object that came with a call, where its endpoint takes one."""
    if endpoint.body in {"none", "file"} or (endpoint.body == "may" and (not call.body or call.content_type == _FORM)):
        return None
    if call.content_type != _JSON:
        raise RefusedError("612", "Invalid Content Type")
    try:
        found: object = json.loads(call.body)
    except ValueError as error:
        raise RefusedError("609", "Invalid JSON") from error
    if not is_object(found):
        raise RefusedError("609", "Invalid JSON")
    return found


async def _rest(seconds: float) -> None:
    if seconds > 0:
        await anyio.sleep(seconds)
