"""What a run of mutmut comes to: how many mutants the tests killed, and which survivors nobody has explained.

`nox -s mutate` runs it after mutmut. It fails where fewer than 95 % are killed, and where `survivors.toml` is not the
list of those that survive: a survivor without a word on why is a test that is missing, or code that is not needed.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs

SHARE_MIN: Final = 0.95
SURVIVORS: Final = Path(__file__).with_name("survivors.toml")

#: What mutmut calls the end of a mutant that a test noticed; one that never comes to an end is noticed, too.
_KILLED: Final = frozenset({"killed", "timeout"})


@attrs.frozen
class Judgement:
    """What became of the mutants, and what is said about those that survived.

    Attributes:
        endings: What mutmut says of each mutant, by its name.
        reasons: Why a mutant may survive, by its name.
    """

    endings: Mapping[str, str]
    reasons: Mapping[str, str]

    @property
    def survivors(self) -> list[str]:
        """Mutants that no test noticed, whatever the reason."""
        return [name for name, ending in self.endings.items() if ending not in _KILLED]

    @property
    def unexplained(self) -> list[str]:
        """Survivors of which nobody says why."""
        return [name for name in self.survivors if name not in self.reasons]

    @property
    def outdated(self) -> list[str]:
        """Names on the list that are no survivors any more."""
        return [name for name in self.reasons if name not in self.survivors]

    @property
    def share(self) -> float:
        """The share that was killed; nothing, where there was nothing to kill."""
        total = len(self.endings)
        return (total - len(self.survivors)) / total if total else 0.0

    @property
    def passed(self) -> bool:
        """Whether enough were killed, and the list is that of the others."""
        return self.share >= SHARE_MIN and not self.unexplained and not self.outdated

    def lines(self) -> Iterator[str]:
        """Say it: the score of each module and of all, the survivors with their reasons, and what is to be done."""
        total = Counter(map(_module, self.endings))
        alive = Counter(map(_module, self.survivors))
        for module in sorted(total):
            yield _score(module, total[module] - alive[module], total[module])
        yield _score("in all", len(self.endings) - len(self.survivors), len(self.endings))
        for name in self.survivors:
            yield f"{name} ({self.endings[name]}): {self.reasons.get(name, 'not explained')}"
        if self.share < SHARE_MIN:
            yield f"Fewer than {SHARE_MIN:.0%} are killed: see what a mutant changes with `mutmut show`, and test that."
        if self.unexplained:
            yield f"{len(self.unexplained)} not in {SURVIVORS.name}: test what they change, or say there why not."
        if self.outdated:
            yield f"No survivors any more, so to be struck off {SURVIVORS.name}: {', '.join(self.outdated)}."


def _module(mutant: str) -> str:
    return mutant.rpartition(".")[0]


def _score(what: str, killed: int, total: int) -> str:
    share = f" ({killed / total:.1%})" if total else ""
    return f"{what}: {killed:,} of {total:,} killed{share}"


def endings(results: str) -> dict[str, str]:
    """Read the lines of `mutmut results`: a mutant's name, a colon, and what became of it."""
    found: dict[str, str] = {}
    for line in results.splitlines():
        name, colon, ending = line.strip().rpartition(": ")
        if colon:
            found[name] = ending
    return found


def main() -> int:
    """Ask mutmut, print the judgement; 0 if it is passed."""
    mutmut = Path(sys.executable).with_name("mutmut")
    command = [str(mutmut), "results", "--all", "true"]
    results = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - of our environment
    reasons = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))
    judgement = Judgement(endings(results.stdout), reasons)
    for line in judgement.lines():
        print(line)  # noqa: T201 - this is what it is for
    return 0 if judgement.passed else 1


if __name__ == "__main__":
    sys.exit(main())
