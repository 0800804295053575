"""Calls fail as told, and people act between them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from mkdyn.domain import Applied, Create, Delete, NewField, Rejected, Unknown, Update, Write
from mkdyn.errors import ThrottledError, UnreachableError
from mkdyn.testing import Crash, Crashed, FakeDynamics, FakeMarketo, LoseAnswer, Reject, Throttle, Unreachable

from .reading import pages_of

pytestmark = pytest.mark.anyio


class TestCalls:
    """What counts as a call, and what happens around it."""

    async def test_every_call_is_counted_by_its_method(self) -> None:
        """Every page of a feed is a call; people's hands are none."""
        marketo = FakeMarketo(page_size=1)
        ada = marketo.create("lead", email="ada@example.com")
        first = (await pages_of(marketo, "lead", ["email"]))[-1].cursor
        marketo.edit("lead", ada, email="a@example.com")
        marketo.edit("lead", ada, email="b@example.com")
        await pages_of(marketo, "lead", ["email"], first)
        await marketo.identify()
        await marketo.check({})
        await marketo.describe("lead")
        await marketo.read("lead", [ada], fields=["email"])
        await marketo.find("lead", "email", ["b@example.com"], fields=[])
        await marketo.write("lead", [Delete(key=ada)])
        await marketo.create_field("lead", NewField("Tier"))
        await marketo.merge(ada, [])
        await marketo.aclose()
        assert marketo.calls == 11
        assert marketo.calls_by_name == {
            "changes": 3, "identify": 1, "check": 1, "describe": 1, "read": 1, "find": 1, "write": 1,
            "create_field": 1, "merge": 1,
        }  # fmt: skip

    async def test_somebody_edits_between_two_of_our_calls(self) -> None:
        """The hook is told the call that comes next, and runs before it takes effect."""
        dynamics = FakeDynamics()
        ada = dynamics.create("lead", lastname="Lovelace")
        seen: list[str] = []

        def somebody(name: str) -> None:
            seen.append(name)
            if name == "read lead":
                dynamics.edit("lead", ada, jobtitle="Countess")

        dynamics.between(somebody)
        await dynamics.identify()
        found = await dynamics.read("lead", [ada], fields=["jobtitle"])
        assert found[ada].values == {"jobtitle": "Countess"}
        assert seen == ["identify", "read lead"]
        dynamics.between_calls.clear()
        await dynamics.identify()
        assert len(seen) == 2

    async def test_a_call_can_be_cancelled(self) -> None:
        """Before it takes effect, nothing was done; after it, all was."""
        dynamics = FakeDynamics()
        ada = dynamics.create("lead", lastname="Lovelace")
        with anyio.CancelScope() as scope:
            scope.cancel()
            await dynamics.write("lead", [Delete(key=ada)])
        assert len(dynamics.records("lead")) == 1
        with anyio.CancelScope() as scope:
            dynamics.between(lambda _: scope.cancel())
            await dynamics.write("lead", [Delete(key=ada)])
        assert not dynamics.records("lead")


class TestClock:
    """The vendor's time."""

    async def test_it_moves_with_calls_and_edits(self) -> None:
        """By a millisecond each, and as far as told."""
        marketo = FakeMarketo()
        start = marketo.time
        assert start == datetime(2026, 1, 1, tzinfo=UTC)
        marketo.create("lead", email="ada@example.com")
        await marketo.identify()
        marketo.advance(60)
        assert marketo.time - start == timedelta(seconds=60, milliseconds=2)

    async def test_a_clock_can_be_given(self) -> None:
        """It is used as it is, plus what is advanced."""
        noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
        dynamics = FakeDynamics(now=lambda: noon)
        ada = dynamics.create("lead", lastname="Lovelace")
        dynamics.advance(5)
        assert dynamics.time == noon + timedelta(seconds=5)
        found = await dynamics.read("lead", [ada], fields=["createdon"])
        assert found[ada].values == {"createdon": noon}


