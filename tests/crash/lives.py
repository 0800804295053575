"""Many short lives: a child works on a state file until it is killed, and the next goes on with what it left."""

from __future__ import annotations

import random
import select
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

import attrs

from mkdyn.adapters.sqlite import SqliteStore
from tests.crash.child import Birth, Bug
from tests.crash.desk import Call, Desk
from tests.crash.ending import come_to_rest
from tests.crash.inspection import inspect
from tests.crash.nursery import PATIENCE_S, Child, Nursery
from tests.crash.replica import Replica, Transaction, ViolationError, require
from tests.crash.world import World

#: When a child is killed: after some time, at a call, at a statement inside a transaction, at a COMMIT.
Moment = Literal["clock", "call", "write", "answer", "statement", "commit"]


#: For each moment: how often it comes before all have come, the latest call, statement or COMMIT, and the longest wait after that.
_MOMENTS: Final[Mapping[Moment, tuple[int, int, float]]] = {
    "clock": (4, 1, 0.25),
    "call": (3, 20, 0.0),
    "write": (4, 5, 0.0),
    "answer": (4, 5, 0.003),
    "statement": (4, 60, 0.0),
    "commit": (4, 15, 0.002),
}


@attrs.frozen(kw_only=True)
class Plan:
    """When a child is to be killed.

    Attributes:
        moment: At what.
        count: At the how-manieth.
        delay_s: How long after that.
        done: Whether the call at which it is killed takes effect.
    """

    moment: Moment
    count: int
    delay_s: float
    done: bool


@attrs.define(kw_only=True, eq=False)
class Life:
    """One child's life, as the parent saw it.

    Attributes:
        plan: When it is to end.
        step: Which step of a run it was in.
        in_transaction: Whether a transaction was open.
        pending: The transaction that was being committed.
        waiting: Calls that have not been answered.
        carried_out: The one of them that took effect.
        answered: What was answered last, if nothing was kept since.
        failed: What it died of, if not of us.
    """

    plan: Plan
    step: str = "start"
    in_transaction: bool = False
    pending: Transaction | None = None
    waiting: list[Call] = attrs.field(factory=list[Call])
    carried_out: Call | None = None
    answered: str = ""
    failed: str = ""

    def where(self, kept: bool | None) -> Iterator[str]:
        """Say where the kill landed: in a transaction, and at a call, as it may be both.

        Args:
            kept: Whether the pending transaction is in the file.
        """
        if self.pending is not None:
            yield "in COMMIT, kept" if kept else "in COMMIT, not kept"
        elif self.in_transaction:
            yield "in a transaction, before COMMIT"
        else:
            yield "in no transaction"
        if any(call.method == "write" for call in self.waiting):
            yield "write not answered"
        elif self.waiting:
            yield "read not answered"
        if self.answered == "write":
            yield "write answered, nothing kept since"
        yield f"step: {self.step}"


