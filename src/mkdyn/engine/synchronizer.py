"""The face of the library: one pair of systems, one memory, and what one can ask of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Literal, NoReturn, Self, assert_never

import anyio
import attrs

from mkdyn.domain.backfill import Span, to_backfill
from mkdyn.domain.entities import PERSON, PersonEntity
from mkdyn.domain.guards import Guard
from mkdyn.domain.plan import Plan
from mkdyn.domain.records import Key
from mkdyn.domain.registry import Pick
from mkdyn.domain.rules import Rules
from mkdyn.domain.systems import System
from mkdyn.engine.apply import apply
from mkdyn.engine.audit import AuditReport, compare_all
from mkdyn.engine.backfill import carry_out, estimate, plan_refresh, unfinished
from mkdyn.engine.checking import CheckReport, check, set_up
from mkdyn.engine.closing import close, guard
from mkdyn.engine.discovery import look
from mkdyn.engine.fields import Fields
from mkdyn.engine.gather import gather, observe_keys
from mkdyn.engine.gone import look_for_gone
from mkdyn.engine.journal import Journal
from mkdyn.engine.opening import Parts
from mkdyn.engine.patience import Patient
from mkdyn.engine.promotion import expect_promotable
from mkdyn.engine.reconcile import reconcile
from mkdyn.engine.references import wake_waiting
from mkdyn.engine.report import Report, read_plan
from mkdyn.engine.roles import WithRoles
from mkdyn.engine.session import Session
from mkdyn.engine.settle import settle
from mkdyn.engine.walk import compare_returned, wake_ambiguous, walk_on, watch_claimed, watch_suspended
from mkdyn.errors import FieldError, TransientError
from mkdyn.ports.connectors import DynamicsConnector, MarketoConnector
from mkdyn.ports.observer import Observer
from mkdyn.ports.store import Observation, StateStore

#: How often a run decides again what moved under its hands.
ROUNDS_MAX = 3


def _utc_now() -> datetime:
    """Return the wall clock's time; the only place that looks at it."""
    return datetime.now(UTC)  # noqa: TID251 - the system clock itself


