"""Both fakes keep every promise of a connector; what a bench can't do is skipped, and said to be so."""

from __future__ import annotations

import unittest
from collections.abc import Mapping, Sequence

import attrs
import pytest

from mkdyn.domain import FieldSpec
from mkdyn.ports import Identity
from mkdyn.testing.contracts import (
    DYNAMICS_CHECKS,
    MARKETO_CHECKS,
    ContractBroken,
    DynamicsCheck,
    FakeDynamicsBench,
    FakeMarketoBench,
    MarketoCheck,
    NotOnThisBench,
)

from .complaints import DYNAMICS, MARKETO, complaint
from .faulty import Faulty
from .faulty_writes import WRITE_FAULTS

pytestmark = pytest.mark.anyio

NAMED = {fault.__name__.strip("_"): fault for fault in WRITE_FAULTS}
TWICE = "a Create sent twice makes one record"
FULL = "a call takes as many writes as the connector says"


@pytest.mark.parametrize("check", MARKETO_CHECKS, ids=str)
async def test_fake_marketo(check: MarketoCheck) -> None:
    """The fake keeps the promise; a check that is skipped would be no check."""
    assert await complaint(check, FakeMarketoBench()) is None


@pytest.mark.parametrize("check", DYNAMICS_CHECKS, ids=str)
async def test_fake_dynamics(check: DynamicsCheck) -> None:
    """The fake keeps the promise; a check that is skipped would be no check."""
    assert await complaint(check, FakeDynamicsBench()) is None


@pytest.mark.parametrize("checks", [MARKETO_CHECKS, DYNAMICS_CHECKS], ids=["Marketo", "Dynamics"])
def test_promises_are_sentences(checks: Sequence[MarketoCheck | DynamicsCheck]) -> None:
    """Every check has a name of its own, and says which promise it is about."""
    assert len({str(check) for check in checks}) == len(checks) >= 50
    assert all(check.promise.endswith(".") and not check.name.endswith(".") for check in checks)


# -- what a failed check says --------------------------------------------------------------------------


async def test_a_broken_promise_is_told_with_what_was_found() -> None:
    """First what there is, then what was promised, and where."""
    fake = FakeDynamicsBench().fake
    with pytest.raises(ContractBroken) as broken:
        await DYNAMICS[TWICE](FakeDynamicsBench(fake, connector=NAMED["MakesTwo"](fake)))
    assert str(broken.value) == (
        "two records exist of one lead. Connector.write promises: "
        "a Create whose key exists answers Applied with found, and makes no second record."
    )


async def test_an_error_breaks_a_promise_too() -> None:
    """What the connector raised is told, and kept as the cause."""
    fake = FakeMarketoBench().fake
    with pytest.raises(ContractBroken, match=r"it ended in ValueError: 300\. Connector\.write promises") as broken:
        await MARKETO[FULL](FakeMarketoBench(fake, connector=NAMED["TakesLess"](fake)))
    assert isinstance(broken.value.__cause__, ValueError)


# -- benches -------------------------------------------------------------------------------------------


class _Hands:
    """The least that a bench has."""

    def __init__(self, bench: FakeMarketoBench | FakeDynamicsBench) -> None:
        self.connector = bench.connector
        self.create, self.edit, self.delete, self.record = bench.create, bench.edit, bench.delete, bench.record


async def skipped(checks: Mapping[str, MarketoCheck] | Mapping[str, DynamicsCheck], bench: _Hands) -> dict[str, int]:
    """How many checks are skipped, and why; the others pass."""
    said = [await complaint(check, bench) for check in checks.values()]
    reasons = [reason for reason in said if reason is not None]
    return {reason: reasons.count(reason) for reason in sorted(reasons)}


