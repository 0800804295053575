"""The commands in the how-to print what it says they print."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from mkdyn.cli.app import app

PAGE: Final = Path(__file__).parents[3] / "docs" / "how-to" / "choose-fields.md"
BLOCK: Final = re.compile(r"^```(console|toml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
#: Stands for output that the page does not show.
LEFT_OUT: Final = ["…"]


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """The commands of a block, each with the lines that it prints."""
    for part in re.split(r"^\$ mkdyn ", block, flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        yield command, lines


def edit(file: Path, block: str) -> None:
    """Do what the page asks for: add a field at the end, or put the last line right."""
    lines = file.read_text(encoding="utf-8").splitlines()
    kept = lines if "[[field]]" in block else lines[:-1]
    file.write_text("\n".join([*kept, *block.splitlines()]), encoding="utf-8")


def test_the_commands_print_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, with the reader's edits between them."""
    monkeypatch.chdir(tmp_path)
    section = PAGE.read_text(encoding="utf-8").partition("### On the command line\n")[2]
    ran = 0
    for kind, block in BLOCK.findall(section):
        if kind == "toml":
            edit(Path("selection.toml"), block)
            continue
        for command, lines in commands(block):
            result = CliRunner().invoke(app, shlex.split(command))
            ran += 1
            if lines != LEFT_OUT:
                assert [line.rstrip() for line in result.output.splitlines()] == lines
    assert ran == 9
