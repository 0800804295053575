"""What a benchmark is asked to measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs


@attrs.frozen(kw_only=True)
class Asked:
    """The size of what is measured.

    Attributes:
        records: How many records are linked before anything is touched.
        fields: How many fields each has, key fields included.
        touched: How many of them are touched; None for the workload's own share of `records`.
    """

    records: int
    fields: int
    touched: int | None = None


#: One JSON object: at least `name`, `records`, `fields`, `touched`, `seconds`, `touched_per_s`.
Found: TypeAlias = Mapping[str, object]
Benchmark: TypeAlias = Callable[[Asked], Found]
