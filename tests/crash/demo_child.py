"""The demo in a process of its own, to be killed: `mkdyn demo --wire --json`, without a wait for Marketo's limits."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import anyio

from mkdyn.cli.demo.addresses import addresses_of
from mkdyn.cli.demo.sample import sample_crm
from mkdyn.cli.demo.served import against_servers
from mkdyn.cli.demo.state import demo_memory
from mkdyn.cli.demo.tell import Silence

SECRET = "secret"
NO_LIMIT = 1_000_000


def main(marketo_url: str, dynamics_url: str, state: str) -> None:
    """Play it, or the rest of it."""
    addresses = addresses_of(
        marketo_url=marketo_url,
        marketo_client_id="mkdyn",
        marketo_client_secret=SECRET,
        dynamics_url=dynamics_url,
        dynamics_tenant_id="mkdyn-demo",
        dynamics_client_id="mkdyn",
        dynamics_client_secret=SECRET,
    )
    assert addresses is not None
    with demo_memory(Path(state), served=True) as memory:
        play = partial(against_servers, addresses, None, sample_crm(), calls_per_20_s=NO_LIMIT)
        sys.stdout.write(anyio.run(play, memory, Silence()).to_json())


if __name__ == "__main__":
    main(*sys.argv[1:])
