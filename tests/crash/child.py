"""What the child does until it is killed: run after run of the real engine on a real file.

Both systems live on in the parent. The child asks them over a socket, and says there, too, what it is about to
do: which step of a run it begins, and what it is about to commit.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import sqlite3
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, cast

import attrs

from mkdyn import Entity, Pick, Promotion, Rules, Synchronizer, where
from mkdyn.adapters.sqlite import SqliteStore, files
from mkdyn.domain.feeds import Cursor, Page
from mkdyn.domain.fields import FieldSpec, NewField
from mkdyn.domain.outcomes import Applied, Outcome, Write
from mkdyn.domain.records import Record
from mkdyn.domain.systems import System
from mkdyn.engine import apply, synchronizer
from mkdyn.engine.commit import commit_batch
from mkdyn.ports.connectors import Identity, Pages, Problem
from tests.crash.telling import TellingConnection

#: Dynamics field, Marketo field: what people edit.
FIELDS: Final = (("jobtitle", "title"), ("telephone1", "phone"), ("description", "mktoPersonNotes"))
PICKS: Final = (
    *(Pick(entity, dynamics) for entity in (Entity.LEAD, Entity.CONTACT) for dynamics, _ in FIELDS),
    *(Pick(entity, name) for entity in (Entity.LEAD, Entity.CONTACT) for name in ("lastname", "emailaddress1")),
    *(Pick(Entity.ACCOUNT, name) for name in ("name", "telephone1")),
)
RULES: Final = Rules(promote=[Promotion(to=Entity.LEAD, when=where("leadScore").at_least(80))], walk_links=20)

#: A bug to be found: a transaction that is kept statement by statement, a baseline that moves before the answer.
Bug = Literal["", "halfway", "ahead"]

_STEPS: Final = ("gather", "walk_on", "watch_suspended", "settle", "reconcile", "apply", "close")


@attrs.frozen(kw_only=True)
class Birth:
    """What a child is told at its birth.

    Attributes:
        path: The state file.
        now: What its clock says.
        bug: The bug it has.
        halt: At which of the statements that it writes it stands still and waits for its end.
    """

    path: Path
    now: datetime
    bug: Bug = ""
    halt: int | None = None


def live(connection: Connection) -> None:
    """Run until killed; what goes wrong is told."""
    try:
        asyncio.run(_run(connection))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the parent is gone
    except BaseException:  # noqa: BLE001 - it is the parent's business
        connection.send(("failed", traceback.format_exc()))


async def _run(connection: Connection) -> None:
    birth: Birth = connection.recv()
    parent = Parent(connection)
    _tell_of_transactions(parent, birth)
    _tell_of_steps(parent)
    if birth.bug == "ahead":
        apply._send = _ahead_of_the_answer(apply._send)
    clock = birth.now
    marketo, dynamics = RemoteMarketo(parent), RemoteDynamics(parent)
    sync = Synchronizer(
        marketo=marketo, dynamics=dynamics, store=SqliteStore(birth.path), rules=RULES, now=lambda: clock
    )
    await sync.fields.select(*PICKS)
    while True:
        await sync.run()
        clock = await parent.call("", "rest")


# -- the parent ----------------------------------------------------------------------------


class Parent:
    """The parent, who has both systems.

    Calls may be under way to both at once, as with real connectors.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(connection.fileno(), self._answered)

    def tell(self, *what: object) -> None:
        """Say something that needs no answer."""
        self._connection.send(what)

    def halt(self) -> None:
        """Say so, and stand still."""
        self.tell("halt")
        while True:
            self._connection.recv()  # the answer to a call that was under way; then nothing more

    async def call(self, system: str, method: str, *arguments: object, **settings: object) -> Any:  # noqa: ANN401 - as it is
        """Ask one system; raise what it raises."""
        number = next(self._numbers)
        future = self._waiting[number] = self._loop.create_future()
        self.tell("call", number, system, method, arguments, settings)
        answer = await future
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _answered(self) -> None:
        try:
            number, answer = self._connection.recv()
        except (EOFError, OSError) as error:
            self._loop.remove_reader(self._connection.fileno())
            for future in self._waiting.values():
                future.set_exception(EOFError(str(error)))
            return
        future = self._waiting.pop(number)
        if not future.done():
            future.set_result(answer)


