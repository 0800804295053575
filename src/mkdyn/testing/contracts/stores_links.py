"""What every state store promises of links and selected fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any, Final

import attrs

from mkdyn.domain.directions import Direction
from mkdyn.domain.entities import Entity
from mkdyn.domain.fields import FieldPair, FieldSpec, PairState
from mkdyn.domain.lenses.lens import IDENTITY
from mkdyn.domain.records import Agreed, Echo, Link, LinkState, Twofold
from mkdyn.domain.systems import System
from mkdyn.errors import StateError
from mkdyn.ports.store import Description, SelectedPair, StateStore
from mkdyn.testing.contracts.promises import MakeStore, StoreCheck, expect, expect_error, promises
from mkdyn.testing.contracts.samples import GUIDS, HOUR, NINE, SUBSCRIPTION, VALUES, VISIT, exactly

_PEOPLE: Final = ("contact", "lead")


def _lead(number: int, **changes: Any) -> Link:  # noqa: ANN401 - what a link has
    link = Link(entity="lead", dynamics=GUIDS[number], marketo=str(100 + number))
    return attrs.evolve(link, **changes)


def _put(store: StateStore, *links: Link) -> Sequence[Link]:
    with store.transaction():
        return store.put_links(links)


@promises("A link comes back as it was, its baseline with the values' types.")
def _link_whole(make_store: MakeStore) -> None:
    baseline: Mapping[str, Agreed] = {**VALUES, "two": Twofold(VALUES["exact"], NINE), "none#2": Twofold(None, False)}
    echoes = {"score": (Echo(before=None, after=1, at=NINE), Echo(before=1, after=2, sure=False)), "email": ()}
    whole = _lead(
        0,
        state=LinkState.SUSPENDED,
        origin="promoted",
        version='W/"7"',
        baseline=baseline,
        echoes=echoes,
        gone=System.MARKETO,
        since=NINE,
        attempt=2,
    )
    with closing(make_store()) as store:
        put = _put(store, whole, _lead(1))
        expect([attrs.evolve(link, id=0) for link in put], [whole, _lead(1)], "what put_links() returns")
        expect(0 < put[0].id < put[1].id, True, "it gives rising ids")
        found = store.links(_PEOPLE, System.DYNAMICS, GUIDS[:2])
        expect(dict(found), {link.dynamics: link for link in put}, "links() by Dynamics' key")
        plain = {name: agreed for name, agreed in found[GUIDS[0]].baseline.items() if not isinstance(agreed, Twofold)}
        expect(exactly(plain), exactly(VALUES), "the baseline's values and their types")


@promises("put_links() replaces a link that has an id, and no other.")
def _replaced(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        first, second = _put(store, _lead(0), _lead(1))
        changed = attrs.evolve(first, entity="contact", dynamics=GUIDS[5], baseline={"email": "new"}, attempt=1)
        expect(_put(store, changed, _lead(2))[0], changed, "what put_links() returns")
        expect(dict(store.links(["lead"], System.MARKETO, ["100", "101"])), {"101": second}, "links() of leads")
        expect(dict(store.links(_PEOPLE, System.MARKETO, ["100"])), {"100": changed}, "links() of people")
        expect(dict(store.links(_PEOPLE, System.DYNAMICS, [GUIDS[0]])), {}, "links() by the key it had")


@promises("links() returns the living link of a record, else its newest tombstone.")
def _preferred(make_store: MakeStore) -> None:
    dead = LinkState.TOMBSTONE
    with closing(make_store()) as store:
        kept = _put(
            store,
            *(_lead(0), _lead(0, state=dead)),
            *(_lead(1, state=dead), _lead(1, state=LinkState.SUSPENDED)),
            *(_lead(2, state=dead), _lead(2, state=dead, entity="contact")),
            _lead(3, entity="account"),
        )
        wanted = {"100": kept[0], "101": kept[3], "102": kept[5]}
        keys = ["100", "101", "102", "103", "none"]
        expect(dict(store.links(_PEOPLE, System.MARKETO, keys)), wanted, "links() of people by Marketo's key")
        by_row = {link.dynamics: link for link in wanted.values()}
        expect(dict(store.links(_PEOPLE, System.DYNAMICS, GUIDS)), by_row, "links() of people by Dynamics' key")
        expect(dict(store.links(["lead"], System.MARKETO, ["102"])), {"102": kept[4]}, "links() of leads alone")
        expect(dict(store.links(_PEOPLE, System.MARKETO, [])), {}, "links() of no keys")
        many = {str(number) for number in range(40_000)}
        expect(dict(store.links(_PEOPLE, System.MARKETO, many)), wanted, "links() of 40,000 keys")


@promises("versions() returns what the baselines of live links cover, by row.")
def _covered(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        _put(
            store,
            *(_lead(0, version='W/"1"'), _lead(1)),
            _lead(2, version='W/"2"', state=LinkState.SUSPENDED),
            _lead(3, version='W/"3"', state=LinkState.TOMBSTONE),
            _lead(4, version='W/"4"', entity="contact"),
        )
        expect(dict(store.versions("lead", GUIDS)), {GUIDS[0]: 'W/"1"'}, "versions() of leads")
        expect(dict(store.versions("contact", [GUIDS[4]])), {GUIDS[4]: 'W/"4"'}, "versions() of contacts")
        expect(dict(store.versions("lead", [])), {}, "versions() of no rows")


@promises("A record is in at most one living link; a second one is refused.")
def _unique(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        _put(store, _lead(0), _lead(1, state=LinkState.SUSPENDED), _lead(2, state=LinkState.TOMBSTONE))
        rivals = {
            "the row of a live link": _lead(0, marketo="7"),
            "the person of a live link": _lead(5, marketo="100"),
            "the person of a live link, as a contact's": _lead(5, marketo="100", entity="contact"),
            "the row of a suspended link": _lead(1, marketo="7"),
        }
        for whose, rival in rivals.items():
            expect_error(StateError, partial(_put, store, _lead(8), rival), f"put_links() with {whose}")
        expect_error(StateError, partial(_put, store, _lead(8), _lead(8)), "put_links() with one record twice")
        expect(len(store.links(_PEOPLE, System.DYNAMICS, GUIDS)), 3, "links() after the refusals")
        _put(
            store,
            *(_lead(2), _lead(0, state=LinkState.TOMBSTONE), _lead(0, state=LinkState.TOMBSTONE)),
            *(_lead(6, marketo="100", entity="account"), _lead(7, marketo="100", entity="systemuser")),
        )
        expect(store.count_links()["lead"], 2, "live leads beside tombstones")


@promises("Links may trade their records within one put_links(), in any order.")
def _traded(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        first, second, third = _put(store, _lead(0), _lead(1), _lead(2))
        traded = (
            attrs.evolve(first, marketo="101"),
            _lead(3, marketo="102"),
            attrs.evolve(second, marketo="100"),
            attrs.evolve(third, state=LinkState.TOMBSTONE),
        )
        _put(store, *traded)
        found = store.links(_PEOPLE, System.MARKETO, ["100", "101", "102"])
        rows = {key: link.dynamics for key, link in found.items()}
        expect(rows, {"100": GUIDS[1], "101": GUIDS[0], "102": GUIDS[3]}, "links() afterwards")


@promises("links_after() returns an entity's links of the states asked for, in order of id, page by page.")
def _walked(make_store: MakeStore) -> None:
    suspended, dead = LinkState.SUSPENDED, LinkState.TOMBSTONE
    with closing(make_store()) as store:
        kept = _put(
            store,
            *(_lead(0), _lead(1, state=dead), _lead(2, state=suspended), _lead(3, entity="contact")),
            *(_lead(4), _lead(5, state=suspended), _lead(6)),
        )
        expect(list(store.links_after("lead", 0, 9)), [kept[0], kept[4], kept[6]], "links_after() by default")
        both = (suspended, LinkState.LIVE)
        expect(list(store.links_after("lead", 0, 3, states=both)), [kept[0], kept[2], kept[4]], "the first page")
        expect(list(store.links_after("lead", kept[4].id, 3, states=both)), [kept[5], kept[6]], "the next page")
        expect(list(store.links_after("lead", 0, 9, states=(dead,))), [kept[1]], "links_after() of tombstones")
        expect(list(store.links_after("lead", 0, 9, states=())), [], "links_after() of no state")


@promises("count_links() counts the live links of each entity.")
def _counted(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        expect(dict(store.count_links()), {}, "count_links() of a new state")
        _put(store, _lead(0), _lead(1), _lead(2, entity="contact"))
        _put(store, _lead(3, state=LinkState.SUSPENDED), _lead(4, state=LinkState.TOMBSTONE, entity="account"))
        expect(dict(store.count_links()), {"lead": 2, "contact": 1}, "count_links()")
        found = store.links(
            ["lead", "contact", "account"], System.MARKETO, [_lead(number).marketo for number in range(5)]
        )
        lead, other, contact, suspended, dead = (found[_lead(number).marketo] for number in range(5))
        _put(store, attrs.evolve(lead, version="2"))
        expect(dict(store.count_links()), {"lead": 2, "contact": 1}, "count_links() after a change of what is live")
        _put(store, attrs.evolve(contact, entity="lead"), attrs.evolve(other, state=LinkState.TOMBSTONE))
        _put(store, *(attrs.evolve(link, state=LinkState.LIVE) for link in (suspended, dead)))
        expect(dict(store.count_links()), {"lead": 3, "account": 1}, "count_links() after links moved")


def _text(name: str, length: int) -> FieldSpec:
    return FieldSpec(name=name, type="text", label=f"«{name}»", length=length, targets=("a", "b"), id=f"id-{name}")


_EMAIL: Final = SelectedPair(
    pair=FieldPair(Entity.LEAD, "emailaddress1", "email", authority=System.MARKETO, state=PairState.BACKFILLING),
    dynamics=_text("emailaddress1", 100),
    marketo=_text("email", 255),
)
_LEVEL: Final = SelectedPair(
    pair=FieldPair(
        VISIT,
        "new_level",
        "level",
        direction=Direction.TO_MARKETO,
        selection=3,
        late=True,
        state=PairState.BLOCKED,
        reason="«secured»",
    ),
    dynamics=FieldSpec(
        name="new_level",
        type="choice",
        choices={1: "Ägypten", 2: "Low"},
        translations={1031: {2: "Niedrig"}},
        default=1,
        minimum=0.5,
        secured=True,
    ),
    marketo=FieldSpec(name="level", type="text", readable=False, required=True, nature="calculated", writable=False),
)


def _without_lens(pairs: Sequence[SelectedPair]) -> list[SelectedPair]:
    """A lens is made anew, so it is never equal to what it was."""
    return [attrs.evolve(found, pair=attrs.evolve(found.pair, lens=IDENTITY)) for found in pairs]


@promises("pairs() returns the selected pairs as they were, with their lenses, in the order of their selection.")
def _pairs(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        expect(list(store.pairs()), [], "pairs() of a new state")
        with store.transaction():
            store.put_pairs(iter([_LEVEL, _EMAIL]))
        expect(_without_lens(store.pairs()), [_LEVEL, _EMAIL], "pairs()")
        level = store.pairs()[0]
        expect(level.pair.lens.to_marketo(1), "Ägypten", "a choice of 1 through the pair's lens")
        expect(getattr(level.pair.entity, "parent", None), SUBSCRIPTION, "the parent of the pair's entity")
        active = attrs.evolve(_EMAIL, pair=attrs.evolve(_EMAIL.pair, state=PairState.ACTIVE, authority=None))
        with store.transaction():
            store.put_pairs([active])
        expect(_without_lens(store.pairs()), [_LEVEL, active], "pairs() after one was replaced")


@promises("description() returns how a system described an object's fields when it was last asked.")
def _described(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        expect(store.description(System.DYNAMICS, "lead"), None, "description() of an object never described")
        first = Description(at=NINE, fields=(_LEVEL.dynamics, _EMAIL.dynamics))
        with store.transaction():
            store.describe(System.DYNAMICS, "lead", first)
            store.describe(System.MARKETO, "lead", Description(at=NINE, fields=()))
        expect(store.description(System.DYNAMICS, "lead"), first, "description()")
        expect(store.description(System.MARKETO, "lead"), Description(at=NINE, fields=()), "one without fields")
        later = Description(at=NINE + HOUR, fields=(_EMAIL.dynamics,))
        with store.transaction():
            store.describe(System.DYNAMICS, "lead", later)
        expect(store.description(System.DYNAMICS, "lead"), later, "description() after it was replaced")


@promises("How often a field was selected is remembered when its pair is removed.")
def _selections(make_store: MakeStore) -> None:
    with closing(make_store()) as store:
        expect(store.selections(Entity.LEAD, "emailaddress1"), 0, "selections() of a field never selected")
        with store.transaction():
            store.put_pairs([_EMAIL, _LEVEL])
            store.put_pairs([attrs.evolve(_EMAIL, pair=attrs.evolve(_EMAIL.pair, state=PairState.ACTIVE))])
        expect(store.selections(Entity.LEAD, "emailaddress1"), 1, "selections() of a field selected once")
        with store.transaction():
            store.remove_pairs([(VISIT, "new_level"), (Entity.CONTACT, "emailaddress1")])
        expect(_without_lens(store.pairs())[0].pair.dynamics, "emailaddress1", "the pair that was not removed")
        expect(len(store.pairs()), 1, "how many pairs are left")
        expect(store.selections(VISIT, "new_level"), 3, "selections() of a field whose pair was removed")
        expect(store.selections(Entity.CONTACT, "emailaddress1"), 0, "selections() of another entity's field")


LINK_CHECKS: Final[tuple[StoreCheck, ...]] = (
    _link_whole,
    _replaced,
    _preferred,
    _covered,
    _unique,
    _traded,
    _walked,
    _counted,
    _described,
    _pairs,
    _selections,
)
