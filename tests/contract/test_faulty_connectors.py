"""A connector that breaks a promise is found out, by the check of that promise; and every check finds one."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mkdyn.testing.contracts import FakeDynamicsBench, FakeMarketoBench

from .complaints import DYNAMICS, MARKETO, complaint
from .faulty import Faulty
from .faulty_dynamics import DYNAMICS_FAULTS
from .faulty_feeds import FEED_FAULTS
from .faulty_marketo import MARKETO_FAULTS
from .faulty_reads import READ_FAULTS
from .faulty_schema import SCHEMA_FAULTS
from .faulty_types import COLUMN_FAULTS, CREATED_FAULTS
from .faulty_writes import WRITE_FAULTS

FAULTS = (*SCHEMA_FAULTS, *FEED_FAULTS, *READ_FAULTS, *WRITE_FAULTS)
ON_MARKETO = (*FAULTS, *MARKETO_FAULTS, *CREATED_FAULTS)
ON_DYNAMICS = (*FAULTS, *DYNAMICS_FAULTS, *COLUMN_FAULTS)


@pytest.fixture
def anyio_backend() -> str:
    """Run the many faults on one event loop; the checks themselves run on both."""
    return "asyncio"


async def complaints_of_marketo(fault: type[Faulty]) -> Mapping[str, str | None]:
    """What each check says, all of them on one instance."""
    fake = FakeMarketoBench().fake
    return {
        name: await complaint(check, FakeMarketoBench(fake, connector=fault(fake))) for name, check in MARKETO.items()
    }


async def complaints_of_dynamics(fault: type[Faulty]) -> Mapping[str, str | None]:
    """What each check says, all of them on one organisation."""
    fake = FakeDynamicsBench().fake
    return {
        name: await complaint(check, FakeDynamicsBench(fake, connector=fault(fake))) for name, check in DYNAMICS.items()
    }


def expect_found(fault: type[Faulty], complaints: Mapping[str, str | None]) -> None:
    """The right check complains; unless the fault shows elsewhere, no other does."""
    failing = {name: complaint for name, complaint in complaints.items() if complaint is not None}
    assert fault.breaks in failing
    assert " promises: " in (failing[fault.breaks] or "")
    if not fault.others:
        assert set(failing) == {fault.breaks}


@pytest.mark.anyio
@pytest.mark.parametrize("fault", ON_MARKETO, ids=lambda fault: fault.__name__.strip("_"))
async def test_a_fault_of_a_marketo_connector_is_found(fault: type[Faulty]) -> None:
    """By the check of the promise that it breaks."""
    expect_found(fault, await complaints_of_marketo(fault))


@pytest.mark.anyio
@pytest.mark.parametrize("fault", ON_DYNAMICS, ids=lambda fault: fault.__name__.strip("_"))
async def test_a_fault_of_a_dynamics_connector_is_found(fault: type[Faulty]) -> None:
    """By the check of the promise that it breaks."""
    expect_found(fault, await complaints_of_dynamics(fault))


@pytest.mark.anyio
async def test_without_a_fault_nothing_is_found() -> None:
    """What stands in front of the fakes breaks nothing by itself, and one system may be used by all checks."""
    assert set((await complaints_of_marketo(Faulty)).values()) == {None}
    assert set((await complaints_of_dynamics(Faulty)).values()) == {None}


def test_every_check_can_fail() -> None:
    """For each of them there is a fault that breaks its promise."""
    assert {fault.breaks for fault in ON_MARKETO} == set(MARKETO)
    assert {fault.breaks for fault in ON_DYNAMICS} == set(DYNAMICS)
