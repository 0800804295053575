"""Begin a run or a plan: hold the state, know both systems; whatever ends it, the journal says how."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import anyio
import attrs

from mkdyn.domain.guards import Guard
from mkdyn.domain.plan import Purpose
from mkdyn.domain.records import Key
from mkdyn.domain.rules import Rules
from mkdyn.engine.checking import check_organizations, identify
from mkdyn.engine.kinds import kinds_of
from mkdyn.engine.ledger import forget_resolutions
from mkdyn.engine.patience import Patient
from mkdyn.engine.session import Session
from mkdyn.errors import GuardError, NothingSelectedError, PlanMovedError
from mkdyn.ports.connectors import DynamicsConnector, MarketoConnector
from mkdyn.ports.observer import Observer, RunStarted
from mkdyn.ports.store import RunEnd, RunRow, StateStore


@attrs.frozen(kw_only=True, eq=False)
class Parts:
    """What a synchronizer is made of.

    Attributes:
        marketo: Marketo.
        dynamics: Dynamics.
        store: The memory.
        rules: The settings.
        observers: Who is told.
        now: The wall clock.
    """

    marketo: MarketoConnector
    dynamics: DynamicsConnector
    store: StateStore
    rules: Rules
    observers: Sequence[Observer]
    now: Callable[[], datetime]

    @asynccontextmanager
    async def session(
        self,
        purpose: Purpose,
        *,
        keys: Collection[Key] | None = None,
        deadline_s: float | None = None,
        sends: bool = True,
        plan: int | None = None,
        limited: bool = False,
        accept: Collection[Guard] = (),
    ) -> AsyncGenerator[Session]:
        """Begin; *plan* is the number of the stored plan to carry out.

        Raises:
            NothingSelectedError: No field is selected.
            PlanMovedError: There is no such plan, or it was carried out already.
            RunInProgressError: Another run holds the state.
            OtherOrganizationError: The state belongs to other systems.
        """
        store, started_at = self.store, self.now()
        with store.exclusive(
            f"A run since {started_at:%Y-%m-%d %H:%M:%S %Z} (host {socket.gethostname()}, pid {os.getpid()})"
        ):
            marketo, dynamics = Patient(self.marketo), Patient(self.dynamics)
            identities = await identify(marketo, dynamics)
            check_organizations(store, identities)
            pairs = store.pairs()
            if not pairs:
                raise NothingSelectedError
            if plan is not None:
                self.planned(plan)
            with store.transaction():
                store.drop_planned()
                number = store.start_run(purpose, started_at) if plan is None else plan
                forget_resolutions(store, number)
                if plan is not None:  # what it finds to collide happens from now on
                    store.end_run(plan, started_at, "begun", {})
            session = Session(
                id=number,
                purpose=purpose,
                marketo=marketo,
                dynamics=dynamics,
                identities=identities,
                store=store,
                rules=self.rules,
                kinds=kinds_of(pairs, self.rules),
                observers=self.observers,
                now=self.now,
                started_at=started_at,
                sends=sends,
                limited=limited,
                reuses=plan is not None,
                keys=None if keys is None else frozenset(keys),
                accepted=frozenset(accept),
                stop_at=None if deadline_s is None else anyio.current_time() + deadline_s,
                linked_before=store.count_links(),
            )
            session.tell(RunStarted(run_id=number))
            try:
                yield session
            except Exception as error:
                self._fail(session, "stopped" if isinstance(error, GuardError) else "failed", error)
                raise

    def planned(self, plan: int) -> RunRow:
        """Return a stored plan that can be carried out.

        Raises:
            PlanMovedError: There is no such plan, or it was carried out already.
        """
        row = self.store.run(plan)
        open_ends: Collection[RunEnd | None] = ("planned", "begun", "stopped")
        if row is not None and row.purpose == "backfill":  # it can be gone on with, however it was interrupted
            open_ends = (*open_ends, "paused", "out-of-time")
        if row is None or row.ended not in open_ends:
            what = "There is no plan" if row is None else "There is nothing left to apply of plan"
            raise PlanMovedError(f"{what} {plan}.", what_to_do="Make a new one: sync.plan().")
        return row

    def _fail(self, session: Session, ended: RunEnd, error: Exception) -> None:
        with self.store.transaction():
            self.store.end_run(session.id, self.now(), ended, {"error": type(error).__name__})
