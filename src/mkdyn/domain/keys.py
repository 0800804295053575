"""Keys of several fields, as one text: a list of their values in JSON, in the order in which the system names the fields.

A role in an opportunity is known by the opportunity, the person and what the role is called; a custom object of
somebody else's making may have up to three such fields (source: Adobe, "Opportunity Roles", "Custom Objects"). Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress

from mkdyn.errors import ConfigError


def joined(values: Sequence[object]) -> str:
    """Return values as one key."""
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))


def parted(key: str, fields: Sequence[str]) -> Mapping[str, str | int]:
    """Return the values of a key, by field.

    Raises:
        ConfigError: It is no key of these fields.
    """
    values: list[str | int] = []
    with suppress(ValueError):
        values = [value for value in json.loads(key) if isinstance(value, str | int)] if key.startswith("[") else []
    if len(values) != len(fields):
        raise ConfigError(
            f"A key of {', '.join(fields)} is a list of {len(fields)} values in JSON; this is none.",
            what_to_do='Write it as in ["b7b7c1f0-0000-4000-8000-000000000001",7150,"Decision Maker"].',
        )
    return dict(zip(fields, values, strict=True))
