"""The world of a history on the wire: one of the two systems is reached by its real connector, through its server."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import anyio
import httpx

from mkdyn import ClientCredentials, MarketoBulk, MarketoLimits
from mkdyn.domain.systems import System
from mkdyn.errors import CredentialsError, MkdynError
from mkdyn.ports import DynamicsConnector, MarketoConnector
from mkdyn.testing import Crashed, Reject
from mkdyn.testing.servers.dynamics import DynamicsServer, Work
from mkdyn.testing.servers.marketo import MarketoServer, Quirks, ServerLimits
from tests.simulation.runs import meddle
from tests.simulation.trouble import let_time_work
from tests.simulation.wire.connectors import (
    NotingDynamics,
    NotingMarketo,
    ServedDynamics,
    ServedMarketo,
    finish_jobs,
    keep_whose_jobs_are,
)
from tests.simulation.wire.line import Line
from tests.simulation.wire.weather import KINDS, Weather
from tests.simulation.world import DYNAMICS_SETTLES_S, MARKETO_SETTLES_S, Traits, World

_MARKETO = "https://123-abc-456.mktorest.com"
_DYNAMICS = "https://acme.crm4.dynamics.com"
#: How long a call takes.
_LATENCY_S = 0.3
#: A write may be on its way, then its entry late, then its value: all of it within the time a system takes to settle.
_SHARE = 1 / 3
#: How long Marketo works on a file; each update that one can carry goes in one.
_JOB_S = 45.0
FILES = MarketoBulk(rows_min=1, job_s=60, poll_s=30, deadline_s=300)
#: A column that nobody selected: people fill it in while we write.
_ASIDE = "middlename"


class WireWorld(World):
    """A world in which time goes by as calls take it; it begins and ends inside an event loop with a clock of its own.

    Attributes:
        system: Which system is on the wire.
        weather: What goes wrong on its line.
        line: The line.
    """

    marketo_kind = ServedMarketo
    dynamics_kind = ServedDynamics

    def __init__(
        self, system: System, name: str, traits: Traits, chance: random.Random, *, files: bool = False
    ) -> None:
        self.bulk = FILES if files else None
        kinds = KINDS[system]
        alone = chance.random() < 0.4
        self.system, self.chance = system, chance
        self.weather = Weather(system, chance, [chance.choice([*kinds])] if alone else [*kinds])
        self._began = anyio.current_time()
        self._server: Any = None
        super().__init__(name, traits)
        self.weather.acts = self._acts()
        self.say(f"{system} is on the wire; what may go wrong there: {', '.join(self.weather.kinds)}")
        for fake in (self.marketo, self.dynamics):
            fake.between(self._between)

    # -- time --------------------------------------------------------------------------------------

    @property
    def clock(self) -> datetime:  # type: ignore[override]  # it goes by
        """The world's time."""
        return self._base + timedelta(seconds=anyio.current_time() - self._began)

    @clock.setter
    def clock(self, value: datetime) -> None:
        self._finish_jobs()
        self._base = value
        self._began = anyio.current_time()

    def _finish_jobs(self) -> None:
        if self._server is not None and self.system is System.MARKETO:
            finish_jobs(self._server)

    def _between(self, call: str) -> None:
        let_time_work(self)
        meddle(self, self.chance, call)

    # -- the line ----------------------------------------------------------------------------------

    def connectors(self) -> tuple[MarketoConnector, DynamicsConnector]:
        """Return what a new process reaches the two systems by."""
        if self._server is None:
            self._server = self._serve()
            settles_s = MARKETO_SETTLES_S if self.system is System.MARKETO else DYNAMICS_SETTLES_S
            self.line = Line(
                self._server,
                loses=lambda: self.log.running and self.weather.loses(),
                now=self.time,
                run=lambda: self.log.run,
                settles_s=settles_s * _SHARE,
                arrived=self._finish_jobs,
            )
        client = httpx.AsyncClient(transport=self.line)
        if self.system is System.MARKETO:
            marketo = NotingMarketo(
                _MARKETO, fake=self.marketo, batch_max=self.traits.batch_max, client_id="mkdyn",
                client_secret="secret", limits=MarketoLimits(share=1.0), client=client, overlap_s=600.0,
                settles_after_s=MARKETO_SETTLES_S, bulk=self.bulk,
            )  # fmt: skip
            return marketo, self.dynamics
        credentials = ClientCredentials(
            tenant="acme.example", client_id="mkdyn", client_secret="secret", login_url=_DYNAMICS
        )
        dynamics = NotingDynamics(
            _DYNAMICS, fake=self.dynamics, batch_max=self.traits.batch_max, token=credentials, client=client,
            page_size=self.traits.page_size, rows_per_batch=2, settles_after_s=DYNAMICS_SETTLES_S,
        )  # fmt: skip
        return self.marketo, dynamics

    @property
    def files_handed_in(self) -> int:
        """How many files came in at Marketo's server."""
        count: int = self._server.arrivals["bulk.leads"]
        return count

    def _serve(self) -> MarketoServer | DynamicsServer:
        server: MarketoServer | DynamicsServer
        if self.system is System.MARKETO:
            server = MarketoServer(
                self.marketo,
                latency_s=_LATENCY_S,
                limits=ServerLimits(job_s=_JOB_S),
                quirks=Quirks(block_entries=self.traits.page_size),
            )
            keep_whose_jobs_are(server, lambda: self.log.run)
        else:
            server = DynamicsServer(self.dynamics, work=Work(request_s=_LATENCY_S))
        server.trouble = lambda call: self.weather.of(call, self.time()) if self.log.running else None  # type: ignore[assignment,method-assign,misc]  # each its own
        return server

    def _acts(self) -> dict[str, Callable[[], None]]:
        """Return what goes wrong behind the line, and not on it."""
        server = self._server
        if self.system is System.MARKETO:
            return {
                "601/602": self._spoil_tokens,
                "skipped": lambda: self._refuse(["title", "phone", "mktoPersonNotes"]),
                "expired page": self.marketo.expire_cursors,
            }
        return {
            "401": server.expire_tokens,
            "412": self._fill_in,
            "skipped": lambda: self._refuse(["jobtitle", "telephone1", "description"]),
            "expired delta": self.expire_delta_tokens,
        }

    def _spoil_tokens(self) -> None:
        chance = self.chance.random()
        if chance < 0.7:
            spoil = self._server.revoke_tokens if chance < 0.35 else self._server.expire_tokens
            spoil()

    def _refuse(self, fields: list[str]) -> None:
        fault = Reject(field=self.chance.choice(fields))
        if fault not in self.fake(self.system).faults:
            self.fake(self.system).inject(fault)

    def expire_delta_tokens(self) -> None:
        """Let all places in Dynamics' feeds be too old to go on from."""
        self.dynamics.expire_cursors()
        self.expired[System.DYNAMICS].append(self.log.run)
        self.say("Dynamics' cursors expire")

    def _fill_in(self) -> None:
        """Let somebody edit each row that is being written: none has the version that we saw."""
        for item in self.store.unsettled(after=0, limit=100):
            table, key = item.entity.logical_name, item.key
            if item.system is not System.DYNAMICS or table not in ("lead", "contact"):
                continue
            if self.dynamics.record(table, key) is not None:
                self.dynamics.edit(table, key, **{_ASIDE: self.fresh("x")})

    # -- the process -------------------------------------------------------------------------------

    async def doing(self, call: Callable[[], Awaitable[object]]) -> object:
        """Do something of ours; several calls at once die as one."""
        try:
            return await call()
        except BaseExceptionGroup as group:
            crashed = group.subgroup(Crashed)
            if crashed is None:
                raise
            raise Crashed(str(crashed)) from group

    def tolerates(self, error: MkdynError) -> bool:
        """Whether a run may end so: one whose tokens are refused again and again does, too."""
        refuses = {"601/602", "401"} & self.weather.happened.keys()
        return super().tolerates(error) or (isinstance(error, CredentialsError) and bool(refuses))
