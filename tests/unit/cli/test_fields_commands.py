"""`mkdyn fields`: what it shows, what it changes, and how it refuses."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from typer.testing import CliRunner, Result

from mkdyn import CustomEntity, Entity, NewField, Pick, SqliteStore, Synchronizer, System, picks_from_toml
from mkdyn.cli.app import app
from mkdyn.cli.demo.systems import PRODUCT, Systems, new_systems
from mkdyn.domain import FieldPair, FieldSpec
from mkdyn.ports.store import Description, SelectedPair

AT = datetime(2026, 1, 1, tzinfo=UTC)


def run(*arguments: str | Path) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, ["fields", *map(str, arguments)])


def shown(result: Result, code: int = 0) -> list[str]:
    """The lines on stdout, words only; nothing was said on stderr."""
    assert result.exit_code == code, result.output
    assert not result.stderr
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def refused(result: Result, code: int = 2) -> str:
    """What is on stderr; nothing else was printed, and there is no traceback."""
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit)
    assert not result.stdout
    return result.stderr.removesuffix("\n")


def data(result: Result) -> Any:  # noqa: ANN401 - what JSON has
    """What is on stdout, for programs."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def pairs(file: Path) -> dict[str, FieldPair]:
    """The selected pairs of a state, by their Dynamics fields."""
    store = SqliteStore(file)
    found = {f"{item.pair.entity}.{item.pair.dynamics}": item.pair for item in store.pairs()}
    store.close()
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of one demo."""
    file = tmp_path_factory.mktemp("demo") / "demo.db"
    assert CliRunner().invoke(app, ["demo", "--state", str(file)]).exit_code == 0
    return file


@pytest.fixture
def state(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(made, tmp_path / "demo.db"))


class TestList:
    def test_every_field_is_shown_with_what_became_of_it(self, state: Path) -> None:
        """Selected or not, eligible or not; with the Marketo field, the way, and the reason."""
        lines = shown(run("list", "contact", "--state", state))
        assert lines[0] == "contact · 42 fields, 21 selected"
        assert lines[1] == "field type state Marketo field direction note"
        assert "jobtitle text(100) active title both ways" in lines
        assert "ownerid owner active externalSalesPersonId → Marketo" in lines
        assert "mkt_leadscore integer active leadScore → Dynamics" in lines
        assert "birthdate date not selected both ways" in lines
        assert "fullname text(160) not selected → Marketo the sync user may not write it" in lines
        assert "statuscode status not selected (dynamicsStatusReason) → Marketo" in lines

    def test_without_an_entity_all_are_shown(self, state: Path) -> None:
        """The six, and the demo's own; by either name."""
        lines = shown(run("list", "--state", state))
        heads = [line.partition(" · ")[0] for line in lines if " fields, " in line]
        assert heads == ["lead", "contact", "account", "user", "opportunity", "team", "new_product"]
        users = shown(run("list", "user", "--state", state))
        assert shown(run("list", "systemuser", "--state", state)) == users
        assert "new_price decimal active new_price → Marketo" in shown(run("list", "new_product", "--state", state))

    def test_programs_get_the_same_as_json(self, state: Path) -> None:
        """One object, by entity."""
        [(entity, rows)] = data(run("list", "contact", "--json", "--state", state)).items()
        found = {row.pop("dynamics"): row for row in rows}
        assert entity == "contact"
        assert found["jobtitle"] == {
            "label": "Job Title",
            "type": "text(100)",
            "eligible": True,
            "direction": "both",
            "standard": "title",
            "selected": {"marketo": "title", "direction": "both", "authority": None, "state": "active"},
            "note": "",
        }
        assert found["fullname"]["selected"] is None
        assert found["fullname"]["direction"] == "to_marketo"

    def test_what_does_not_sync_is_shown_with_its_reason_and_the_exit_code(self, tmp_path: Path) -> None:
        """Columns that were hidden, deleted, or never eligible; fields that somebody deleted in Marketo."""
        file = tmp_path / "state.db"
        anyio.run(_trouble, file)
        lines = shown(run("list", "lead", "--state", file), 1)
        assert "jobtitle text(100) active title both ways" in lines
        assert "new_secret text(10) blocked secret both ways secured; the sync user may not read it" in lines
        assert "new_gone missing gone both ways new_gone in Dynamics is not there any more" in lines
        assert "fax phone(50) missing fax both ways fax in Marketo is not there any more" in lines
        assert "new_picture image not eligible images can't be synced" in lines
        assert not [line for line in lines if line.startswith("middlename")]
        rows = json.loads(run("list", "lead", "--json", "--state", file).stdout)["lead"]
        [gone] = [row for row in rows if row["dynamics"] == "new_gone"]
        assert (gone["type"], gone["label"], gone["eligible"], gone["note"]) == (
            None,
            None,
            False,
            "new_gone in Dynamics is not there any more",
        )
        [secret] = [row for row in rows if row["dynamics"] == "new_secret"]
        assert (secret["eligible"], secret["selected"]["state"]) == (False, "blocked")
        assert "new_name text(10) active new_name → Marketo" in shown(run("list", "new_late", "--state", file))

    def test_a_selected_field_that_is_gone_since_the_last_run_is_told(self, state: Path) -> None:
        """Its table, too: the state is as the last run left it."""
        other = CustomEntity("new_other")
        spec = FieldSpec(name="new_name", type="text")
        store = SqliteStore(state)
        with store.transaction():
            store.put_pairs([SelectedPair(pair=FieldPair(other, "new_name", "new_name"), dynamics=spec, marketo=spec)])
            store.describe(System.DYNAMICS, "new_other", Description(at=AT, fields=()))
        store.close()
        lines = shown(run("list", "new_other", "--state", state))
        assert lines[0] == "new_other · 1 field, 1 selected"
        assert lines[2] == "new_name active new_name → Marketo not in Dynamics any more; the next run sets it aside"

    def test_an_entity_nobody_knows_is_refused(self, state: Path) -> None:
        """With the nearest name there is."""
        assert refused(run("list", "contakt", "--state", state)) == (
            "mkdyn: Dynamics has no table contakt, or the sync user can't see it; nearest: contact. "
            "Check the name, or give the sync user's role Read on it."
        )


