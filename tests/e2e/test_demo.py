"""`mkdyn demo` as a person starts it: the installed command, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

CRM_DATA = os.environ.get("MKDYN_CRM_DATA")


def mkdyn(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command."""
    command = Path(sysconfig.get_path("scripts")) / ("mkdyn.exe" if sys.platform == "win32" else "mkdyn")
    return subprocess.run(  # noqa: S603 - our own command
        [str(command), *arguments], capture_output=True, text=True, encoding="utf-8", check=False, timeout=120
    )


def figures(*arguments: str) -> dict[str, Any]:
    """Run the demo for its figures."""
    done = mkdyn("demo", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    return data


def expect_the_rules_to_be_kept(data: dict[str, Any]) -> None:
    """What every demo shows, whatever its data."""
    first, edits, idle = data["runs"]
    assert [run["name"] for run in data["runs"]] == ["first", "edits", "idle"]
    assert first["operations"]["dynamics"] == {"create": 0, "update": 0, "delete": 0}
    assert [(run["held"], run["quarantined"]) for run in data["runs"]] == [(0, 0)] * 3
    assert edits["collisions"]["lead"]["marketo"] >= 20
    assert edits["collisions"]["lead"]["dynamics"] == 0
    assert edits["collisions"]["contact"]["dynamics"] >= 20
    assert edits["collisions"]["contact"]["marketo"] == 0
    assert edits["operations"]["dynamics"]["update"] > 0
    nothing = {"create": 0, "update": 0, "delete": 0}
    assert idle["operations"] == {"marketo": nothing, "dynamics": nothing}
    assert idle["calls"]["marketo"] + idle["calls"]["dynamics"] < 20
    [refusal] = data["refused"]
    assert "no field can be created in Dynamics from Marketo" in refusal
    assert data["verified"]["pairs_compared"] > 0
    assert (data["verified"]["differences"], data["verified"]["duplicates"]) == (0, 0)


def test_the_built_in_sample_comes_to_agreement() -> None:
    """Without a file, an account or a network."""
    data = figures()
    expect_the_rules_to_be_kept(data)
    assert data["runs"][0]["operations"]["marketo"]["create"] == 164


def test_the_report_can_be_read_by_a_person() -> None:
    """Plain lines, where there is no terminal."""
    done = mkdyn("demo")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert done.stdout.rstrip().endswith("Both systems agree.")


def test_bad_input_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    """What is wrong, where, and what to do."""
    done = mkdyn("demo", "--data", str(tmp_path / "nowhere"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"mkdyn: {tmp_path / 'nowhere'}: there is no such folder.")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(CRM_DATA is None, reason="MKDYN_CRM_DATA names no folder with the CRM's CSV files")
def test_real_crm_data_comes_to_agreement() -> None:
    """85 accounts, 8,800 opportunities, 500 people and their sales force, dirt included."""
    assert CRM_DATA is not None
    data = figures("--data", CRM_DATA)
    expect_the_rules_to_be_kept(data)
    first = data["runs"][0]
    users, teams, products = 35 + 6, 3, 7
    assert first["operations"]["marketo"] == {
        "create": 85 + 8_800 + 500 + users + teams + products,
        "update": 0,
        "delete": 0,
    }
    assert sum(run["seconds"] for run in data["runs"]) < 60
