"""The real connectors over the line, and the fakes behind the servers: who writes what is noted as in memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any

import anyio
import attrs

from mkdyn import RestDynamics, RestMarketo
from mkdyn.domain import FieldValue
from mkdyn.domain.outcomes import Applied, Create, Outcome, Rejected, Unknown, Write
from mkdyn.ports import Identity
from mkdyn.testing._marketo_backstage import Backstage
from mkdyn.testing._tables import Row, Table
from mkdyn.testing.servers.marketo import MarketoServer
from mkdyn.testing.servers.marketo.jobs import Job
from tests.simulation.systems import WatchedDynamics, WatchedMarketo


@attrs.frozen
class Writing:
    """A call that writes: for which records of the other system, and the run that sent it.

    Attributes:
        others: By the key of what is written.
        run: The run; None for the one that goes on.
    """

    others: Mapping[str, str] = attrs.field(factory=dict[str, str])
    run: int | None = None


#: Several calls are under way at once, and one may arrive long after its caller has gone: each knows whose it is.
WRITING: ContextVar[Writing] = ContextVar("WRITING")
_NOBODY = Writing()


class _OfTheCall:
    """A watched fake behind a server: whom a write is for is what its call says."""

    @property
    def _written_for(self) -> Mapping[str, str]:
        return WRITING.get(_NOBODY).others

    @_written_for.setter
    def _written_for(self, value: Mapping[str, str]) -> None:
        """Only a fake that is its own connector has it set."""

    @property
    def _sent(self) -> int | None:
        return WRITING.get(_NOBODY).run

    @_sent.setter
    def _sent(self, value: int | None) -> None:
        """Only a fake that is its own connector has it set."""


class ServedMarketo(_OfTheCall, WatchedMarketo):  # type: ignore[misc]  # the call's, and not its own
    """Marketo, watched, behind a server."""

    def backstage(self) -> Backstage:
        """Return what stands behind the server: what it makes and changes is ours."""
        behind = super().backstage()

        def add(table: Table, values: Mapping[str, FieldValue], /) -> Applied | Rejected:
            keys = [values.get(name) for name in ("dynamicsId", "dynamicsContactId", table.key_field)]
            with self._ours(map(str, keys)):
                return behind.add(table, values)

        def update(table: Table, row: Row, values: Mapping[str, FieldValue], /, *, found: bool) -> Applied | Rejected:
            keys = [row.key, *(values.get(name) for name in ("dynamicsId", "dynamicsContactId"))]
            with self._ours(map(str, keys)):
                return behind.update(table, row, values, found=found)

        return attrs.evolve(behind, add=add, update=update)

    @contextmanager
    def _ours(self, keys: Iterable[str]) -> Generator[None]:
        """Take what happens inside as our write to the first of these keys that the call has."""
        other = next((self._written_for[key] for key in keys if key in self._written_for), None)
        with self.log.writing(other, self.log.run if self._sent is None else self._sent):
            yield


class ServedDynamics(_OfTheCall, WatchedDynamics):  # type: ignore[misc]  # the call's, and not its own
    """Dynamics, watched, behind a server."""


class _Noting:
    """A connector that notes what it sends, as the watched fakes do."""

    fake: WatchedMarketo | WatchedDynamics
    batch_max: int

    async def identify(self) -> Identity:
        """See `Connector.identify`; with the batches of this world."""
        return attrs.evolve(await super().identify(), batch_max=self.batch_max)  # type: ignore[misc]  # the connector's

    async def write(self, object: str, writes: Sequence[Write], /) -> Sequence[Outcome]:
        """See `Connector.write`."""
        log, fake = self.fake.log, self.fake
        made = {write.key: write.key for write in writes if isinstance(write, Create) and write.by}
        others = {**fake.others(fake.system, {write.key for write in writes}), **made}
        sendings = log.sending(fake.system, object, writes)
        token = WRITING.set(Writing(others))
        try:
            outcomes: Sequence[Outcome] = await super().write(object, writes)  # type: ignore[misc]  # the connector's
        finally:
            WRITING.reset(token)
        lost = {write.key for write, outcome in zip(writes, outcomes, strict=True) if isinstance(outcome, Unknown)}
        for sending in sendings:
            sending.answered = None if sending.place[2] in lost else len(log.changes)
        return outcomes


class NotingMarketo(_Noting, RestMarketo):
    """`RestMarketo`, which notes what it sends."""

    def __init__(self, url: str, *, fake: WatchedMarketo, batch_max: int, **how: Any) -> None:  # noqa: ANN401 - its own
        super().__init__(url, **how)
        self.fake, self.batch_max = fake, batch_max


class NotingDynamics(_Noting, RestDynamics):
    """`RestDynamics`, which notes what it sends."""

    def __init__(self, url: str, *, fake: WatchedDynamics, batch_max: int, **how: Any) -> None:  # noqa: ANN401 - its own
        super().__init__(url, batch_max=batch_max, **how)
        self.fake, self.batch_max = fake, batch_max


def keep_whose_jobs_are(server: MarketoServer, run: Callable[[], int]) -> None:
    """Have what an import does be the writes of the call that handed it in, whoever calls when it is done."""
    queue = server.instance.world.imports
    add = queue.add

    def added(job: Job) -> None:
        act, context = job.act, copy_context()
        context.run(lambda: WRITING.set(attrs.evolve(WRITING.get(_NOBODY), run=run())))
        job.act = partial(context.run, act)
        add(job)

    queue.add = added  # type: ignore[method-assign]  # the server's own goes on behind it


def finish_jobs(server: MarketoServer) -> None:
    """Bring every import to its end, before time goes by: none takes longer than a write may be on its way."""
    queue, now = server.instance.world.imports, anyio.current_time()
    for job in queue.jobs.values():
        if job.ends is not None:
            job.starts, job.ends = min(job.starts or now, now), min(job.ends, now)
    queue.settle()
