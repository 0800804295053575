"""Whatever a system shows is read from the state as it was written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import attrs
import pytest
from hypothesis import given, strategies as st

from mkdyn.adapters.sqlite.baselines import Kept
from mkdyn.adapters.sqlite.columns import agreed_as_data, agreed_from, custom_of, entity_of, instant, written
from mkdyn.domain.entities import AnyEntity, CustomEntity, Entity
from mkdyn.domain.records import Agreed, Link, Moved, Twofold
from mkdyn.domain.systems import System
from mkdyn.domain.values import FieldValue, from_json
from mkdyn.testing.memory_store import MemoryStore

#: Half a character, too: a text cut by a system that counts in UTF-16.
texts = st.text(st.characters(), max_size=20)
#: Such as columns have, and any others.
names = st.sampled_from(["name", "name#2", "other.name"]) | texts.filter(lambda name: not name.startswith("$"))
values: st.SearchStrategy[FieldValue] = st.one_of(
    st.none(),
    texts,
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.datetimes(timezones=st.none() | st.timezones()),
    st.dates(),
)
baselines = st.dictionaries(names, values | st.builds(Twofold, values, values), max_size=5)


def exactly(agreed: Agreed) -> tuple[str, ...]:
    """A value so that what Python calls equal differs, and NaN is itself."""
    if isinstance(agreed, Twofold):
        return (*exactly(agreed.dynamics), *exactly(agreed.marketo))
    # A time with its offset: the zone's name is not kept.
    return (type(agreed).__name__, agreed.isoformat() if isinstance(agreed, date) else repr(agreed))


def all_exactly(baseline: Mapping[str, Agreed]) -> dict[str, tuple[str, ...]]:
    """A baseline so that what Python calls equal differs."""
    return {name: exactly(agreed) for name, agreed in baseline.items()}


@given(baselines)
def test_baselines(baseline: dict[str, Agreed]) -> None:
    """A baseline of any values, one or two to a field, is read as it was written."""
    text = written(agreed_as_data(baseline))
    assert text.encode()  # UTF-8 takes it
    assert all_exactly(agreed_from(from_json(text))) == all_exactly(baseline)


@given(st.lists(baselines, min_size=1, max_size=3))
def test_links(baselines: list[dict[str, Agreed]]) -> None:
    """Links are read as they were written, through the database."""
    store = MemoryStore()
    links = [
        Link(entity="lead", dynamics=f"g-{place}", marketo=str(place), baseline=baseline)
        for place, baseline in enumerate(baselines)
    ]
    with store.transaction():
        store.put_links(links)
    found = store.links(["lead"], System.DYNAMICS, [link.dynamics for link in links])
    assert {key: all_exactly(link.baseline) for key, link in found.items()} == {
        link.dynamics: all_exactly(link.baseline) for link in links
    }


@pytest.mark.parametrize("text", ['{"a":1,"b":"x,\\"a\\":2","c":[1,{"$decimal":"2.5"}]}', "{}"])
@pytest.mark.parametrize("names", ["a", "b", "c", "d", "adb", "abcdefg", ["c", "a-b"]])
def test_a_few_names_are_replaced_in_the_text(text: str, names: Sequence[str]) -> None:
    """Few fields or many, wherever they stand or not there yet: the text is that of all of them, written anew."""
    changes: dict[str, Agreed] = {name: Twofold("new", 3) if name == "c" else f"new,{name}" for name in names}
    kept = Kept(text, "acme.db")
    assert json.loads(kept.with_changes(changes)) == {**json.loads(text), **agreed_as_data(changes)}


@given(baselines, baselines)
def test_baselines_that_move(baseline: dict[str, Agreed], changes: dict[str, Agreed]) -> None:
    """What lies on top of a baseline is what is read afterwards, beside what did not change."""
    store = MemoryStore()
    with store.transaction():
        [link] = store.put_links([Link(entity="lead", dynamics="g-1", marketo="7", baseline=baseline)])
    for agreed in (link.baseline, store.links(["lead"], System.MARKETO, ["7"])["7"].baseline):
        with store.transaction():
            store.put_links([attrs.evolve(link, baseline=Moved(agreed, changes))])
        found = store.links(["lead"], System.MARKETO, ["7"])["7"].baseline
        assert all_exactly(found) == all_exactly({**baseline, **changes})
        assert len(found) == len(list(found)) == len({**baseline, **changes})
        with store.transaction():
            store.put_links([attrs.evolve(link, baseline=baseline)])


custom_entities = st.recursive(
    st.none() | st.sampled_from(Entity),
    lambda parents: st.builds(CustomEntity, names, parent=parents, via=st.none() | names, marketo=st.none() | names),
    max_leaves=3,
).filter(lambda entity: entity is not None)


@given(custom_entities)
def test_entities(entity: AnyEntity) -> None:
    """An entity of your own is read as it was defined, its parents included."""
    assert entity_of(entity.logical_name, custom_of(entity)) == entity


moments = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.timezones())  # noqa: DTZ001 - hypothesis adds the zone


@given(moments, moments)
def test_times(one: datetime, other: datetime) -> None:
    """A time is read as the instant it is, and its text sorts as it does."""
    assert datetime.fromisoformat(instant(one)) == one.astimezone(UTC)
    assert (instant(one) < instant(other)) == (one.astimezone(UTC) < other.astimezone(UTC))
