"""What we ask a system to write, and what became of it. Both unions are closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import attrs

from mkdyn.domain.making import maker
from mkdyn.domain.values import Values


@attrs.frozen(kw_only=True)
class Create:
    """Make the record that has this key, or find it.

    Attributes:
        key: The record's own key (Dynamics: a GUID we chose; Marketo's keyed objects: their external key),
            or the value of the field *by*.
        values: What to write.
        by: The Marketo field to look the record up by; None where *key* is the record's own.
    """

    key: str
    values: Values = attrs.field(repr=False)
    by: str | None = None


@attrs.frozen(kw_only=True)
class Update:
    """Write these fields of an existing record, never create it.

    Attributes:
        key: The record's key.
        values: What to write; other fields stay as they are.
        version: Refuse if the row has another version by now (Dynamics).
    """

    key: str
    values: Values = attrs.field(repr=False)
    version: str | None = None


make_update: Callable[..., Update] = maker(Update)


@attrs.frozen(kw_only=True)
class Delete:
    """Delete a record; one that is gone already is Applied.

    Attributes:
        key: The record's key.
        version: Refuse if the row has another version by now (Dynamics).
    """

    key: str
    version: str | None = None


Write: TypeAlias = Create | Update | Delete


@attrs.frozen(kw_only=True)
class Applied:
    """It is done.

    Attributes:
        key: The record's key; for a Create, the key it has now.
        version: The version it has now, where the system has one.
        found: A Create that made nothing, because the record was there; its values were not written
            (Dynamics) or were (Marketo), so it must be reconciled anew.
    """

    key: str
    version: str | None = None
    found: bool = False


make_applied: Callable[..., Applied] = maker(Applied)


@attrs.frozen(kw_only=True)
class Rejected:
    """The system refuses this record as it is; a resend would be refused too.

    Attributes:
        code: The system's code.
        message: The system's sentence, without values.
        field: The field to blame, if the system says.
    """

    code: str
    message: str
    field: str | None = None


@attrs.frozen(kw_only=True)
class Stale:
    """The record is not what it was: another version, or gone. Nothing was written."""

    gone: bool = False


@attrs.frozen(kw_only=True)
class Unknown:
    """No answer came. It may have been done, or may still be."""

    reason: str


Outcome: TypeAlias = Applied | Rejected | Stale | Unknown
