"""The command line: what it takes, what it prints where, and how it ends."""

from __future__ import annotations

import io
import json
import socket
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from mkdyn import SqliteStore, System
from mkdyn.cli import main
from mkdyn.cli.app import app
from mkdyn.cli.errors import exit_code, explained, told
from mkdyn.errors import (
    CheckError,
    ConfigError,
    FieldError,
    MkdynError,
    OtherOrganizationError,
    RunInProgressError,
    StateCorruptError,
    StateFileError,
)


def run(*arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, list(arguments))


def refused(result: Result, code: int) -> str:
    """The one line on stderr; nothing else was printed, and there is no traceback."""
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit)
    assert not result.stdout
    [line] = result.stderr.splitlines()
    return line


def test_the_version_is_the_package_s() -> None:
    """`mkdyn --version` says which release this is."""
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"mkdyn {version('mkdyn')}\n")


def test_an_option_nobody_knows_is_a_usage_error() -> None:
    """A mistyped option shows how the command is used."""
    result = run("demo", "--jsn")
    assert result.exit_code == 2
    assert "--jsn" in result.stderr


def test_json_is_one_object_and_all_of_stdout() -> None:
    """What a program reads is not disturbed by what a person would."""
    result = run("demo", "--json")
    assert result.exit_code == 0
    assert set(json.loads(result.stdout)) == {
        "runs", "refused", "field", "column", "matches", "records", "verified",
    }  # fmt: skip
    assert not result.stderr


def test_without_a_terminal_the_report_is_plain_lines() -> None:
    """No colours, no cursor movements, no wrapping."""
    result = run("demo")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert "\r" not in result.stdout
    assert result.stdout.splitlines()[-1].strip() == "Both systems agree."


def test_the_same_demo_is_told_the_same_way() -> None:
    """Nothing in it is left to chance; only the times differ."""

    def told() -> dict[str, object]:
        data = json.loads(run("demo", "--json").stdout)
        for chapter in data["runs"]:
            del chapter["seconds"]
        return dict(data)

    assert told() == told()


def test_the_demo_by_rest_comes_to_the_same() -> None:
    """Both vendors' APIs on ports of this machine; only times and calls differ."""
    in_memory, by_rest = (json.loads(run("demo", "--json", *more).stdout) for more in ((), ("--wire",)))
    for data in (in_memory, by_rest):
        for chapter in data["runs"]:
            del chapter["seconds"], chapter["calls"]
    assert by_rest == in_memory


