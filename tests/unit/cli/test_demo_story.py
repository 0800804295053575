"""The demo's story, its comparison of both systems, and how it is told."""

from __future__ import annotations

import io
import json
import re

import attrs
import pytest
from rich.console import Console

from mkdyn import Entity, Synchronizer, System
from mkdyn.cli.demo.added import EARLY, LATE, ask_for_a_field
from mkdyn.cli.demo.crm import Crm
from mkdyn.cli.demo.edits import COLLIDING, PEOPLE_MIN
from mkdyn.cli.demo.hands import in_memory
from mkdyn.cli.demo.memory import in_this_process, stage_of
from mkdyn.cli.demo.notes import MemoryNotes
from mkdyn.cli.demo.outcome import Outcome
from mkdyn.cli.demo.runs import Course
from mkdyn.cli.demo.sample import sample_crm
from mkdyn.cli.demo.state import Memory
from mkdyn.cli.demo.story import play, until_the_company_is_seen
from mkdyn.cli.demo.systems import Systems, new_systems
from mkdyn.cli.demo.tell import Silence, teller
from mkdyn.cli.demo.verify import Verified, verify
from mkdyn.domain import FieldSpec
from mkdyn.errors import ConfigError
from mkdyn.ports.store import StateStore
from mkdyn.testing import MemoryStore

pytestmark = pytest.mark.anyio


def forgetful() -> Memory:
    """A demo's memory that is gone with it."""
    return Memory(MemoryStore(), MemoryNotes())


ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def anyio_backend() -> str:
    """The command runs on asyncio; on which loops the engine runs is the engine's tests' affair."""
    return "asyncio"


@attrs.frozen
class Played:
    """A demo that is over."""

    systems: Systems
    store: StateStore
    outcome: Outcome

    async def verified(self) -> Verified:
        """Compare both systems as they are now."""
        return await verify(in_memory(self.systems), self.store, strangers=self.strangers)

    @property
    def strangers(self) -> list[str]:
        """Who is in Marketo only."""
        return [self.systems.marketo.key_of("lead", lastName="Vogt")]


@pytest.fixture
async def played() -> Played:
    """The built-in sample's demo, for a test to look at or to spoil."""
    systems, memory = new_systems(), Memory(MemoryStore(), MemoryNotes())
    return Played(systems, memory.store, await play(stage_of(sample_crm(), systems), memory, Silence()))


