"""`mkdyn fields` as a person uses it: the installed command, a process for each, on the state of a demo."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

COMMAND = Path(sysconfig.get_path("scripts")) / ("mkdyn.exe" if sys.platform == "win32" else "mkdyn")


def mkdyn(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the installed command."""
    return subprocess.run(  # noqa: S603 - our own command
        [str(COMMAND), *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def said(*arguments: str | Path) -> str:
    """What a command that succeeds prints."""
    done = mkdyn(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    return done.stdout


def test_a_selection_is_looked_at_exported_edited_and_loaded(tmp_path: Path) -> None:
    """Each command finds what the one before left in the state file."""
    file, state = tmp_path / "selection.toml", ("--state", tmp_path / "demo.db")
    said("demo", *state)
    assert "birthdate" in said("fields", "list", "contact", *state)
    assert said("fields", "select", "contact", "birthdate", "--marketo", "dateOfBirth", *state).endswith("1 added\n")
    said("fields", "export", file, *state)
    text = file.read_text(encoding="utf-8")
    assert 'dynamics = "birthdate"\nmarketo = "dateOfBirth"' in text
    file.write_text(text.replace('"dateOfBirth"', '"dateOfBirht"'), encoding="utf-8")
    refused = mkdyn("fields", "load", file, *state)
    assert (refused.returncode, refused.stdout) == (2, "")
    line = text[: text.index('dynamics = "birthdate"')].count("\n") - 1
    assert refused.stderr == (
        f"mkdyn: {file}: line {line}: lead.dateOfBirht is not in Marketo; nearest: dateOfBirth. "
        "Name another one, or have one created.\n"
    )
    file.write_text(text.replace('dynamics = "birthdate"', 'dynamics = "fax"').replace("dateOfBirth", "fax"), "utf-8")
    assert said("fields", "diff", file, *state).endswith("1 added · 1 removed · 83 unchanged\n")
    assert said("fields", "load", file, *state).endswith("1 added · 1 removed · 83 unchanged\n")
    assert said("fields", "diff", file, *state) == "84 unchanged\n"
    assert said("fields", "export", *state) == file.read_text(encoding="utf-8")


def test_without_a_demo_s_state_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    """One line, and no file."""
    state = tmp_path / "acme.db"
    done = mkdyn("fields", "list", "--state", state)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"mkdyn: {state}: there is no such state file. Have one made: mkdyn demo --state {state}\n"
    assert not list(tmp_path.iterdir())