async def _trouble(file: Path) -> None:
    """Let some selected fields come to grief, in a state of the demo's organisations."""
    systems: Systems = new_systems()
    dynamics, marketo = systems.dynamics, systems.marketo
    for name in ("new_secret", "new_gone"):
        dynamics.add_column("lead", FieldSpec(name=name, type="text", length=10))
    dynamics.add_column("lead", FieldSpec(name="new_picture", type="image"))
    late = CustomEntity("new_late")
    dynamics.add_table("new_late", [FieldSpec(name="new_name", type="text", length=10)])
    async with Synchronizer(marketo=marketo, dynamics=dynamics, store=SqliteStore(file)) as sync:
        await sync.fields.select(
            *(Pick(Entity.LEAD, name) for name in ("lastname", "jobtitle", "fax")),
            Pick(Entity.LEAD, "new_secret", marketo=NewField("Secret")),
            Pick(Entity.LEAD, "new_gone", marketo=NewField("Gone")),
            Pick(late, "new_name"),
        )
        await sync.run()
        dynamics.hide_column("lead", "new_secret")
        dynamics.drop_column("lead", "new_gone")
        dynamics.drop_column("lead", "middlename")
        marketo.drop_field("lead", "fax")
        await sync.run()


class TestSelect:
    def test_a_field_is_selected_with_its_standard_counterpart(self, state: Path) -> None:
        """Records are linked already, so it is refreshed first; selecting it again changes nothing."""
        command = ("select", "contact", "telephone2", "--state", state)
        assert shown(run(*command)) == [
            "field Marketo field direction note",
            (
                "+ contact.telephone2 dynamicsHomePhone both ways "
                "dynamicsHomePhone was created in Marketo; backfilling: Dynamics' values go to Marketo first"
            ),
            "1 added",
        ]
        assert str(pairs(state)["contact.telephone2"].state) == "backfilling"
        assert shown(run(*command)) == ["1 unchanged"]

    def test_it_may_be_chosen_how(self, state: Path) -> None:
        """With another field, one way, with one system's word final; then otherwise."""
        options = ("--marketo", "fax", "--direction", "to_marketo", "--authority", "dynamics")
        assert data(run("select", "contact", "fax", *options, "--json", "--state", state)) == {
            "added": [
                {
                    "entity": "contact",
                    "dynamics": "fax",
                    "marketo": "fax",
                    "direction": "to_marketo",
                    "authority": "dynamics",
                }
            ],
            "removed": [],
            "changed": [],
            "unchanged": 0,
            "created": [],
        }
        lines = shown(run("select", "contact", "fax", "--create", "--label", "Home fax", "--state", state))
        assert lines[1] == (
            "~ contact.fax homeFax both ways Marketo field was fax; direction was → Marketo; authority was Dynamics; "
            "homeFax was created in Marketo; backfilling: Dynamics' values go to Marketo first"
        )
        lines = shown(
            run("select", "contact", "fax", "--marketo", "homeFax", "--authority", "marketo", "--state", state)
        )
        assert lines[1].startswith("~ contact.fax homeFax both ways Marketo authority was none; backfilling")

    @pytest.mark.parametrize(
        ("column", "marketo"),
        [
            (FieldSpec(name="new_tier", type="text", label="Customer tier"), "customerTier"),
            (FieldSpec(name="new_tier", type="text"), "newTier"),
            (FieldSpec(name="new_tier", type="text", label="顧客"), "new_tier"),
        ],
        ids=str,
    )
    def test_a_field_is_created_under_the_label_that_dynamics_has(
        self, state: Path, column: FieldSpec, marketo: str
    ) -> None:
        """Or under its name, where no API name can be made of that."""
        store = SqliteStore(state)
        known = store.description(System.DYNAMICS, "lead")
        assert known is not None
        with store.transaction():
            store.describe(System.DYNAMICS, "lead", Description(at=AT, fields=[*known.fields, column]))
        store.close()
        shown(run("select", "lead", "new_tier", "--create", "--state", state))
        assert pairs(state)["lead.new_tier"].marketo == marketo

    def test_a_created_field_stays_when_it_is_deselected(self, state: Path) -> None:
        """As in life: it can be named afterwards."""
        shown(run("select", "contact", "fax", "--create", "--label", "Home fax", "--state", state))
        lines = shown(run("deselect", "contact", "fax", "--state", state))
        assert lines[1:] == ["- contact.fax homeFax both ways", "1 removed · 83 unchanged"]
        assert "contact.fax" not in pairs(state)
        shown(run("select", "contact", "fax", "--marketo", "homeFax", "--state", state))
        assert pairs(state)["contact.fax"].marketo == "homeFax"

    def test_a_field_that_is_taken_back_is_a_change(self, tmp_path: Path) -> None:
        """It was missing, and starts anew as it was chosen."""
        file = tmp_path / "state.db"
        anyio.run(_trouble, file)
        store = SqliteStore(file)
        known = store.description(System.MARKETO, "lead")
        assert known is not None
        fax = FieldSpec(name="fax", type="phone", length=255)
        with store.transaction():
            store.describe(System.MARKETO, "lead", Description(at=AT, fields=[*known.fields, fax]))
        store.close()
        lines = shown(run("select", "lead", "fax", "--state", file))
        assert lines[1:] == ["~ lead.fax fax both ways was missing", "1 changed"]

    @pytest.mark.parametrize("how", [("--marketo", "favouriteColour"), ("--create",)])
    def test_a_field_in_dynamics_is_never_created(self, state: Path, how: tuple[str, ...]) -> None:
        """M4; it says what to do instead."""
        assert refused(run("select", "contact", "colour", *how, "--state", state)) == (
            "mkdyn: contact.colour is not in Dynamics, and no field can be created in Dynamics from Marketo. "
            "Create the column in Dynamics, publish it, let the sync user read it, then select it."
        )

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("select", "contact", "jobtitel"), "contact.jobtitel is not in Dynamics; nearest: jobtitle."),
            (
                ("select", "contact", "department"),
                "contact.department has no standard counterpart in Marketo. Name one, or have one created.",
            ),
            (
                ("select", "account", "name", "--direction", "both"),
                "account.name: accounts sync Dynamics → Marketo only. Leave direction out.",
            ),
            (
                ("select", "contact", "fax", "--marketo", "x", "--create"),
                "--marketo and --create exclude each other. Keep one: a field that is there, or a new one.",
            ),
            (
                ("select", "contact", "fax", "--label", "x"),
                "--label is that of a new field. Add --create, or leave it out.",
            ),
            (
                ("deselect", "contact", "job_title"),
                "contact.job_title is not selected; nearest: jobtitle. See what is: mkdyn fields list contact --state {}",
            ),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
    )
    def test_a_wish_that_cannot_be_had_is_refused(self, state: Path, arguments: tuple[str, ...], told: str) -> None:
        """In a line that says what to do; nothing changes."""
        before = pairs(state)
        assert refused(run(*arguments, "--state", state)) == f"mkdyn: {told.format(state)}"
        assert pairs(state) == before