class TestStory:
    async def test_every_edit_is_where_it_belongs(self, played: Played) -> None:
        """Leads follow Marketo, contacts follow Dynamics, and the other edits survive."""
        first, edits, idle = played.outcome.chapters
        assert first.counts(System.MARKETO).create == 60 + 60 + 8 + 20 + 9 + 3 + 4
        assert edits.collisions() == {
            (Entity.LEAD, System.MARKETO): COLLIDING,
            (Entity.CONTACT, System.DYNAMICS): COLLIDING,
        }
        assert [idle.counts(system).total for system in System] == [0, 0]
        assert played.outcome.exit_code == 0

    async def test_the_company_edited_in_marketo_is_as_dynamics_has_it(self, played: Played) -> None:
        """Accounts sync one way; the edit is reported."""
        company = played.systems.marketo.records("company")[0].values
        assert company["company"] == "Amberline Freight"
        assert company["billingCity"] is None
        put_back = played.outcome.chapters[1].of_kind("one-way")
        assert [item.collision.field for item in put_back] == ["name", "address1_city"]

    async def test_the_deleted_lead_stays_a_person_and_is_flagged(self, played: Played) -> None:
        """Nobody's history in Marketo goes with a row of Dynamics."""
        flagged = [person for person in played.systems.marketo.records("lead") if person.values["dynamicsDeleted"]]
        assert len(flagged) == 2  # a contact was deleted, too, later
        assert len(played.systems.dynamics.records("lead")) == 60  # and a person was promoted

    async def test_the_added_field_is_filled_by_days_and_then_for_all(self, played: Played) -> None:
        """It goes both ways from the first on; an edit in Marketo arrives."""
        told = played.outcome.fields
        assert [refresh.run.report.counts[System.MARKETO].update for refresh in told.refreshes] == [LATE, EARLY]
        assert [str(refresh.before) for refresh in told.refreshes] == ["backfilling", "active"]
        assert "contact.new_tier is active" in str(told.refreshes[0].run.report)
        tiers = [row.values["new_tier"] for row in played.systems.dynamics.records("contact")]
        assert (tiers.count("prospect"), tiers.count("platinum"), tiers.count(None)) == (LATE, 1, 66 - EARLY - LATE)

    async def test_a_run_goes_on_without_the_deleted_column(self, played: Played) -> None:
        """Its pair is told of; once it is given up, there is nothing to warn of."""
        during, after = played.outcome.column.reports
        [warning] = during.warnings
        assert warning.startswith("account.new_sector is missing: ")
        assert ([report.ended for report in (during, after)], after.warnings) == (["warnings", "done"], ())
        assert during.counts[System.MARKETO].update == during.counts[System.DYNAMICS].update == 1
        company = next(
            record for record in played.systems.marketo.records("company") if record.values["numberOfEmployees"] == 2000
        )
        assert company.values["sector"] == "logistics"

    async def test_records_move_and_both_systems_agree(self, played: Played) -> None:
        """Each is told of once, by the names that people have."""
        told = played.outcome.records
        assert [(happening.what, happening.text) for happening in told.happenings] == [
            ("matched", "contact Milo Harlow was known in Marketo by the e-mail: linked"),
            ("matched", "contact Inga Duarte was known in Marketo by the e-mail: linked"),
            ("matched", "contact Pavel Horak was known in Marketo by the e-mail: linked"),
            (
                "ambiguous",
                (
                    "contact Ngozi Okafor could be two persons of Marketo: set aside, until somebody merged the two and "
                    "released it"
                ),
            ),
            ("matched", "contact Ngozi Okafor was known in Marketo by the e-mail: linked"),
            (
                "converted",
                (
                    "Wanda Sørensen is a contact now, and still person 139; the contact's job title is 'Decision maker', as "
                    "marketing had it"
                ),
            ),
            (
                "merged_in_dynamics",
                "contact Grace Eriksen was merged into Hiro Fontaine in Dynamics, so person 75 into 76 in Marketo",
            ),
            ("merged_in_marketo", "person 77 was merged into 171 in Marketo, and contact Imani Grünwald follows"),
            ("left_filter", "Jonas Hoshino is not to sync any more: edits stay where they are"),
            (
                "came_back",
                (
                    "Jonas Hoshino syncs again, with the job title that Marketo had meanwhile, 'Regional manager', and the "
                    "phone of Dynamics, '+1 907 555 0100'"
                ),
            ),
            ("flagged", "contact Keiko Ibarra was deleted in Dynamics; the person stays in Marketo, and is flagged"),
            ("promoted", "person Vesna Novak is a lead in Dynamics, as asked for"),
            ("deleted", "opportunity D-020 Compass was deleted in Dynamics, and now in Marketo"),
        ]
        meanwhile = told.chapter.reports[1]
        assert [(write.entity, write.key) for write in meanwhile.operations] == [(Entity.CONTACT, "168")]  # Ngozi's
        persons = {person.key: person.values for person in played.systems.marketo.records("lead")}
        assert not {"75", "77"} & persons.keys()
        assert (persons["139"]["dynamicsId"], persons["139"]["title"]) == (None, "Decision maker")

    async def test_the_json_has_the_figures(self, played: Played) -> None:
        """In the words the documentation promises."""
        data = json.loads(played.outcome.to_json())
        assert [run["name"] for run in data["runs"]] == ["first", "edits", "idle"]
        assert set(data["runs"][0]) == {
            "name", "seconds", "observed", "operations", "collisions", "held", "quarantined", "calls",
        }  # fmt: skip
        assert data["runs"][1]["collisions"] == {
            "lead": {"marketo": COLLIDING, "dynamics": 0},
            "contact": {"marketo": 0, "dynamics": COLLIDING},
        }
        assert data["field"] == {
            "name": "contact.new_tier",
            "state": "active",
            "backfills": [
                {"since": "2026-03-02", "planned": LATE, "updated": LATE},
                {"since": None, "planned": EARLY, "updated": EARLY},
            ],
        }
        assert data["column"]["runs"] == ["warnings", "done"]
        assert len(data["column"]["warnings"]) == 1
        assert data["records"] == {
            "matched": 4, "ambiguous": 1, "promoted": 1, "converted": 1, "merged_in_marketo": 1,
            "merged_in_dynamics": 1, "left_filter": 1, "came_back": 1, "flagged": 1, "deleted": 1,
        }  # fmt: skip
        assert data["matches"] == {"by_id": 119, "by_key": 3, "ambiguous": 1, "to_create": 2}
        assert data["refused"][0].startswith("contact.favouritecolour is not in Dynamics, and no field can be created")
        assert data["verified"] == {"pairs_compared": 3095, "differences": 0, "duplicates": 0}

    async def test_too_few_people_are_told_apart_from_too_few_edits(self) -> None:
        """A demo without its collisions would show nothing."""
        crm: Crm = attrs.evolve(sample_crm(), leads=sample_crm().leads[: PEOPLE_MIN - 1])
        with pytest.raises(ConfigError, match=f"60 contacts and {PEOPLE_MIN - 1} leads are too few"):
            await in_this_process(crm, forgetful(), Silence())

    async def test_what_is_held_is_told_and_is_no_success(self) -> None:
        """Exit code 1: done, with something for a person to look at."""
        crm = sample_crm()
        bad = attrs.evolve(crm.contacts[-1], email="nobody at example.com")
        file = io.StringIO()
        outcome = await in_this_process(
            attrs.evolve(crm, contacts=[*crm.contacts[:-1], bad]),
            forgetful(),
            teller(Console(file=file, width=100, highlight=False)),
        )
        assert outcome.exit_code == 1
        assert outcome.kept_back
        assert "held: contact" in file.getvalue()
        assert "They do not agree yet" in file.getvalue()

    async def test_looking_for_the_company_ends_after_one_turn(self) -> None:
        """Where nobody edited one, the walk comes round once and it is good."""
        systems = new_systems()
        systems.dynamics.create("account", name="Acme")
        store = MemoryStore()
        sync = Synchronizer(marketo=systems.marketo, dynamics=systems.dynamics, store=store)
        await sync.fields.select_defaults(Entity.ACCOUNT, Entity.USER)
        course = Course(sync=sync, store=store, notes=MemoryNotes())
        assert len(await until_the_company_is_seen(course, [])) == 2

    async def test_a_column_that_is_there_is_no_refusal(self) -> None:
        """The demo tells what was refused, not what it expected to be."""
        systems = new_systems()
        systems.dynamics.add_column("contact", FieldSpec(name="favouritecolour", type="text", length=40))
        systems.marketo.add_field("lead", FieldSpec(name="favouriteColour", type="text", length=255))
        sync = Synchronizer(marketo=systems.marketo, dynamics=systems.dynamics, store=MemoryStore())
        assert await ask_for_a_field(sync) == []


