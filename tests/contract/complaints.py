"""What the checks of a connector say."""

from __future__ import annotations

import unittest
from collections.abc import Mapping
from typing import Any

from mkdyn.testing.contracts import DYNAMICS_CHECKS, MARKETO_CHECKS, ContractBroken, DynamicsCheck, MarketoCheck

MARKETO: Mapping[str, MarketoCheck] = {str(check): check for check in MARKETO_CHECKS}
DYNAMICS: Mapping[str, DynamicsCheck] = {str(check): check for check in DYNAMICS_CHECKS}


async def complaint(check: Any, bench: object) -> str | None:  # noqa: ANN401 - a check of either system
    """What a check says of a bench; nothing, if the promise is kept."""
    try:
        await check(bench)
    except ContractBroken as broken:
        return str(broken)
    except unittest.SkipTest as missing:
        return f"skipped: {missing}"
    return None
