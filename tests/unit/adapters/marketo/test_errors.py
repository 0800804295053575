"""Every row of the tables of errors in the documentation, against an instance that answers so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mkdyn import errors
from mkdyn.adapters.marketo.codes import TREATMENTS
from mkdyn.domain.outcomes import Applied, Create, Delete, Outcome, Rejected, Stale, Unknown, Update
from mkdyn.errors import BudgetSpentError, MkdynError, ThrottledError, UnknownFieldError, UnreachableError

from .instance import FIELDS, Answer, Instance, refusal, sent, success

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "marketo-errors.md"
WHOLE = re.compile(r"^\| `(\d+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \| (\w+) \|$")
RECORD = re.compile(r"^\| `(\d+)` \| [^|]+ \| (Rejected) \| ([^|]+) \| (Rejected|Applied) \|$")
WRITE = Update(key="7", values={"title": "x"})

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(jumping: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Waits pass at once."""
    return jumping


def rows(row: re.Pattern[str]) -> Iterator[tuple[str, ...]]:
    """A table's rows."""
    for line in PAGE.read_text(encoding="utf-8").split("## A ")[1 if row is WHOLE else 2].splitlines():
        if found := row.match(line):
            yield found.groups()


def test_the_page_has_every_code() -> None:
    """No code has a treatment of its own that is not told, nor is a row of the page passed over."""
    told = [code for code, *_ in rows(WHOLE)]
    assert set(TREATMENTS) - {"702", "1013"} <= set(told)
    assert len(told) + len(list(rows(RECORD))) == PAGE.read_text(encoding="utf-8").count("\n| `")


async def written(instance: Instance, *writes: Create | Update | Delete) -> list[Outcome] | MkdynError:
    """What becomes of writes."""
    try:
        return [*await instance.connector().write("lead", writes)]
    except MkdynError as error:
        return error


async def read(instance: Instance) -> MkdynError:
    """What a read raises."""
    with pytest.raises(MkdynError) as raised:
        await instance.connector().read("lead", ["7"], fields=["title"])
    return raised.value


def refused(code: str) -> Answer:
    """A call that is answered with a code, which may be a status of HTTP's."""
    if code in ("413", "414", "500"):
        return httpx.Response(int(code), text="<html>canary</html>")
    return refusal(code)


def is_called(found: object, name: str) -> bool:
    """Whether it is what the page calls so."""
    match name:
        case "Stale, gone":
            return found == Stale(gone=True)
        case "Applied" | "Rejected" | "Unknown":
            return type(found).__name__ == name
        case _:
            return isinstance(found, getattr(errors, name))


@pytest.mark.parametrize(("code", "again", "write", "raised"), list(rows(WHOLE)))
async def test_each_code_of_a_call(instance: Instance, code: str, again: str, write: str, raised: str) -> None:
    """A write that is answered with it ends as the page says, and a read raises what it says, after as many calls."""
    instance.on("leads", refused(code))
    found = await written(instance, WRITE)
    calls = len(instance.asked("leads"))
    [found] = found if isinstance(found, list) else [found]
    assert is_called(found, write)
    assert "canary" not in f"{found} {found!r}"
    assert calls == {"again": 5, "once, with another": 2}.get(again, 1)
    assert instance.tokens == (2 if again == "once, with another" else 1)
    error = await read(instance)
    assert is_called(error, raised)
    assert "canary" not in str(error)
    assert code in str(error) or isinstance(error, errors.UnknownEntityError | errors.CheckError)
    reads = len(instance.asked("leads")) - calls
    assert reads == {"again": 5, "a read": 5, "once, with another": 2}.get(again, 1)


