"""What is kept back, why, and what wakes it."""

from __future__ import annotations

import enum
from datetime import datetime

import attrs

from mkdyn.domain.entities import AnyEntity
from mkdyn.domain.records import short


class Wake(enum.Enum):
    """What makes a hold worth another look; nothing else does."""

    EDIT = "edit"
    SCHEMA = "schema"
    LINK = "link"
    DATE = "date"
    PERSON = "person"

    def __repr__(self) -> str:
        return f"Wake.{self.name}"


@attrs.frozen(kw_only=True)
class Hold:
    """One field's value kept back, while the rest of the record syncs.

    Attributes:
        entity: Whose record.
        key: The Dynamics row's GUID, or the Marketo key where there is no row yet.
        field: The field's name in Dynamics.
        code: A stable word for the reason.
        reason: A sentence: what is wrong, and what to do. It shows no value.
        wake: What makes it worth another look.
        until: The date that wakes it, with `Wake.DATE`.
        attempts: How often it was tried.
        refused: Fingerprint of the value that a system refused; while that stays, it is not sent again.
        awaits: GUID of the Dynamics row whose link wakes it, with `Wake.LINK`.
    """

    entity: AnyEntity
    key: str
    field: str
    code: str
    reason: str
    wake: Wake = Wake.EDIT
    until: datetime | None = None
    attempts: int = 1
    refused: str = attrs.field(default="", repr=False)
    awaits: str = ""

    def __str__(self) -> str:
        return f"held: {self.entity} {short(self.key)} {self.field} ({self.code}): {self.reason}"


@attrs.frozen(kw_only=True)
class Quarantined:
    """A whole record set aside until someone acts.

    Attributes:
        entity: Whose record.
        key: Its key: the Dynamics row's GUID, or the Marketo key where there is no row.
        code: A stable word for the reason, or the vendor's code.
        reason: A sentence: what is wrong, and what to do. It shows no value.
        wake: What makes it worth another look.
        until: The date that wakes it, with `Wake.DATE`.
        attempts: How often it was tried.
    """

    entity: AnyEntity
    key: str
    code: str
    reason: str
    wake: Wake = Wake.EDIT
    until: datetime | None = None
    attempts: int = 1

    def __str__(self) -> str:
        return f"quarantined: {self.entity} {short(self.key)} ({self.code}): {self.reason}"
