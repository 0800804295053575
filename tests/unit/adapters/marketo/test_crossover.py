"""When updates go in files: the arithmetic, and the table of it in the documentation."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from hypothesis import given, strategies as st

from mkdyn import MarketoBulk, MarketoLimits
from mkdyn.adapters.marketo.bulk import terms_of
from mkdyn.adapters.marketo.crossover import Terms, at_best, by_calls, by_files, crossover, rows_in_files, rows_per_file
from mkdyn.errors import ConfigError

PAGE = Path(__file__).parents[4] / "docs" / "explanation" / "bulk.md"
USUAL = terms_of(MarketoBulk(), MarketoLimits())
QUICK = attrs.evolve(USUAL, aim="time", job_s=20.0)

any_terms = st.builds(
    Terms,
    aim=st.sampled_from(["calls", "time"]),
    job_s=st.floats(0.1, 2_000),
    poll_s=st.floats(1, 100),
    jobs=st.integers(1, 4),
    file_bytes=st.integers(1_000, 10_000_000),
    calls_per_s=st.floats(0.05, 10),
)
rows_of = st.integers(0, 300_000)
bytes_of = st.integers(10, 20_000)


@given(any_terms, rows_of, bytes_of)
def test_files_are_never_chosen_where_they_save_nothing(terms: Terms, rows: int, row_bytes: int) -> None:
    """What goes in files costs less than it would by calls, and the rest costs no more for it."""
    filed = rows_in_files(terms, rows, row_bytes)
    assert 0 <= filed <= rows
    best, plain = at_best(terms, rows, row_bytes), by_calls(terms, rows, row_bytes)
    if filed == 0:
        assert best == plain
    elif terms.aim == "calls":
        assert best.calls < plain.calls
    else:
        assert best.seconds < plain.seconds


@given(any_terms, rows_of, st.integers(1, 100_000), bytes_of)
def test_more_rows_never_save_less(terms: Terms, rows: int, more: int, row_bytes: int) -> None:
    """Once files save, they do for whatever is more."""

    def saved(rows: int) -> float:
        best, plain = at_best(terms, rows, row_bytes), by_calls(terms, rows, row_bytes)
        return plain.calls - best.calls if terms.aim == "calls" else plain.seconds - best.seconds

    assert saved(rows + more) >= saved(rows) - 1e-6  # seconds are floats


@given(any_terms, rows_of, bytes_of)
def test_the_crossover_is_the_fewest_rows_that_go_in_files(terms: Terms, rows: int, row_bytes: int) -> None:
    """At it, some do; below it, none does; where there is none, none ever does."""
    least = crossover(terms, row_bytes)
    if least is None:
        assert rows_in_files(terms, rows, row_bytes) == 0
    else:
        assert rows_in_files(terms, least, row_bytes) == least
        assert rows_in_files(terms, least - 1, row_bytes) == 0


def test_what_both_ways_cost() -> None:
    """By the numbers of the documentation: thirteen calls a file, which are thirty-nine hundred rows."""
    assert (USUAL.job_calls, USUAL.calls_per_s) == (13, 2.5)
    assert (by_calls(USUAL, 30_000, 100).calls, by_files(USUAL, 30_000, 100).calls) == (100, 13)
    assert by_calls(USUAL, 30_000, 10_000).calls == 316  # ninety-five of them fill a call
    assert crossover(USUAL, 100) == 3_901
    assert rows_per_file(USUAL, 200) == 47_400
    assert [rows_in_files(USUAL, rows, 200) for rows in (3_900, 3_901, 47_401, 51_301)] == [0, 3_901, 47_400, 51_301]
    assert at_best(USUAL, 47_401, 200).calls == 13 + 1


def test_files_save_time_only_where_marketo_is_quick() -> None:
    """Two of them run at once, so they are decided on together."""
    assert by_calls(QUICK, 30_000, 100).seconds == 40.0
    assert by_files(QUICK, 30_000, 100).seconds == 20.0
    assert rows_in_files(QUICK, 30_000, 100) == 30_000
    assert rows_in_files(attrs.evolve(QUICK, job_s=40.0), 30_000, 100) == 0  # as long as by calls
    assert rows_in_files(attrs.evolve(QUICK, job_s=600.0), 300_000, 100) == 0


def test_a_number_of_one_s_own_is_taken_as_it_is() -> None:
    """Whatever it saves."""
    own = attrs.evolve(USUAL, rows_min=10)
    assert [rows_in_files(own, rows, 100) for rows in (9, 10, 30_000)] == [0, 10, 30_000]
    assert crossover(own, 100) == 10


def test_a_row_that_fills_a_file_goes_by_calls() -> None:
    """There is no room for as many as a call takes."""
    assert rows_in_files(attrs.evolve(USUAL, file_bytes=1_000), 30_000, 400) == 0
    assert crossover(attrs.evolve(USUAL, file_bytes=1_000), 400) is None


def test_slow_calls_are_what_counts_where_there_are_few_at_once() -> None:
    """Ten at once, of four seconds each, are two and a half a second; half of that is ours."""
    assert terms_of(MarketoBulk(call_s=4.0), MarketoLimits(share=0.5)).calls_per_s == 1.25


def test_numbers_are_above_nothing() -> None:
    """A job that takes no time, or is never looked at, can't be reckoned with."""
    with pytest.raises(ConfigError, match="poll_s is above 0"):
        MarketoBulk(poll_s=0)


def table() -> list[str]:
    """The documentation's table, computed."""
    rows = []
    for job_s in (60.0, 300.0, 600.0, 1_800.0):
        found = [terms_of(MarketoBulk(job_s=job_s), MarketoLimits())]
        found.append(attrs.evolve(found[0], aim="time"))
        cells = [crossover(terms, row_bytes) for terms in found for row_bytes in (100, 500)]
        shown = ["never" if cell is None else f"{cell:,}" for cell in cells]
        rows.append(f"| {job_s / 60:.0f} min | {found[0].job_calls} | {' | '.join(shown)} |")
    return rows


def test_the_documentation_s_table_is_what_is_computed() -> None:
    """Row by row."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if " min |" in line] == table()
