"""Writes: what is sent, in which batches, and what each answer comes to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx
import pytest

from mkdyn.adapters.dynamics.batch import Answer, Part
from mkdyn.domain.outcomes import Applied, Create, Delete, Rejected, Stale, Unknown, Update, Write
from mkdyn.domain.values import FieldValue
from mkdyn.errors import CredentialsError, SetupError, UnknownEntityError, UnreachableError

from .organisation import COLUMNS, Organisation, column, guid, listed, refusal, reply, row

pytestmark = pytest.mark.anyio

LEAD = r"GET EntityDefinitions\(LogicalName='lead'\)"


def sent(part: Part) -> Mapping[str, Any]:
    """What a request writes."""
    body: Mapping[str, Any] = json.loads(part.body or b"null", parse_float=Decimal)
    return body


async def test_what_is_sent(organisation: Organisation) -> None:
    """A create never updates, an update never creates, and both carry what they depend on."""
    organisation.on(r"PATCH leads", reply(row(1, 8)))
    organisation.on(r"DELETE leads", Answer(status=204))
    writes: list[Write] = [
        Create(key=guid(1).upper(), values={"lastname": "Oak", "revenue": Decimal("12.50")}),
        Update(key=guid(2), values={"jobtitle": None, "donotphone": True}, version='W/"7"'),
        Update(key=guid(3), values={"jobtitle": ""}),
        Delete(key=guid(4), version='W/"7"'),
        Delete(key=guid(5)),
    ]
    outcomes = await organisation.connector().write("lead", writes)
    assert outcomes == [
        Applied(key=guid(1), version='W/"8"'),
        Applied(key=guid(2), version='W/"8"'),
        Applied(key=guid(3), version='W/"8"'),
        Applied(key=guid(4)),
        Applied(key=guid(5)),
    ]
    parts = organisation.asked("^(PATCH|DELETE)")
    assert [(part.method, part.target.split("/")[-1]) for part in parts] == [
        ("PATCH", f"leads({guid(1)})?$select=leadid"),
        ("PATCH", f"leads({guid(2)})?$select=leadid"),
        ("PATCH", f"leads({guid(3)})?$select=leadid"),
        ("DELETE", f"leads({guid(4)})"),
        ("DELETE", f"leads({guid(5)})"),
    ]
    conditions = [(part.headers.get("If-Match"), part.headers.get("If-None-Match")) for part in parts]
    assert conditions == [(None, "*"), ('W/"7"', None), ("*", None), ('W/"7"', None), (None, None)]
    assert [sent(part) for part in parts[:3]] == [
        {"lastname": "Oak", "revenue": Decimal("12.50")}, {"jobtitle": None, "donotphone": True}, {"jobtitle": None},
    ]  # fmt: skip


async def test_lookups_are_written_by_their_names(organisation: Organisation) -> None:
    """To the table they point to; of several, to the one that has the row; an empty one is emptied in all of them."""
    organisation.on(r"PATCH leads", reply(row(1, 8)))
    organisation.on(r"GET accounts\?", listed())
    organisation.on(r"GET contacts\?", listed({"contactid": guid(8)}))
    organisation.on(r"GET systemusers\?", listed())
    organisation.on(r"GET teams\?", listed({"teamid": guid(9)}))
    values = {"parentaccountid": guid(7).upper(), "customerid": guid(8), "ownerid": guid(9)}
    empty = dict.fromkeys(values)
    connector = organisation.connector()
    await connector.write("lead", [Update(key=guid(1), values=values), Update(key=guid(2), values=empty)])
    await connector.write("lead", [Update(key=guid(3), values={"parentaccountid": guid(6)})])
    assert [sent(part) for part in organisation.asked("PATCH")] == [
        {
            "new_ParentAccount@odata.bind": f"/accounts({guid(7)})",
            "customerid_contact@odata.bind": f"/contacts({guid(8)})",
            "ownerid@odata.bind": f"/teams({guid(9)})",
        },
        {
            "new_ParentAccount@odata.bind": None,
            "customerid_account@odata.bind": None,
            "customerid_contact@odata.bind": None,
            "ownerid@odata.bind": None,
        },
        {"new_ParentAccount@odata.bind": f"/accounts({guid(6)})"},
    ]
    assert len(organisation.asked(r"LogicalName='account'\)\?")) == 1


async def test_a_lookup_to_nowhere_is_refused_before_it_is_sent(organisation: Organisation) -> None:
    """No table that it may point to has the row."""
    for entity_set in ("accounts", "contacts"):
        organisation.on(rf"GET {entity_set}\?", listed())
    [outcome] = await organisation.connector().write("lead", [Update(key=guid(1), values={"customerid": guid(8)})])
    assert outcome == Rejected(code="0x80040217", message="The row is not there.", field="customerid")
    assert not organisation.asked("PATCH")


async def test_what_a_new_row_does_not_take_follows_at_once(organisation: Organisation) -> None:
    """A state is set in the same change set: the row is made with it, or not at all."""
    organisation.on(r"PATCH leads", reply(row(1, 7)), reply(row(1, 8)))
    create = Create(key=guid(1), values={"lastname": "Oak", "statecode": 1})
    assert await organisation.connector().write("lead", [create]) == [Applied(key=guid(1), version='W/"8"')]
    first, second = organisation.asked("PATCH")
    assert (sent(first), first.headers["If-None-Match"]) == ({"lastname": "Oak"}, "*")
    assert (sent(second), second.headers["If-Match"]) == ({"statecode": 1}, "*")


@pytest.mark.parametrize("place", [0, 1])
async def test_a_change_set_that_fails_makes_nothing(organisation: Organisation, place: int) -> None:
    """The part that failed speaks for both."""
    answers = [reply(row(1, 7)), reply(row(1, 8))]
    answers[place] = refusal(400, "0x80048408", "'statecode' is not valid.")
    organisation.on(r"PATCH leads", *answers)
    create = Create(key=guid(1), values={"lastname": "Oak", "statecode": 1})
    [outcome] = await organisation.connector().write("lead", [create])
    sentence = "The status reason does not belong to the state."
    assert outcome == Rejected(code="0x80048408", message=sentence, field="statecode")


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"lastname": "Oak", "nowhere": "x"}, "0x80060888", "nowhere"),
        ({"owneridname": "x"}, "0x80060888", "owneridname"),
        ({"photo": "x"}, "0x80060888", "photo"),
        ({"createdon": None}, "not-writable", "createdon"),
        ({"score": "many"}, "0x80048d19", "score"),
        ({"parentaccountid": "no GUID"}, "0x80048d19", "parentaccountid"),
    ],
)
async def test_what_dynamics_would_pass_over_is_refused(
    organisation: Organisation, values: Mapping[str, FieldValue], code: str, field: str
) -> None:
    """A column that is not there or that nobody writes, a value of another type: nothing of it is sent."""
    organisation.on(r"PATCH leads", reply(row(1, 8)))
    writes: list[Write] = [Update(key=guid(1), values=values), Create(key=guid(2), values=values)]
    good = Update(key=guid(3), values={"jobtitle": "x"})
    first, second, third = await organisation.connector().write("lead", [*writes, good])
    for outcome in (first, second):
        assert isinstance(outcome, Rejected)
        assert (outcome.code, outcome.field) == (code, field)
    assert isinstance(third, Applied)
    assert len(organisation.asked("PATCH")) == 1


async def test_a_key_that_is_no_guid_is_refused(organisation: Organisation) -> None:
    """It never gets into an address."""
    [outcome] = await organisation.connector().write("lead", [Delete(key=f"{guid(1)})/jobtitle")])
    assert outcome == Rejected(code="0x80048d19", message="The key is no GUID.")
    assert not organisation.asked("DELETE")


async def test_a_column_may_be_written_once_it_is_allowed(organisation: Organisation) -> None:
    """Rights are asked again before a write is refused for them."""
    organisation.on(r"PATCH leads", reply(row(1, 8)))
    organisation.secure("jobtitle")
    organisation.grant(jobtitle=["CanRead"])
    connector = organisation.connector()
    update = Update(key=guid(1), values={"jobtitle": "x"})
    create = Create(key=guid(2), values={"lastname": "Oak", "jobtitle": "x"})
    codes = [getattr(outcome, "code", None) for outcome in await connector.write("lead", [update, create])]
    assert codes == ["0x8004f507", "0x8004f502"]
    organisation.grant(jobtitle=["CanRead", "CanUpdate"])
    assert isinstance((await connector.write("lead", [update]))[0], Applied)
    assert not organisation.asked(r"IsSecured eq true")[3:]
    others = [*COLUMNS, column("new_one", "String", 200)]
    organisation.on(rf"{LEAD}/Attributes\?.*IsValidForRead", listed(*others))
    [outcome] = await connector.write("lead", [Update(key=guid(1), values={"new_one": "x"})])
    assert isinstance(outcome, Applied)


async def test_a_table_that_goes_meanwhile(organisation: Organisation) -> None:
    """What was known of it is what is left to say."""
    connector = organisation.connector()
    await connector.describe("lead")
    organisation.on(rf"{LEAD}\?", refusal(404))
    [outcome] = await connector.write("lead", [Update(key=guid(1), values={"nowhere": "x"})])
    assert isinstance(outcome, Rejected)
    with pytest.raises(UnknownEntityError):
        await connector.write("lead", [])


# -- batches -----------------------------------------------------------------------------------------------------


async def test_batches_are_small(organisation: Organisation) -> None:
    """No more rows in one request than wanted, no more bytes than reasonable; the answers stand in order."""
    organisation.on(r"PATCH leads", lambda part: reply(row(int(part.target[21:29], 16), 8)))
    updates = [Update(key=guid(number), values={"jobtitle": "x"}) for number in range(1, 24)]
    connector = organisation.connector(rows_per_batch=10)
    outcomes = await connector.write("lead", updates)
    assert [outcome.key for outcome in outcomes if isinstance(outcome, Applied)] == [update.key for update in updates]
    calls = organisation.calls
    large = [Update(key=guid(number), values={"jobtitle": "x" * 1_500_000}) for number in range(1, 6)]
    await connector.write("lead", large)
    assert organisation.calls == calls + 3


async def test_writes_of_one_row_are_sent_one_after_the_other(organisation: Organisation) -> None:
    """At once, they would block each other; and the second waits for what becomes of the first."""
    organisation.on(r"PATCH leads", reply(row(1, 8)))
    connector = organisation.connector(rows_per_batch=1)
    await connector.describe("lead")
    calls = organisation.calls
    updates = [Update(key=guid(1 + number % 2), values={"score": number}) for number in range(5)]
    outcomes = await connector.write("lead", updates)
    assert all(isinstance(outcome, Applied) for outcome in outcomes)
    scores = [(part.target[21:29], sent(part)["score"]) for part in organisation.asked("PATCH")]
    assert [score for key, score in scores if key == "00000001"] == [0, 2, 4]
    assert [score for key, score in scores if key == "00000002"] == [1, 3]
    assert organisation.calls == calls + 5


async def test_nothing_to_write_is_nothing(organisation: Organisation) -> None:
    """But the table must be there."""
    connector = organisation.connector()
    assert not await connector.write("lead", [])
    assert not organisation.asked("PATCH")
    with pytest.raises(UnknownEntityError):
        await connector.write("nothing", [])


# -- lost answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [httpx.ReadTimeout("x"), httpx.ReadError("x"), Answer(status=502, body=b"<html>")])
async def test_an_answer_that_is_lost(organisation: Organisation, fault: Answer | Exception) -> None:
    """Nobody knows, and nothing is sent again."""
    organisation.on(r"PATCH leads", reply(row(1, 8)))
    connector = organisation.connector(rows_per_batch=1)
    await connector.describe("lead")
    calls = organisation.calls
    organisation.faults.append(fault)
    with pytest.raises(UnreachableError):
        await connector.write("lead", [Update(key=guid(1), values={"score": 1})])
    assert organisation.calls == calls + 1


async def test_a_lost_batch_leaves_the_others(organisation: Organisation) -> None:
    """Each batch has a fate of its own."""
    organisation.on(r"PATCH leads", reply(row(1, 8)))
    connector = organisation.connector(rows_per_batch=1)
    await connector.describe("lead")
    organisation.faults.append(httpx.ReadTimeout("x"))
    updates = [Update(key=guid(number), values={"score": 1}) for number in (1, 2)]
    kinds = [type(outcome) for outcome in await connector.write("lead", updates)]
    assert sorted(kinds, key=str) == [Applied, Unknown]


@pytest.mark.parametrize("cut", [1, 100, 200, 300, 400])
async def test_a_batch_that_is_half_answered(organisation: Organisation, cut: int) -> None:
    """What is answered counts; of the rest nobody knows."""
    organisation.on(r"PATCH leads", Answer(status=204, headers={"ETag": 'W/"8"'}))
    connector = organisation.connector()
    await connector.describe("lead")
    text = b"".join(
        b'--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204 X\r\nETag: W/"8"\r\n\r\n\r\n' for _ in range(4)
    )
    organisation.faults.append(
        Answer(status=200, headers={"content-type": "multipart/mixed; boundary=b"}, body=text[:cut])
    )
    updates = [Update(key=guid(number), values={"score": 1}) for number in range(1, 5)]
    outcomes = await connector.write("lead", updates)
    known = [outcome for outcome in outcomes if isinstance(outcome, Applied)]
    assert len(known) == max(text[:cut].count(b"--b\r\n") - 1, 0)
    assert outcomes[: len(known)] == [Applied(key=update.key, version='W/"8"') for update in updates[: len(known)]]
    assert all(isinstance(outcome, Unknown) for outcome in outcomes[len(known) :])


async def test_a_change_set_without_an_answer(organisation: Organisation) -> None:
    """It has parts, and none of them is told."""
    connector = organisation.connector()
    await connector.describe("lead")
    text = b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--\r\n"
    organisation.faults.append(Answer(status=200, headers={"content-type": "multipart/mixed; boundary=b"}, body=text))
    [outcome] = await connector.write("lead", [Create(key=guid(1), values={"statecode": 1})])
    assert isinstance(outcome, Unknown)


async def test_a_version_that_can_not_be_read(organisation: Organisation) -> None:
    """The write is done all the same."""
    organisation.on(r"PATCH leads", Answer(status=200, body=b"{"))
    [outcome] = await organisation.connector().write("lead", [Update(key=guid(1), values={"score": 1})])
    assert outcome == Applied(key=guid(1))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(400, "0x80048d19", "Malformed"), SetupError),
        (refusal(403, "0x80072560"), CredentialsError),
        (refusal(413), SetupError),
        (Answer(status=200, headers={"content-type": "text/html"}, body=b"<html>"), UnreachableError),
    ],
)
async def test_a_batch_that_is_refused_as_one(
    organisation: Organisation, answer: Answer, error: type[Exception]
) -> None:
    """No record is to blame for it."""
    connector = organisation.connector()
    await connector.describe("lead")
    organisation.faults.append(answer)
    with pytest.raises(error):
        await connector.write("lead", [Update(key=guid(1), values={"score": 1})])


async def test_a_row_that_has_moved(organisation: Organisation) -> None:
    """Among others, each in its place."""
    organisation.on(r"PATCH leads", reply(row(1, 8)))
    organisation.on(r"PATCH leads.00000002", refusal(412, "0x80060882"))
    updates = [Update(key=guid(number), values={"score": 1}, version='W/"7"') for number in (1, 2, 3)]
    outcomes = await organisation.connector().write("lead", updates)
    assert outcomes[1] == Stale()
    assert [type(outcome) for outcome in outcomes] == [Applied, Stale, Applied]


# -- many rows in one call -------------------------------------------------------------------------------------


async def test_new_rows_are_made_together(organisation: Organisation) -> None:
    """As many as one call is to make, each with its own GUID; what is more than a row goes by itself, and so do others."""
    organisation.on(r"POST leads/Microsoft.Dynamics.CRM.CreateMultiple", reply({"Ids": []}))
    organisation.on(r"PATCH leads", reply(row(1, 8)))
    values = [{"lastname": "Oak", "revenue": Decimal("12.50")}, {}, {"lastname": "Elm"}]
    writes: list[Write] = [Create(key=guid(number).upper(), values=values[number % 3]) for number in range(5)]
    writes.append(Update(key=guid(7), values={"lastname": "Ash"}))
    outcomes = await organisation.connector(creates_per_call=4).write("lead", writes)
    assert outcomes == [
        *(Applied(key=guid(number)) for number in range(4)), Applied(key=guid(4), version='W/"8"'),
        Applied(key=guid(7), version='W/"8"'),
    ]  # fmt: skip
    [call] = organisation.asked("^POST")
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.lead"}
    assert sent(call) == {"Targets": [{**kind, "leadid": guid(number), **values[number % 3]} for number in range(4)]}
    assert len(organisation.asked("^PATCH")) == 2


async def test_where_one_new_row_is_refused_each_is_sent_by_itself(organisation: Organisation) -> None:
    """The call makes all of them or none; one that is there already is found, and nothing is made twice."""
    organisation.on(r"POST leads/Microsoft.Dynamics.CRM.CreateMultiple", refusal(412, "0x80040237"))
    organisation.on(r"PATCH leads", reply(row(1, 8)))
    organisation.on(rf"PATCH leads\({guid(2)}\)", refusal(412, "0x80060882"))
    organisation.on(r"GET leads\?", listed(row(2, 5)))
    writes: list[Write] = [Create(key=guid(number), values={"lastname": "Oak"}) for number in (1, 2)]
    outcomes = await organisation.connector(creates_per_call=10).write("lead", writes)
    assert outcomes == [Applied(key=guid(1), version='W/"8"'), Applied(key=guid(2), version='W/"5"', found=True)]


async def test_of_rows_made_together_without_an_answer_nothing_is_known(organisation: Organisation) -> None:
    """Neither of those in a call that is lost, nor in a batch that broke off; they are not sent again."""
    connector = organisation.connector(creates_per_call=10)
    writes: list[Write] = [Create(key=guid(number), values={"lastname": "Oak"}) for number in (1, 2)]
    await connector.write("lead", [])
    organisation.on(r"POST leads/Microsoft.Dynamics.CRM.CreateMultiple", reply({"Ids": []}))
    organisation.faults = [httpx.ReadTimeout("late")]
    with pytest.raises(UnreachableError):
        await connector.write("lead", writes)
    nothing = b"--b\r\n--b--\r\n"
    organisation.faults = [Answer(status=200, headers={"content-type": "multipart/mixed; boundary=b"}, body=nothing)]
    assert [type(outcome) for outcome in await connector.write("lead", writes)] == [Unknown, Unknown]
    assert not organisation.asked("^PATCH")
