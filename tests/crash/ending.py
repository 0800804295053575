"""When nobody is killed any more, and nobody edits: both systems agree, and nothing is lost or doubled."""

from __future__ import annotations

from collections import Counter
from typing import Final

from mkdyn import Synchronizer
from mkdyn.adapters.sqlite import SqliteStore
from mkdyn.domain.records import Link, LinkState
from mkdyn.domain.systems import System
from mkdyn.engine.kinds import kinds_of
from tests.crash.child import FIELDS, PICKS, RULES
from tests.crash.replica import require
from tests.crash.world import World

#: A few runs for what the feeds tell, and a turn of the walk over all links.
_RUNS: Final = 8
_ALL: Final = 1_000_000


def come_to_rest(store: SqliteStore, world: World) -> None:
    """Run until nothing is left to do, and check what both systems show.

    Raises:
        ViolationError: It never rests, or a promise is broken.
    """
    sync = Synchronizer(marketo=world.marketo, dynamics=world.dynamics, store=store, rules=RULES, now=lambda: world.now)
    world.wait(sync.fields.select(*PICKS))
    for _ in range(_RUNS):
        world.later()
        world.wait(sync.run())
        world.note_everything()
    plan = world.wait(sync.plan())
    require(not plan.operations.total, f"it never rests: {[item.text(values='shown') for item in plan.operations]}")
    links = [
        link
        for item in kinds_of(store.pairs(), RULES)
        for link in store.links_after(item.name, 0, _ALL, states=(LinkState.LIVE,))
    ]
    _check_agreement(store, world, links)
    _check_duplicates(store, world, links)
    _check_edits(store, world, links)


def _check_agreement(store: SqliteStore, world: World, links: list[Link]) -> None:
    kinds = {kind.name: kind for kind in kinds_of(store.pairs(), RULES)}
    for link in links:
        kind = kinds[link.entity]
        row, person = world.dynamics.record(kind.name, link.dynamics), world.marketo.record(kind.object, link.marketo)
        require(row and person, f"a live link of {link.entity} {link.dynamics} to {link.marketo} lacks a record")
        assert row is not None
        assert person is not None
        for pair in kind.pairs:
            shown = row.values[pair.dynamics], person.values[pair.marketo]
            require(pair.lens.agree(*shown), f"{link.entity} {link.dynamics}.{pair.dynamics} differs: {shown}")


def _check_duplicates(store: SqliteStore, world: World, links: list[Link]) -> None:
    for kind in kinds_of(store.pairs(), RULES):
        guids = Counter(link.dynamics for link in links if link.entity == kind.name)
        for row in world.dynamics.records(kind.name):
            require(guids[row.key] == 1, f"{kind.entity} {row.key} has {guids[row.key]} live links")
        if kind.key_field is not None:
            carried = Counter(person.values[kind.key_field] for person in world.marketo.records("lead"))
            shared = [guid for guid, count in carried.items() if guid and count > 1]
            require(not shared, f"several persons carry the GUID of {kind.entity} {shared}")
    for fake, object, field in (
        (world.marketo, "lead", "email"),
        (world.dynamics, "lead", "emailaddress1"),
        (world.dynamics, "contact", "emailaddress1"),
    ):
        mails = Counter(record.values[field] for record in fake.records(object))
        twice = [mail for mail, count in mails.items() if count > 1]
        require(not twice, f"several records of {object} in {fake.system} have one address: {twice}")


def _check_edits(store: SqliteStore, world: World, links: list[Link]) -> None:
    """No edit is lost: it is on the other system, or was there, or it is in a report."""
    reported = {
        (item.key, value)
        for _, item in store.resolutions(None, after=0, limit=_ALL)
        for value in (item.collision.marketo, item.collision.dynamics)
    }
    other = dict(FIELDS) | {marketo: dynamics for dynamics, marketo in FIELDS}
    by_key = {(system, link.key(system)): link for link in links if link.entity != "account" for system in System}
    for (system, key, field), value in world.edits.items():
        link = by_key.get((system, key))
        if link is None:
            continue  # its counterpart was deleted, or it has none
        there = world.values[system.other, link.key(system.other), other[field]]
        require(value in there or (link.dynamics, value) in reported, f"{value} of {system} {key}.{field} is lost")
    for (system, key, field), shown in world.values.items():
        if field in other:
            invented = [value for value in shown if value is not None and value not in world.entered]
            require(not invented, f"{system} {key}.{field} held {invented}, which nobody has entered")