class TestComparison:
    async def test_two_that_agree(self, played: Played) -> None:
        """Every live link, every selected field."""
        assert (await played.verified()) == played.outcome.verified
        assert (await played.verified()).agreed

    async def test_a_value_that_differs_is_a_difference(self, played: Played) -> None:
        """Whichever system it was changed in."""
        played.systems.marketo.edit("company", played.systems.marketo.records("company")[0].key, company="Other")
        played.systems.dynamics.edit("team", played.systems.dynamics.records("team")[0].key, name="Other")
        assert ((await played.verified()).differences, (await played.verified()).duplicates) == (2, 0)

    async def test_a_record_without_a_counterpart_is_a_difference(self, played: Played) -> None:
        """On either side: one is gone, or one never arrived."""
        played.systems.marketo.delete("opportunity", played.systems.marketo.records("opportunity")[0].key)
        played.systems.dynamics.delete("opportunity", played.systems.dynamics.records("opportunity")[1].key)
        played.systems.dynamics.create("account", name="Newcomer")
        assert (await played.verified()).differences == 3

    async def test_a_person_of_no_link_is_a_duplicate(self, played: Played) -> None:
        """Marketo was empty: whoever is there came from Dynamics, once."""
        played.systems.marketo.create("lead", lastName="Twin")
        assert ((await played.verified()).differences, (await played.verified()).duplicates) == (0, 1)

    async def test_a_guid_on_two_persons_is_a_duplicate(self, played: Played) -> None:
        """One Dynamics record stands for one person."""
        first, second, *_ = (
            person for person in played.systems.marketo.records("lead") if person.values["dynamicsContactId"]
        )
        played.systems.marketo.edit("lead", second.key, dynamicsContactId=first.values["dynamicsContactId"])
        assert (await played.verified()).duplicates == 1


