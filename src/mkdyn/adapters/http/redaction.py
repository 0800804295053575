"""Nothing of an address goes into a log but the host and the path: a query may hold a secret, or somebody's e-mail."""

from __future__ import annotations

import logging
from typing import Final

import httpx

_LOGGER: Final = logging.getLogger("httpx")


class _WithoutQueries(logging.Filter):
    """Takes the query from the addresses of our hosts, in what httpx logs of each request."""

    def __init__(self) -> None:
        super().__init__()
        self.hosts: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(self._without_query(item) for item in record.args)
        return True

    def _without_query(self, item: object) -> object:
        if isinstance(item, httpx.URL) and item.host in self.hosts and item.query:
            return item.copy_with(query=b"...")
        return item


_FILTER: Final = _WithoutQueries()


def keep_queries_out_of_logs(host: str) -> None:
    """Have httpx log requests to *host* without what they ask for."""
    _FILTER.hosts.add(host)
    if _FILTER not in _LOGGER.filters:
        _LOGGER.addFilter(_FILTER)
