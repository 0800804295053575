"""What `RestMarketo` makes of its surroundings."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from mkdyn import MarketoLimits, NewField, RestMarketo
from mkdyn.adapters.marketo.values import moment, sent, type_of, value_of
from mkdyn.domain import Create, Cursor, FieldSpec, Rejected, Unknown, Update
from mkdyn.domain.types import FieldType
from mkdyn.errors import ConfigError, CursorExpiredError, FieldError, MkdynError, UnknownEntityError, UnreachableError
from mkdyn.testing.servers.marketo import Drop, Fail, Garble

from .wired import URL, Instance

pytestmark = pytest.mark.anyio

CANARY = "canary@example.com"


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


@pytest.mark.parametrize("url", ["123-ABC-456.mktorest.com", "http://123-ABC-456.mktorest.com", "https://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """It would take our secret somewhere else."""
    with pytest.raises(ConfigError, match="Marketo's address"):
        RestMarketo(url, client_id="a", client_secret="b")


def test_the_rest_of_an_address_is_left_out() -> None:
    """Marketo shows it with a path; and no secret shows."""
    connector = RestMarketo(f"{URL}/rest", client_id="a", client_secret="canary")
    assert repr(connector) == f"<RestMarketo {URL}>"


def test_everything_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not set is named."""
    monkeypatch.delenv("MARKETO_CLIENT_SECRET", raising=False)
    monkeypatch.setenv("MARKETO_URL", URL)
    monkeypatch.setenv("MARKETO_CLIENT_ID", "a")
    with pytest.raises(ConfigError, match=r"Not set: MARKETO_CLIENT_SECRET\."):
        RestMarketo.from_env()
    monkeypatch.setenv("MARKETO_CLIENT_SECRET", "b")
    assert repr(RestMarketo.from_env(limits=MarketoLimits(share=0.3))) == f"<RestMarketo {URL}>"


async def test_who_we_are() -> None:
    """The Munchkin id is the organisation."""
    found = await Instance().connector.identify()
    assert (found.organization, found.batch_max) == ("123-ABC-456", 1500)
    assert found.user


@pytest.mark.parametrize("fault", [Drop(applied="yes"), Garble(how="html"), Garble(how="truncated"), Fail()])
async def test_nobody_knows_of_a_write_without_an_answer(fault: Drop | Garble | Fail) -> None:
    """It is not sent again."""
    instance = Instance()
    key = instance.fake.create("lead", lastName="A")
    await instance.connector.describe("lead")
    instance.server.faults.append(fault)
    before = instance.server.arrivals.total()
    [outcome] = await instance.connector.write("lead", [Update(key=key, values={"title": "x"})])
    assert isinstance(outcome, Unknown)
    assert instance.server.arrivals.total() == before + 1
    with pytest.raises(UnreachableError):
        await instance.connector.read("lead", [key], fields=["title"])


async def test_a_batch_with_one_bad_record_loses_only_that() -> None:
    """And one key that is written twice goes in two calls."""
    instance = Instance()
    keys = [instance.fake.create("lead", lastName=name) for name in "AB"]
    writes = [
        Update(key=keys[0], values={"leadScore": 1}),
        Update(key=keys[1], values={"email": "none"}),
        Update(key=keys[0], values={"leadScore": 2}),
    ]
    outcomes = await instance.connector.write("lead", writes)
    assert [type(outcome).__name__ for outcome in outcomes] == ["Applied", "Rejected", "Applied"]
    assert isinstance(outcomes[1], Rejected)
    assert outcomes[1].field == "email"
    record = instance.fake.record("lead", keys[0])
    assert record is not None
    assert record.values["leadScore"] == 2


async def test_nothing_is_asked_for_nothing() -> None:
    """No keys, no values, no writes."""
    instance = Instance()
    await instance.connector.describe("lead")
    before = instance.server.arrivals.total()
    assert await instance.connector.read("lead", [], fields=["email"]) == {}
    assert await instance.connector.find("lead", "email", [], fields=["email"]) == []
    assert await instance.connector.write("lead", []) == []
    assert instance.server.arrivals.total() == before