def test_without_the_servers_libraries_the_wire_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo in memory needs none of them."""
    monkeypatch.setitem(sys.modules, "mkdyn.cli.demo.wire", None)
    line = refused(run("demo", "--wire"), 2)
    assert line.endswith("so nothing can be served. Install the extras: pip install 'mkdyn[cli,testing]'.")


def test_the_state_is_kept_where_it_is_asked_for(tmp_path: Path) -> None:
    """`--state` leaves a file that knows both organisations and every run."""
    file = tmp_path / "demo.db"
    assert run("demo", "--state", str(file)).exit_code == 0
    store = SqliteStore(file)
    assert store.organization(System.DYNAMICS) == "mkdyn-demo.crm4"
    assert len(store.runs(after=0, limit=100)) == 12
    store.close()


def test_a_second_demo_needs_another_file(tmp_path: Path) -> None:
    """Its systems would be empty, and the state would know better."""
    file = tmp_path / "demo.db"
    run("demo", "--state", str(file))
    before = file.read_bytes()
    line = refused(run("demo", "--state", str(file)), 2)
    assert line == (
        f"mkdyn: {file} is there already, from an earlier demo; its systems went with it. "
        "Start from nothing: give --state another file, or delete this one."
    )
    assert file.read_bytes() == before


def test_the_state_of_another_organisation_is_refused(tmp_path: Path) -> None:
    """A person must have mistaken one file for another; it stays as it is."""
    file = tmp_path / "acme.db"
    store = SqliteStore(file)
    with store.transaction():
        store.set_organization(System.MARKETO, "123-ABC-456")
        store.set_organization(System.DYNAMICS, "acme.crm4")
        store.start_run("run", datetime(2026, 1, 1, tzinfo=UTC))
    store.close()
    line = refused(run("demo", "--state", str(file)), 4)
    assert line == (
        f"mkdyn: {file} belongs to Marketo 123-ABC-456, and the demo's is 000-MKD-YNX. Nothing was changed. "
        "Give --state another file."
    )
    store = SqliteStore(file)
    assert len(store.runs(after=0, limit=10)) == 1
    store.close()


def test_a_state_that_knows_nothing_yet_is_taken(tmp_path: Path) -> None:
    """A file that was only opened belongs to nobody."""
    file = tmp_path / "new.db"
    store = SqliteStore(file)
    assert store.organization(System.MARKETO) is None
    store.close()
    assert run("demo", "--state", str(file)).exit_code == 0


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """A file is no folder, whoever asks."""
    (tmp_path / "file").touch()
    line = refused(run("demo", "--state", str(tmp_path / "file" / "demo.db")), 2)
    assert line.startswith(f"mkdyn: {tmp_path / 'file' / 'demo.db'}: ")
    assert "another path" in line


def test_a_file_that_is_no_state_is_one_line_and_stays(tmp_path: Path) -> None:
    """Nobody's notes are overwritten."""
    file = tmp_path / "notes.txt"
    file.write_text("remember the milk\n" * 100, encoding="utf-8")
    line = refused(run("demo", "--state", str(file)), 2)
    assert line.startswith(f"mkdyn: {file}: it is no SQLite file")
    assert file.read_text(encoding="utf-8").startswith("remember the milk")


def test_missing_data_is_one_line(tmp_path: Path) -> None:
    """It names the folder, and what should be in it."""
    line = refused(run("demo", "--data", str(tmp_path / "crm")), 2)
    assert line.startswith(f"mkdyn: {tmp_path / 'crm'}: there is no such folder.")
    assert "accounts.csv" in line


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 2),
        (CheckError(("x",)), 2),
        (StateFileError("x"), 2),
        (StateCorruptError("x"), 2),
        (RunInProgressError("x"), 3),
        (OtherOrganizationError("x"), 4),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_exit_code_says_what_to_do_next(error: MkdynError, code: int) -> None:
    """2 fix something, 3 try later, 4 ask a person."""
    assert exit_code(error) == code


def test_several_problems_stand_on_one_line() -> None:
    """Whoever reads a log by lines gets all of it."""
    assert told(CheckError(("No A. Do B.", "No C. Do D."))) == "mkdyn: 2 problems: No A. Do B.; No C. Do D."


def test_several_faults_stand_below_one_another() -> None:
    """Each on a line that can be gone to; a file is named once."""
    faults = (FieldError("a.", what_to_do="Do b."), FieldError("c."))
    faults[0].line = 7
    several = FieldError.of(faults, "2 faults in the selection, nothing was changed")
    text = "2 faults in the selection, nothing was changed:\n  line 7: a. Do b.\n  c."
    assert told(several) == f"mkdyn: {text}"
    assert told(several, Path("pick.toml")) == f"mkdyn: pick.toml: {text}"
    assert told(faults[0], Path("pick.toml")) == "mkdyn: pick.toml: line 7: a. Do b."
    assert told(ConfigError("x is not there."), Path("pick.toml")) == "mkdyn: x is not there."


def test_ctrl_c_ends_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    """An interruption is no error, and says that nothing is half done."""
    with pytest.raises(typer.Exit) as ended, explained():
        raise KeyboardInterrupt
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err == "mkdyn: interrupted; what was done is kept, and nothing is half done.\n"


