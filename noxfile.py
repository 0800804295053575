"""The checks, each a session: the same commands here and in continuous integration. `nox -l` lists them."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.error_on_external_run = True
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "typing", "tests", "tests_lowest", "coverage", "docs"]

PROJECT: Final[dict[str, Any]] = nox.project.load_toml("pyproject.toml")["project"]
PYTHONS: Final[list[str]] = nox.project.python_versions(nox.project.load_toml("pyproject.toml"))
OLDEST: Final = PYTHONS[0]
LOWER_BOUND: Final = re.compile(r"(?P<name>[\w.-]+)(?:\[[^]]*\])?>=(?P<version>[\w.]+)")

#: One version: another one makes other mutants, or numbers them differently than tests/mutation/survivors.toml.
MUTMUT: Final = "mutmut==3.8.1"

#: Microsoft's client of Dataverse, and its ways to a token.
MICROSOFT: Final = ("PowerPlatform-Dataverse-Client>=1.1", "azure-identity>=1.20", "msal>=1.30")


def lowest_versions() -> list[str]:
    """What users install, at the oldest version pyproject.toml promises to work with: `name==version` lines."""
    extras = PROJECT["optional-dependencies"]
    requirements = [*PROJECT["dependencies"], *extras["cli"], *extras["testing"]]
    matches = [LOWER_BOUND.match(requirement) for requirement in requirements]
    unbounded = [requirement for requirement, match in zip(requirements, matches, strict=True) if match is None]
    if unbounded:
        message = f"pyproject.toml gives no lower bound for: {', '.join(unbounded)}"
        raise ValueError(message)
    return [f"{match['name']}=={match['version']}" for match in matches if match is not None]


def taken_out(option: str, arguments: Sequence[str], default: str) -> tuple[str, list[str]]:
    """Return an option's value, and the arguments without it."""
    if option not in arguments:
        return default, list(arguments)
    place = arguments.index(option)
    return arguments[place + 1], [*arguments[:place], *arguments[place + 2 :]]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests and the documentation's examples, on every supported Python there is."""
    session.install("-e", ".[dev]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=OLDEST)
def tests_lowest(session: nox.Session) -> None:
    """Run the tests with the oldest dependencies we promise to work with."""
    constraints = Path(session.create_tmp()) / "lowest.txt"
    constraints.write_text("\n".join(lowest_versions()) + "\n", encoding="utf-8")
    session.install("-e", ".[dev]", "--constraint", str(constraints))
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=OLDEST)
def coverage(session: nox.Session) -> None:
    """Measure what the tests reach: every line and every branch, or it fails."""
    session.install("-e", ".[dev]")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "report")


@nox.session(python=OLDEST)
def lint(session: nox.Session) -> None:
    """Check style, spelling and the layers, in every file git knows."""
    session.install("-e", ".[dev]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("codespell")
    session.run("lint-imports")
    session.run("pre-commit", "run", "--all-files", "--show-diff-on-failure")


@nox.session(python=OLDEST)
def typing(session: nox.Session) -> None:
    """Ask both type checkers, strictly; and whether everything we lend is typed."""
    session.install("-e", ".[dev]")
    session.run("mypy")
    session.run("mypy", "conftest.py", "noxfile.py")
    session.run("pyright", "--pythonpath", str(Path(session.virtualenv.location) / "bin" / "python"))
    session.run("pyright", "--verifytypes", "mkdyn", "--ignoreexternal")


@nox.session(python=OLDEST)
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error, and so is a link that leads nowhere."""
    session.install("-e", ".[dev]")
    session.run("sphinx-build", "-n", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html", *session.posargs)


@nox.session(python=OLDEST)
def simulate(session: nox.Session) -> None:
    """Live through random histories, on all cores: `nox -s simulate -- --seeds 20000`, or `-- --wire marketo`."""
    session.install("-e", ".[dev]")
    session.run("python", "-m", "tests.simulation", *session.posargs)


@nox.session(python=OLDEST)
def mutate(session: nox.Session) -> None:
    """Change the rules, one place at a time, and see whether a test notices: `nox -s mutate`.

    With names, as in `nox -s mutate -- "mkdyn.domain.guards.*"`, only those are tried, and nothing is judged.
    """
    session.install("-e", ".[dev]", MUTMUT)
    if session.posargs:
        session.run("mutmut", "run", *session.posargs)
        return
    shutil.rmtree("mutants", ignore_errors=True)  # what it remembers of an earlier run knows nothing of new tests
    session.run("mutmut", "run")
    session.run("python", "tests/mutation/judge.py")


@nox.session(python=OLDEST)
def crash(session: nox.Session) -> None:
    """Kill runs at random moments and look at what they leave: `nox -s crash -- --kills 1000`."""
    session.install("-e", ".[dev]")
    kills, arguments = taken_out("--kills", session.posargs, "200")
    of_the_demo = str(min(int(kills), 10))  # each starts a process, and a demo
    shown = ["-o", "log_cli=true", "-o", "log_cli_level=INFO"]  # where the kills landed
    session.run(
        "python",
        "-m",
        "pytest",
        "tests/crash",
        *shown,
        *arguments,
        env={"MKDYN_KILLS": kills, "MKDYN_DEMO_KILLS": of_the_demo},
    )


@nox.session(python=OLDEST)
def microsoft(session: nox.Session) -> None:
    """Use Microsoft's own Python client, and its ways to a token, on the server: they bring pandas, so not by default."""
    session.install("-e", ".[dev]", *MICROSOFT)
    session.run("python", "-m", "pytest", "tests/e2e/test_microsoft.py", *session.posargs)


@nox.session(python=OLDEST)
def bench(session: nox.Session) -> None:
    """Measure what a run costs: `nox -s bench -- run --records 100000 --json`."""
    session.install("-e", ".[dev]")
    session.run("python", "-m", "benchmarks", *(session.posargs or ("run", "--json")))
