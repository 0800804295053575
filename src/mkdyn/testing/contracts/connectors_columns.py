"""What a Dynamics connector promises of columns that change: its stamp of the schema, and masks."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Final

from mkdyn.domain.fields import FieldSpec
from mkdyn.ports.connectors import SchemaStamped
from mkdyn.testing.contracts.benches import (
    DynamicsBench,
    HidesFields,
    MakesColumns,
    MasksFields,
    ProtectsFields,
    catch_up,
    lacks,
)
from mkdyn.testing.contracts.checks import DynamicsCheck, must, of_dynamics
from mkdyn.testing.contracts.probing import read_feed
from mkdyn.testing.contracts.subjects import DYNAMICS_SUBJECTS, Subject, token


async def _stamp(bench: DynamicsBench) -> str:
    """Return the stamp of leads and contacts."""
    if not isinstance(bench.connector, SchemaStamped):
        lacks("schema stamp (SchemaStamped)")
    await catch_up(bench)
    return await bench.connector.schema_stamp([subject.object for subject in DYNAMICS_SUBJECTS])


@of_dynamics(
    "a schema stamp stays while no column changes",
    "SchemaStamped.schema_stamp",
    "it stays the same while nobody changes a column or a right; records are none of its business.",
)
async def _stays(bench: DynamicsBench, subject: Subject) -> None:
    before = await _stamp(bench)
    must(await _stamp(bench) == before, "asked for twice, it is another one")
    key = await bench.create(subject.object, subject.entered())
    await bench.edit(subject.object, key, {subject.text: token()})
    must(await _stamp(bench) == before, "it is another one after somebody's edit of a record")


def _ways(bench: DynamicsBench, subject: Subject) -> dict[str, AbstractAsyncContextManager[None]]:
    """Return every way in which this bench changes what is described."""
    ways: dict[str, AbstractAsyncContextManager[None]] = {}
    if isinstance(bench, HidesFields):
        ways["hidden"] = bench.hidden(subject.object, subject.text)
    if isinstance(bench, ProtectsFields):
        ways["protected"] = bench.protected(subject.object, subject.text)
    if isinstance(bench, MasksFields):
        ways["masked"] = bench.masked(subject.object, subject.text)
    if isinstance(bench, MakesColumns):
        column = FieldSpec(name=f"new_{token()}", type="text", length=10, label="New")
        ways["made"] = bench.new_column(subject.object, column)
    return ways


@of_dynamics(
    "a schema stamp changes with what describe answers",
    "SchemaStamped.schema_stamp",
    "a text that changes whenever describe would answer otherwise for one of these objects.",
)
async def _changes(bench: DynamicsBench, subject: Subject) -> None:
    after = await _stamp(bench)
    ways = _ways(bench, subject)
    if not ways:
        lacks("way to change a column (HidesFields, ProtectsFields, MasksFields, MakesColumns)")
    for how, way in ways.items():
        before = after
        async with way:
            during = await _stamp(bench)
        after = await _stamp(bench)
        must(during != before, f"it stays the same when a column is {how}")
        must(after != during, f"it stays the same when a column is not {how} any more")


@of_dynamics(
    "a mask is described, and never shown as a value",
    "Connector.read",
    "a field that this user can't see is left out of the values, and so is a masked one: a mask is no value.",
)
async def _masked(bench: DynamicsBench, subject: Subject) -> None:
    if not isinstance(bench, MasksFields):
        lacks("masked fields (MasksFields)")
    name = token()
    key = await bench.create(subject.object, subject.entered(**{subject.name: name, subject.text: token()}))
    fields = [subject.name, subject.text]
    async with bench.masked(subject.object, subject.text):
        await catch_up(bench)
        specs = {spec.name: spec for spec in await bench.connector.describe(subject.object)}
        problems = await bench.connector.check({subject.object: fields})
        read = await bench.connector.read(subject.object, [key], fields=fields)
        found = await bench.connector.find(subject.object, subject.searched, [name], fields=fields)
        pages = await read_feed(bench, subject, fields, None)
    masked = [field for field in fields if field in specs and specs[field].masked]
    must(masked == [subject.text], f"of {fields} the last is masked, and described as masked are {masked}")
    told = " ".join(map(str, problems))
    must(subject.text in told, f"{subject.text} is masked, and check() says {told or 'nothing'}")
    fed = [record for page in pages for record in page.records if record.key == key]
    for how, rows in (("read()", list(read.values())), ("find()", found), ("changes()", fed)):
        shows = [sorted(row.values) for row in rows]
        right = shows and all(show == [subject.name] for show in shows)
        must(right, f"{how} of a row with a masked field shows {shows}")


COLUMN_CHECKS: Final[tuple[DynamicsCheck, ...]] = (_stays, _changes, _masked)
