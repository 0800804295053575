"""`mkdyn.testing` lends what it names."""

from __future__ import annotations

import pytest

import mkdyn.testing


@pytest.mark.parametrize("name", ["MemoryStore", "Scenario"])
def test_what_needs_more_is_imported_when_it_is_asked_for(name: str) -> None:
    """The store and the scenario bring the whole library with them."""
    assert getattr(mkdyn.testing, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As in any module."""
    with pytest.raises(AttributeError, match="no attribute 'Nobody'"):
        _ = mkdyn.testing.Nobody  # pyright: ignore[reportAttributeAccessIssue]
