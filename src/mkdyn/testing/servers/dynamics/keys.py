"""Which row an address or a reference names: by its GUID, or by an alternate key."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from mkdyn.domain.values import FieldValue, same
from mkdyn.testing._checks import is_guid
from mkdyn.testing._tables import Row
from mkdyn.testing.servers.dynamics.addresses import FORBIDDEN, Segment, segments, text_of
from mkdyn.testing.servers.dynamics.odata.parsing import FilterError, constant
from mkdyn.testing.servers.dynamics.question import (
    BAD_KEY,
    BAD_REQUEST,
    NO_SUCH_KEY,
    NO_SUCH_RECORD,
    Question,
    RefusedError,
)
from mkdyn.testing.servers.dynamics.values import LiteralError, taken
from mkdyn.testing.servers.dynamics.world import Organization, View


@attrs.frozen
class Named:
    """A row as an address names it, there or not.

    Attributes:
        view: Its table.
        row: The row, if there is one.
        guid: Its GUID, where that is what names it.
        values: The alternate key's values, where that is what names it.
    """

    view: View
    row: Row | None
    guid: str | None
    values: Mapping[str, FieldValue]
    address: str

    def there(self) -> Row:
        """Return the row.

        Raises:
            RefusedError: There is none.
        """
        if self.row is not None:
            return self.row
        table = self.view.table.name
        if self.guid is None:
            message = f"A record with the specified key values does not exist in {table} entity"
            raise RefusedError(404, NO_SUCH_KEY, message)
        raise RefusedError(404, NO_SUCH_RECORD, f"{table} With Id = {self.guid} Does Not Exist")


def named(organization: Organization, view: View, segment: Segment) -> Named:
    """Find the row that a step of an address names.

    Raises:
        RefusedError: It names none: it is no GUID, and no alternate key.
    """
    own = view.table.key_field
    # users and teams have a key of another name, and are named by the GUID alone
    plain = view.table.name not in ("systemuser", "team")
    alone = segment.named.get(own) if plain and set(segment.named) == {own} else segment.alone
    if alone is not None:
        guid = text_of(alone).lower()
        if not is_guid(guid):
            raise RefusedError(400, BAD_REQUEST, "Bad Request - Error in query syntax.")
        return Named(view, view.table.rows.get(guid), guid, {}, f"{view.entity_set}({guid})")
    return _by_alternate_key(organization, view, segment)


def _by_alternate_key(organization: Organization, view: View, segment: Segment) -> Named:
    keys = organization.keys.get(view.table.name, ())
    wanted = {_column(view, name): literal for name, literal in segment.named.items()}
    if not wanted or not any(set(key.columns) == set(wanted) for key in keys):
        message = f"The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.{view.table.name}'."
        raise RefusedError(400, BAD_KEY, message)
    values = {name: _value(view, name, literal) for name, literal in wanted.items()}
    found = matching(view, values)
    if len(found) > 1:
        raise RefusedError(400, "0x8006089d", "More than one record exists for entity with the specified key values.")
    given = ",".join(f"{name}={literal}" for name, literal in segment.named.items())
    return Named(view, found[0] if found else None, None, values, f"{view.entity_set}({given})")


def matching(view: View, values: Mapping[str, FieldValue]) -> list[Row]:
    """Return the rows that hold these values, texts without regard to case."""
    return [
        row
        for row in view.table.rows.values()
        if all(_alike(row.values.get(name), value) for name, value in values.items())
    ]


def _alike(one: FieldValue, other: FieldValue) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.casefold() == other.casefold()
    return same(one, other)


def _column(view: View, name: str) -> str:
    spec = view.columns.get(name)
    return name if spec is None else spec.name


def _value(view: View, name: str, literal: str) -> FieldValue:
    if literal.startswith("'") and not FORBIDDEN.isdisjoint(text_of(literal)):
        raise RefusedError(400, BAD_REQUEST, "Bad Request - Error in query syntax.")
    try:
        return taken(view.table.specs[name], _plain(constant(literal)))
    except (FilterError, LiteralError) as error:
        raise RefusedError(400, BAD_REQUEST, "Bad Request - Error in query syntax.") from error


def _plain(value: object) -> object:
    """Return a literal's value as JSON would hold it."""
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def referred(organization: Organization, question: Question, text: str) -> Named:
    """Find the row that a reference names: relative or whole, or `$1` in a change set.

    Raises:
        RefusedError: It names none.
    """
    path = dereferenced(question, text).removeprefix(question.root).removeprefix("/api/data/v9.2")
    steps = segments(path)
    if len(steps) != 1:
        raise RefusedError(400, BAD_REQUEST, "Bad Request - Error in query syntax.")
    return named(organization, organization.view_of_set(steps[0].name), steps[0])


def dereferenced(question: Question, text: str) -> str:
    """Return an address with what `$1` at its beginning stands for.

    Raises:
        RefusedError: No earlier part of the change set has that number.
    """
    head, slash, rest = text.strip("/").partition("/")
    if not head.startswith("$") or not head[1:].isalnum():
        return text
    if head[1:] not in question.references:
        raise RefusedError(400, "0x80060888", f"Content-ID Reference: '{head}' does not exist in the batch context.")
    return question.references[head[1:]] + slash + rest
