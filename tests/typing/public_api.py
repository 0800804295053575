"""What type checkers must see of the public API. Nobody runs this; mypy and pyright read it."""

from __future__ import annotations

from typing import assert_type

from mkdyn import (
    Collision,
    Entity,
    NewField,
    Pick,
    Plan,
    Policy,
    Report,
    Synchronizer,
    System,
    Verdict,
    Win,
    blocking,
    system_of_record,
    where,
)
from mkdyn.domain import Applied, Condition, FieldPair, Merged, Outcome, Rejected, Resolution, Stale, Unknown, merge
from mkdyn.ports import DynamicsConnector, MarketoConnector, Observer
from mkdyn.testing import FakeDynamics, FakeMarketo, MemoryStore
from mkdyn.testing.contracts import (
    DYNAMICS_CHECKS,
    MARKETO_CHECKS,
    DynamicsBench,
    DynamicsCheck,
    FakeDynamicsBench,
    FakeMarketoBench,
    HidesFields,
    MarketoBench,
    MarketoCheck,
)

marketo: MarketoConnector = FakeMarketo()
dynamics: DynamicsConnector = FakeDynamics()
swapped: MarketoConnector = FakeDynamics()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

sync = Synchronizer(marketo=FakeMarketo(), dynamics=FakeDynamics(), store=MemoryStore())


marketo_bench: MarketoBench = FakeMarketoBench(connector=FakeMarketo())
dynamics_bench: DynamicsBench = FakeDynamicsBench(FakeDynamics())
lends: HidesFields = FakeDynamicsBench()
swapped_bench: DynamicsBench = FakeMarketoBench()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


async def checked() -> None:
    """A check takes a bench of its own system."""
    assert_type(MARKETO_CHECKS[0], MarketoCheck)
    assert_type(DYNAMICS_CHECKS[0], DynamicsCheck)
    await MARKETO_CHECKS[0](marketo_bench)
    await DYNAMICS_CHECKS[0](marketo_bench)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def asynchronous() -> None:
    """Awaited calls have their types."""
    assert_type(await sync.run(), Report)
    assert_type(await sync.plan(), Plan)
    assert_type((await sync.run()).collisions[0], Resolution)
    await sync.promote(1, to=Entity.LEAD)
    await sync.promote(1, to=Entity.ACCOUNT)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def blocked() -> None:
    """`wait` passes types through."""
    with blocking() as wait:
        assert_type(wait(sync.run()), Report)
        assert_type(list(wait.iterate(sync.journal.collisions())), list[Resolution])


def no_field_in_dynamics() -> None:
    """A new field can't even be named on Dynamics' side (M4)."""
    Pick(Entity.CONTACT, NewField("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def our_policy(collision: Collision) -> Verdict:
    """A function is a policy."""
    return Win(System.DYNAMICS, because="we say so") if collision.field == "x" else system_of_record(collision)


policy: Policy = our_policy
observer: Observer = print
assert_type(where("leadScore").at_least(80) & ~where("email").is_empty(), Condition)
assert_type(merge([FieldPair(Entity.LEAD, "a", "b")], baseline=None, marketo={}, dynamics={}), Merged)


def every_outcome(outcome: Outcome) -> str:
    """The union is closed."""
    match outcome:
        case Applied():
            return "applied"
        case Rejected():
            return "rejected"
        case Stale():
            return "stale"
        case Unknown():
            return "unknown"
