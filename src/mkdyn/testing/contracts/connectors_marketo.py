"""What a Marketo connector promises beside what every connector does: lookups, new fields, merges."""

from __future__ import annotations

import json
from typing import Final
from uuid import uuid4

from mkdyn.domain.entities import Entity
from mkdyn.domain.fields import NewField
from mkdyn.domain.keys import joined
from mkdyn.domain.outcomes import Applied, Create, Delete, Rejected, Stale, Update
from mkdyn.domain.roles import ROLE, ROLE_KEY
from mkdyn.errors import FieldError
from mkdyn.testing.contracts.benches import MakesFields, MarketoBench, MergesPersons, catch_up, lacks
from mkdyn.testing.contracts.checks import MarketoCheck, broken, must, of_marketo
from mkdyn.testing.contracts.probing import (
    applied,
    begin,
    is_gone,
    merged_into,
    read_feed,
    read_one,
    shown,
    some,
    tells,
    write_one,
)
from mkdyn.testing.contracts.subjects import COMPANY, PERSON, token

# -- writes --------------------------------------------------------------------------------------------------


@of_marketo(
    "a Create by a field finds the person that has it, and chooses none of several",
    "Connector.write",
    "a Create whose key exists answers Applied with found; one that finds several is Rejected.",
)
async def _looked_up(bench: MarketoBench) -> None:
    guid = str(uuid4())
    creation = Create(key=guid, by="dynamicsId", values={PERSON.name: token()})
    first = await bench.create(PERSON.object, PERSON.entered(dynamicsId=guid))
    await catch_up(bench)
    outcome = await write_one(bench, PERSON, creation)
    right = outcome == Applied(key=first, found=True)
    must(right, f"a Create by dynamicsId, which person {first} has, was answered {outcome!r}")
    await bench.create(PERSON.object, PERSON.entered(dynamicsId=guid))
    await catch_up(bench)
    outcome = await write_one(bench, PERSON, creation)
    must(isinstance(outcome, Rejected), f"a Create by dynamicsId, which two persons have, was answered {outcome!r}")


@of_marketo(
    "a keyed object is created by its key, named or not",
    "Connector.write",
    "a Create answers Applied with the record's key.",
)
async def _keyed(bench: MarketoBench) -> None:
    for by in (None, COMPANY.key_field):
        creation = Create(key=str(uuid4()), by=by, values={COMPANY.name: (name := token())})
        made = await applied(bench, COMPANY, creation)
        must(made.key == creation.key, f"the company {creation.key} was answered as {made.key}")
        values = (await read_one(bench, COMPANY, creation.key, [COMPANY.key_field, COMPANY.name])).values
        wanted = {COMPANY.key_field: creation.key, COMPANY.name: name}
        must(wanted.items() <= values.items(), f"the company {creation.key} was read as {values}")


@of_marketo(
    "a role is known by its opportunity, its person and its name",
    "MarketoConnector",
    "a role in an opportunity, object `opportunityRole`: opportunity, person, and what it is called.",
)
async def _roles(bench: MarketoBench) -> None:
    connector = bench.connector
    if not await connector.describe(ROLE):
        lacks(f"object {ROLE}")
    persons = await some(bench, PERSON, 2)
    deals = [str(uuid4()), str(uuid4())]
    deal = Entity.OPPORTUNITY.marketo_object
    await connector.write(deal, [Create(key=key, values={"name": token()}) for key in deals])
    mine, other = (int(person) for person in persons)
    roles = [joined(key) for key in ([deals[0], mine, "A"], [deals[0], mine, "B"], [deals[1], other, "A"])]
    for _ in range(2):  # the second time, they are there
        outcomes = await connector.write(ROLE, [Create(key=key, values={}) for key in roles])
        keys = [outcome.key if isinstance(outcome, Applied) else None for outcome in outcomes]
        must(keys == roles, f"the roles {roles} were answered {outcomes!r}")
    await catch_up(bench)
    records = await connector.read(ROLE, roles, fields=ROLE_KEY)
    values = {key: [record.values[name] for name in ROLE_KEY] for key, record in records.items()}
    must(values == {key: json.loads(key) for key in roles}, f"the roles {roles} were read as {values}")
    records = {record.key: record for record in await connector.find(ROLE, ROLE_KEY[0], deals[1:], fields=ROLE_KEY)}
    must(set(records) == {roles[2]}, f"the role {roles[2]} was found by its opportunity as {set(records)}")
    outcomes = await connector.write(ROLE, [Delete(key=roles[2])])
    must(outcomes == [Applied(key=roles[2])], f"a role, deleted, was answered {outcomes!r}")
    await catch_up(bench)
    left = [record.key for record in await connector.find(ROLE, ROLE_KEY[0], deals[1:], fields=ROLE_KEY)]
    must(not left, f"a role was deleted, and is found as {left}")


