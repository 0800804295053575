"""`mkdyn serve marketo`: Marketo's REST API, in front of a Marketo in memory."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import anyio

from mkdyn.cli.demo.crm import Crm, Person
from mkdyn.cli.demo.csv_source import read_crm
from mkdyn.cli.demo.memory import make_fields
from mkdyn.cli.demo.systems import new_marketo
from mkdyn.cli.serve.port import serve_on
from mkdyn.domain.values import Values
from mkdyn.errors import ConfigError
from mkdyn.testing import FakeMarketo
from mkdyn.testing.servers.marketo import MarketoServer, Service


def serve(*, port: int, data: Path | None, client_id: str, client_secret: str | None) -> None:
    """Serve it until somebody stops it.

    Args:
        port: Where; 0 is a free port.
        data: The demo's CSV files, whose people are put into it; without them, it is empty.
        client_id: What to ask for a token with.
        client_secret: The same; without it, one is made up.

    Raises:
        ConfigError: The port is taken, or the data can't be read.
    """
    marketo = new_marketo(now=_now)
    anyio.run(make_fields, marketo)
    if data is not None:
        load(read_crm(data), marketo)
    service = Service(client_id=client_id, client_secret=client_secret or secrets.token_urlsafe(16))
    told = {"CLIENT_ID": service.client_id, "CLIENT_SECRET": service.client_secret}
    serve_on(port, MarketoServer(marketo, services=[service]), told, prefix="MARKETO_")


def load(crm: Crm, marketo: FakeMarketo) -> None:
    """Put a CRM's people into Marketo, contacts and leads alike.

    Raises:
        ConfigError: Marketo does not take a value; the message names where that came from.
    """
    for person in (*crm.contacts, *crm.leads):
        values = {name: value for name, value in _person(person).items() if value is not None}
        try:
            marketo.create("lead", **values)
        except ValueError as error:
            raise ConfigError(f"{person.origin}: {error}.", what_to_do="Correct the line.") from error


def _person(person: Person) -> Values:
    return {
        "firstName": person.first_name,
        "lastName": person.last_name,
        "email": person.email,
        "phone": person.phone,
        "mobilePhone": person.mobile,
        "address": person.street,
        "city": person.city,
        "state": person.state,
        "postalCode": person.postal_code,
    }


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the system clock itself: other machines' clocks are near it