class TestMain:
    def test_it_runs_the_command_line(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The installed script is this function."""
        monkeypatch.setattr(sys, "argv", ["mkdyn", "--version"])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith("mkdyn ")

    @pytest.mark.parametrize("missing", ["typer", "rich.console"])
    def test_a_missing_extra_is_one_line(
        self, missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Who installed the library alone is told what else to install."""
        monkeypatch.setitem(sys.modules, missing, None)
        for name in [name for name in sys.modules if name.startswith("mkdyn.cli.")]:
            monkeypatch.delitem(sys.modules, name)
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        assert capsys.readouterr().err == "mkdyn's command line needs the extra cli: pip install 'mkdyn[cli]'\n"

    def test_another_missing_module_is_not_mistaken_for_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A broken installation is not papered over."""
        monkeypatch.setitem(sys.modules, "mkdyn.cli.app", None)
        with pytest.raises(ModuleNotFoundError, match=r"mkdyn\.cli\.app"):
            main()

    def test_a_narrow_encoding_costs_characters_not_the_report(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An arrow that a terminal lacks becomes a question mark."""
        raw = io.BytesIO()
        narrow = io.TextIOWrapper(raw, encoding="ascii")
        monkeypatch.setattr(sys, "stdout", narrow)
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        monkeypatch.setattr(sys, "argv", ["mkdyn", "demo"])
        with pytest.raises(SystemExit) as ended:
            main()
        narrow.flush()
        assert ended.value.code == 0
        assert b"mkdyn demo ? the built-in sample" in raw.getvalue()


SERVED = ("--wire", "--marketo-url", "http://127.0.0.1:8701", "--dynamics-url", "http://127.0.0.1:8702")


class TestServersOfOtherProcesses:
    """What `mkdyn demo --wire` says of addresses and credentials that it can't use."""

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (SERVED[1:], "--marketo-url and --dynamics-url name servers to speak to by REST. Add --wire."),
            (SERVED[:3], "--dynamics-url is missing: both systems are served, or none. Start it by mkdyn serve, "),
            (("--wire", *SERVED[3:]), "--marketo-url is missing: both systems are served, or none. "),
            (
                (*SERVED[:2], "https://123-abc-456.mktorest.com", *SERVED[3:]),
                "it is no server of this machine, and the",
            ),
            ((*SERVED[:2], "http://127.0.0.1", *SERVED[3:]), "--marketo-url http://127.0.0.1: it is no server of this"),
            ((*SERVED[:2], "http://127.0.0.1:x", *SERVED[3:]), "--marketo-url http://127.0.0.1:x: it is no server of"),
        ],
    )
    def test_an_address_that_will_not_do(
        self, arguments: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The demo changes and deletes records, so it never goes to a real system."""
        monkeypatch.setenv("MARKETO_CLIENT_SECRET", "Y")
        monkeypatch.setenv("DYNAMICS_CLIENT_SECRET", "Y")
        assert says in refused(run("demo", *arguments), 2)

    @pytest.mark.parametrize("system", ["marketo", "dynamics"])
    def test_a_secret_that_is_not_known(self, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """`mkdyn serve` printed it."""
        for name in ("MARKETO", "DYNAMICS"):
            monkeypatch.setenv(f"{name}_CLIENT_SECRET", "Y")
        monkeypatch.delenv(f"{system.upper()}_CLIENT_SECRET")
        line = refused(run("demo", *SERVED), 2)
        assert line.startswith(
            f"mkdyn: {system.capitalize()}'s client secret is not known. Set {system.upper()}_CLIENT_SECRET"
        )

    def test_nobody_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Try later, with the address that was tried."""
        for name in ("MARKETO", "DYNAMICS"):
            monkeypatch.setenv(f"{name}_CLIENT_SECRET", "Y")
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
            line = refused(run("demo", "--wire", "--marketo-url", url, "--dynamics-url", url), 3)
            port = url.rpartition(":")[2]
        assert line == f"mkdyn: Nobody answers at {url}. Start a server there: mkdyn serve dynamics --port {port}."