# -- fields --------------------------------------------------------------------------------------------------


@of_marketo(
    "a new field can be used at once, and is made once",
    "MarketoConnector.create_field",
    "create a field; one that exists as asked is returned. It is described, and can be written, from then on.",
)
async def _new_field(bench: MarketoBench) -> None:
    if not isinstance(bench, MakesFields):
        lacks("new fields (MakesFields)")
    async with bench.new_fields():
        for kind, value in (("text", "gold"), ("integer", 7), ("boolean", True)):
            asked = NewField(token(), type=kind)  # type: ignore[arg-type]
            made = await bench.connector.create_field(PERSON.object, asked)
            again = await bench.connector.create_field(PERSON.object, asked)
            must((made.name, made.type) == (asked.api_name, kind), f"a {kind} {asked.api_name} was asked for: {made!r}")
            must(made == again, f"asked for again, it is {again!r}")
            specs = [spec for spec in await bench.connector.describe(PERSON.object) if spec.name == made.name]
            must(specs == [made], f"the new field {made!r} is described as {specs}")
            [key] = await some(bench, PERSON, 1)
            await applied(bench, PERSON, Update(key=key, values={made.name: value}))
            read = (await read_one(bench, PERSON, key, [made.name])).values[made.name]
            must(read == value, f"{value!r} in a new field was read as {read!r}")


@of_marketo(
    "a field of another type is refused, and stays as it is",
    "MarketoConnector.create_field",
    "FieldError: there is one of another type, or Marketo takes no such field.",
)
async def _other_type(bench: MarketoBench) -> None:
    if not isinstance(bench, MakesFields):
        lacks("new fields (MakesFields)")
    async with bench.new_fields():
        before = await bench.connector.describe(PERSON.object)
        try:
            made = await bench.connector.create_field(
                PERSON.object, NewField("Lead Score", name="leadScore", type="text")
            )
        except FieldError:
            after = await bench.connector.describe(PERSON.object)
            must(before == after, "leadScore was refused as a text, and is described in another way since")
            return
        broken(f"leadScore was asked for as a text: {made!r}")


@of_marketo(
    "a custom object that is not there comes with its first field",
    "MarketoConnector.create_field",
    "create a field, and a custom object that is not there yet.",
)
async def _new_object(bench: MarketoBench) -> None:
    if not isinstance(bench, MakesFields):
        lacks("new fields (MakesFields)")
    async with bench.new_fields():
        name = f"{token()}_c"
        made = await bench.connector.create_field(name, NewField("Plan", type="text"))
        guid = str(uuid4())
        outcomes = await bench.connector.write(name, [Create(key=guid, values={made.name: "basic"})])
        await catch_up(bench)
        found = await bench.connector.read(name, [guid], fields=[made.name])
        values = {key: dict(record.values) for key, record in found.items()}
        must(values == {guid: {made.name: "basic"}}, f"{outcomes!r}, and a record of a new object was read as {values}")


