"""Names people mistype."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the most similar of *names*, or None."""
    return next(iter(get_close_matches(name, list(names))), None)


def nearest_hint(name: str, names: Iterable[str]) -> str:
    """Return what a message says of the most similar name; nothing where there is none."""
    near = nearest(name, names)
    return f"; nearest: {near}" if near else ""
