"""`mkdyn serve`: on a port until somebody stops it, or one line that says why not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from mkdyn.cli import serve as commands
from mkdyn.cli.app import app
from mkdyn.cli.demo.sample import sample_crm
from mkdyn.cli.serve.marketo import load
from mkdyn.domain import FieldSpec
from mkdyn.errors import ConfigError
from mkdyn.testing import FakeMarketo

#: A CRM of one line each.
FILES = {
    "accounts.csv": (
        "account,sector,year_established,revenue,employees,office_location,subsidiary_of\nAcme,medical,,,,,\n"
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
    return CliRunner().invoke(app, ["serve", *arguments])


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Visitor(threading.Thread):
    """Calls a server as soon as it is there, and then presses Ctrl-C."""

    def __init__(self, port: int, email: str) -> None:
        super().__init__()
        self._url = f"http://127.0.0.1:{port}"
        self._email = email
        self.found: list[str] = []

    def run(self) -> None:
        """Look a person up."""
        with httpx.Client(base_url=self._url, transport=httpx.HTTPTransport(retries=5)) as client:
            asked = {"grant_type": "client_credentials", "client_id": "X", "client_secret": "Y"}
            token = client.get("/identity/oauth/token", params=asked).json().get("access_token")
            answer = client.get(
                "/rest/v1/leads.json",
                params={"filterType": "email", "filterValues": self._email, "fields": "lastName"},
                headers={"Authorization": f"Bearer {token}"},
            )
            self.found = [row["lastName"] for row in answer.json().get("result", ())]
        os.kill(os.getpid(), signal.SIGINT)


def test_marketo_is_served_until_somebody_stops_it(tmp_path: Path) -> None:
    """Its URL and credentials are printed as a client's environment; the demo's people are in it; Ctrl-C is no error."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    port = free_port()
    visitor = Visitor(port, "james@example.com")
    visitor.start()
    result = run("marketo", "--port", str(port), "--data", str(tmp_path), "--client-id", "X", "--client-secret", "Y")
    visitor.join()
    assert visitor.found == ["Butt"]
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"MARKETO_URL=http://127.0.0.1:{port}", "MARKETO_CLIENT_ID=X", "MARKETO_CLIENT_SECRET=Y",
    ]  # fmt: skip
    assert result.stderr == "mkdyn: stopped.\n"


def test_a_process_of_its_own() -> None:
    """It makes a secret up, says where it is, and ends with 0 when it is interrupted."""
    command = [sys.executable, "-c", "from mkdyn.cli import main; main()", "serve", "marketo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        assert process.stdout is not None
        told = dict(process.stdout.readline().strip().split("=", 1) for _ in range(3))
        asked = {
            "grant_type": "client_credentials",
            "client_id": told["MARKETO_CLIENT_ID"],
            "client_secret": told["MARKETO_CLIENT_SECRET"],
        }
        answer = httpx.get(f"{told['MARKETO_URL']}/identity/oauth/token", params=asked)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    assert answer.json()["scope"] == "sync@mkdyn-demo"
    assert len(told["MARKETO_CLIENT_SECRET"]) >= 16


def test_a_port_that_is_taken() -> None:
    """One line, and what to do."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = run("marketo", "--port", str(port))
    assert result.exit_code == 2
    assert result.stderr.startswith(f"mkdyn: Port {port} can't be used: Address already in use.")


def test_without_its_extra() -> None:
    """An import of the servers says what is missing, and so does the command."""
    blocked = "import sys; sys.modules['starlette'] = None; "
    for code, what in (
        ("import mkdyn.testing.servers.marketo", "mkdyn.testing.servers needs the extra testing: pip install"),
        (
            "sys.argv[1:] = ['serve', 'marketo']; from mkdyn.cli import main; main()",
            "mkdyn: The servers need the extra testing. pip install 'mkdyn[testing]'",
        ),
    ):
        command = [sys.executable, "-c", blocked + code]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
        assert done.returncode
        assert what in done.stderr.splitlines()[-1]


def test_the_extra_is_told_from_what_else_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of ours that is missing is a fault, and no remedy is made up for it."""
    monkeypatch.setitem(sys.modules, "starlette", None)
    for name in [name for name in sys.modules if name.startswith(("mkdyn.testing.servers", "mkdyn.cli.serve."))]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ConfigError, match="extra testing"):
        commands.serve("marketo")
    with pytest.raises(ModuleNotFoundError, match="salesforce"):
        commands.serve("salesforce")


def test_what_marketo_does_not_take_is_told_with_its_line() -> None:
    """As the demo tells it of Dynamics."""
    crm = sample_crm()
    marketo = FakeMarketo()
    load(crm, marketo)
    assert len(marketo.records("lead")) == len(crm.contacts) + len(crm.leads)
    marketo.add_field("lead", FieldSpec(name="lastName", type="text", length=1))
    with pytest.raises(ConfigError, match=rf"^{crm.contacts[0].origin}: lead.lastName \(text\(1\)\)"):
        load(crm, marketo)
