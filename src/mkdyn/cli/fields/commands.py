"""`mkdyn fields`: which commands there are, and what they take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import anyio
import typer

from mkdyn import Direction, System
from mkdyn.cli.errors import explained
from mkdyn.cli.fields import work

app: typer.Typer = typer.Typer(
    help="See and choose which fields sync.\n\nFor now on the demo's systems only: --state names a file that "
    "mkdyn demo --state FILE has made, and the fields are those of the two systems in memory that it played with.",
    no_args_is_help=True,
)

_State: TypeAlias = Annotated[
    Path, typer.Option("--state", metavar="FILE", help="The state file that a demo has made: mkdyn demo --state FILE.")
]
_Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")]
_Entity: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="ENTITY",
        help="lead, contact, account, user, opportunity, team, or the name of a table of your own.",
    ),
]
_Field: TypeAlias = Annotated[str, typer.Argument(metavar="FIELD", help="The field's name in Dynamics.")]
_File: TypeAlias = Annotated[
    Path, typer.Argument(metavar="FILE", help="A selection in TOML, as mkdyn fields export writes it.")
]


@app.command("list")
def list_command(
    *,
    state: _State,
    entity: Annotated[
        str | None, typer.Argument(metavar="[ENTITY]", help="Only this entity's fields, as in contact.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Show every Dynamics field: whether it can sync, and why not; whether it does, with what, and which way.

    In parentheses, the standard counterpart of a field that is not selected.

    Exit: 0 all that is selected syncs; 1 a selected field is missing or blocked; 2 fix something.
    """
    with explained():
        raise typer.Exit(anyio.run(lambda: work.list_fields(state, entity, as_json=as_json)))


@app.command("diff")
def diff_command(file: _File, *, state: _State, as_json: _Json = False) -> None:
    """Show what loading FILE would change; nothing does.

    Every fault of the file is told at once, with its line.
    """
    with explained(file):
        anyio.run(lambda: work.diff(state, file, as_json=as_json))


@app.command("select")
def select_command(
    entity: _Entity,
    field: _Field,
    *,
    state: _State,
    marketo: Annotated[
        str | None,
        typer.Option(
            "--marketo", metavar="NAME", help="The Marketo field's API name; by default the standard counterpart."
        ),
    ] = None,
    create: Annotated[bool, typer.Option("--create", help="Have the Marketo field created.")] = False,
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="LABEL", help="What to call it, with --create; by default as in Dynamics."),
    ] = None,
    direction: Annotated[
        Direction | None, typer.Option("--direction", help="Narrower than the entity's own, never wider.")
    ] = None,
    authority: Annotated[
        System | None, typer.Option("--authority", help="The system that wins every collision of this field.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Select one Dynamics field to sync, or choose anew how it does.

    A field can be created in Marketo, never in Dynamics. Where records are linked already, Dynamics' values go to
    Marketo first.
    """
    with explained():
        wish = work.Wish(
            field=field, marketo=marketo, create=create, label=label, direction=direction, authority=authority
        )
        anyio.run(lambda: work.select(state, entity, wish, as_json=as_json))


@app.command("deselect")
def deselect_command(entity: _Entity, field: _Field, *, state: _State, as_json: _Json = False) -> None:
    """Stop syncing one field; its values stay where they are."""
    with explained():
        anyio.run(lambda: work.deselect(state, entity, field, as_json=as_json))


@app.command("export")
def export_command(
    *,
    state: _State,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A new file; without it, stdout.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False,
) -> None:
    """Write the selection as TOML."""
    with explained():
        anyio.run(lambda: work.export(state, file, force=force))


@app.command("load")
def load_command(file: _File, *, state: _State, as_json: _Json = False) -> None:
    """Make the selection exactly what FILE says, or change nothing.

    What FILE does not pick is deselected: see mkdyn fields diff first. Every fault of the file is told at once,
    with its line.
    """
    with explained(file):
        anyio.run(lambda: work.load(state, file, as_json=as_json))