class Synchronizer:
    """Keeps one Marketo instance and one Dynamics organisation in agreement.

    An async context manager; leaving it closes the connectors and the store.

    Attributes:
        fields: Which fields sync.
        journal: What has been planned and done, complete.
    """

    def __init__(
        self,
        *,
        marketo: MarketoConnector,
        dynamics: DynamicsConnector,
        store: StateStore,
        rules: Rules | None = None,
        observers: Sequence[Observer] = (),
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        marketo = WithRoles(marketo, store)
        self._marketo, self._dynamics, self._store = marketo, dynamics, store
        self._rules = Rules() if rules is None else rules
        self._parts = Parts(
            marketo=marketo, dynamics=dynamics, store=store, rules=self._rules, observers=tuple(observers), now=now
        )
        self.fields: Fields = Fields(marketo=marketo, dynamics=dynamics, store=store, rules=self._rules, now=now)
        self.journal: Journal = Journal(store)

    async def run(self, *, keys: Collection[Key] | None = None, deadline_s: float | None = None) -> Report:
        """Bring both systems to agreement, once.

        Args:
            keys: Look at these records only, whatever the feeds say.
            deadline_s: Stop at a batch boundary after this many seconds; the next run goes on.

        Raises:
            NothingSelectedError: No field is selected.
            GuardError: The plan looks like an accident; nothing was sent.
            RunInProgressError: Another run holds the state.
            OtherOrganizationError: The state belongs to other systems.
        """
        async with self._parts.session("run", keys=keys, deadline_s=deadline_s) as session:
            await self._observe(session)
            await settle(session)
            for _ in range(ROUNDS_MAX):
                session.again = False
                await reconcile(session)
                guard(session)
                await apply(session)
                await settle(session)
                if not session.again or session.paused is not None:
                    break
            return close(session)

    async def plan(self, *, keys: Collection[Key] | None = None) -> Plan:
        """Decide what a run would do, and store it; nothing is sent.

        Args:
            keys: Look at these records only.

        Raises:
            NothingSelectedError: No field is selected.
        """
        async with self._parts.session("run", keys=keys, sends=False) as session:
            await self._observe(session)
            await settle(session)
            await reconcile(session)
            close(session)
            return read_plan(self._store, session.id, session.purpose, session.match_report(), session.breaches())

    async def apply(
        self,
        plan: Plan | int,
        /,
        *,
        accept: Collection[Guard] = (),
        moved: Literal["leave", "replan"] = "leave",
    ) -> Report:
        """Carry a stored plan out.

        Args:
            plan: The plan, or its number.
            accept: Guards that a person let through, for this plan only.
            moved: What to do with what has moved since: leave and list it, or decide it anew.

        Raises:
            PlanMovedError: There is no such plan, or it was carried out already.
            GuardError: It trips a guard that was not accepted.
        """
        number = plan if isinstance(plan, int) else plan.id
        if self._parts.planned(number).purpose == "backfill":
            return await self._carry_out(number, accept=accept)
        match moved:
            case "leave":
                limited = True
            case "replan":
                limited = False
            case _:
                assert_never(moved)
        async with self._parts.session("run", plan=number, limited=limited, accept=accept) as session:
            await self._observe(session)
            await settle(session)
            await reconcile(session)
            session.count_left()
            guard(session)
            await apply(session)
            await settle(session)
            return close(session)

    async def plan_backfill(self, *picks: Pick, since: date | None = None, until: date | None = None) -> Plan:
        """Decide what refreshing fields Dynamics → Marketo would write, and store it; nothing is sent.

        Args:
            picks: Selected fields, refreshed already or not; by default all that wait for their backfill.
            since: Only records created or changed in Dynamics from this day on (UTC).
            until: Only records created or changed before this day.

        Raises:
            FieldError: A field is not selected, or can't be refreshed.
        """
        chosen = to_backfill(picks, [item.pair for item in self._store.pairs()])
        async with self._parts.session("backfill", sends=False) as session:
            await look(session)
            await plan_refresh(session, chosen, Span(since, until))
            close(session)
            return read_plan(
                self._store, session.id, session.purpose, None, session.breaches(),
                emptied=session.emptied, estimate=estimate(session),
            )  # fmt: skip

    async def backfill(self, *picks: Pick, since: date | None = None, until: date | None = None) -> Report:
        """Refresh fields Dynamics → Marketo: plan it and carry it out, or go on where it was interrupted.

        Args:
            picks: Selected fields, refreshed already or not; by default all that wait for their backfill.
            since: Only records created or changed in Dynamics from this day on (UTC).
            until: Only records created or changed before this day.

        Raises:
            FieldError: A field is not selected, or can't be refreshed.
            GuardError: It looks like an accident; nothing was sent.
        """
        chosen = to_backfill(picks, [item.pair for item in self._store.pairs()])
        number = unfinished(self._store, chosen, Span(since, until))
        if number is None:
            number = (await self.plan_backfill(*picks, since=since, until=until)).id
        return await self._carry_out(number)

    async def _carry_out(self, plan: int, *, accept: Collection[Guard] = ()) -> Report:
        async with self._parts.session("backfill", plan=plan, accept=accept) as session:
            await look(session)
            await carry_out(session)
            return close(session)

    async def audit(self) -> AuditReport:
        """Compare every linked record of both systems with what they last agreed on; writes nothing.

        It takes the feeds in first, so that an edit that is on its way is no drift, and reads all linked records then:
        two calls for each thousand at the least. What differs is in the report, by field; its plan holds the repair.

        Raises:
            NothingSelectedError: No field is selected.
        """
        async with self._parts.session("repair", sends=False) as session:
            await self._observe(session)
            await settle(session)
            tally = await compare_all(session)
            await reconcile(session)
            close(session)
            plan = read_plan(self._store, session.id, session.purpose, session.match_report(), session.breaches())
            return AuditReport(
                compared=tally.compared, differing=tally.differing, drifts=tally.drifts(), plan=plan
            )  # fmt: skip

    async def run_every(self, interval_s: float, /) -> NoReturn:
        """Run, rest for *interval_s* seconds, repeat; what passes by itself is waited out, the rest is raised."""
        while True:
            rest_s = interval_s
            try:
                await self.run()
            except TransientError as error:
                rest_s = max(interval_s, error.retry_after_s or 0.0)
            await anyio.sleep(rest_s)

    async def promote(self, *marketo_ids: int, to: PersonEntity) -> None:
        """Ask for Dynamics records for these persons; the next plan has them.

        Args:
            marketo_ids: The persons' ids.
            to: What they become; it must sync.

        Raises:
            ConfigError: Marketo does not show one of them, or no field of *to* is selected; nobody is promoted.
        """
        keys = [str(marketo_id) for marketo_id in marketo_ids]
        await expect_promotable(Patient(self._marketo), self._store, keys, to)
        pending = self._store.observed(System.MARKETO, PERSON, keys)
        with self._store.transaction():
            self._store.observe(
                attrs.evolve(
                    pending.get(key, Observation(system=System.MARKETO, object=PERSON, key=key)), wanted=to.logical_name
                )
                for key in keys
            )

    async def check(self) -> CheckReport:
        """Find everything wrong in both systems, each with its remedy. Writes nothing."""
        return await check(self._marketo, self._dynamics, self._store, self._rules)

    async def set_up(self) -> None:
        """Create in Marketo the fields that mkdyn keeps for itself. Repeatable."""
        await set_up(self._marketo, self._rules)

    async def aclose(self) -> None:
        """Close the connectors and the store."""
        await self._marketo.aclose()
        await self._dynamics.aclose()
        self._store.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self.aclose()

    def __repr__(self) -> str:
        marketo = self._store.organization(System.MARKETO) or "Marketo"
        dynamics = self._store.organization(System.DYNAMICS) or "Dynamics"
        return f"<Synchronizer {marketo} ↔ {dynamics}, {self._store.name}, {len(self._store.pairs())} fields>"

    async def _observe(self, session: Session) -> None:
        """Take in what both systems say, or just the records asked for."""
        await look(session)
        try:
            await self._listen(session)
        except FieldError:  # a field went while it was being read
            if not await look(session, again=True):
                raise
            await self._listen(session)
        if session.observed:
            await look(session)  # what was read while a right was missing is nobody's edit

    async def _listen(self, session: Session) -> None:
        if session.keys is not None:
            await observe_keys(session, session.keys)
            return
        await gather(session)
        await walk_on(session)
        await compare_returned(session)
        await look_for_gone(session)
        await watch_suspended(session)
        watch_claimed(session)
        wake_ambiguous(session)
        wake_waiting(session)
