"""Bulk jobs: looked at now and then until they are over."""

from __future__ import annotations

import anyio
import attrs

from mkdyn.adapters.http import Request
from mkdyn.adapters.http.shapes import Json
from mkdyn.adapters.marketo.bulk import MarketoBulk
from mkdyn.adapters.marketo.client import Client
from mkdyn.adapters.marketo.crossover import Terms
from mkdyn.adapters.marketo.responses import RefusedError
from mkdyn.errors import BudgetSpentError, TransientError

#: What a job is that is not over; whatever else it may be, nothing more comes of it.
_GOING = ("Queued", "Importing", "Processing", "Created")


@attrs.frozen
class Jobs:
    """What one instance is asked of bulk jobs.

    Attributes:
        client: Asks the instance.
        bulk: What is asked of files.
        terms: What calls and files cost.
    """

    client: Client
    bulk: MarketoBulk
    terms: Terms

    async def ended(self, status: Request) -> Json | str:
        """Return what is told of a job that is over, or why nobody knows whether it is.

        Args:
            status: Asks how far it is.
        """
        until = anyio.current_time() + self.bulk.deadline_s
        while anyio.current_time() < until:
            await anyio.sleep(self.bulk.poll_s)
            try:
                answer = await self.client.ask(status)
            except (BudgetSpentError, RefusedError) as error:
                return error.what
            except TransientError:
                continue  # it goes on without us
            told: Json = answer.result[0] if answer.result else {}
            if told.get("status", _GOING[0]) not in _GOING:
                return told
        return "Marketo was not done with a job in time."
