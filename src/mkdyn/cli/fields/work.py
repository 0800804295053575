"""What each command does with a state file; what it takes is in `commands`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs
import typer

from mkdyn import Direction, NewField, Pick, System, picks_to_toml
from mkdyn.cli.fields.desk import Desk, opened
from mkdyn.cli.fields.files import read_text, write
from mkdyn.cli.fields.rows import Row, changes_data, rows_of
from mkdyn.cli.fields.tables import counted, show_changes, show_fields
from mkdyn.domain import AnyEntity, Candidate, FieldChanges
from mkdyn.domain.fields import new_field
from mkdyn.domain.names import nearest, nearest_hint
from mkdyn.domain.selection_file import read_selection
from mkdyn.errors import ConfigError, UnknownEntityError, UnknownFieldError

#: A selected field does not sync.
WITH_WARNINGS: Final = 1


@attrs.frozen(kw_only=True)
class Wish:
    """How one field is to be selected.

    Attributes:
        field: Its name in Dynamics.
        marketo: The Marketo field, if it is named.
        create: Whether the Marketo field is to be created.
        label: What the new field is called; by default as the Dynamics field.
        direction: Narrower than the entity's own, if given.
        authority: The system that wins every collision, if given.

    Raises:
        ConfigError: Two of them exclude each other.
    """

    field: str
    marketo: str | None
    create: bool
    label: str | None
    direction: Direction | None
    authority: System | None

    def __attrs_post_init__(self) -> None:
        if self.create and self.marketo is not None:
            raise ConfigError(
                "--marketo and --create exclude each other.",
                what_to_do="Keep one: a field that is there, or a new one.",
            )
        if self.label is not None and not self.create:
            raise ConfigError("--label is that of a new field.", what_to_do="Add --create, or leave it out.")


async def list_fields(state: Path, entity: str | None, *, as_json: bool) -> int:
    """Show every Dynamics field, of one entity or of all; return the exit code."""
    async with opened(state) as desk:
        entities = desk.entities() if entity is None else [desk.entity(entity)]
        found = {item: rows_of(item, await _candidates(desk, item), desk.selected) for item in entities}
    if as_json:
        _print_json({str(item): [row.to_data() for row in rows] for item, rows in found.items()})
    else:
        _show_all(found)
    return 0 if all(row.is_well for rows in found.values() for row in rows) else WITH_WARNINGS


def _show_all(found: Mapping[AnyEntity, Sequence[Row]]) -> None:
    for place, (entity, rows) in enumerate(found.items()):
        if place:
            typer.echo()
        show_fields(entity, rows)


async def _candidates(desk: Desk, entity: AnyEntity) -> Sequence[Candidate]:
    """Return what Dynamics says of an entity's fields; nothing, where its table is gone and fields of it are selected."""
    try:
        return await desk.fields.candidates(entity)
    except UnknownEntityError:
        if any(pair.entity == entity for pair in desk.selected):
            return ()
        raise


async def diff(state: Path, file: Path, *, as_json: bool) -> None:
    """Show what loading a selection would change."""
    text = _selection(file)
    async with opened(state) as desk:
        _tell(await desk.fields.diff(text), as_json=as_json, done=False)


async def load(state: Path, file: Path, *, as_json: bool) -> None:
    """Make the selection what a file says."""
    text = _selection(file)
    async with opened(state) as desk:
        changes = await desk.fields.replace(text)
        await desk.remember(changes)
        _tell(changes, as_json=as_json, done=True)


def _selection(file: Path) -> str:
    """Read a selection file that picks something, or has faults to tell of."""
    text = read_text(file)
    picks, faults = read_selection(text)
    if not picks and not faults:
        raise ConfigError(
            f"{file} picks no field; with it, nothing would sync any more.",
            what_to_do="Write [[field]] above each field, or deselect them one by one.",
        )
    return text


async def select(state: Path, entity: str, wish: Wish, *, as_json: bool) -> None:
    """Select one field."""
    async with opened(state) as desk:
        changes = await desk.fields.select(await _pick(desk, desk.entity(entity), wish))
        await desk.remember(changes)
        _tell(changes, as_json=as_json, done=True)


async def _pick(desk: Desk, entity: AnyEntity, wish: Wish) -> Pick:
    marketo: str | NewField | None = wish.marketo
    if wish.create:
        labels = {candidate.field.name: candidate.field.label for candidate in await desk.fields.candidates(entity)}
        marketo = new_field(wish.label or labels.get(wish.field) or wish.field, wish.field)
    return Pick(entity, wish.field, marketo=marketo, direction=wish.direction, authority=wish.authority)


async def deselect(state: Path, entity: str, field: str, *, as_json: bool) -> None:
    """Stop syncing one field."""
    async with opened(state) as desk:
        pick = Pick(desk.entity(entity), field)
        selected = [pair.dynamics for pair in desk.selected if pair.entity == pick.entity]
        if field not in selected:
            raise UnknownFieldError(
                f"{pick.entity}.{field} is not selected{nearest_hint(field, selected)}.",
                what_to_do=f"See what is: mkdyn fields list {pick.entity} --state {state}",
                nearest=nearest(field, selected),
            )
        _tell(await desk.fields.deselect(pick), as_json=as_json, done=True)


async def export(state: Path, file: Path | None, *, force: bool) -> None:
    """Write the selection as TOML, to stdout or into a file."""
    async with opened(state) as desk:
        text = picks_to_toml(desk.selected)
    if file is None:
        typer.echo(text, nl=False)
        return
    write(file, text, force=force)
    typer.echo(f"{counted(len(desk.selected))} written to {file}")


def _tell(changes: FieldChanges, *, as_json: bool, done: bool) -> None:
    if as_json:
        _print_json(changes_data(changes))
    else:
        show_changes(changes, done=done)


def _print_json(data: Mapping[str, object]) -> None:
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