@pytest.mark.parametrize(("code", "again", "write", "_"), list(rows(WHOLE)))
async def test_halves(instance: Instance, code: str, again: str, write: str, _: str) -> None:
    """Where one of several records may be to blame, it alone is refused; else the call is not sent again in parts."""

    def answer(request: httpx.Request) -> Any:  # noqa: ANN401 - whatever it is told
        records = sent(request)["input"]
        if any(record["id"] == 5 for record in records):
            return refused(code)
        return success(*({"id": record["id"], "status": "updated"} for record in records))

    instance.on("leads", answer)
    found = await written(instance, *(Update(key=str(key), values={"title": "x"}) for key in range(1, 9)))
    if again == "in halves":
        assert isinstance(found, list)
        kinds = [type(outcome) for outcome in found]
        assert kinds == [Rejected if key == 5 else Applied for key in range(1, 9)]
        assert all(outcome.key == str(key) for key, outcome in enumerate(found, 1) if isinstance(outcome, Applied))
    elif isinstance(found, list):
        assert all(is_called(outcome, write) for outcome in found)
    else:
        assert is_called(found, write)


@pytest.mark.parametrize(("code", "create", "update", "delete"), list(rows(RECORD)))
async def test_each_code_of_a_record(instance: Instance, code: str, create: str, update: str, delete: str) -> None:
    """It ends as the page says, and the record beside it is not touched by that."""
    skipped = {
        "status": "skipped",
        "reasons": [{"code": code, "message": "Invalid value for field 'title' and 'canary'"}],
    }
    instance.on("leads", success(skipped, {"id": 8, "status": "updated"}))
    instance.on("leads/delete", success(skipped, {"id": 8, "status": "deleted"}))
    pairs = [
        (create, Create(key="a", values={"title": "x"}, by="keyed"), Create(key="b", values={}, by="keyed")),
        (update, WRITE, Update(key="8", values={})),
        (delete, Delete(key="7"), Delete(key="8")),
    ]
    for name, *writes in pairs:
        found = await written(instance, *writes)
        assert isinstance(found, list)
        first, second = found
        assert is_called(first, name)
        assert "canary" not in repr(first)
        if isinstance(first, Rejected):
            assert (first.code, first.field) == (code, "title")
        assert second == Applied(key="8", found=isinstance(writes[1], Create))


async def test_a_code_that_nobody_knows(instance: Instance) -> None:
    """It stays so: the record is refused, and a read is a matter of settings; one without a code, too."""
    for code in ("1999", ""):
        instance.on("leads", refusal(code))
        found = await written(instance, WRITE)
        assert found == [Rejected(code=code or "skipped", message="Marketo does not take it.")]
        assert isinstance(await read(instance), errors.SetupError)
    instance.on("leads", success({"status": "skipped"}))
    assert await written(instance, WRITE) == [Rejected(code="skipped", message="Marketo does not take it.")]


async def test_nothing_found(instance: Instance) -> None:
    """702 is an answer."""
    instance.on("leads", refusal("702"))
    assert await instance.connector().read("lead", ["7"], fields=["title"]) == {}