class TestTelling:
    @pytest.mark.parametrize("width", [40, 64, 100])
    async def test_no_line_is_wider_than_the_terminal(self, width: int) -> None:
        """Every step, every value, whatever the window's size."""
        file = io.StringIO()
        console = Console(file=file, force_terminal=True, width=width, highlight=False)
        await in_this_process(sample_crm(), forgetful(), teller(console))
        lines = re.split(r"[\r\n]+", ESCAPES.sub("", file.getvalue()))
        assert max(map(len, lines)) <= width
        assert any("written to Marketo" in line for line in lines)

    async def test_a_person_reads_who_won_and_why(self) -> None:
        """Counts, both values of a handful of collisions, what was put back, what was refused."""
        file = io.StringIO()
        await in_this_process(sample_crm(), forgetful(), teller(Console(file=file, width=80, highlight=False)))
        lines = [line.strip() for line in file.getvalue().splitlines()]
        assert (
            "· lead jobtitle: 'Head of Marketing, desk 1' (Marketo) over 'Head of Sales, desk 1' (Dynamics); was None. "
            "Marketo is the system of record for leads."
        ) in lines
        assert (
            "· contact jobtitle: 'Head of Sales, desk 1' (Dynamics) over 'Head of Marketing, desk 1' (Marketo); "
            "was None. Dynamics is the system of record for contacts."
        ) in lines
        assert any(line.startswith("· account name: 'Amberline Freight' (Dynamics) over") for line in lines)
        assert any(line.endswith(" · 0 quarantined · contact.new_tier is active") for line in lines)
        assert any(line.startswith("warning: account.new_sector is missing: ") for line in lines)
        assert "· opportunity D-020 Compass was deleted in Dynamics, and now in Marketo" in lines
        assert (
            "lead, contact: 122 linked (119 by id, 3 by key) · 1 ambiguous, set aside · 2 only in Dynamics, to create"
            in lines
        )
        assert any(
            line.startswith("· quarantined: contact 3b1b… (ambiguous-match): persons 168, 169") for line in lines
        )
        assert (
            "Seen on the way: 4 matched, 1 ambiguous, 1 converted, 1 merged in Dynamics, 1 merged in Marketo, "
            "1 left the filter, 1 came back, 1 flagged, 1 promoted, 1 deleted."
        ) in lines
        assert any(line.startswith("refused: contact.favouritecolour is not in Dynamics") for line in lines)
        assert "167 pairs of records, 3,095 pairs of values: 0 differences, 0 duplicates" in lines

    async def test_only_what_was_put_back_is_told_of(self, played: Played) -> None:
        """No heading without its lines."""
        file = io.StringIO()
        teller(Console(file=file, width=80, highlight=False)).sync(played.outcome.chapters[2])
        assert "put back:" not in file.getvalue()
