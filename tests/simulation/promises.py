"""What must hold when a history has come to rest: a check for each promise."""

from __future__ import annotations

from collections import Counter

from mkdyn.domain import Direction, Entity, FieldPair, Hold, LinkState, Quarantined, Record
from mkdyn.domain.entities import PERSON, PERSONS, is_person
from mkdyn.domain.filters import NATIVE
from mkdyn.domain.systems import System
from tests.simulation.edits import check_no_edit_is_lost
from tests.simulation.hearsay import runs_around
from tests.simulation.inventions import check_no_value_is_invented
from tests.simulation.world import World

#: How many runs it takes to come to rest; a turn of the walk comes on top: a run for each entity.
REST_RUNS = 8
#: How many it takes where a merge may wait for the end of a watch, and another one for that.
REST_RUNS_OF_MERGES = 7
#: The state of a lead that became a contact.
QUALIFIED = 1
#: Why a field may be kept back, or a record set aside.
_HOLDS = {
    "too-long",
    "bad-email",
    "1003",
    "rejected",
    "unreadable",
    "not-there-yet",
    "read-only",
    "0x80040203",  # on the wire: the same
    "0x80040217",
    "0x80044331",
    "0x8004f502",
    "0x8004f507",
    "blocked",
    "rewritten",
}
_SET_ASIDE = {
    "ambiguous-match",
    "deleted-in-marketo",
    "rejected",
    "1022",
    "required",
    "merged-in-marketo",
}


async def check_all(world: World) -> None:
    """Check every promise of a history that has come to rest."""
    check_one_way_is_one_way(world)
    await check_it_rests(world)
    check_both_agree(world)
    check_every_row_has_a_counterpart(world)
    check_no_duplicates(world)
    check_the_deleted_stay_deleted(world)
    check_the_filter_holds(world)
    check_no_edit_is_lost(world)
    check_no_value_is_invented(world)


async def check_it_rests(world: World) -> None:
    """Promise 5: the next plan is empty."""
    plan = await world.sync.plan()
    if plan.operations.total:
        world.broken("promise 5", f"it never rests: {[item.text(values='shown') for item in plan.operations]}")


def check_both_agree(world: World) -> None:
    """Promise 5: both systems agree on every active pair without a hold, and no hold stands without a cause."""
    held = {(hold.key, hold.field): hold for _, hold in world.store.holds(None, after=0, limit=100_000)}
    aside = {item.key: item for _, item in world.store.quarantine(None, after=0, limit=100_000)}
    for link in world.links():
        for pair in world.pairs_of(link.entity):
            row = world.dynamics.record(link.entity, link.dynamics)
            person = world.marketo.record(pair.entity.marketo_object, link.marketo)
            where = f"{link.entity} {link.dynamics[:4]} linked to {link.marketo}"
            if row is None or person is None:
                world.broken("promise 5", f"{where}: a record is gone")
            shown = row.values[pair.dynamics], person.values[pair.marketo]
            if pair.lens.agree(*shown) or _is_untouched(world, pair, link.marketo):
                continue
            hold, set_aside = held.get((link.dynamics, pair.dynamics)), aside.get(link.dynamics)
            if hold is None and set_aside is None:
                world.broken("promise 5", f"{where}: {pair.dynamics} differs, {shown}")
            if hold is not None:
                _check_cause(world, hold, pair.marketo)
    for item in aside.values():
        if item.code not in _SET_ASIDE:
            world.broken("promise 8", f"set aside without a cause: {item}")


def _is_untouched(world: World, pair: FieldPair, person: str) -> bool:
    """Whether a pair that only goes Marketo → Dynamics waits for the first value that is entered in Marketo."""
    place = (System.MARKETO, pair.entity.marketo_object, person, pair.marketo)
    return pair.direction is Direction.TO_DYNAMICS and not world.log.values_of(place)


def _check_cause(world: World, hold: Hold, field: str) -> None:
    """Whether a hold has a cause in what happened."""
    kept = {*world.blocked, "externalCompanyId"}  # what nobody can leave looks blocked, where the refusal went astray
    if hold.code not in _HOLDS or (hold.code in ("blocked", "rewritten") and field not in kept):
        world.broken("promise 8", f"held without a cause: {hold}")


def check_every_row_has_a_counterpart(world: World) -> None:
    """Promise 5: what is in Dynamics is linked, or set aside and named; no link is buried whose records both live."""
    linked = {(link.entity, link.dynamics): link for link in world.links(*LinkState)}
    aside: dict[str, Quarantined] = {item.key: item for _, item in world.store.quarantine(None, after=0, limit=100_000)}
    for entity in world.entities:
        for row in world.dynamics.records(entity.logical_name):
            link = linked.get((entity.logical_name, row.key))
            state = None if link is None else link.state
            if is_out(row):
                if state is LinkState.LIVE:
                    world.broken("promise 5", f"{entity} {row.key[:4]} is out of the filter, and still linked")
                continue
            if is_over(world, entity.logical_name, row):
                if (
                    link is not None
                    and state is LinkState.LIVE
                    and _successor(world, entity.logical_name, row)
                    and row.key not in aside
                ):
                    world.broken("promise 5", f"{entity} {row.key[:4]} is over, and still linked to {link.marketo}")
                continue
            if link is None and row.key not in aside:
                world.broken("promise 5", f"{entity} {row.key[:4]} has no counterpart")
            if link is None or link.state is LinkState.LIVE:
                continue
            if world.marketo.record(entity.marketo_object, link.marketo) is not None and not _taken(
                world, link.marketo, row.key
            ):
                world.broken(
                    "promise 5", f"{link.state} stands over {entity} {row.key[:4]} and {link.marketo}: both live"
                )