async def test_a_field_that_went(instance: Instance) -> None:
    """Fields are described anew when Marketo does not know one of them."""
    instance.on("leads", success(), refusal("1006"))
    connector = instance.connector()
    await connector.read("lead", ["7"], fields=["title"])
    instance.on("leads/describe", success(*(item for item in FIELDS if item["id"] != 3)))
    with pytest.raises(UnknownFieldError, match="title"):
        await connector.read("lead", ["7"], fields=["title"])


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"success":true,"result":[{"id":7', b'{"success":false,"errors":[]}'],
)
async def test_an_answer_that_can_not_be_read(instance: Instance, body: bytes) -> None:
    """Nobody knows of a write; a read is tried again, and raises."""
    instance.on("leads", httpx.Response(200, content=body))
    found = await written(instance, WRITE)
    assert isinstance(found, list)
    assert isinstance(found[0], Unknown)
    assert len(instance.asked("leads")) == 1
    assert isinstance(await read(instance), UnreachableError)
    assert len(instance.asked("leads")) == 1 + 5


async def test_an_answer_of_another_length(instance: Instance) -> None:
    """Outcomes are told apart by their place, so nobody knows."""
    instance.on("leads", success())
    assert await written(instance, WRITE) == [Unknown(reason="Marketo's answer has another number of records.")]


# -- a write of several calls ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "error"), [("606", ThrottledError), ("607", BudgetSpentError)])
async def test_what_was_done_is_told_though_the_rest_must_wait(
    instance: Instance, code: str, error: type[MkdynError]
) -> None:
    """Whoever is told to wait repeats everything; so nobody is, once something was done."""
    instance.on("leads", success({"id": 7, "status": "updated"}))
    instance.on("leads/delete", refusal(code))
    found = await written(instance, WRITE, Delete(key="8"))
    assert isinstance(found, list)
    assert found[0] == Applied(key="7")
    assert isinstance(found[1], Unknown)
    assert isinstance(await written(instance, Delete(key="8"), Delete(key="9")), error)


async def test_what_half_was_done_is_told_though_the_other_must_wait(instance: Instance) -> None:
    """Also within one call that was sent in two parts."""

    def answer(request: httpx.Request) -> Any:  # noqa: ANN401 - whatever it is told
        records = sent(request)["input"]
        return refusal("1003" if len(records) > 1 else "607") if records[-1]["id"] == 2 else success(*DONE)

    instance.on("leads", answer)
    found = await written(instance, *(Update(key=key, values={}) for key in "12"))
    assert isinstance(found, list)
    assert [type(outcome) for outcome in found] == [Applied, Unknown]


DONE = ({"id": 1, "status": "updated"},)


async def test_calls_that_take_too_long_get_shorter(instance: Instance) -> None:
    """Half as many records, and slowly more again."""

    def answer(request: httpx.Request) -> Any:  # noqa: ANN401 - whatever it is told
        records = sent(request)["input"]
        sizes.append(len(records))
        return refusal("604") if len(records) > 50 else success(*({"id": 1, "status": "updated"} for _ in records))

    sizes: list[int] = []
    instance.on("leads", answer)
    connector = instance.connector()
    writes = [Update(key=str(key), values={}) for key in range(200)]
    found = await connector.write("lead", writes)
    assert (sizes, {type(outcome) for outcome in found}) == ([200], {Unknown})
    sizes.clear()
    found = await connector.write("lead", writes)
    assert (sizes, {type(outcome) for outcome in found}) == ([100, 100], {Unknown})  # both went at once
    sizes.clear()
    found = await connector.write("lead", writes)
    assert sizes == [50, 50, 50, 50]
    assert {type(outcome) for outcome in found} == {Applied}


async def test_calls_are_no_larger_than_marketo_takes(instance: Instance) -> None:
    """They are parted by their bytes, too."""

    def answer(request: httpx.Request) -> Any:  # noqa: ANN401 - whatever it is told
        assert len(request.content) < 1_000_000
        return success(*({"id": record["id"], "status": "updated"} for record in sent(request)["input"]))

    instance.on("leads", answer)
    writes = [Update(key=str(key), values={"title": "ž" * 5_000}) for key in range(300)]
    found = await instance.connector().write("lead", writes)
    assert found == [Applied(key=str(key)) for key in range(300)]
    assert len(instance.asked("leads")) == 4


@pytest.mark.parametrize("values", [{"title": "x", "externalCompanyId": None}, {"externalCompanyId": "C1"}])
async def test_who_can_not_leave_a_company(instance: Instance, values: dict[str, str | None]) -> None:
    """Marketo does not name the field: it is to blame where it was to be emptied, and nothing else is held up by it."""
    instance.on("leads", success({"status": "skipped", "reasons": [{"code": "1003", "message": "Not that"}]}))
    [outcome] = await instance.connector().write("lead", [Update(key="7", values=values)])
    assert isinstance(outcome, Rejected)
    assert outcome.field == ("externalCompanyId" if values["externalCompanyId"] is None else None)
