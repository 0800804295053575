"""Checks for implementations of our ports: run them on a store or a connector of your own.

Each check is one promise, needs no test framework and raises `ContractBroken`:

    @pytest.mark.parametrize("check", STORE_CHECKS, ids=str)
    def test_my_store(check: StoreCheck, tmp_path: Path) -> None:
        check(lambda: MyStore(tmp_path / "state"))

A connector is checked together with another person's hands in its system, a *bench*:

    @pytest.mark.anyio
    @pytest.mark.parametrize("check", DYNAMICS_CHECKS, ids=str)
    async def test_my_connector(check: DynamicsCheck) -> None:
        await check(MyBench())

A check that needs what a bench can't do is skipped: it raises `unittest.SkipTest`, and says what is missing.
`FakeMarketoBench` and `FakeDynamicsBench` can do everything, and take a wrapper of yours around a fake.
"""

from mkdyn.testing.contracts.benches import (
    Bench as Bench,
    CatchesUp as CatchesUp,
    DynamicsBench as DynamicsBench,
    ExpiresCursors as ExpiresCursors,
    HidesFields as HidesFields,
    HoldsEntries as HoldsEntries,
    LosesAnswers as LosesAnswers,
    MakesColumns as MakesColumns,
    MakesFields as MakesFields,
    MarketoBench as MarketoBench,
    MasksFields as MasksFields,
    MergesPersons as MergesPersons,
    NotOnThisBench as NotOnThisBench,
    ProtectsFields as ProtectsFields,
    RestoresRecords as RestoresRecords,
)
from mkdyn.testing.contracts.checks import (
    ConnectorCheck as ConnectorCheck,
    DynamicsCheck as DynamicsCheck,
    MarketoCheck as MarketoCheck,
)
from mkdyn.testing.contracts.connectors import DYNAMICS_CHECKS as DYNAMICS_CHECKS, MARKETO_CHECKS as MARKETO_CHECKS
from mkdyn.testing.contracts.fakes import (
    FakeDynamicsBench as FakeDynamicsBench,
    FakeMarketoBench as FakeMarketoBench,
)
from mkdyn.testing.contracts.promises import ContractBroken as ContractBroken, StoreCheck as StoreCheck
from mkdyn.testing.contracts.stores import STORE_CHECKS as STORE_CHECKS
