"""`mkdyn fields` as a person uses it: the installed command, a process for each, on the state of a demo."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

COMMAND = Path(sysconfig.get_path("scripts")) / ("mkdyn.exe" if sys.platform == "win32" else "mkdyn")


def mkdyn(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a folder."""
    return subprocess.run(  # noqa: S603 - our own command
        [str(COMMAND), *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
        cwd=folder,
    )


def said(folder: Path, *arguments: str) -> str:
    """What a command that succeeds prints."""
    done = mkdyn(folder, *arguments, "--state", "demo.db")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    return done.stdout


def test_a_selection_is_looked_at_exported_edited_and_loaded(tmp_path: Path) -> None:
    """Each command finds what the one before left in the state file."""
    said(tmp_path, "demo")
    assert "birthdate" in said(tmp_path, "fields", "list", "contact")
    assert said(tmp_path, "fields", "select", "contact", "birthdate", "--marketo", "dateOfBirth").endswith("1 added\n")
    said(tmp_path, "fields", "export", "selection.toml")
    file = tmp_path / "selection.toml"
    text = file.read_text(encoding="utf-8")
    assert 'dynamics = "birthdate"\nmarketo = "dateOfBirth"' in text
    file.write_text(text.replace('"dateOfBirth"', '"dateOfBirht"'), encoding="utf-8")
    refused = mkdyn(tmp_path, "fields", "load", "selection.toml", "--state", "demo.db")
    assert (refused.returncode, refused.stdout) == (2, "")
    line = text[: text.index('dynamics = "birthdate"')].count("\n") - 1
    assert refused.stderr == (
        f"mkdyn: selection.toml: line {line}: lead.dateOfBirht is not in Marketo; nearest: dateOfBirth. "
        "Name another one, or have one created.\n"
    )
    file.write_text(text.replace('dynamics = "birthdate"', 'dynamics = "fax"').replace("dateOfBirth", "fax"), "utf-8")
    told = said(tmp_path, "fields", "diff", "selection.toml")
    assert told.endswith("1 added · 1 removed · 82 unchanged\n")
    assert said(tmp_path, "fields", "load", "selection.toml").endswith("1 added · 1 removed · 82 unchanged\n")
    assert said(tmp_path, "fields", "diff", "selection.toml") == "83 unchanged\n"
    assert said(tmp_path, "fields", "export") == file.read_text(encoding="utf-8")


def test_without_a_demo_s_state_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    """One line, and no file."""
    done = mkdyn(tmp_path, "fields", "list", "--state", "acme.db")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mkdyn: acme.db: there is no such state file. Have one made: mkdyn demo --state acme.db\n"
    assert not list(tmp_path.iterdir())
