"""Microsoft's own Python client, and its ways to a token, on the server: `nox -s microsoft` installs and runs them."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import trustme

from mkdyn import RestDynamics
from mkdyn.testing import FakeDynamics
from mkdyn.testing.servers.dynamics import Application, DynamicsServer
from mkdyn.testing.servers.loopback import Certificate, loopback

WHY = "it brings pandas; nox -s microsoft installs it"
# Its own warnings and open sockets are its own affair.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Certificate, Path]:
    """A certificate of this machine's own address, and who vouches for it: the client takes nothing but https."""
    folder, authority = tmp_path_factory.mktemp("certificate"), trustme.CA()
    both, trusted = folder / "both.pem", folder / "trusted.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(both))
    authority.cert_pem.write_to_path(str(trusted))
    return Certificate(chain=both, key=both), trusted


@pytest.fixture
def dynamics() -> FakeDynamics:
    """A Dynamics with nobody in it."""
    return FakeDynamics()


@pytest.fixture
def url(
    dynamics: FakeDynamics, certificate: tuple[Certificate, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Its server, on https, and trusted."""
    shown, trusted = certificate
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    server = DynamicsServer(dynamics, tokens=["T"], applications=[Application(client_id="X", client_secret="Y")])
    server.add_key("account", "new_number", "accountnumber")
    with loopback(server, certificate=shown) as address:
        yield address


class Credential:
    """A token that is good already."""

    def get_token(self, *_scopes: str, **_options: Any) -> Any:  # noqa: ANN401 - Azure's type may not be installed
        """Return it."""
        credentials = pytest.importorskip("azure.core.credentials", reason=WHY)
        return credentials.AccessToken("T", int(time.time()) + 3600)


def test_rows_are_made_read_changed_and_deleted(url: str, dynamics: FakeDynamics) -> None:
    """One at a time, and several at once: CreateMultiple, UpdateMultiple, and a job that deletes."""
    sdk = pytest.importorskip("PowerPlatform.Dataverse.client", reason=WHY)
    with sdk.DataverseClient(url, Credential()) as client:
        records = client.records
        ada = records.create("lead", {"lastname": "Lovelace", "firstname": "Ada"})
        records.update("lead", ada, {"jobtitle": "CTO"})
        assert dict(records.retrieve("lead", ada, select=["lastname", "jobtitle"])) == {
            "lastname": "Lovelace", "jobtitle": "CTO", "leadid": ada,
        }  # fmt: skip
        keys = records.create("contact", [{"lastname": f"N{number}"} for number in range(5)])
        records.update("contact", keys, {"jobtitle": "Engineer"})
        records.update("contact", keys[:2], [{"jobtitle": "VP"}, {"jobtitle": "CEO"}])
        titles = [row.values["jobtitle"] for row in dynamics.records("contact")]
        assert sorted(map(str, titles)) == ["CEO", "Engineer", "Engineer", "Engineer", "VP"]
        records.delete("contact", keys[0])
        records.delete("contact", keys[1:3])
        records.delete("contact", keys[3:], use_bulk_delete=False)
        assert (len(dynamics.records("contact")), len(dynamics.records("lead"))) == (0, 1)
        assert records.retrieve("lead", "00000000-0000-0000-0000-000000000009") is None


def test_rows_are_found_in_pages(url: str, dynamics: FakeDynamics) -> None:
    """By a filter, in an order, a page at a time."""
    sdk = pytest.importorskip("PowerPlatform.Dataverse.client", reason=WHY)
    filters = pytest.importorskip("PowerPlatform.Dataverse.models.filters", reason=WHY)
    for number in range(25):
        dynamics.create("contact", lastname=f"N{number:02}", jobtitle="VP" if number == 7 else None)
    with sdk.DataverseClient(url, Credential()) as client:
        pages = client.records.list_pages("contact", select=["lastname"], page_size=10)
        assert [len(page) for page in pages] == [10, 10, 5]
        found = client.query.builder("contact").select("lastname").where(filters.col("jobtitle") == "VP").execute()
        assert [row["lastname"] for row in found] == ["N07"]
        last = client.query.builder("contact").select("lastname").order_by("lastname", descending=True).top(1).execute()
        assert [row["lastname"] for row in last] == ["N24"]


def test_rows_are_met_by_an_alternate_key_and_in_a_batch(url: str, dynamics: FakeDynamics) -> None:
    """One and several upserts, and a changeset whose second row names the first."""
    sdk = pytest.importorskip("PowerPlatform.Dataverse.client", reason=WHY)
    with sdk.DataverseClient(url, Credential()) as client:
        for name in ("Acme", "Acme Inc."):
            client.records.upsert("account", [{"alternate_key": {"accountnumber": "A1"}, "record": {"name": name}}])
        several = [
            {"alternate_key": {"accountnumber": f"A{number}"}, "record": {"name": f"N{number}"}} for number in (1, 2)
        ]
        client.records.upsert("account", several)
        assert sorted(str(row.values["name"]) for row in dynamics.records("account")) == ["N1", "N2"]
        batch = client.batch.new()
        with batch.changeset() as changes:
            account = changes.records.create("account", {"name": "In a set"})
            changes.records.create("contact", {"lastname": "C", "parentcustomerid_account@odata.bind": account})
        assert not batch.execute().has_errors
        [contact] = dynamics.records("contact")
        assert contact.values["parentcustomerid"] in {row.key for row in dynamics.records("account")}


def test_tables_are_described_and_what_is_lacking_says_so(url: str) -> None:
    """Tables, columns, keys and relationships; SQL, FetchXML and new tables are not there."""
    sdk = pytest.importorskip("PowerPlatform.Dataverse.client", reason=WHY)
    errors = pytest.importorskip("PowerPlatform.Dataverse.core.errors", reason=WHY)
    with sdk.DataverseClient(url, Credential()) as client:
        tables = client.tables
        assert tables.get("account").entity_set_name == "accounts"
        assert {"name", "accountnumber"} <= {column["LogicalName"] for column in tables.list_columns("account")}
        assert [key.key_attributes for key in tables.get_alternate_keys("account")] == [["accountnumber"]]
        assert tables.list_table_relationships("contact")
        for lacking in (
            lambda: client.query.sql("SELECT TOP 1 lastname FROM contact"),
            lambda: list(client.query.fetchxml("<fetch><entity name='contact'/></fetch>").execute()),
            lambda: tables.create("new_Thing", {"new_Title": "string"}),
        ):
            with pytest.raises(errors.HttpError):
                lacking()


def test_a_token_of_azure_identity_opens_it(url: str, certificate: tuple[Certificate, Path]) -> None:
    """As docs/how-to/connect.md has it, and so does one of MSAL."""
    identity = pytest.importorskip("azure.identity", reason=WHY)
    msal = pytest.importorskip("msal", reason=WHY)
    scope = f"{url}/.default"
    credential = identity.ClientSecretCredential("acme", "X", "Y", authority=url, disable_instance_discovery=True)
    application = msal.ConfidentialClientApplication(
        "X", client_credential="Y", authority=f"{url}/acme", instance_discovery=False, verify=str(certificate[1])
    )

    async def of_azure() -> str:
        found = await anyio.to_thread.run_sync(credential.get_token, scope)
        return str(found.token)

    async def of_msal() -> str:
        found = await anyio.to_thread.run_sync(application.acquire_token_for_client, [scope])
        return str(found["access_token"])

    async def who(function: Any) -> str:  # noqa: ANN401 - a token function
        trusted = ssl.create_default_context(cafile=str(certificate[1]))
        async with httpx.AsyncClient(verify=trusted) as client:
            return (await RestDynamics(url, token=function, client=client).identify()).user

    assert anyio.run(who, of_azure) == anyio.run(who, of_msal)