class TestCallFaults:
    """Faults of one call."""

    @pytest.mark.parametrize(("applied", "records"), [("yes", 1), ("no", 0)])
    async def test_a_lost_answer_leaves_writes_unknown(self, applied: str, records: int) -> None:
        """Applied or not, as told; the next call is answered."""
        fault = LoseAnswer(call=1, applied="yes" if applied == "yes" else "no")
        marketo = FakeMarketo(faults=[fault])
        writes = [Create(key="93ad", by="dynamicsId", values={"email": "ada@example.com"})]
        assert await marketo.write("lead", writes) == [Unknown(reason="No answer came to call 1, write lead.")]
        assert len(marketo.records("lead")) == records
        assert marketo.writes_by_object["lead"] == records
        assert await marketo.write("lead", writes) == [Applied(key="1", found=bool(records))]

    @pytest.mark.parametrize(("applied", "records"), [("yes", 1), ("no", 2)])
    async def test_a_merge_can_be_unknown(self, applied: str, records: int) -> None:
        """It is a write like any other."""
        marketo = FakeMarketo(faults=[LoseAnswer(call=1, applied="yes" if applied == "yes" else "no")])
        winner, loser = (marketo.create("lead", firstName=name) for name in ("Ada", "Augusta"))
        assert await marketo.merge(winner, [loser]) == Unknown(reason="No answer came to call 1, merge lead.")
        assert len(marketo.records("lead")) == records

    @pytest.mark.parametrize(("applied", "there"), [("yes", True), ("no", False)])
    async def test_a_field_may_be_there_all_the_same(self, applied: str, there: bool) -> None:
        """Nobody knows until it is described."""
        marketo = FakeMarketo(faults=[LoseAnswer(call=1, applied="yes" if applied == "yes" else "no")])
        with pytest.raises(UnreachableError):
            await marketo.create_field("lead", NewField("Tier"))
        assert ("tier" in {spec.name for spec in await marketo.describe("lead")}) is there

    async def test_a_lost_answer_to_anything_else_is_no_answer(self) -> None:
        """Reads and pages raise; what was read is gone."""
        dynamics = FakeDynamics(faults=[LoseAnswer(call=1), LoseAnswer(call=2)])
        with pytest.raises(UnreachableError, match="read lead"):
            await dynamics.read("lead", [], fields=[])
        with pytest.raises(UnreachableError, match="changes lead"):
            await pages_of(dynamics, "lead", [])
        assert len(await pages_of(dynamics, "lead", [])) == 1

    async def test_a_throttled_call_says_how_long_to_wait(self) -> None:
        """Nothing was done."""
        marketo = FakeMarketo(faults=[Throttle(call=2, wait_s=20.0)])
        await marketo.identify()
        with pytest.raises(ThrottledError) as caught:
            await marketo.write("lead", [Create(key="93ad", by="dynamicsId", values={})])
        assert caught.value.retry_after_s == 20.0
        assert not marketo.records("lead")

    async def test_nobody_can_be_reached(self) -> None:
        """Faults can be added while a test runs, from between two calls even."""
        dynamics = FakeDynamics()
        dynamics.inject(Unreachable(call=dynamics.calls + 2))
        await dynamics.identify()
        with pytest.raises(UnreachableError, match="Call 2"):
            await dynamics.identify()
        dynamics.between(lambda _: dynamics.inject(Unreachable(call=dynamics.calls)))
        with pytest.raises(UnreachableError, match="Call 3"):
            await dynamics.identify()

    async def test_a_fault_may_count_one_method_only(self) -> None:
        """The second read fails, whatever comes in between."""
        dynamics = FakeDynamics(faults=[Unreachable(call=2, of="read")])
        await dynamics.identify()
        await dynamics.read("lead", [], fields=[])
        await dynamics.identify()
        with pytest.raises(UnreachableError):
            await dynamics.read("lead", [], fields=[])
        await dynamics.identify()

    @pytest.mark.parametrize(("when", "records"), [("before", 0), ("after", 1)])
    async def test_our_process_dies(self, when: str, records: int) -> None:
        """No `except Exception` catches it; what was sent may have been done."""
        fault = Crash(call=1, of="write", when="before" if when == "before" else "after")
        marketo = FakeMarketo(faults=[fault])
        with pytest.raises(Crashed, match=f"{when} call 1, write lead"):
            await marketo.write("lead", [Create(key="93ad", by="dynamicsId", values={})])
        assert len(marketo.records("lead")) == records
        assert not issubclass(Crashed, Exception)

    async def test_a_crash_leaves_a_feed_where_it_was(self) -> None:
        """The page is lost, and comes again."""
        dynamics = FakeDynamics(faults=[Crash(call=1)])
        dynamics.create("lead", lastname="Lovelace")
        with pytest.raises(Crashed):
            await pages_of(dynamics, "lead", ["lastname"])
        assert len((await pages_of(dynamics, "lead", ["lastname"]))[0].records) == 1


class TestReject:
    """Refusals that last."""

    @pytest.mark.parametrize("make", [FakeMarketo, FakeDynamics])
    async def test_it_hits_a_record_a_field_or_both(self, make: Callable[[], FakeMarketo | FakeDynamics]) -> None:
        """A deletion has no fields; with neither key nor field, everything is refused."""
        fake = make()
        key, field = "00000000-0000-0000-0000-00000000000a", "fax"
        other = key.replace("a", "b")
        writes: list[Write] = [Update(key=key, values={field: "1"}), Update(key=key, values={"x": 1}), Update(key=other, values={field: "1"}),
                  Delete(key=key), Delete(key=other)]  # fmt: skip
        refusals = {
            Reject(key=key): [0, 1, 3],
            Reject(field=field): [0, 2],
            Reject(key=key, field=field): [0],
            Reject(): [0, 1, 2, 3, 4],
        }
        for fault, expected in refusals.items():
            fake.faults[:] = [fault]
            outcomes = await fake.write("lead", writes)
            assert [place for place, outcome in enumerate(outcomes) if isinstance(outcome, Rejected)] == expected
            refused = outcomes[0]
            assert refused == Rejected(code="rejected", message="The system refuses it.", field=fault.field)

    async def test_it_is_no_fault_of_a_call(self) -> None:
        """Calls go on; so do creates of other records."""
        marketo = FakeMarketo(faults=[Reject(key="93ad", field="email"), Unreachable(call=3)])
        writes = [
            Create(key="93ad", by="dynamicsId", values={"email": "a@x.y"}),
            Create(key="7b1e", by="dynamicsId", values={}),
        ]
        assert [type(outcome) for outcome in await marketo.write("lead", writes)] == [Rejected, Applied]
        await marketo.identify()
        with pytest.raises(UnreachableError):
            await marketo.identify()
