"""Every row of the table of errors in the documentation, against a server that answers so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mkdyn import errors
from mkdyn.adapters.dynamics.batch import Answer
from mkdyn.adapters.dynamics.codes import CODES
from mkdyn.domain.outcomes import Applied, Create, Delete, Outcome, Rejected, Stale, Unknown, Update
from mkdyn.errors import MkdynError, UnreachableError

from .organisation import Organisation, guid, listed, refusal, reply, row

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "dynamics-errors.md"
ROW = re.compile(
    r"^\| (?:`(?P<code>0x\w+)` \| )?(?P<status>\d+) \| (?:[^|]+ \| )?(?P<write>[^|]+) \| (?P<read>\w+) \|$"
)
ANNOTATED = "The length of the 'jobtitle' attribute of the 'lead' entity exceeded the maximum allowed length of '100'."

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


def rows() -> Iterator[tuple[str, int, str, str]]:
    """The page's rows: code, status, what a write ends as, what a read raises."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if found := ROW.match(line):
            yield found["code"] or "", int(found["status"]), found["write"], found["read"]


def test_the_page_has_every_code() -> None:
    """No code is known that is not told, nor told that is not known."""
    assert sorted(code for code, *_ in rows() if code) == sorted(CODES)


async def written(organisation: Organisation) -> Outcome | MkdynError:
    """What becomes of an update."""
    connector = organisation.connector()
    try:
        [outcome] = await connector.write("lead", [Update(key=guid(1), values={"jobtitle": "x"})])
    except MkdynError as error:
        return error
    return outcome


async def read(organisation: Organisation) -> MkdynError:
    """What a read raises."""
    connector = organisation.connector()
    with pytest.raises(MkdynError) as raised:
        await connector.read("lead", [guid(1)], fields=["jobtitle"])
    return raised.value


@pytest.mark.parametrize(("code", "status", "write", "raised"), list(rows()))
async def test_each_row(organisation: Organisation, code: str, status: int, write: str, raised: str) -> None:
    """A write that is answered with the code ends as the page says, and a read raises what it says."""
    organisation.on(r"PATCH leads", refusal(status, code, "Ann Canary was refused"))
    organisation.on(r"GET leads\?", refusal(status, code, "Ann Canary was refused"))
    outcome, error = await written(organisation), await read(organisation)
    match write:
        case "Stale":
            assert outcome == Stale()
        case "Stale, gone":
            assert outcome == Stale(gone=True)
        case "Rejected":
            assert isinstance(outcome, Rejected)
            assert (outcome.code, outcome.field) == (code or str(status), None)
            assert "Canary" not in outcome.message
        case "busy":
            assert isinstance(outcome, Unknown)
            assert len(organisation.asked("PATCH")) == 3
        case "Unknown":
            assert outcome == Unknown(reason=f"Dynamics answered {status}")
        case _:
            assert type(outcome) is getattr(errors, write)
    assert type(error) is getattr(errors, raised)
    assert "Canary" not in str(error)
    if write != "busy":
        assert len(organisation.asked("PATCH")) == 1


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (ANNOTATED, "jobtitle"),
        ("Could not find a property named 'jobtitle' on type 'Microsoft.Dynamics.CRM.lead'.", "jobtitle"),
        ("The value of score is out of range.", "score"),
        ("The columns jobtitle and score don't go together.", None),
        ("An undeclared property 'new_ParentAccount' was found.", "parentaccountid"),
        ("The lastname is wrong.", None),
        ("Something is wrong.", None),
    ],
)
async def test_the_field_to_blame(organisation: Organisation, message: str, field: str | None) -> None:
    """It is the one that the sentence names, under any of its names, if it was written and is the only one."""
    organisation.on(r"PATCH leads", refusal(400, "0x80044331", message))
    values = {"jobtitle": "x", "score": 7, "parentaccountid": guid(9)}
    [outcome] = await organisation.connector().write("lead", [Update(key=guid(1), values=values)])
    assert isinstance(outcome, Rejected)
    assert outcome.field == field


async def test_a_plug_in_blames_nobody(organisation: Organisation) -> None:
    """What a customer's own code says need not be about the column it mentions."""
    organisation.on(r"PATCH leads", refusal(400, "0x80040265", "Fill in 'jobtitle' in the parent first"))
    outcome = await written(organisation)
    assert outcome == Rejected(code="0x80040265", message="A plug-in refused it.")


