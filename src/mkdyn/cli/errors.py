"""What a command says when it can't go on: one line on stderr, and the exit code that belongs to it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import typer

from mkdyn.errors import MkdynError, SafetyError, SetupError, StateError, TransientError

INTERRUPTED: Final = 130

#: Grouped as `mkdyn.errors` is: by what to do next.
_EXIT_CODES: Final[tuple[tuple[type[MkdynError], int], ...]] = (
    (SetupError, 2),
    (StateError, 2),
    (TransientError, 3),
    (SafetyError, 4),
)


def exit_code(error: MkdynError) -> int:
    """Return the exit code that says what to do next: 2 fix something, 3 try later, 4 ask a person."""
    return next(code for group, code in _EXIT_CODES if isinstance(error, group))


def one_line(error: MkdynError) -> str:
    """Return an error's message as one line; several problems stand behind one another."""
    head, *problems = str(error).splitlines()
    listed = "; ".join(problem.strip() for problem in problems)
    return f"mkdyn: {head}: {listed}" if listed else f"mkdyn: {head}"


@contextmanager
def explained() -> Generator[None]:
    """Turn our errors, and Ctrl-C, into one line and an exit code."""
    try:
        yield
    except MkdynError as error:
        typer.echo(one_line(error), err=True)
        raise typer.Exit(exit_code(error)) from error
    except KeyboardInterrupt as error:
        typer.echo("mkdyn: interrupted; what was done is kept, and nothing is half done.", err=True)
        raise typer.Exit(INTERRUPTED) from error
