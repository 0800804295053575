"""The other benchmarks, tiny and never timed: what they print, and that what they compare is the same."""

from __future__ import annotations

from tests.e2e.test_benchmarks_idle import measured


def test_the_merge_does_what_the_loop_by_hand_does() -> None:
    """It refuses to time two things whose results differ; without dictdiffer it says so."""
    data = measured("merge", "--records", "300", "--fields", "8")
    assert (data["records"], data["fields"], data["touched"]) == (300, 8, 38)
    assert data["ratio"] > 0
    assert "results equal" in data["reference"]


def test_a_whole_run_ends_where_the_loop_by_hand_ends() -> None:
    """It refuses to time two things that end differently."""
    data = measured("run", "--records", "200", "--fields", "8", "--touched", "20")
    assert (data["records"], data["fields"], data["touched"]) == (200, 8, 20)
    assert data["ratio"] > 0


def test_an_import_brings_nothing_that_is_needed_later() -> None:
    """Neither httpx nor tenacity, and nothing of the command line."""
    data = measured("import")
    assert data["imported_early"] == []
    assert data["milliseconds"] > 0


def test_marketo_is_written_to_and_read_near_its_limits() -> None:
    """Time is virtual, so the figures are of the pace alone: no call is refused, unless others take part of the quota."""
    data = measured("marketo", "--records", "3000")
    updates, shared, backlog, _, filed, extracted, from_dynamics, from_marketo = data["cases"]
    assert [case["breaches"] for case in data["cases"] if case is not shared] == [0] * 7
    assert updates["calls"] == updates["minimum_calls"] == 10
    assert shared["shared"]["calls"] > 0
    assert backlog["records"] == 300
    assert (filed["calls"], filed["minimum_calls"], filed["without_files"]) == (6, 2, 10)
    assert extracted["without_files"] == extracted["minimum_calls"] == 2  # one page is not worth a file
    assert from_dynamics["minimum_calls"] == from_marketo["minimum_calls"] == 20
    # Whatever changed, a run asks who it is, for a token, and for deletions; and, where none are told, for changes.
    assert from_dynamics["calls"] - 4 <= 1.05 * from_dynamics["minimum_calls"]
    assert from_marketo["calls"] - 3 <= 1.05 * from_marketo["minimum_calls"]


def test_dynamics_is_written_to_and_read_near_its_limits() -> None:
    """Time is virtual here, too; nothing is refused."""
    data = measured("dynamics", "--records", "600")
    updates, rows = data["cases"]
    assert [case["breaches"] for case in (updates, rows)] == [0, 0]
    assert updates["breaches_after_a_minute"] == 0
    assert rows["calls"] == rows["minimum_calls"] == 2
