"""The demo against servers of other processes: what it loads, how it goes on, and what it refuses."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any, TypeVar

import anyio
import attrs
import pytest
from rich.console import Console

from mkdyn import ClientCredentials, Entity, MarketoLimits, SqliteStore, Synchronizer, System
from mkdyn.cli.demo.added import lose_a_field
from mkdyn.cli.demo.addresses import Addresses
from mkdyn.cli.demo.becoming import Cast, happenings
from mkdyn.cli.demo.crm import Crm
from mkdyn.cli.demo.hands import in_memory
from mkdyn.cli.demo.load import load
from mkdyn.cli.demo.memory import make_fields, stage_of
from mkdyn.cli.demo.notes import FileNotes, MemoryNotes
from mkdyn.cli.demo.rest_hands import RestDynamicsHands, RestMarketoHands, Service
from mkdyn.cli.demo.runs import Course
from mkdyn.cli.demo.sample import sample_crm
from mkdyn.cli.demo.served import Loading, against_servers
from mkdyn.cli.demo.state import Memory, demo_memory
from mkdyn.cli.demo.story import play
from mkdyn.cli.demo.systems import Systems, new_systems
from mkdyn.cli.demo.tell import Silence, teller
from mkdyn.cli.demo.verify import Verified
from mkdyn.cli.serve.marketo import load as load_people
from mkdyn.domain import FieldSpec
from mkdyn.errors import ConfigError, CredentialsError, StateFileError
from mkdyn.testing import MemoryStore
from mkdyn.testing.servers.dynamics import DynamicsServer
from mkdyn.testing.servers.loopback import loopback
from mkdyn.testing.servers.marketo import MarketoServer, ServerLimits

pytestmark = pytest.mark.anyio

NO_LIMIT = 1_000_000
H = TypeVar("H", RestMarketoHands, RestDynamicsHands)


@pytest.fixture
def anyio_backend() -> str:
    """The command runs on asyncio."""
    return "asyncio"


@attrs.frozen
class Served:
    """Two systems that are served, as long as a test lasts."""

    systems: Systems
    addresses: Addresses

    async def play(self, memory: Memory, crm: Crm | None = None) -> dict[str, Any]:
        """Play the demo, without a wait for Marketo's limits; its figures."""
        outcome = await against_servers(self.addresses, crm, sample_crm(), memory, Silence(), calls_per_20_s=NO_LIMIT)
        figures: dict[str, Any] = json.loads(outcome.to_json())
        return figures


@pytest.fixture
def served() -> Iterator[Served]:
    """Both, as `mkdyn serve` starts them without `--data`."""
    systems = new_systems()
    anyio.run(make_fields, systems.marketo)
    marketo = MarketoServer(systems.marketo, limits=ServerLimits(calls_per_window=NO_LIMIT))
    with loopback(marketo) as marketo_url, loopback(DynamicsServer(systems.dynamics)) as dynamics_url:
        yield Served(
            systems,
            Addresses(
                marketo_url=marketo_url,
                marketo_client_id="mkdyn",
                marketo_client_secret="secret",
                dynamics_url=dynamics_url,
                dynamics_tenant_id="mkdyn-demo",
                dynamics_client_id="mkdyn",
                dynamics_client_secret="secret",
            ),
        )


