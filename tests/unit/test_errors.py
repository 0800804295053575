"""The errors: the drawn tree is the classes, and a message says what to do next."""

from __future__ import annotations

import inspect
import re

import pytest

from mkdyn import errors
from mkdyn.errors import (
    CheckError,
    FieldCreationError,
    FieldError,
    GuardError,
    MkdynError,
    NothingSelectedError,
    SafetyError,
    SetupError,
    StateError,
    ThrottledError,
    TransientError,
    UnknownFieldError,
)

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, BaseException) and value.__module__ == errors.__name__
}
_BRANCH = re.compile(r"^    (?P<rails>[│├└─ ]*)(?P<name>[A-Z]\w+Error)(?: +(?P<words>\S.*))?$", re.MULTILINE)
_STEP = 3  # characters that a branch is indented by


def drawn() -> dict[str, str | None]:
    """Return the tree of the module's docstring: each class with the one it hangs on."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for branch in _BRANCH.finditer(errors.__doc__ or ""):
        depth = len(branch["rails"]) // _STEP
        path[depth:] = [branch["name"]]
        parents[branch["name"]] = path[depth - 1] if depth else None
    return parents


def test_the_drawn_tree_is_the_classes() -> None:
    """Every class is drawn where it stands, and nothing else is."""
    bases = {name: found.__bases__[0].__name__ for name, found in CLASSES.items()}
    assert drawn() == {**bases, "MkdynError": None}
    assert all(len(found.__bases__) == 1 for found in CLASSES.values())


def test_every_branch_but_the_root_has_words() -> None:
    """A reader of the tree learns what each is for."""
    assert [branch["name"] for branch in _BRANCH.finditer(errors.__doc__ or "") if not branch["words"]] == [
        "MkdynError"
    ]


def test_the_drawn_attributes_are_the_classes_own() -> None:
    """An attribute named in the tree is documented where its class is."""
    for branch in _BRANCH.finditer(errors.__doc__ or ""):
        for attribute in re.findall(r"\.(\w+)", branch["words"] or ""):
            assert f"        {attribute}:" in (CLASSES[branch["name"]].__doc__ or ""), branch["name"]


def test_all_names_every_error() -> None:
    """And nothing else."""
    assert errors.__all__ == sorted(CLASSES)


def test_the_module_imports_nothing() -> None:
    """So that everything may import it."""
    source = inspect.getsource(errors)
    assert re.findall(r"^(?:from|import) (\S+)", source, re.MULTILINE) == ["__future__"]


@pytest.mark.parametrize("group", [SetupError, TransientError, SafetyError, StateError])
def test_every_error_belongs_to_one_group_by_what_to_do_next(group: type[MkdynError]) -> None:
    """Fix, wait, ask, stop: the groups share nothing."""
    others = {SetupError, TransientError, SafetyError, StateError} - {group}
    assert issubclass(group, MkdynError)
    assert not any(
        issubclass(found, group) and issubclass(found, other) for found in CLASSES.values() for other in others
    )


@pytest.mark.parametrize(
    ("what_to_do", "text"), [("Grant it.", "No right. Grant it."), ("", "No right."), ("  ", "No right.")]
)
def test_a_message_says_what_and_what_to_do(what_to_do: str, text: str) -> None:
    """In one line; the last part alone is an attribute."""
    error = MkdynError("No right.", what_to_do=what_to_do)
    assert str(error) == text
    assert (error.what, error.what_to_do) == ("No right.", what_to_do)


@pytest.mark.parametrize(
    ("problems", "head"), [(("One.",), "1 problem"), (("One.", "Two."), "2 problems"), ((), "0 problems")]
)
def test_a_check_names_every_problem(problems: tuple[str, ...], head: str) -> None:
    """A line each."""
    error = CheckError(problems)
    assert str(error).splitlines() == [head, *(f"  {problem}" for problem in problems)]
    assert error.problems == problems


def test_nothing_selected_says_how_to_select() -> None:
    """With the call to make."""
    assert str(NothingSelectedError()).startswith("No field is selected. Select some: sync.fields.select_defaults(")


def test_one_fault_is_raised_as_itself() -> None:
    """It is its own only fault."""
    fault = UnknownFieldError("lead.jobtitel is not in Dynamics.", nearest="jobtitle")
    assert FieldError.of((fault,), "One fault") is fault
    assert fault.faults == (fault,)
    assert fault.nearest == "jobtitle"


def test_several_faults_are_raised_as_one() -> None:
    """With each of them, its class and its text."""
    faults = (FieldCreationError("a.", what_to_do="Create it."), UnknownFieldError("b."))
    error = FieldError.of(faults, "2 of 5 picks refused, none selected")
    assert type(error) is FieldError
    assert error.faults == faults
    assert str(error) == (
        "2 of 5 picks refused, none selected\n  FieldCreationError: a. Create it.\n  UnknownFieldError: b."
    )


def test_a_transient_error_may_know_how_long_to_wait() -> None:
    """In seconds."""
    assert ThrottledError("Slow down.", retry_after_s=20.0).retry_after_s == 20.0
    assert ThrottledError("Slow down.").retry_after_s is None


def test_a_guard_keeps_the_plan_and_what_was_found() -> None:
    """So that a person may let it through."""
    error = GuardError("plan 9 deletes much.", what_to_do="Read it.", plan=9, breaches=("deletes",))
    assert (error.plan, error.breaches, str(error)) == (9, ("deletes",), "plan 9 deletes much. Read it.")


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_error_is_explained(name: str) -> None:
    """Its docstring says when it is raised."""
    assert (CLASSES[name].__doc__ or "").endswith((".", ".\n    "))
