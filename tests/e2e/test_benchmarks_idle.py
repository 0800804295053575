"""The benchmarks of an idle run, of memory and of a backfill, tiny and never timed: what they print, and that it is true."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMMON = {"name", "records", "fields", "touched", "seconds", "touched_per_s"}


def measured(*arguments: str) -> dict[str, Any]:
    """Run a benchmark as a person does, and read what it prints."""
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "benchmarks", *arguments, "--json"],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    assert data.keys() >= COMMON
    assert data["name"] == arguments[0]
    return data


def test_an_idle_run_plans_nothing_and_costs_a_handful_of_calls() -> None:
    """All seven kinds of records are linked, nothing has changed: a page of each feed, and the walk's two reads."""
    data = measured("idle", "--records", "300", "--fields", "12")
    assert (data["records"], data["fields"], data["touched"]) == (300, 12, 0)
    assert data["planned"] == 0
    assert data["calls_by_system"] == {"marketo": 3, "dynamics": 10}  # who are you, fields · feeds: 1, 7 · walk
    assert data["calls"] == 13
    assert len(data["records_by_entity"]) == 7
    assert min(data["records_by_entity"].values()) > 0
    assert sum(data["records_by_entity"].values()) == 300


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell a process's peak in this way")
def test_memory_is_measured_over_a_whole_sync_and_a_tenth_of_it() -> None:
    """Every record is created and every edit carried over before a peak counts; each size has its own process."""
    data = measured("memory", "--records", "300", "--fields", "12", "--touched", "40")
    assert (data["records"], data["fields"], data["touched"], data["writes"]) == (300, 12, 40, 40)
    assert 0 < data["first_mebibytes"] <= data["mebibytes"]
    assert data["mebibytes_tenth"] > 0
    assert data["difference"] == pytest.approx(data["mebibytes"] - data["mebibytes_tenth"], abs=0.1)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell a process's peak in this way")
def test_a_backfill_is_interrupted_and_every_record_is_written_once() -> None:
    """It ends itself where something is written that is not due, or an edit is lost; each size has its own process."""
    data = measured("backfill", "--records", "200", "--fields", "5")
    assert (data["records"], data["fields"], data["touched"]) == (200, 5, 200)
    assert (data["interruptions"], data["written_twice"]) == (10, 0)
    assert data["edits"] >= 50
    assert 0 < data["edits_that_gave_way"] <= 10
    assert data["written_beside"] > 0
    assert data["mebibytes_tenth"] > 0
    assert data["difference"] == pytest.approx(data["mebibytes"] - data["mebibytes_tenth"], abs=0.1)
