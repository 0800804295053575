"""Where tables stand in the pages, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PAGES: Final = Path(__file__).parents[2] / "docs" / "reference"


def between(name: str) -> re.Pattern[str]:
    """What finds a named part of a page."""
    marks = (f"<!-- {name}: begin, made by python -m tests.reference -->\n", f"<!-- {name}: end -->")
    return re.compile("(?<=" + re.escape(marks[0]) + ").*?(?=" + re.escape(marks[1]) + ")", re.DOTALL)


def part(page: str, name: str) -> str:
    """Return a named part of a page."""
    found = between(name).findall((PAGES / page).read_text(encoding="utf-8"))
    assert len(found) == 1, f"{page} has {len(found)} parts named {name}"
    return str(found[0])


def replace(page: str, name: str, text: str) -> None:
    """Write a named part of a page anew."""
    part(page, name)
    path = PAGES / page
    path.write_text(between(name).sub(lambda _: text, path.read_text(encoding="utf-8")), encoding="utf-8")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n\n"


def rows_of(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, its header first; code marks are left out."""
    _, found, below = text.partition(f"\n{heading}\n") if heading else ("", "x", text)
    assert found, f"there is no {heading}"
    lines: list[str] = []
    for line in below.splitlines():
        if line.startswith("|"):
            lines.append(line)
        elif lines:
            break
    cells = [[cell.strip().replace("`", "") for cell in line.strip("|").split(" | ")] for line in lines]
    return [cells[0], *cells[2:]]