async def test_what_a_bench_can_not_do_is_skipped() -> None:
    """The reason is what is missing, with the name of what would lend it."""
    assert await skipped(MARKETO, _Hands(FakeMarketoBench())) == {
        "skipped: no expiring cursors (ExpiresCursors) here": 1,
        "skipped: no late entries (HoldsEntries) here": 1,
        "skipped: no lost answers (LosesAnswers) here": 3,
        "skipped: no merges (MergesPersons) here": 1,
        "skipped: no new fields (MakesFields) here": 4,
    }
    assert await skipped(DYNAMICS, _Hands(FakeDynamicsBench())) == {
        "skipped: no expiring cursors (ExpiresCursors) here": 1,
        "skipped: no hidden fields (HidesFields) here": 2,
        "skipped: no lost answers (LosesAnswers) here": 3,
        "skipped: no masked fields (MasksFields) here": 1,
        "skipped: no new columns (MakesColumns) here": 1,
        "skipped: no protected fields (ProtectsFields) here": 1,
        "skipped: no recycle bin (RestoresRecords) here": 1,
        "skipped: no way to change a column (HidesFields, ProtectsFields, MasksFields, MakesColumns) here": 1,
    }


def test_a_skip_is_one_for_every_test_runner() -> None:
    """`unittest` defines it, and pytest knows it."""
    assert issubclass(NotOnThisBench, unittest.SkipTest)


class _Small(Faulty):
    """Takes two writes in one call, and describes no length of a text."""

    async def identify(self) -> Identity:
        return attrs.evolve(await self.fake.identify(), batch_max=2)

    def spec(self, spec: FieldSpec) -> FieldSpec:
        return attrs.evolve(spec, length=None)


async def test_a_small_connector_is_checked_as_far_as_it_goes() -> None:
    """Calls of more writes than it takes are not tried, nor a text that is too long where there is no length."""
    fake = FakeDynamicsBench().fake
    small = FakeDynamicsBench(fake, connector=_Small(fake))
    said = {name: await complaint(check, small) for name, check in DYNAMICS.items()}
    assert {name: reason for name, reason in said.items() if reason is not None} == {
        "outcomes stand in the order of their writes": "skipped: no calls of 5 writes here",
        "one bad record loses only itself": "skipped: no calls of 3 writes here",
        "nothing is written of a record that is refused": "skipped: no length of lead.jobtitle here",
        "a refusal blames the right field, and tells no value": "skipped: no length of lead.jobtitle here",
    }


class _Without(Faulty):
    """Has none of the objects named."""

    gone: tuple[str, ...] = ()

    async def describe(self, object: str, /) -> Sequence[FieldSpec]:
        return () if object in self.gone else await self.fake.describe(object)


async def test_an_object_that_is_not_there_is_not_tried() -> None:
    """A connector may serve leads and no contacts; one without either can't be checked."""
    fake = FakeDynamicsBench().fake
    leads, nothing = _Without(fake), _Without(fake)
    leads.gone, nothing.gone = ("contact",), ("contact", "lead")
    assert await complaint(DYNAMICS[TWICE], FakeDynamicsBench(fake, connector=leads)) is None
    assert await complaint(DYNAMICS[TWICE], FakeDynamicsBench(fake, connector=nothing)) == (
        "skipped: no lead or contact here"
    )
    assert not [record for record in fake.records("contact") if record.values["emailaddress1"]]


class _LagsBehind(FakeMarketoBench):
    """Reads and the feed show nothing new before somebody waits for it."""

    waited = 0

    async def catch_up(self) -> None:
        """See `CatchesUp`."""
        self.waited += 1
        self.fake.show_values()
        self.fake.show_entries()
        self.lag()

    def lag(self) -> None:
        """From now on, let everything lag."""
        self.fake.hold_values()
        self.fake.hold_entries()


@pytest.mark.parametrize("check", MARKETO_CHECKS, ids=str)
async def test_a_system_that_lags_behind_is_waited_for(check: MarketoCheck) -> None:
    """No check reads what can't be seen yet; it could not tell it from what is lost."""
    bench = _LagsBehind()
    bench.lag()
    assert await complaint(check, bench) is None
