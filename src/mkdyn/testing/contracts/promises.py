"""A promise of a port, and the check that it is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import attrs

from mkdyn.ports.store import StateStore

#: Opens one and the same state, empty at first. Called again, it opens that state again.
MakeStore: TypeAlias = Callable[[], StateStore]


class ContractBroken(AssertionError):  # noqa: N818 - says what happened, as an assertion does
    """An implementation does not keep a promise of its port."""


@attrs.frozen(kw_only=True)
class StoreCheck:
    """One promise of `StateStore`; called with a way to open a store, it returns or raises `ContractBroken`.

    Attributes:
        promise: What is promised, in one sentence.
        run: Tries it.
    """

    promise: str
    run: Callable[[MakeStore], None] = attrs.field(repr=False)

    def __call__(self, make_store: MakeStore) -> None:
        """Check it on an empty state.

        Args:
            make_store: Opens one and the same state, empty at first. Called again, it opens that state again.

        Raises:
            ContractBroken: The promise is not kept.
        """
        try:
            self.run(make_store)
        except ContractBroken as broken:
            raise ContractBroken(f"{self.promise} {broken}") from None
        except Exception as error:
            raise ContractBroken(f"{self.promise} It ended in {type(error).__name__}: {error}") from error

    def __str__(self) -> str:
        return self.promise


def promises(promise: str) -> Callable[[Callable[[MakeStore], None]], StoreCheck]:
    """Make the check of *promise* out of a function that tries it."""

    def check(run: Callable[[MakeStore], None]) -> StoreCheck:
        return StoreCheck(promise=promise, run=run)

    return check


def expect(found: object, wanted: object, where: str) -> None:
    """Compare what was found with what is promised.

    Raises:
        ContractBroken: They differ.
    """
    if found != wanted:
        raise ContractBroken(f"{where}: expected {wanted!r}, found {found!r}.")


def expect_error(error: type[Exception], act: Callable[[], object], where: str) -> str:
    """Do what must be refused; return what the error says.

    Raises:
        ContractBroken: It was not refused, or with another error.
    """
    try:
        act()
    except error as refused:
        return str(refused)
    except Exception as other:
        raise ContractBroken(f"{where}: expected {error.__name__}, found {type(other).__name__}.") from other
    raise ContractBroken(f"{where}: expected {error.__name__}, nothing was raised.")
