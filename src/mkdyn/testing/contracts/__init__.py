"""Checks for implementations of our ports: run them on a store or a connector of your own.

Each check is one promise, needs no test framework and raises `ContractBroken`:

    @pytest.mark.parametrize("check", STORE_CHECKS, ids=str)
    def test_my_store(check: StoreCheck, tmp_path: Path) -> None:
        check(lambda: MyStore(tmp_path / "state"))
"""

from mkdyn.testing.contracts.promises import ContractBroken as ContractBroken, StoreCheck as StoreCheck
from mkdyn.testing.contracts.stores import STORE_CHECKS as STORE_CHECKS