async def test_a_lacking_privilege_is_named(organisation: Organisation) -> None:
    """Its name is no secret, and what a person must add to the role."""
    message = "Principal user (Id=…) is missing prvWriteLead privilege (Id=…) on OTC=4 for entity 'lead'."
    organisation.on(r"PATCH leads", refusal(403, "0x80040220", message))
    organisation.on(r"GET leads\?", refusal(403, "0x80040220", message.replace("Write", "Read")))
    outcome, error = await written(organisation), await read(organisation)
    assert outcome == Rejected(code="0x80040220", message="The user's role lacks a privilege: prvWriteLead.")
    assert "lead: The user's role lacks a privilege (prvReadLead). Run sync.check()" in str(error)


@pytest.mark.parametrize("status", [400, 403, 404, 410, 500])
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error":{"code":"0x8004', b'{"error":{}}'])
async def test_half_a_refusal_is_none(organisation: Organisation, status: int, body: bytes) -> None:
    """A gateway's page, or what broke off, says nothing of the table: it may be otherwise next time."""
    organisation.on(r"PATCH leads", Answer(status=status, body=body))
    organisation.on(r"GET leads\?", Answer(status=status, body=body))
    assert isinstance(await read(organisation), UnreachableError)
    outcome = await written(organisation)
    assert outcome == (Stale(gone=True) if status == 404 else Unknown(reason=f"Dynamics answered {status}"))


# -- what depends on the write ---------------------------------------------------------------------------------


async def test_a_create_that_is_answered_412_is_looked_up(organisation: Organisation) -> None:
    """There: found, with its version. Not there: another row is in the way."""
    organisation.on(r"PATCH leads", refusal(412, "", "A record with matching key values already exists."))
    organisation.on(r"GET leads\?", listed(row(1, 7)))
    writes = [Create(key=guid(number), values={"lastname": "Oak"}) for number in (1, 2)]
    assert await organisation.connector().write("lead", writes) == [
        Applied(key=guid(1), version='W/"7"', found=True),
        Rejected(code="412", message="The row has another version."),
    ]


async def test_a_lookup_that_fails_leaves_it_unknown(organisation: Organisation) -> None:
    """Nobody knows whether the row was there."""
    organisation.on(r"PATCH leads", refusal(412, "0x80040237"))
    organisation.on(r"GET leads\?", refusal(502))
    [outcome] = await organisation.connector().write("lead", [Create(key=guid(1), values={})])
    assert outcome == Unknown(reason="Dynamics lead answered 502.")


async def test_a_delete_of_what_is_gone_is_done(organisation: Organisation) -> None:
    """404 says just that."""
    organisation.on(r"DELETE leads", refusal(404, "0x80040217"))
    assert await organisation.connector().write("lead", [Delete(key=guid(1))]) == [Applied(key=guid(1))]


@pytest.mark.parametrize(
    ("message", "there", "outcome"),
    [
        (f"lead With Id = {guid(1)} Does Not Exist", True, Stale(gone=True)),
        (f"account With Id = {guid(9).upper()} Does Not Exist", False, "parentaccountid"),
        ("Does Not Exist", True, None),
        ("Does Not Exist", False, Stale(gone=True)),
    ],
)
async def test_what_is_gone_is_told_apart(
    organisation: Organisation, message: str, there: bool, outcome: Stale | str | None
) -> None:
    """Either the row, or what it refers to: by the GUID in the answer, or by looking it up."""
    organisation.on(r"PATCH leads", refusal(404, "0x80040217", message))
    organisation.on(r"GET leads\?", listed(*([row(1)] if there else [])))
    update = Update(key=guid(1), values={"parentaccountid": guid(9)})
    [found] = await organisation.connector().write("lead", [update])
    if isinstance(outcome, Stale):
        assert found == outcome
    else:
        assert found == Rejected(code="0x80040217", message="The row is not there.", field=outcome)


async def test_a_busy_server_is_asked_again(organisation: Organisation) -> None:
    """Nothing was done, so the same write may follow; what was done is not sent again."""
    organisation.on(r"PATCH leads", refusal(500, "0x80044150", "Sql Number: 1205"), reply(row(1, 8)))
    organisation.on(r"PATCH leads.00000002", reply(row(2, 9)))
    writes = [Update(key=guid(number), values={"jobtitle": "x"}) for number in (1, 2)]
    assert await organisation.connector().write("lead", writes) == [
        Applied(key=guid(1), version='W/"8"'),
        Applied(key=guid(2), version='W/"9"'),
    ]
    assert len(organisation.asked("PATCH")) == 3
