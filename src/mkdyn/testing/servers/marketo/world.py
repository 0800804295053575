"""One instance behind the wire: the fake, and what only the wire needs of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from typing import Final

import attrs

from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.outcomes import Applied, Outcome, Rejected, Write
from mkdyn.domain.values import FieldValue
from mkdyn.testing._marketo_backstage import Backstage
from mkdyn.testing._schemas_marketo import OBJECTS
from mkdyn.testing._tables import Row, Table
from mkdyn.testing.marketo import FakeMarketo
from mkdyn.testing.servers.marketo.gate import Gate
from mkdyn.testing.servers.marketo.jobs import Queue
from mkdyn.testing.servers.marketo.question import INVALID, Object, RefusedError
from mkdyn.testing.servers.marketo.settings import Quirks
from mkdyn.testing.servers.marketo.usage import Usage
from mkdyn.testing.servers.marketo.values import DATA_TYPES, read

UNKNOWN_FIELD: Final = "1006"
NOT_SEARCHABLE: Final = "1011"
#: Fields that the system manages and that a describe calls writable all the same (source: a recorded describe).
SAID_WRITABLE: Final = frozenset(
    {
        "company", "site", "billingStreet", "billingCity", "billingState", "billingCountry", "billingPostalCode",
        "website", "mainPhone", "annualRevenue", "numberOfEmployees", "industry", "sicCode", "mktoCompanyNotes",
        "id", "isAnonymous", "anonymousIP", "cookies", "urgency", "priority", "relativeScore", "relativeUrgency",
        "leadPartitionId", "leadRevenueCycleModelId", "leadRevenueStageId", "acquisitionProgramId",
        "mktoAcquisitionDate",
    }
)  # fmt: skip
_STANDARD: Final = {name: frozenset(spec.name for spec in specs) for name, (_, specs) in OBJECTS.items()}


@attrs.define(kw_only=True)
class Draft:
    """A custom object type that is not approved yet."""

    label: str
    fields: dict[str, FieldSpec] = attrs.field(factory=dict[str, FieldSpec])
    dedupe: list[str] = attrs.field(factory=list[str])


@attrs.define
class World:
    """What every endpoint works on.

    Attributes:
        fake: The instance.
        quirks: What it is like.
        gate: Who is let in.
        usage: Who has used how much.
        backstage: The instance's insides.
        drafts: Custom object types that are being made, by name.
        dedupe: The fields that make up the key of an object, where that is not its table's key.
        in_making: Keys that calls on their way have just made, each with the number of its persons; see `Quirks.races`.
        imports: The bulk imports.
        extracts: The bulk extracts.
        extracted: How many bytes were extracted on each day.
        began: When the server came up, by the instance's clock.
        when_done: What to do when the call that is answered now has come to its end.
    """

    fake: FakeMarketo
    quirks: Quirks
    gate: Gate
    usage: Usage
    imports: Queue
    extracts: Queue
    extracted: Counter[date] = attrs.field(factory=Counter[date])
    backstage: Backstage = attrs.field(init=False)
    began: datetime = attrs.field(init=False)
    drafts: dict[str, Draft] = attrs.field(factory=dict[str, Draft])
    dedupe: dict[str, tuple[str, ...]] = attrs.field(factory=dict[str, "tuple[str, ...]"])
    in_making: Counter[str] = attrs.field(factory=Counter[str])
    when_done: list[Callable[[], None]] = attrs.field(factory=list[Callable[[], None]])

    def __attrs_post_init__(self) -> None:
        self.backstage = self.fake.backstage()
        self.began = self.fake.time

    def finish(self) -> Sequence[Callable[[], None]]:
        """Return what is to be done when the call that was answered last has come to its end."""
        done, self.when_done = self.when_done, []
        return done

    @property
    def leads(self) -> Table:
        """The persons."""
        return self.backstage.tables["lead"]

    def is_custom(self, table: Table, field: str) -> bool:
        """Whether somebody made this field; no instance has it from the start."""
        return field not in _STANDARD.get(table.name, ())

    def data_type(self, spec: FieldSpec) -> str:
        """Return what a describe calls a field's type."""
        return self.quirks.scores if spec.type == "score" else DATA_TYPES[spec.type]

    def fields(self, table: Table, names: Sequence[str], default: Sequence[str]) -> list[str]:
        """Return the fields that an answer shows.

        Raises:
            RefusedError: One is not there.
        """
        for name in names:
            if name not in table.specs:
                raise RefusedError(UNKNOWN_FIELD, f"Field '{name}' not found")
        return list(dict.fromkeys(names or default))

    def values(self, table: Table, sent: Object, without: Collection[str] = ()) -> dict[str, FieldValue] | Rejected:
        """Return a record that was sent as values, or why one of them is none; the record is then refused."""
        values: dict[str, FieldValue] = {}
        for name, value in sent.items():
            spec = table.specs.get(name)
            if name in without:
                continue
            if spec is None:
                return Rejected(code=UNKNOWN_FIELD, message=f"Field '{name}' not found", field=name)
            try:
                values[name] = read(spec, value)
            except (TypeError, ValueError, OverflowError):
                return Rejected(code=INVALID, message=f"Invalid value for field '{name}'", field=name)
        return values

    def write(self, table: Table, write: Write, act: Callable[[], Outcome]) -> Applied | Rejected:
        """Carry out a write, unless a fault has it refused."""
        self.backstage.writes_by_object[table.name] += 1
        outcome = self.backstage.calls.rejection_of(write) or act()
        assert isinstance(outcome, Applied | Rejected)
        return outcome

    def add(self, table: Table, values: dict[str, FieldValue]) -> Callable[[], Applied | Rejected]:
        """Return what makes a record."""
        return lambda: self.backstage.add(table, values)

    def update(self, table: Table, row: Row, values: dict[str, FieldValue]) -> Callable[[], Applied | Rejected]:
        """Return what changes a record."""
        return lambda: self.backstage.update(table, row, values, found=True)


def reason(rejected: Rejected, sent: Object) -> str:
    """Return the sentence that a refusal has on the wire: it shows the value."""
    field = rejected.field or ""
    if rejected.message == f"Invalid value for field '{field}'":
        return f"{rejected.message} and value '{sent.get(field)}'"
    return rejected.message