def is_over(world: World, name: str, row: Record) -> bool:
    """Whether a row stands for nobody any more: another row does, whatever became of that one later."""
    return row.values.get("masterid") is not None or (
        name == "lead" and row.values.get("statecode") == QUALIFIED and row.values.get("parentcontactid") is not None
    )


def _successor(world: World, name: str, row: Record) -> Record | None:
    """Return the row that stands for a row that is over in the end, if it is there and passes the filter."""
    found: Record | None = row
    while found is not None and is_over(world, name, found):
        master, heir = found.values.get("masterid"), found.values.get("parentcontactid")
        name, following = (name, master) if master is not None else ("contact", heir)
        found = world.dynamics.record(name, str(following))
    return None if found is None or is_out(found) else found


def is_out(row: Record) -> bool:
    """Whether the filter keeps a row out."""
    return row.values.get(NATIVE) is False


def _taken(world: World, person: str, row: str) -> bool:
    """Whether the person belongs to another row by now."""
    kept = (LinkState.LIVE, LinkState.SUSPENDED, LinkState.FROZEN)
    return any(link.marketo == person for link in world.links(*kept) if link.dynamics != row)


def check_no_duplicates(world: World) -> None:
    """Promise 3: no record was made twice, none is linked twice."""
    made: dict[tuple[System, str, str], tuple[int, str]] = {}
    gone = {(system, key): number for number, system, _, key in world.log.removals}
    for making in world.log.makings:
        if not making.ours or making.other is None:
            continue
        place = (making.system, making.object, making.other)
        since, before = made.get(place, (0, None))
        if before is not None and gone.get((making.system, before), making.number + 1) > making.number:
            twice = f"{making.object} {before[:4]} and {making.key[:4]} for {making.other[:4]}"
            anew = [at for at, key in world.log.reopenings if key == making.other and since <= at <= making.number]
            if not anew and not _is_recreated(world, making.system, making.object):
                world.broken("promise 3", f"made twice in {making.system}: {twice}")
        made[place] = making.number, making.key
    owners = Counter(link.marketo for link in world.links() if is_person(_entity(world, link.entity)))
    for person, count in owners.items():
        if count > 1:
            world.broken("promise 3", f"person {person} is linked {count} times")


def check_the_deleted_stay_deleted(world: World) -> None:
    """Promise 3: a person that somebody deleted in Marketo is not made anew for its row, unless that is somebody new.

    Which was first of what happened in both systems between two runs, nobody can say.
    """
    for number, row in world.log.bereft:
        since, _ = runs_around(world, number)
        renewed = [at for at, key in world.log.reopenings if key == row and runs_around(world, at)[0] >= since]
        for making in world.log.makings:
            later = making.ours and making.system is System.MARKETO and making.number >= number
            if later and making.other == row and not any(at <= making.number for at in renewed):
                world.broken("promise 3", f"deleted in Marketo, and made anew for {row[:4]}: person {making.key}")


def check_the_filter_holds(world: World) -> None:
    """The filter: no person is made for a row that it keeps out."""
    for making in world.log.makings:
        if not making.ours or making.system is not System.MARKETO or making.object != PERSON:
            continue
        said = [
            change
            for change in world.log.changes[: making.number]
            if change.place[2:] == (making.other, NATIVE) and change.run < making.sent - 1
        ]
        since = [
            change
            for change in world.log.changes[: making.number]
            if change.place[2:] == (making.other, NATIVE) and change.run >= making.sent - 1
        ]
        if said and said[-1].new is False and not since:
            world.broken("the filter", f"it keeps {str(making.other)[:4]} out, and person {making.key} was made for it")


def _is_recreated(world: World, system: System, name: str) -> bool:
    """Whether records of that object are deleted by us, and made anew when their row is restored."""
    return system is System.MARKETO and name != PERSON


def _entity(world: World, name: str) -> Entity:
    return next((entity for entity in PERSONS if entity.logical_name == name), Entity.ACCOUNT)


def check_one_way_is_one_way(world: World) -> None:
    """Promise 4: a one-way entity is never written in Dynamics."""
    for entity in world.entities:
        if not is_person(entity) and world.dynamics.writes_by_object[entity.logical_name]:
            world.broken("promise 4", f"{entity} was written in Dynamics")