class TestFiles:
    def test_a_selection_is_exported_edited_compared_and_loaded(self, state: Path, tmp_path: Path) -> None:
        """All of it or nothing; what a file says already is changed no more."""
        file = tmp_path / "selection.toml"
        printed = run("export", "--state", state)
        assert printed.exit_code == 0
        assert shown(run("export", file, "--state", state)) == [f"83 fields written to {file}"]
        text = file.read_text(encoding="utf-8")
        assert text == printed.stdout
        assert "[entity.new_product]\n" in text
        assert {(pick.entity, pick.dynamics) for pick in picks_from_toml(text)} == {
            (pair.entity, pair.dynamics) for pair in pairs(state).values()
        }
        assert shown(run("diff", file, "--state", state)) == ["83 unchanged"]
        before = pairs(state)
        _edit(file)
        changes = [
            "field Marketo field direction note",
            "~ contact.jobtitle title → Marketo direction was both ways",
            "+ contact.fax homeFax both ways homeFax {} created in Marketo{}",
            "- new_product.new_price new_price → Marketo",
            "1 added · 1 removed · 1 changed · 81 unchanged",
        ]
        assert shown(run("diff", file, "--state", state)) == [line.format("will be", "") for line in changes]
        assert pairs(state) == before
        first = "; backfilling: Dynamics' values go to Marketo first"
        assert shown(run("load", file, "--state", state)) == [line.format("was", first) for line in changes]
        assert pairs(state).keys() ^ before.keys() == {"contact.fax", "new_product.new_price"}
        assert shown(run("load", file, "--state", state)) == ["83 unchanged"]

    def test_programs_get_the_difference_as_json(self, state: Path, tmp_path: Path) -> None:
        """What comes, what goes, what was before."""
        file = tmp_path / "selection.toml"
        run("export", file, "--state", state)
        _edit(file)
        found = data(run("diff", file, "--json", "--state", state))
        assert found == data(run("load", file, "--json", "--state", state))
        assert found["created"] == [{"object": "lead", "name": "homeFax", "label": "Home fax"}]
        assert [item["dynamics"] for item in found["added"]] == ["fax"]
        assert [item["dynamics"] for item in found["removed"]] == ["new_price"]
        [change] = found["changed"]
        assert (change["before"]["direction"], change["after"]["direction"]) == ("both", "to_marketo")
        assert found["unchanged"] == 81

    def test_every_fault_of_a_file_is_told_and_nothing_is_loaded(self, state: Path, tmp_path: Path) -> None:
        """On a line each, with the file's name, its line, and the nearest name."""
        file = tmp_path / "selection.toml"
        file.write_text(
            '[[field]]\nentity = "contact"\ndynamics = "jobtitel"\nmarketo = "titles"\n'
            '[[field]]\nentity = "contakt"\ndynamics = "x"\n'
            '[[field]]\nentity = "contact"\ndynamics = "lastname"\n'
            '[[field]]\nentity = "contact"\ndynamics = "fax"\nmarketo = "lastName"\n[entity.new_x]\n',
            encoding="utf-8-sig",
        )
        before = pairs(state)
        expected = (
            f"mkdyn: {file}: 5 faults in the selection, nothing was changed:\n"
            "  line 1: contact.jobtitel is not in Dynamics (nearest: jobtitle), and no field can be created in Dynamics "
            "from Marketo. Create the column in Dynamics, publish it, let the sync user read it, then select it.\n"
            "  line 1: lead.titles is not in Marketo; nearest: title. Name another one, or have one created.\n"
            "  line 5: entity contakt is not known; nearest: contact. "
            "A table of your own needs [entity.contakt] in the file.\n"
            "  line 11: contact.fax: lastName is fed by lastname already (line 8). "
            "Deselect that one, or choose another Marketo field.\n"
            "  line 15: [entity.new_x] is used by no field. Pick a field of it, or leave it out."
        )
        for command in ("diff", "load"):
            assert refused(run(command, file, "--state", state)) == expected
        assert pairs(state) == before

    def test_a_single_fault_is_a_line(self, state: Path, tmp_path: Path) -> None:
        """File, line, what and what to do."""
        file = tmp_path / "selection.toml"
        file.write_text('[[field]]\nentity = "contact"\ndynamics = "department"\n', encoding="utf-8")
        assert refused(run("load", file, "--state", state)) == (
            f"mkdyn: {file}: line 1: contact.department has no standard counterpart in Marketo. "
            "Name one, or have one created."
        )

    def test_a_file_that_picks_nothing_is_refused(self, state: Path, tmp_path: Path) -> None:
        """It would end all syncing, and was more likely cut off."""
        file = tmp_path / "selection.toml"
        file.write_text("# nothing\n", encoding="utf-8")
        assert refused(run("load", file, "--state", state)) == (
            f"mkdyn: {file} picks no field; with it, nothing would sync any more. "
            "Write [[field]] above each field, or deselect them one by one."
        )

    def test_a_file_that_cannot_be_read_is_told(self, state: Path, tmp_path: Path) -> None:
        """It is not there, it is a folder, it is no text, it is no TOML."""
        there = tmp_path / "there.toml"
        there.write_bytes(b"\xff\xfe")
        assert (
            refused(run("diff", there, "--state", state))
            == f"mkdyn: {there}: it is no text in UTF-8. Save it as UTF-8."
        )
        there.write_text("[[field]", encoding="utf-8")
        assert refused(run("diff", there, "--state", state)).startswith(f"mkdyn: {there}: The selection is no TOML: ")
        nowhere = tmp_path / "nowhere.toml"
        assert refused(run("diff", nowhere, "--state", state)) == (
            f"mkdyn: {nowhere}: there is no such file. Give the path of a selection; mkdyn fields export writes one."
        )
        assert refused(run("diff", tmp_path, "--state", state)).startswith(f"mkdyn: {tmp_path}: it can't be read (")

    def test_a_file_is_replaced_only_when_that_is_asked_for(self, state: Path, tmp_path: Path) -> None:
        """Nobody's work is overwritten by mistake."""
        file = tmp_path / "selection.toml"
        file.write_text("# mine\n", encoding="utf-8")
        assert refused(run("export", file, "--state", state)) == (
            f"mkdyn: {file} is there already. Add --force to replace it."
        )
        assert file.read_text(encoding="utf-8") == "# mine\n"
        shown(run("export", file, "--force", "--state", state))
        assert len(picks_from_toml(file.read_text(encoding="utf-8"))) == 83
        told = refused(run("export", tmp_path / "no" / "selection.toml", "--state", state))
        assert told.startswith(f"mkdyn: {tmp_path / 'no' / 'selection.toml'}: it can't be written (")


