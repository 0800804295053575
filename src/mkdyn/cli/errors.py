"""What a command says when it can't go on: a line on stderr, and the exit code that belongs to it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import typer

from mkdyn.errors import FieldError, MkdynError, SafetyError, SetupError, StateError, TransientError

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


def told(error: MkdynError, file: Path | None = None) -> str:
    """Return what is said of an error: one line, with several problems behind one another.

    The faults of a selection stand below one another instead.

    Args:
        error: The error.
        file: The selection file that a fault is in, if there is one.
    """
    head, *problems = str(error).splitlines()
    where = f"{file}: " if file is not None and isinstance(error, FieldError) else ""
    if isinstance(error, FieldError) and len(error.faults) > 1:
        return "\n".join([f"mkdyn: {where}{head}:", *(f"  {fault}" for fault in error.faults)])
    listed = "; ".join(problem.strip() for problem in problems)
    return f"mkdyn: {where}{head}: {listed}" if listed else f"mkdyn: {where}{head}"


@contextmanager
def explained(file: Path | None = None) -> Generator[None]:
    """Turn our errors, and Ctrl-C, into a message and an exit code.

    Args:
        file: The selection file that is worked on, if there is one.
    """
    try:
        yield
    except MkdynError as error:
        typer.echo(told(error, file), err=True)
        raise typer.Exit(exit_code(error)) from error
    except KeyboardInterrupt as error:
        typer.echo("mkdyn: interrupted; what was done is kept, and nothing is half done.", err=True)
        raise typer.Exit(INTERRUPTED) from error