class Lives:
    """One history of a world, a file, and the children that work on it.

    Attributes:
        landed: Where the kills landed, and in which step of a run.
    """

    def __init__(self, seed: int, path: Path, nursery: Nursery, *, bug: Bug = "") -> None:
        self._seed, self._path, self._nursery, self._bug = seed, path, nursery, bug
        self._plans, self._random = random.Random(seed), random.Random(seed)
        self._moments: list[Moment] = []
        self._replica = Replica()
        self._desk = Desk(World(random.Random(seed)))
        self.landed: Counter[str] = Counter()

    def close(self) -> None:
        """Let go of both systems."""
        self._desk.bury()
        self._desk.world.close()
        self._replica.close()

    def live(self) -> None:
        """Bear a child, kill it, and look at what it left.

        Raises:
            ViolationError: A promise was broken, or the child died of something else.
        """
        self._desk.world.go_on()
        life = Life(plan=self._plan())
        try:
            self._until_killed(life)
            kept = self._look(life)
        except ViolationError as error:
            where = f"seed {self._seed}, life {self._desk.life}, {life.plan}, step {life.step}"
            raise ViolationError(f"{error} ({where})") from error
        self.landed.update(life.where(kept))

    def rest(self) -> None:
        """Let nothing happen any more but runs; both systems agree in the end.

        Raises:
            ViolationError: They don't, or something is lost or doubled.
        """
        try:
            with closing(SqliteStore(self._path)) as store:
                come_to_rest(store, self._desk.world)
        except ViolationError as error:
            raise ViolationError(f"{error} (seed {self._seed}, at the end)") from error

    def _plan(self) -> Plan:
        chance = self._plans
        if not self._moments:
            self._moments = [moment for moment, (often, _, _) in _MOMENTS.items() for _ in range(often)]
            chance.shuffle(self._moments)
        moment = self._moments.pop()
        _, latest, longest_s = _MOMENTS[moment]
        delay_s = chance.choice([0.0, chance.uniform(0, longest_s)])
        return Plan(moment=moment, count=chance.randint(1, latest), delay_s=delay_s, done=chance.random() < 0.5)

    # -- a life ------------------------------------------------------------------------------

    def _until_killed(self, life: Life) -> None:
        halt = life.plan.count if life.plan.moment == "statement" else None
        birth = Birth(path=self._path, now=self._desk.bear(), bug=self._bug, halt=halt)
        with self._nursery.bear() as child:
            child.connection.send(birth)
            try:
                with suppress(EOFError, ConnectionResetError):  # it died by itself; of what, `ended` says
                    self._serve(life, child)
            finally:
                ended = child.kill()
            self._hear_the_rest(life, child)
        require(not life.failed, f"the run ended with {life.failed}")
        require(ended == signal.SIGKILL, f"the child ended with signal {ended}, not by our hand")
        for call in life.waiting:
            if call is life.carried_out:
                continue
            if self._random.random() < 0.3:
                self._desk.carry_out(call)  # it was on the wire already
            else:
                self._desk.lose(call)
        self._desk.bury()

    def _serve(self, life: Life, child: Child) -> None:
        """Answer the child until its time has come."""
        counts = Counter[str]()
        patience_s = life.plan.delay_s if life.plan.moment == "clock" else PATIENCE_S
        ends = time.monotonic() + patience_s
        while (left := ends - time.monotonic()) > 0:
            if life.waiting:
                left = self._random.choice([0.0, 0.0, 0.001])  # another call may come in before this one is answered
            if child.connection.poll(left):
                what, *rest = child.connection.recv()
                counts[what] += 1
                self._note(life, what, rest)
                if what in ("failed", "halt"):
                    return
                if what == life.plan.moment == "commit" and counts[what] == life.plan.count:
                    _wait(life.plan.delay_s)
                    return
            elif life.waiting and self._answer(life, child, counts):
                return
        require(life.plan.moment == "clock", f"its time did not come in {PATIENCE_S} s")

    def _answer(self, life: Life, child: Child, counts: Counter[str]) -> bool:
        """Answer one of the calls that wait; whether it is time to kill, before the answer or after."""
        plan, call = life.plan, self._random.choice(life.waiting)
        counts["call answered"] += 1
        counts["write answered"] += call.method == "write"
        due = counts[f"{plan.moment} answered"] == plan.count and plan.moment in ("call", call.method)
        if due and not plan.done:
            return True
        answer = self._desk.carry_out(call)
        if due:
            life.carried_out = call
            return True
        life.waiting.remove(call)
        life.answered = call.method
        self._desk.give(answer)
        with suppress(BrokenPipeError):  # it failed; it has said why
            child.connection.send((call.number, answer.result))
        if plan.moment == "answer" and call.method == "write" and counts["write answered"] == plan.count:
            _wait(plan.delay_s)
            return True
        return False

    def _note(self, life: Life, what: str, rest: list[Any]) -> None:
        """Note what the child said."""
        match what:
            case "call":
                number, system, method, arguments, settings = rest
                life.waiting.append(
                    Call(number=number, system=system, method=method, arguments=arguments, settings=settings)
                )
            case "step":
                [life.step] = rest
            case "begin":
                life.in_transaction = True
            case "commit":
                [life.pending] = rest
            case "kept":
                assert life.pending is not None
                self._replica.keep(life.pending)
                life.in_transaction, life.pending, life.answered = False, None, ""
            case "failed":
                [life.failed] = rest
            case _:
                assert what == "halt"

    def _hear_the_rest(self, life: Life, child: Child) -> None:
        """Note what it said before it died and nobody has heard yet."""
        with suppress(EOFError, ConnectionResetError):
            while True:
                what, *rest = child.connection.recv()
                self._note(life, what, rest)

    # -- what it left ------------------------------------------------------------------------

    def _look(self, life: Life) -> bool | None:
        """Look at the file itself, or at a copy, so that the next child finds it as the dead one left it."""
        if self._random.random() < 0.5:
            kept = self._replica.compare(self._path, life.pending)
            self._inspect(self._path)
            self._replica.follow(self._path)
            return kept
        with TemporaryDirectory() as folder:
            copy = Path(folder) / self._path.name
            for suffix in ("", "-wal"):
                with suppress(FileNotFoundError):
                    shutil.copy(f"{self._path}{suffix}", f"{copy}{suffix}")
            kept = self._replica.compare(copy, life.pending)
            self._inspect(copy)
            return kept

    def _inspect(self, path: Path) -> None:
        with closing(SqliteStore(path, patience_s=0)) as store, store.exclusive("the inspection"):
            inspect(store, self._desk)


def _wait(seconds: float) -> None:
    select.select([], [], [], seconds)