# -- merges --------------------------------------------------------------------------------------------------


@of_marketo(
    "a merged person keeps what it has, and is given what it has not",
    "MarketoConnector.merge",
    "merge persons into the winner; its empty fields are filled from theirs.",
)
async def _filled(bench: MarketoBench) -> None:
    name, text = token(), token()
    winner = await bench.create(PERSON.object, PERSON.entered(**{PERSON.name: name}))
    loser = await bench.create(PERSON.object, PERSON.entered(**{PERSON.text: text}))
    outcome = await bench.connector.merge(winner, [loser])
    must(isinstance(outcome, Applied) and outcome.key == winner, f"a merge into {winner} was answered {outcome!r}")
    found = [await shown(bench, PERSON, winner, field) for field in (PERSON.name, PERSON.text)]
    must(found == [name, text], f"{[name, None]} merged with {[..., text]} is {found}".replace("Ellipsis", "…"))


@of_marketo(
    "who was merged into another is gone, and told as deleted",
    "MarketoConnector.merge",
    "the losers are gone afterwards, and told as deleted, with the winner; losers that are gone already are passed over.",
)
async def _merged_away(bench: MarketoBench) -> None:
    winner, *losers = await some(bench, PERSON, 3)
    since = await begin(bench, PERSON, PERSON.fields)
    for _ in range(2):
        outcome = await bench.connector.merge(winner, losers)
        must(isinstance(outcome, Applied), f"a merge, or the same again, was answered {outcome!r}")
    left = [key for key in losers if await bench.record(PERSON.object, key, [PERSON.name]) is not None]
    must(not left, f"{len(left)} of {len(losers)} persons are still there after they were merged into another")
    pages = await read_feed(bench, PERSON, PERSON.fields, since)
    untold = [key for key in losers if not is_gone(pages, key)]
    must(not untold, f"{len(untold)} of {len(losers)} merged persons are not told as deleted")
    astray = [key for key in losers if merged_into(pages, key) != winner]
    must(not astray, f"of {len(astray)} of {len(losers)} merged persons the feed does not say into whom")


@of_marketo(
    "nobody is merged into a person that is gone",
    "MarketoConnector.merge",
    "a winner that is not there is Stale, and gone: nothing is merged.",
)
async def _no_winner(bench: MarketoBench) -> None:
    winner, loser = await some(bench, PERSON, 2)
    await bench.delete(PERSON.object, winner)
    outcome = await bench.connector.merge(winner, [loser])
    must(outcome == Stale(gone=True), f"a merge into a person that is gone was answered {outcome!r}")
    must(
        await bench.record(PERSON.object, loser, [PERSON.name]),
        "who was to be merged into a person that is gone is gone",
    )


@of_marketo(
    "a merge by another person is told",
    "Connector.changes",
    "everybody's changes are in it.",
)
async def _merged_by_others(bench: MarketoBench) -> None:
    if not isinstance(bench, MergesPersons):
        lacks("merges (MergesPersons)")
    text = token()
    [winner] = await some(bench, PERSON, 1)
    loser = await bench.create(PERSON.object, PERSON.entered(**{PERSON.text: text}))
    since = await begin(bench, PERSON, PERSON.fields)
    await bench.merge(winner, [loser])
    pages = await read_feed(bench, PERSON, PERSON.fields, since)
    must(is_gone(pages, loser), "a person whom somebody merged into another is not told as deleted")
    must(
        merged_into(pages, loser) == winner, "of a person whom somebody merged into another the feed does not say whom"
    )
    must(tells(pages, winner, PERSON.text, text), f"the {PERSON.text} that a merge gave a person is not told")


ONLY_MARKETO: Final[tuple[MarketoCheck, ...]] = (
    _looked_up,
    _keyed,
    _roles,
    _new_field,
    _other_type,
    _new_object,
    _filled,
    _merged_away,
    _no_winner,
    _merged_by_others,
)