async def test_a_thousand_persons_take_four_calls() -> None:
    """Three hundred a call."""
    instance = Instance()
    keys = [instance.fake.create("lead", lastName="A") for _ in range(1_000)]
    await instance.connector.describe("lead")
    before = instance.server.arrivals.total()
    assert len(await instance.connector.read("lead", keys, fields=["lastName"])) == 1_000
    assert instance.server.arrivals.total() == before + 4


async def test_a_value_with_a_comma_is_found_by_nothing() -> None:
    """Marketo would take it for two."""
    instance = Instance()
    assert await instance.connector.find("lead", "email", ["a,b"], fields=["email"]) == []


@pytest.mark.parametrize("token", ["", "nonsense|nonsense", "2020-01-01T00:00:00+00:00|2020-01-01T00:00:00+00:00"])
async def test_a_place_that_the_feed_cannot_be_resumed_at_has_expired(token: str) -> None:
    """Marketo keeps deletions for fourteen days."""
    instance = Instance()
    cursor = Cursor(token=token, at=datetime(2020, 1, 1, tzinfo=UTC))
    async with instance.connector.changes("lead", fields=["email"], since=cursor) as pages:
        with pytest.raises(CursorExpiredError):
            await anext(pages)


async def test_only_persons_have_a_feed() -> None:
    """Companies have none."""
    with pytest.raises(UnknownEntityError, match="no feed of company"):
        async with Instance().connector.changes("company", fields=["company"], since=None):
            pass


async def test_fields_of_companies_are_made_by_hand() -> None:
    """Marketo's API makes none."""
    with pytest.raises(FieldError, match="creates no field of company"):
        await Instance().connector.create_field("company", NewField("Tier"))


async def test_too_many_are_not_merged_at_once() -> None:
    """Marketo refuses more than twenty-five."""
    outcome = await Instance().connector.merge("1", [str(number) for number in range(2, 30)])
    assert isinstance(outcome, Rejected)


async def test_no_secret_and_no_address_of_a_person_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong: in no log, no error, no outcome."""
    caplog.set_level(logging.DEBUG)
    instance = Instance()
    connector = instance.connect(limits=MarketoLimits(share=1.0))
    key = instance.fake.create("lead", lastName="A", email=CANARY)
    shown = [repr(connector), repr(await connector.find("lead", "email", [CANARY], fields=["lastName"]))]
    shown.append(repr(await connector.write("lead", [Create(key=CANARY, values={"title": CANARY * 20}, by="email")])))
    for fault in (Drop(), Garble(how="html"), Fail()):
        instance.server.faults[:] = [fault]
        shown.append(repr(await connector.write("lead", [Update(key=key, values={"title": CANARY})])))
        try:
            await connector.find("lead", "email", [CANARY], fields=["email"])
        except MkdynError as error:
            shown.append(f"{error!r} {error}")
    told = caplog.text + " ".join(shown)
    assert "secret" not in told.replace("client_secret", "")
    assert CANARY not in told.replace("find", "")
    assert "access_token" not in told


@pytest.mark.parametrize(
    ("kind", "found", "value"),
    [
        ("text", "a", "a"),
        ("text", None, None),
        ("boolean", None, False),
        ("boolean", "true", True),
        ("integer", 7, 7),
        ("integer", "7.0", 7),
        ("percent", 7.5, Decimal("7.5")),
        ("float", 1, 1.0),
        ("date", "2026-01-31", date(2026, 1, 31)),
        ("datetime", "2026-01-31T10:00:00Z", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("datetime", "2026-01-31T10:00:00+0000", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("datetime", "2026-01-31T10:00:00Z+0000", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("datetime", "2026-01-31T02:00:00-08:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("datetime", "2026-01-31 10:00:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("reference", 12, "12"),
    ],
)
def test_a_value_is_read_in_every_spelling(kind: FieldType, found: object, value: object) -> None:
    """As recorded answers have them."""
    assert value_of(FieldSpec(name="a", type=kind), found) == value


def test_values_are_sent_in_one_spelling() -> None:
    """Times in UTC, nothing for nothing."""
    assert sent(moment("2026-01-31T02:00:00-08:00")) == "2026-01-31T10:00:00Z"
    assert [sent(value) for value in ("", None, date(2026, 1, 2), Decimal("1.5"), True)] == [
        None, None, "2026-01-02", 1.5, True,
    ]  # fmt: skip
    assert type_of("lead_function") == "unsupported"
