"""`mkdyn serve dynamics`: on a port until somebody stops it."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import threading
from pathlib import Path

import httpx
import pytest
import trustme
from typer.testing import CliRunner, Result

from mkdyn.cli.app import app

#: A CRM of a few lines.
FILES = {
    "accounts.csv": (
        "account,sector,year_established,revenue,employees,office_location,subsidiary_of\n"
        "Zoomit,medical,,,,,\nAcme,retail,,,,,Zoomit\n"
    ),
    "sales_teams.csv": "sales_agent,manager,regional_office\nAnna Snell,Dustin Brink,Central\n",
    "products.csv": "product,series,sales_price\nGTX Pro,GTX,4821\n",
    "sales_pipeline.csv": (
        "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n"
        "A1,Anna Snell,GTX Pro,Acme,Won,10/20/2016,3/1/2017,1054\n"
    ),
    "people_us_500.csv": (
        "first_name,last_name,company_name,address,city,county,state,zip,phone1,phone2,email,web\n"
        "James,Butt,Benton,6649 N Blue,New Orleans,Orleans,LA,70116,504-1,,james@example.com,\n"
    ),
}


def run(*arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, ["serve", "dynamics", *arguments])


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine's own address, with its key and those who vouch for it, in one file."""
    authority, path = trustme.CA(), tmp_path_factory.mktemp("certificate") / "loopback.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(path))
    authority.cert_pem.write_to_path(str(path), append=True)
    return path


class Visitor(threading.Thread):
    """Calls a server as soon as it is there, and then presses Ctrl-C."""

    def __init__(self, url: str, token: str | None, trusted: Path) -> None:
        super().__init__()
        self._url, self._token, self._trusted = url, token, trusted
        self.found: list[str] = []

    def run(self) -> None:
        """Ask for the accounts."""
        verify = ssl.create_default_context(cafile=str(self._trusted))
        with httpx.Client(base_url=self._url, transport=httpx.HTTPTransport(retries=5, verify=verify)) as client:
            asked = {
                "grant_type": "client_credentials", "client_id": "X", "client_secret": "Y",
                "scope": f"{self._url}/.default",
            }  # fmt: skip
            token = self._token or client.post("/any/oauth2/v2.0/token", data=asked).json().get("access_token")
            headers = {"Authorization": f"Bearer {token}"}
            answer = client.get("/api/data/v9.2/accounts?$select=name&$orderby=name", headers=headers)
            self.found = [row["name"] for row in answer.json().get("value", ())]
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(("token", "scheme"), [(None, "http"), ("T", "http"), (None, "https")])
def test_dynamics_is_served_until_somebody_stops_it(
    token: str | None, scheme: str, tmp_path: Path, certificate: Path
) -> None:
    """Its URL and credentials are printed as a client's environment; the demo's data is in it; Ctrl-C is no error."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    port = free_port()
    url = f"{scheme}://127.0.0.1:{port}"
    visitor = Visitor(url, token, certificate)
    visitor.start()
    given = [] if token is None else ["--token", token]
    if scheme == "https":
        given += ["--certificate", str(certificate), "--certificate-key", str(certificate)]
    result = run("--port", str(port), "--data", str(tmp_path), "--client-id", "X", "--client-secret", "Y", *given)
    visitor.join()
    assert visitor.found == ["Acme", "Zoomit"]
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"DYNAMICS_URL={url}", f"DYNAMICS_LOGIN_URL={url}", "DYNAMICS_TENANT_ID=mkdyn-demo",
        "DYNAMICS_CLIENT_ID=X", "DYNAMICS_CLIENT_SECRET=Y",
    ]  # fmt: skip
    assert result.stderr == "mkdyn: stopped.\n"


def test_without_data(tmp_path: Path) -> None:
    """It is empty, with a secret that it makes up; a port that is taken is told in one line."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = run("--port", str(port))
    assert result.exit_code == 2
    assert result.stderr.startswith(f"mkdyn: Port {port} can't be used: Address already in use.")
    missing = run("--port", "0", "--data", str(tmp_path / "nowhere"))
    assert missing.exit_code == 2


def test_certificates_that_are_none(tmp_path: Path, certificate: Path) -> None:
    """One without a key, one that is not there, one that is something else."""
    alone = run("--port", "0", "--certificate", str(certificate))
    assert (alone.exit_code, alone.stderr.startswith("mkdyn: A certificate goes with its key.")) == (2, True)
    file = tmp_path / "certificate.pem"
    lacking = run("--port", "0", "--certificate", str(file), "--certificate-key", str(file))
    assert lacking.stderr.startswith("mkdyn: The certificate can't be used: No such file or directory.")
    file.write_text("none", encoding="utf-8")
    spoilt = run("--port", "0", "--certificate", str(file), "--certificate-key", str(file))
    assert spoilt.exit_code == 2
    assert spoilt.stderr.startswith("mkdyn: The certificate can't be used: ")