def _edit(file: Path) -> None:
    """Change one field, add one, and take one out."""
    head, *tables = file.read_text(encoding="utf-8").split("[[field]]\n")
    kept = [table for table in tables if f'"{PRODUCT}"\ndynamics = "new_price"' not in table]
    text = "[[field]]\n".join([head, *kept, 'entity = "contact"\ndynamics = "fax"\ncreate = "Home fax"\n'])
    title = 'entity = "contact"\ndynamics = "jobtitle"\nmarketo = "title"\ndirection = '
    file.write_text(text.replace(f'{title}"both"', f'{title}"to_marketo"'), encoding="utf-8")


class TestState:
    def test_a_state_that_is_not_there_is_told_and_not_made(self, tmp_path: Path) -> None:
        """With the command that makes one."""
        file = tmp_path / "state.db"
        assert refused(run("list", "--state", file)) == (
            f"mkdyn: {file}: there is no such state file. Have one made: mkdyn demo --state {file}"
        )
        assert not file.exists()

    def test_a_state_that_no_sync_has_run_with_is_told(self, tmp_path: Path) -> None:
        """Nobody knows whose it is."""
        file = tmp_path / "state.db"
        store = SqliteStore(file)
        assert not store.pairs()
        store.close()
        assert refused(run("list", "--state", file)) == (
            f"mkdyn: {file}: no sync has run with it yet, so nobody knows whose fields to show. "
            "Give --state the file of a demo: mkdyn demo --state FILE makes one."
        )

    def test_a_state_of_other_systems_is_refused(self, tmp_path: Path) -> None:
        """Ask a person: the demo's fields are not theirs."""
        file = tmp_path / "acme.db"
        store = SqliteStore(file)
        with store.transaction():
            store.set_organization(System.MARKETO, "123-ABC-456")
        store.close()
        assert refused(run("export", "--state", file), 4) == (
            f"mkdyn: {file} belongs to Marketo 123-ABC-456, and the demo's is 000-MKD-YNX. Nothing was changed. "
            "Give --state another file."
        )

    def test_a_file_that_is_no_state_is_refused_and_stays(self, tmp_path: Path) -> None:
        """Nobody's notes are overwritten."""
        file = tmp_path / "notes.txt"
        file.write_text("remember the milk\n", encoding="utf-8")
        assert refused(run("list", "--state", file)).startswith(f"mkdyn: {file}: it is no SQLite file")
        assert file.read_text(encoding="utf-8") == "remember the milk\n"
