"""Records that are known by several fields together: roles in opportunities, and custom objects of others' making."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from mkdyn.adapters.marketo.requests import asking
from mkdyn.domain.keys import joined
from mkdyn.domain.outcomes import Applied, Create, Delete, Rejected, Stale, Update
from mkdyn.errors import ConfigError, SetupError, UnknownFieldError
from mkdyn.testing import FakeMarketo

from .instance import Instance, Json, refusal, sent, served, success

pytestmark = pytest.mark.anyio

ROLE = "opportunityRole"
FIELDS = ["role", "isPrimary", "leadId"]


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


async def test_roles_are_made_found_changed_and_deleted() -> None:
    """By the opportunity, the person and what the role is called; nothing happens twice, whoever asks twice."""
    fake = FakeMarketo()
    ada, bob = (int(fake.create("lead", lastName=name)) for name in ("Ada", "Bob"))
    fake.create("opportunity", externalOpportunityId="O1", name="Renewal")
    first, second, nobody = (joined(["O1", *rest]) for rest in ([ada, "Champion"], [bob, "Champion"], [99, "Champion"]))
    async with served(fake=fake) as (connector, _):
        assert {spec.name for spec in await connector.describe(ROLE)} > {"role", "leadId", "externalOpportunityId"}
        made = [Create(key=key, values={"isPrimary": key == first}) for key in (first, nobody, second)]
        outcomes = await connector.write(ROLE, made)
        assert outcomes[::2] == [Applied(key=first), Applied(key=second)]
        assert isinstance(outcomes[1], Rejected)
        assert await connector.write(ROLE, made[:1]) == [Applied(key=first, found=True)]
        found = await connector.read(ROLE, [second, first, nobody], fields=FIELDS)
        assert {key: dict(record.values) for key, record in found.items()} == {
            first: {"role": "Champion", "isPrimary": True, "leadId": ada},
            second: {"role": "Champion", "isPrimary": False, "leadId": bob},
        }
        assert [record.key for record in await connector.find(ROLE, "leadId", [str(bob)], fields=["role"])] == [second]
        changes = [Update(key=second, values={"isPrimary": True}), Update(key=nobody, values={"isPrimary": True})]
        assert await connector.write(ROLE, changes) == [Applied(key=second), Stale(gone=True)]
        assert (await connector.read(ROLE, [second], fields=FIELDS))[second].values["isPrimary"] is True
        assert await connector.write(ROLE, [Delete(key=first), Delete(key=nobody)]) == [
            Applied(key=first),
            Applied(key=nobody),
        ]
        assert set(await connector.read(ROLE, [first, second], fields=FIELDS)) == {second}


async def test_a_key_is_the_same_in_any_case() -> None:
    """As Marketo compares them; what was asked for is what is answered."""
    fake = FakeMarketo()
    ada = int(fake.create("lead", lastName="Ada"))
    fake.create("opportunity", externalOpportunityId="O1", name="Renewal")
    async with served(fake=fake) as (connector, _):
        await connector.write(ROLE, [Create(key=joined(["O1", ada, "Champion"]), values={})])
        other = joined(["o1", ada, "CHAMPION"])
        assert set(await connector.read(ROLE, [other], fields=["role"])) == {other}


def _described(dedupe: Sequence[str], searchable: Sequence[Sequence[str]]) -> dict[str, object]:
    names = [*dedupe, "name"]
    fields = [{"name": name, "displayName": name, "dataType": "string", "updateable": name == "name"} for name in names]
    return success(
        {
            "name": "seat_c", "idField": "marketoGUID", "dedupeFields": [*dedupe],
            "searchableFields": [[*one] for one in searchable], "fields": fields,
        }
    )  # fmt: skip


async def test_custom_objects_may_have_such_keys(instance: Instance) -> None:
    """Three hundred keys a call, and every page is asked for with all of them."""
    instance.on("customobjects/seat_c/describe", _described(["hall", "row"], [["hall", "row"], ["marketoGUID"]]))

    def page(request: httpx.Request) -> Json:
        body = sent(request)
        if len(body["input"]) == 1:  # which of the two calls comes first is anybody's guess
            return success(moreResult=False)
        if "nextPageToken" in body:
            return success({"seq": 0, "hall": "A", "row": "2", "name": "y"}, moreResult=False)
        return success({"seq": 0, "hall": "A", "row": "1", "name": "x"}, nextPageToken="P==", moreResult=True)

    instance.on("customobjects/seat_c", page)
    keys = [joined(["A", str(row)]) for row in range(301)]
    found = await instance.connector().read("seat_c", keys, fields=["name"])
    assert {key: record.values["name"] for key, record in found.items()} == {keys[1]: "x", keys[2]: "y"}
    asked = [sent(request) for request in instance.asked("customobjects/seat_c")]
    assert sorted(len(body["input"]) for body in asked) == [1, 300, 300]
    [token] = [body["nextPageToken"] for body in asked if "nextPageToken" in body]
    assert token == "P=="
    assert all(body["fields"] == ["name", "hall", "row"] for body in asked)


async def test_a_key_of_our_own_is_enough(instance: Instance) -> None:
    """Where an object can be found by the field that mkdyn keeps its key in, that is its key."""
    instance.on("customobjects/seat_c/describe", _described(["dynamicsId", "row"], [["dynamicsId"]]))
    instance.on("customobjects/seat_c", success({"seq": 0, "status": "created"}))
    assert await instance.connector().write("seat_c", [Create(key="G1", values={"name": "x"})]) == [Applied(key="G1")]
    [request] = instance.asked("customobjects/seat_c")
    assert sent(request)["input"] == [{"name": "x", "dynamicsId": "G1"}]


@pytest.mark.parametrize("key", ["", "O1", '"O1"', json.dumps(["O1", 7]), "[1,", "{}"])
async def test_what_is_no_such_key_is_refused(instance: Instance, key: str) -> None:
    """Before anything is sent, with an example."""
    instance.on("customobjects/seat_c/describe", _described(["a", "b", "c"], [["a", "b", "c"]]))
    with pytest.raises(ConfigError, match="list of 3 values") as caught:
        await instance.connector().read("seat_c", [key], fields=["name"])
    assert "Decision Maker" in str(caught.value)
    with pytest.raises(ConfigError, match="list of 3 values"):
        await instance.connector().write("seat_c", [Delete(key=key)])
    assert not instance.asked("customobjects/seat_c")


async def test_a_field_that_is_gone_is_named(instance: Instance) -> None:
    """As with any other object."""
    instance.on(
        "customobjects/seat_c/describe",
        _described(["a", "b"], [["a", "b"]]),
        success({"name": "seat_c", "dedupeFields": ["a", "b"], "fields": [{"name": "a", "dataType": "string"}]}),
    )
    instance.on("customobjects/seat_c", refusal("1006"))
    with pytest.raises(UnknownFieldError, match="seat_c"):
        await instance.connector().read("seat_c", [joined(["1", "2"])], fields=["name"])


async def test_what_is_refused_otherwise_is_told(instance: Instance) -> None:
    """With Marketo's code."""
    instance.on("customobjects/seat_c/describe", _described(["a", "b"], [["a", "b"]]))
    instance.on("customobjects/seat_c", refusal("1003"))
    with pytest.raises(SetupError, match="1003"):
        await instance.connector().read("seat_c", [joined(["1", "2"])], fields=["name"])


def test_what_is_too_long_for_an_address_goes_in_a_form() -> None:
    """Marketo takes the same question either way."""
    short, long = asking("leads", fields="a"), asking("leads", fields="a" * 7_000)
    assert (short.method, short.path, short.body) == ("GET", "/rest/v1/leads.json?fields=a", None)
    assert (long.method, long.path) == ("POST", "/rest/v1/leads.json?_method=GET")
    assert long.body == b"fields=" + b"a" * 7_000