class _Remote:
    """One system, in the parent; each method is the connector's of that name."""

    system: ClassVar[System]

    def __init__(self, parent: Parent) -> None:
        self._call: Callable[..., Awaitable[Any]] = functools.partial(parent.call, self.system.value)

    async def identify(self) -> Identity:
        return cast("Identity", await self._call("identify"))

    async def check(self, needs: Mapping[str, Collection[str]], /) -> Sequence[Problem]:
        return cast("Sequence[Problem]", await self._call("check", dict(needs)))

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        return cast("Sequence[FieldSpec]", await self._call("describe", object))

    async def read(self, object: str, keys: Collection[str], /, *, fields: Collection[str]) -> Mapping[str, Record]:
        return cast("Mapping[str, Record]", await self._call("read", object, list(keys), fields=list(fields)))

    async def find(
        self, object: str, field: str, values: Collection[str], /, *, fields: Collection[str]
    ) -> Sequence[Record]:
        found = await self._call("find", object, field, list(values), fields=list(fields))
        return cast("Sequence[Record]", found)

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        return cast("Sequence[Outcome]", await self._call("write", object, list(writes)))

    @asynccontextmanager
    async def changes(self, object: str, /, *, fields: Collection[str], since: Cursor | None) -> AsyncGenerator[Pages]:
        feed = await self._call("open_changes", object, fields=list(fields), since=since)

        async def pages() -> AsyncGenerator[Page]:
            while (page := await self._call("next_page", feed)) is not None:
                yield page

        yield pages()

    async def aclose(self) -> None:
        """Let go of nothing: the connection is the parent's."""


class RemoteMarketo(_Remote):
    """Marketo."""

    system: ClassVar[Literal[System.MARKETO]] = System.MARKETO

    async def create_field(self, object: str, field: NewField, /) -> FieldSpec:
        """See `MarketoConnector.create_field`."""
        return cast("FieldSpec", await self._call("create_field", object, field))

    async def merge(self, winner: str, losers: Sequence[str], /) -> Outcome:
        """See `MarketoConnector.merge`."""
        return cast("Outcome", await self._call("merge", winner, list(losers)))


class RemoteDynamics(_Remote):
    """Dynamics."""

    system: ClassVar[Literal[System.DYNAMICS]] = System.DYNAMICS


# -- what it says of itself, and its bugs ----------------------------------------------------------------


def _tell_of_steps(parent: Parent) -> None:
    """Say which step of a run begins."""
    for name in _STEPS:
        step: Callable[..., object] = getattr(synchronizer, name)

        def told(*arguments: object, name: str = name, step: Callable[..., object] = step) -> object:
            parent.tell("step", name)
            return step(*arguments)

        setattr(synchronizer, name, told)


def _tell_of_transactions(parent: Parent, birth: Birth) -> None:
    """Have the store use connections that tell the parent what they are about to keep."""
    statements = itertools.count(1)

    class Told(TellingConnection):
        halfway = birth.bug == "halfway"

        def tell(self, *what: object) -> None:
            parent.tell(*what)

        def reached(self) -> None:
            if next(statements) == birth.halt:
                parent.halt()

    def connect(path: Path, *, patience_s: float) -> sqlite3.Connection:
        factory = sqlite3.Connection if path.name.endswith("-lock") else Told
        return sqlite3.connect(path, timeout=patience_s, isolation_level=None, check_same_thread=False, factory=factory)

    files.connect = connect


def _ahead_of_the_answer(send: Callable[..., Awaitable[Sequence[Outcome]]]) -> Callable[..., Any]:
    """Return a bug: an engine that takes an answer for granted."""

    async def hasty(session, kind, system, operations):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        updates = [operation for operation in operations if operation.kind == "update"]
        commit_batch(session, kind, updates, [Applied(key=item.key, version=item.version) for item in updates])
        return await send(session, kind, system, operations)

    return hasty