class Closing:
    """Closes hands when a test is over, however it ends."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    def __call__(self, hands: H, /) -> H:
        """Note hands to close."""
        self._stack.push_async_callback(hands.aclose)
        return hands


@pytest.fixture
async def closing_after() -> AsyncIterator[Closing]:
    """What closes hands afterwards."""
    async with AsyncExitStack() as stack:
        yield Closing(stack)


class TestStory:
    async def test_one_that_is_over_is_told_again_and_nothing_is_done(self, served: Served, tmp_path: Path) -> None:
        """All of it is in the state file: what a killed demo had done, the next one finds."""
        file = tmp_path / "demo.db"
        with demo_memory(file, served=True) as memory:
            first = await served.play(memory)
        writes = served.systems.marketo.writes_by_object.copy(), served.systems.dynamics.writes_by_object.copy()
        with demo_memory(file, served=True) as memory:
            again = await served.play(memory)
        assert (served.systems.marketo.writes_by_object, served.systems.dynamics.writes_by_object) == writes
        assert again == first
        assert first["verified"] == {"pairs_compared": 3095, "differences": 0, "duplicates": 0}
        assert [run["name"] for run in first["runs"]] == ["first", "edits", "idle"]
        assert set(first["records"]) == {
            "matched", "ambiguous", "converted", "merged_in_dynamics", "merged_in_marketo", "left_filter", "came_back",
            "flagged", "promoted", "deleted",
        }  # fmt: skip
        served.systems.dynamics.delete("account", served.systems.dynamics.records("account")[0].key)
        with (
            demo_memory(file, served=True) as memory,
            pytest.raises(ConfigError, match="Dynamics does not have the records of the demo"),
        ):
            await served.play(memory)

    async def test_two_that_have_people_are_matched_first(self) -> None:
        """As servers do that were started with `--data` both; the guard is let through, and there are no duplicates."""
        crm, systems = sample_crm(), new_systems()
        load_people(crm, systems.marketo)
        file = io.StringIO()
        told = teller(Console(file=file, width=100, highlight=False))
        outcome = await play(stage_of(crm, systems), Memory(MemoryStore(), MemoryNotes()), told)
        first, *_ = outcome.chapters
        assert first.counts(System.MARKETO).create == 164 - 120
        assert outcome.verified == Verified(records=167, pairs_compared=3095)
        assert "1  First sync: both systems have people" in file.getvalue()
        assert "matched: 120 linked · 0 ambiguous, set aside · 44 only in Dynamics, to create" in file.getvalue()

    async def test_a_secret_that_is_another(self, served: Served) -> None:
        """The server that is meant is named, and where its secret is told."""
        wrong = Served(served.systems, attrs.evolve(served.addresses, dynamics_client_secret="guessed"))
        with pytest.raises(CredentialsError, match=r"The server at http://.* does not accept .* mkdyn serve dynamics"):
            await wrong.play(Memory(MemoryStore(), MemoryNotes()))

    async def test_other_data_than_dynamics_has_are_refused(self, served: Served) -> None:
        """Nothing is loaded on top of what is there."""
        load(attrs.evolve(sample_crm(), teams=()), served.systems.dynamics)
        with pytest.raises(ConfigError, match="Dynamics has 0 rows of team, and the built-in sample has 3"):
            await served.play(Memory(MemoryStore(), MemoryNotes()), sample_crm())

    @pytest.mark.parametrize("named", [True, False])
    async def test_what_dynamics_has_is_taken_as_it_is(
        self, served: Served, closing_after: Closing, named: bool
    ) -> None:
        """Whether the demo is given the same data, or none."""
        crm = sample_crm()
        there = load(crm, served.systems.dynamics)
        loading = Loading(
            dynamics=closing_after(RestDynamicsHands(served.addresses.dynamics_url, TestHands.credentials(served))),
            crm=crm if named else None,
            default=crm,
            notes=MemoryNotes(),
        )
        loaded = await loading.load()
        assert (set(loaded.contacts), set(loaded.leads)) == (set(there.contacts), set(there.leads))
        assert served.systems.dynamics.writes_by_object.total() == 0

    async def test_a_column_that_was_given_up_before_is_not_given_up_again(self) -> None:
        """A demo that was cut off behind that only runs once more."""
        systems, store = new_systems(), MemoryStore()
        stage = stage_of(sample_crm(), systems)
        loaded = await stage.load()
        sync = Synchronizer(marketo=systems.marketo, dynamics=systems.dynamics, store=store)
        await sync.fields.select_defaults(Entity.ACCOUNT)
        notes = MemoryNotes()
        notes.put("column deleted", {"came to": None})
        chapter = await lose_a_field(Course(sync=sync, store=store, notes=notes), stage.hands, loaded)
        assert len(chapter.runs) == 1

    async def test_what_did_not_happen_is_not_told(self) -> None:
        """Each happening is looked up in the state and in both systems."""
        gone = dict.fromkeys(["lead", "loser", "winner", "twin", "form", "filtered", "deleted", "promoted"], "7")
        systems = new_systems()
        person = systems.marketo.create("lead", lastName="Lovelace")
        systems.marketo.create("opportunity", externalOpportunityId="7", name="Deal")
        cast = Cast(**gone, deal="7", persons={"7": person}, names={"7": "Ada"})
        seen: dict[str, list[str]] = {"ambiguous": [], "left": []}
        assert [each async for each in happenings(MemoryStore(), in_memory(systems), cast, seen)] == []


class TestHands:
    """Whatever people do over the wire, they may do twice: a demo that was cut off does it again."""

    async def test_in_dynamics(self, served: Served, closing_after: Closing) -> None:
        """Rows, columns, a qualification, a merge."""
        dynamics = served.systems.dynamics
        ada, lost, lead = (
            dynamics.create("contact", lastname="Lovelace"),
            dynamics.create("contact", lastname="Byron"),
            dynamics.create("lead", lastname="Babbage"),
        )
        tier = FieldSpec(name="new_tier", type="text", length=40, label="Tier")
        new = "0ee5c5a3-4b1c-4b52-8c7f-0d2d5a3c1f10"
        qualified: set[str] = set()
        hands = closing_after(RestDynamicsHands(served.addresses.dynamics_url, self.credentials(served)))
        for _ in range(2):
            await hands.create("contact", new, lastname="Somerville")
            await hands.add_column("contact", tier)
            await hands.edit("contact", {ada: {"new_tier": "gold"}})
            await hands.merge("contact", ada, lost)
            qualified.add(await hands.qualify(lead))
        names = [row.values["lastname"] for row in await hands.rows("contact", ["lastname"])]
        assert sorted(map(str, names)) == ["Babbage", "Byron", "Lovelace", "Somerville"]
        [contact] = qualified
        assert dynamics.key_of("contact", originatingleadid=lead) == contact
        assert dynamics.key_of("contact", masterid=ada) == lost
        assert dynamics.key_of("contact", new_tier="gold") == ada
        for _ in range(2):
            await hands.drop_column("contact", "new_tier")
            await hands.delete("contact", new)
            await hands.delete("lead", lead)
        assert "new_tier" not in [spec.name for spec in await dynamics.describe("contact")]
        assert dynamics.record("contact", new) is None
        dynamics.delete("contact", contact)
        with pytest.raises(ConfigError, match=f"Lead {lead} can't be qualified"):
            await hands.qualify(lead)
        with pytest.raises(ConfigError, match=r"A contact can't be written .*: the record is not there"):
            await hands.edit("contact", {new: {"lastname": "Nobody"}})

    async def test_in_marketo(self, served: Served, closing_after: Closing) -> None:
        """Persons are found again by their address; those who are gone are listed no more."""
        service = Service(url=served.addresses.marketo_url, client_id="mkdyn", client_secret="secret")
        hands = closing_after(RestMarketoHands(service, limits=MarketoLimits(calls_per_20_s=NO_LIMIT)))
        ada = await hands.add("ada@example.com", lastName="Lovelace")
        alike = await hands.add("byron@example.com", lastName="Byron")
        assert await hands.add("ada@example.com", lastName="Lovelace") == ada
        for _ in range(2):
            await hands.edit("lead", {ada: {"title": "Countess"}})
        assert await hands.persons("email", ["ada@example.com", "no@example.com"]) == {
            "ada@example.com": [ada],
            "no@example.com": [],
        }
        assert set(await hands.listed("lead")) == {ada, alike}
        for _ in range(2):
            await hands.merge(ada, alike)
        assert (await hands.listed("lead"), await hands.listed("company")) == ([ada], ())
        assert (await hands.read("lead", [ada, alike], ["title"])).keys() == {ada}
        with pytest.raises(ConfigError, match="A company can't be written"):
            await hands.edit("company", {"acme": {"company": "Acme"}})

    @staticmethod
    def credentials(served: Served) -> ClientCredentials:
        """What the Dynamics server takes."""
        return ClientCredentials(
            tenant="mkdyn-demo", client_id="mkdyn", client_secret="secret", login_url=served.addresses.dynamics_url
        )


class TestNotes:
    def test_they_are_in_the_state_file_and_outlive_the_process(self, tmp_path: Path) -> None:
        """What was put counts; the engine opens the file as ever."""
        file = tmp_path / "demo.db"
        with demo_memory(file, served=True) as memory:
            memory.notes.put("place", {"chapter": 3})
            memory.notes.put("place", {"chapter": 4})
        with demo_memory(file, served=True) as memory:
            assert (memory.notes.get("place"), memory.notes.get("other")) == ({"chapter": 4}, None)

    def test_a_file_that_cannot_be_written_is_told(self, tmp_path: Path) -> None:
        """And what to do about it."""
        file = tmp_path / "demo.db"
        with closing(SqliteStore(file)) as store:
            assert store.organization(System.MARKETO) is None
        with closing(FileNotes(file)) as notes, closing(sqlite3.connect(file)) as other:
            other.execute("DROP TABLE demo_note")
            with pytest.raises(StateFileError, match=r"the demo can't note how far it is \(no such table"):
                notes.put("place", 1)

    @pytest.mark.parametrize(("before", "now"), [(True, False), (False, True), (False, False)])
    def test_a_demo_that_cannot_go_on_needs_another_file(self, before: bool, now: bool, tmp_path: Path) -> None:
        """Its systems are gone with its process, or are not those it began with."""
        file = tmp_path / "demo.db"
        with demo_memory(file, served=before) as memory, memory.store.transaction():
            memory.store.set_organization(System.MARKETO, "127.0.0.1")
        with pytest.raises(ConfigError, match="there already, from an earlier demo"), demo_memory(file, served=now):
            pass
