"""What was used of the instance: by everybody, and never how much is left."""

from __future__ import annotations

from mkdyn.testing.servers.marketo.question import Answer, Question
from mkdyn.testing.servers.marketo.world import World


def usage(days: int, world: World, _question: Question) -> Answer:
    """Calls, by day and user."""
    return Answer(result=world.usage.calls_told(world.gate.today, days=days))


def errors(days: int, world: World, _question: Question) -> Answer:
    """Errors, by day and code."""
    return Answer(result=world.usage.errors_told(world.gate.today, days=days))
