"""The world of a history: two systems, a memory, a clock, and what is told of it all."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Final, NoReturn

import attrs

from mkdyn import CustomEntity, Direction, Entity, Pick, Promotion, Rules, SqliteStore, Synchronizer, where
from mkdyn.domain import AnyEntity, FieldPair, Link, LinkState
from mkdyn.domain.entities import PERSON, PERSONS, is_person
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.filters import NATIVE
from mkdyn.domain.rules import LeavesFilter
from mkdyn.domain.systems import System
from mkdyn.errors import MkdynError, TransientError
from mkdyn.ports import DynamicsConnector, MarketoConnector, StateStore
from mkdyn.testing import MemoryStore
from tests.simulation.log import Log
from tests.simulation.systems import WatchedDynamics, WatchedMarketo

#: How long Marketo's feed and values may lag, and how long a request may outlive its caller.
MARKETO_SETTLES_S: Final = 1200.0
DYNAMICS_SETTLES_S: Final = 600.0
#: After how long a record that can't be read counts as deleted; nothing is out of sight for longer.
WATCH: Final = timedelta(hours=2)
PROMOTES_FROM: Final = 80

TICKET: Final = CustomEntity("new_ticket")
ONE_WAY: Final[tuple[AnyEntity, ...]] = (Entity.ACCOUNT, Entity.USER, Entity.TEAM, Entity.OPPORTUNITY, TICKET)

_PERSON_FIELDS: Final = ("lastname", "emailaddress1", "jobtitle", "telephone1", "description", "donotbulkemail")
PICKS: Final = (
    *(Pick(entity, name) for entity in PERSONS for name in _PERSON_FIELDS),
    Pick(Entity.LEAD, "statecode", direction=Direction.TO_MARKETO),
    Pick(Entity.CONTACT, "mkt_leadscore"),
    Pick(Entity.ACCOUNT, "name"),
    Pick(Entity.ACCOUNT, "telephone1"),
    Pick(Entity.CONTACT, "parentcustomerid"),
)
EXTRA_PICKS: Final = (
    Pick(Entity.USER, "lastname"),
    Pick(Entity.USER, "title"),
    Pick(Entity.TEAM, "name"),
    Pick(Entity.TEAM, "description"),
    Pick(Entity.OPPORTUNITY, "name"),
    Pick(Entity.OPPORTUNITY, "description"),
    Pick(Entity.OPPORTUNITY, "parentaccountid"),
    Pick(TICKET, "new_name"),
)
#: Fields that are selected and deselected on the way.
LATER_PICKS: Final = tuple(Pick(entity, name) for entity in PERSONS for name in ("mobilephone", "address1_city"))


class ViolationError(AssertionError):
    """A promise was broken; the message has the seed, the steps in words, and what is wrong."""


@attrs.frozen(kw_only=True)
class Traits:
    """What kind of world it is.

    Attributes:
        walks: Whether runs walk; where they don't, only what the feeds tell may happen.
        extras: Whether users, teams, opportunities and a custom entity sync, too.
        on_disk: Whether the memory is a file, opened anew after each crash.
        batch_max: The most writes one call takes.
        page_size: How many changes a page of a feed has.
        lifecycles: Whether leads are qualified, records merged, and a filter left and entered.
        leaves_filter: What becomes of the person of a row that leaves the filter.
    """

    walks: bool = True
    extras: bool = False
    on_disk: bool = False
    batch_max: int = 300
    page_size: int = 300
    lifecycles: bool = False
    leaves_filter: LeavesFilter = "freeze"

    @classmethod
    def drawn(cls, chance: random.Random, *, lifecycles: bool = False) -> Traits:
        """Draw them; histories without lifecycles play as they did before there were any."""
        return cls(
            walks=chance.random() < 0.5,
            extras=chance.random() < 0.2,
            on_disk=chance.random() < 0.02,
            batch_max=chance.choice([2, 5, 300]),
            page_size=chance.choice([2, 7, 300]),
            lifecycles=lifecycles,
            leaves_filter=chance.choice(["freeze", "freeze", "flag", "delete"]) if lifecycles else "freeze",
        )


@attrs.define(kw_only=True)
class Selected:
    """A pair while it was selected.

    Attributes:
        pair: The pair.
        since: How many changes there were before.
        until: The same for its end, or None.
        first: Whether it was selected before anything was linked, so that it was never refreshed.
    """

    pair: FieldPair
    since: int
    until: int | None = None
    first: bool


class World:
    """Two systems, a memory, a clock.

    Attributes:
        name: How to find this history again.
        steps: What happened, in words.
        log: Who changed what.
        late: Since when something of Marketo lags, by what it is.
        selected: Every pair that was ever selected.
        meddling: How likely somebody edits something before a call of ours.
        blocked: Marketo fields of persons that were ever blocked, or rewritten.
        hidden: Columns that the sync user can't see now, by table; and since when.
        ever_hidden: Columns that were ever hidden, each with its table and the number of runs by then.
        counter: How many values were made up.
    """

    #: What the two systems are; the simulation on the wire has its own.
    marketo_kind: ClassVar[type[WatchedMarketo]] = WatchedMarketo
    dynamics_kind: ClassVar[type[WatchedDynamics]] = WatchedDynamics

    def __init__(self, name: str, traits: Traits) -> None:
        self.name, self.traits = name, traits
        self.steps: list[str] = []
        self.log = Log()
        self.clock = datetime(2026, 1, 1, tzinfo=UTC)
        page = traits.page_size
        self.marketo = self.marketo_kind(
            now=self.time, overlap_s=30, settles_after_s=MARKETO_SETTLES_S, batch_max=traits.batch_max, page_size=page,
            empty_pages="sometimes" if page == 7 else "never",
        )  # fmt: skip
        self.dynamics = self.dynamics_kind(
            now=self.time, settles_after_s=DYNAMICS_SETTLES_S, batch_max=traits.batch_max, page_size=page
        )
        for fake in (self.marketo, self.dynamics):
            fake.watch(self.log, self._others, self.time)
        self._folder = tempfile.TemporaryDirectory() if traits.on_disk else None
        self.store: StateStore = self._opened()
        self.late: dict[str, datetime] = {}
        self.selected: list[Selected] = []
        self.meddling = 0.0
        self.blocked: set[str] = set()
        self.hidden: dict[tuple[str, str], datetime] = {}
        self.ever_hidden: list[tuple[str, str, int]] = []
        self.counter = 0
        self.expired: dict[System, list[int]] = {system: [] for system in System}
        if traits.extras:
            self.dynamics.add_table(
                "new_ticket", [FieldSpec(name="new_name", type="text", length=100, required=True, label="Name")]
            )
            self.marketo.add_object("new_ticket_c", [FieldSpec(name="new_name", type="text", length=255)])
        for entity in PERSONS if traits.lifecycles else ():
            self.dynamics.add_column(entity.logical_name, FieldSpec(name=NATIVE, type="boolean", label="Sync to Mkto"))
        self.sync = self._started()

    def time(self) -> datetime:
        """The clock of this world, the vendors' included."""
        return self.clock

    def say(self, what: str) -> None:
        """Tell a step."""
        self.steps.append(what)

    def broken(self, promise: str, what: str) -> NoReturn:
        """Tell that a promise was broken, and how that came."""
        steps = "\n  ".join(self.steps)
        raise ViolationError(f"{self.name}\n  {steps}\n{promise}: {what}")

    # -- the process --------------------------------------------------------------------------

    def _opened(self) -> StateStore:
        return MemoryStore() if self._folder is None else SqliteStore(Path(self._folder.name) / "state.db")

    def _started(self) -> Synchronizer:
        rules = Rules(
            promote=[Promotion(to=Entity.LEAD, when=where("leadScore").at_least(PROMOTES_FROM))],
            walk_links=40 if self.traits.walks else 0,
            watch_days=WATCH / timedelta(days=1),
            leaves_filter=self.traits.leaves_filter,
        )
        marketo, dynamics = self.connectors()
        return Synchronizer(marketo=marketo, dynamics=dynamics, store=self.store, rules=rules, now=self.time)

    def connectors(self) -> tuple[MarketoConnector, DynamicsConnector]:
        """Return what a new process reaches the two systems by."""
        return self.marketo, self.dynamics

    async def doing(self, call: Callable[[], Awaitable[object]]) -> object:
        """Do something of ours."""
        return await call()

    def tolerates(self, error: MkdynError) -> bool:
        """Whether a run may end with that error, for what has gone wrong."""
        return isinstance(error, TransientError)

    def restart(self) -> None:
        """Throw the process away, and everything it had in mind; the memory stays."""
        if self._folder is not None:
            self.store.close()
            self.store = self._opened()
        self.sync = self._started()

    def close(self) -> None:
        """Throw the world away."""
        self.store.close()
        if self._folder is not None:
            self._folder.cleanup()

    # -- what is known ------------------------------------------------------------------------

    @property
    def picks(self) -> tuple[Pick, ...]:
        """What is selected from the start."""
        return (*PICKS, *EXTRA_PICKS) if self.traits.extras else PICKS

    @property
    def entities(self) -> tuple[AnyEntity, ...]:
        """The entities that sync."""
        return tuple(dict.fromkeys(pick.entity for pick in self.picks))

    def fake(self, system: System) -> WatchedMarketo | WatchedDynamics:
        """Return one of the systems."""
        return self.marketo if system is System.MARKETO else self.dynamics

    def object_of(self, entity: AnyEntity, system: System) -> str:
        """Return what *system* calls the records of an entity."""
        return entity.logical_name if system is System.DYNAMICS else entity.marketo_object

    def links(self, *states: LinkState) -> Iterator[Link]:
        """Go through the links, live ones unless said otherwise."""
        for entity in self.entities:
            yield from self.store.links_after(entity.logical_name, 0, 100_000, states=states or (LinkState.LIVE,))

    def pairs_of(self, entity: str) -> list[FieldPair]:
        """Return the selected pairs of an entity."""
        return [item.pair for item in self.selected if item.until is None and item.pair.entity.logical_name == entity]

    def fresh(self, word: str) -> str:
        """Return a value that nobody ever entered."""
        self.counter += 1
        return f"{word}{self.counter}"

    def told(self) -> int:
        """Return the number of the newest collision in the journal."""
        return self.store._database.last_number("collision")  # type: ignore[attr-defined,no-any-return]  # both stores have it

    def note_selected(self, added: Collection[FieldPair], removed: Collection[FieldPair], *, first: bool) -> None:
        """Note which pairs are selected from now on, and which no more."""
        gone = {(pair.entity, pair.dynamics) for pair in removed}
        for item in self.selected:
            if item.until is None and (item.pair.entity, item.pair.dynamics) in gone:
                item.until = len(self.log.changes)
        since = 0 if first else len(self.log.changes)
        self.selected += [Selected(pair=pair, since=since, first=first) for pair in added]

    def _others(self, system: System, keys: Collection[str]) -> Mapping[str, str]:
        """Say for which record of the other system each of these is written, by the journal."""
        names = [entity.logical_name for entity in self.entities]
        linked: dict[str, str] = {}
        for name in names:
            linked |= {key: link.key(system.other) for key, link in self.store.links([name], system, keys).items()}
        sent = self.store.unsettled(after=0, limit=1_000)
        return linked | {item.key: item.other for item in sent if item.system is system and item.key in keys}


def is_person_object(system: System, name: str) -> bool:
    """Whether an object's records are leads, contacts or persons."""
    return name == PERSON if system is System.MARKETO else name in {entity.logical_name for entity in PERSONS}


__all__ = [
    "LATER_PICKS", "ONE_WAY", "PICKS", "TICKET", "WATCH", "Selected", "Traits", "ViolationError", "World", "is_person",
    "is_person_object",
]  # fmt: skip
