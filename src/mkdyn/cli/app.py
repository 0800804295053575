"""The command tree: which commands there are, and what they take. What they do is in modules of their own."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from mkdyn.cli.demo import demo
from mkdyn.cli.demo.addresses import addresses_of
from mkdyn.cli.errors import explained
from mkdyn.cli.fields.commands import app as fields_app
from mkdyn.cli.serve import serve

app: typer.Typer = typer.Typer(
    name="mkdyn",
    help="Keep Marketo Engage and Dynamics 365 in agreement, field by field.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # it would print local variables, and with them people's data
)
app.add_typer(fields_app, name="fields")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mkdyn {version('mkdyn')}")
        raise typer.Exit


@app.callback()
def mkdyn(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Keep Marketo Engage and Dynamics 365 in agreement, field by field."""


@app.command("demo")
def demo_command(  # noqa: PLR0917 - what the command line takes; typer gives them by name
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="A folder with accounts.csv, sales_teams.csv, products.csv, sales_pipeline.csv and "
            "people_us_500.csv; without it, a small built-in sample.",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="FILE", help="Keep the state in this new file; without it, in memory."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
    wire: Annotated[
        bool, typer.Option("--wire", help="Speak to both systems by REST, over servers on this machine.")
    ] = False,
    marketo_url: Annotated[
        str | None,
        typer.Option(
            "--marketo-url",
            metavar="URL",
            help="With --wire: a Marketo that mkdyn serve started, and that outlives the demo. "
            "A demo that was cut off goes on with the same --state.",
        ),
    ] = None,
    marketo_client_id: Annotated[
        str, typer.Option("--marketo-client-id", metavar="X", envvar="MARKETO_CLIENT_ID", help="Its client id.")
    ] = "mkdyn",
    marketo_client_secret: Annotated[
        str | None,
        typer.Option("--marketo-client-secret", metavar="Y", envvar="MARKETO_CLIENT_SECRET", help="Its client secret."),
    ] = None,
    dynamics_url: Annotated[
        str | None, typer.Option("--dynamics-url", metavar="URL", help="The same, of Dynamics.")
    ] = None,
    dynamics_tenant_id: Annotated[
        str, typer.Option("--dynamics-tenant-id", metavar="T", envvar="DYNAMICS_TENANT_ID", help="Its tenant.")
    ] = "mkdyn-demo",
    dynamics_client_id: Annotated[
        str, typer.Option("--dynamics-client-id", metavar="X", envvar="DYNAMICS_CLIENT_ID", help="Its client id.")
    ] = "mkdyn",
    dynamics_client_secret: Annotated[
        str | None,
        typer.Option(
            "--dynamics-client-secret", metavar="Y", envvar="DYNAMICS_CLIENT_SECRET", help="Its client secret."
        ),
    ] = None,
) -> None:
    """Watch a whole sync, on two systems of its own: a first sync, people's edits, collisions, agreement.

    Exit: 0 in agreement; 1 something is held, set aside or different; 2 fix something; 3 try later;
    4 ask a person; 130 interrupted.
    """
    with explained():
        addresses = addresses_of(
            marketo_url=marketo_url,
            marketo_client_id=marketo_client_id,
            marketo_client_secret=marketo_client_secret,
            dynamics_url=dynamics_url,
            dynamics_tenant_id=dynamics_tenant_id,
            dynamics_client_id=dynamics_client_id,
            dynamics_client_secret=dynamics_client_secret,
        )
        raise typer.Exit(demo(data=data, state=state, as_json=as_json, wire=wire, addresses=addresses))


serve_app: typer.Typer = typer.Typer(
    name="serve",
    help="Serve a vendor's API on a port of this machine, in front of a fake: to try any client on.",
    no_args_is_help=True,
)
app.add_typer(serve_app)


@serve_app.command("marketo")
def serve_marketo_command(
    port: Annotated[
        int, typer.Option("--port", metavar="P", min=0, max=65535, help="The port; 0 is a free one.")
    ] = 8701,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="DIR", help="The demo's CSV files: their people are in it. Without, it is empty."
        ),
    ] = None,
    client_id: Annotated[str, typer.Option("--client-id", metavar="X", help="What to ask for a token with.")] = "mkdyn",
    client_secret: Annotated[
        str | None, typer.Option("--client-secret", metavar="Y", help="The same; without it, one is made up.")
    ] = None,
) -> None:
    """Serve Marketo's REST API, its limits included, until Ctrl-C.

    Prints its URL and credentials, as the environment that a client reads.
    """
    with explained():
        raise typer.Exit(serve("marketo", port=port, data=data, client_id=client_id, client_secret=client_secret))


@serve_app.command("dynamics")
def serve_dynamics_command(  # noqa: PLR0917 - what the command line takes; typer gives them by name
    port: Annotated[
        int, typer.Option("--port", metavar="P", min=0, max=65535, help="The port; 0 is a free one.")
    ] = 8702,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="The demo's CSV files: all of it is in it. Without, it is empty."),
    ] = None,
    client_id: Annotated[str, typer.Option("--client-id", metavar="X", help="What to ask for a token with.")] = "mkdyn",
    client_secret: Annotated[
        str | None, typer.Option("--client-secret", metavar="Y", help="The same; without it, one is made up.")
    ] = None,
    token: Annotated[
        str | None, typer.Option("--token", metavar="T", help="An access token that is good without asking for one.")
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", metavar="FILE", help="Serve on https, and show this certificate (PEM)."),
    ] = None,
    certificate_key: Annotated[
        Path | None, typer.Option("--certificate-key", metavar="FILE", help="The certificate's private key (PEM).")
    ] = None,
) -> None:
    """Serve Dynamics' Web API, its limits included, and where its tokens come from, until Ctrl-C.

    Prints its URL and credentials, as the environment that a client reads.
    """
    with explained():
        raise typer.Exit(
            serve(
                "dynamics",
                port=port,
                data=data,
                client_id=client_id,
                client_secret=client_secret,
                token=token,
                certificate=certificate,
                certificate_key=certificate_key,
            )
        )
