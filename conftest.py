"""Run every Python block of README.md and docs/ as the reader would, and compare what it prints.

The blocks of one page share their names, in the page's order, and run in an empty directory of their own. What a block
must print stands in its `#> ` lines, or in the `text` block below it, with `<!-- prints -->` between the two. A block
that shows its output so may also end in an error: it then prints the error as Python does, class and message; and if it
has tests in it, pytest runs them, and prints the last line of its summary. How long something took is not compared. A
block below `<!-- skip: not run -->` is skipped, and pytest says so.
"""

import os
import re
import subprocess
import sys
import traceback
import unittest
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from sybil import Document, Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.myst import CodeBlockParser

#: The fixtures that users get; our own tests use them as users do.
pytest_plugins = ["mkdyn.testing.pytest_plugin"]

SKIPPED: Final = re.compile(r"<!-- skip: not run -->\s*\Z")
PRINTED_BELOW: Final = re.compile(r"\s*<!-- prints -->\s*^```text\n(?P<text>.*?)^```\s*?$", re.DOTALL | re.MULTILINE)
PRINTED_INSIDE: Final = re.compile(r"^#>(?: (?P<line>.*))?$", re.MULTILINE)
DURATION: Final = re.compile(r"\b(?:in|calls,) (?:\d+ min )?\d+(?:\.\d+)? (?:ms|s|min)\b")
TESTS: Final = re.compile(r"^(?:async )?def test_", re.MULTILINE)

_execute: Final = PythonEvaluator()


def expected_output(document: Document, example: Example) -> str | None:
    """What the page says the block prints; None where it says nothing."""
    inside = [match["line"] or "" for match in PRINTED_INSIDE.finditer(example.parsed)]
    below = PRINTED_BELOW.match(document.text, example.end)
    if not inside and below is None:
        return None
    return "\n".join(inside) + ("" if below is None else below["text"])


def comparable(output: str) -> list[str]:
    """The lines of an output, without what no two runs share: times, and spaces nobody sees."""
    return [DURATION.sub("in … s", line).rstrip() for line in output.strip("\n").splitlines()]


def run_tests(source: str) -> str:
    """Run a block's tests as a file of its own, with mkdyn's fixtures; return how many passed, or all that pytest says."""
    Path("conftest.py").write_text('pytest_plugins = ["mkdyn.testing.pytest_plugin"]\n', encoding="utf-8")
    Path("test_example.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_example.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own page
    return done.stdout if done.returncode else done.stdout.splitlines()[-1].partition(" in ")[0]


def run_block(example: Example) -> str | None:
    """Run one block; answer the difference between what it printed and what the page says, if there is one."""
    document = example.document
    if SKIPPED.search(document.text, 0, example.start):
        reason = "the page says: not run"
        raise unittest.SkipTest(reason)
    expected = expected_output(document, example)
    output = StringIO()
    try:
        with redirect_stdout(output):
            if expected is not None and TESTS.search(example.parsed):
                output.write(run_tests(example.parsed))
            else:
                _execute(example)
    except Exception as error:
        if expected is None:
            raise
        output.write("".join(traceback.format_exception_only(error)))
        if comparable(output.getvalue()) != comparable(expected):
            raise
    if expected is None or comparable(output.getvalue()) == comparable(expected):
        return None
    return f"The page says:\n{expected}\nIt printed:\n{output.getvalue()}"


class EmptyDirectory:
    """Where a page's blocks run, so that a file they write lasts as long as the page."""

    def __init__(self) -> None:
        self._home = Path.cwd()
        self._directory: TemporaryDirectory[str] | None = None

    def enter(self, _namespace: dict[str, Any]) -> None:
        """Go there, before a page's first block."""
        self._home = Path.cwd()
        self._directory = TemporaryDirectory()
        os.chdir(self._directory.name)

    def leave(self, _namespace: dict[str, Any]) -> None:
        """Come back, and leave nothing behind."""
        os.chdir(self._home)
        if self._directory is not None:
            self._directory.cleanup()


_directory: Final = EmptyDirectory()

pytest_collect_file = Sybil(
    parsers=[CodeBlockParser(language="python", evaluator=run_block)],
    patterns=["README.md", "docs/*.md", "docs/**/*.md"],
    setup=_directory.enter,
    teardown=_directory.leave,
).pytest()
