"""Every exception, grouped by what to do next. Imports nothing.

    MkdynError
    ├─ SetupError       fix the program or its settings
    │  ├─ ConfigError           a setting, a file or an argument is wrong
    │  ├─ CredentialsError      a system does not accept who we say we are
    │  ├─ CheckError            rights or fields are missing in a system (.problems)
    │  ├─ PolicyError           a policy answered something that is no verdict
    │  ├─ NothingSelectedError  no field is selected, so there is nothing to sync
    │  └─ FieldError            one or more picks are refused (.faults, .line)
    │     ├─ UnknownEntityError    no such entity in Dynamics
    │     ├─ UnknownFieldError     no such field (.nearest)
    │     ├─ NotEligibleError      the field can't be synced, and why
    │     ├─ FieldCreationError    a field was asked for in Dynamics (.nearest)
    │     ├─ OneWayError           a direction the mission does not allow
    │     ├─ HierarchyError        a table of your own hangs on one that does not sync, or on itself
    │     └─ TypeMismatchError     no lens between the two fields' types
    ├─ TransientError   wait, then try the same again (.retry_after_s)
    │  ├─ UnreachableError      no answer
    │  ├─ ThrottledError        the system asked us to slow down
    │  ├─ BudgetSpentError      the day's calls are used up
    │  ├─ CursorExpiredError    a feed can't be resumed; the engine reads in full
    │  └─ RunInProgressError    another run holds the state
    ├─ SafetyError      ask a person; nothing was sent
    │  ├─ GuardError            the plan looks like an accident (.plan, .breaches)
    │  ├─ PlanMovedError        the plan can't be applied any more
    │  └─ OtherOrganizationError the state belongs to another organisation
    └─ StateError       stop: the memory cannot be used
       ├─ StateCorruptError     the file is damaged, or is no state file
       ├─ StateTooNewError      a newer release wrote it
       └─ StateFileError        it can't be opened or written

A message says what is wrong, where, and what to do next; `what_to_do` has the
last part alone. Facts are attributes. No message holds people's data.
"""

from __future__ import annotations

__all__ = [
    "BudgetSpentError",
    "CheckError",
    "ConfigError",
    "CredentialsError",
    "CursorExpiredError",
    "FieldCreationError",
    "FieldError",
    "GuardError",
    "HierarchyError",
    "MkdynError",
    "NotEligibleError",
    "NothingSelectedError",
    "OneWayError",
    "OtherOrganizationError",
    "PlanMovedError",
    "PolicyError",
    "RunInProgressError",
    "SafetyError",
    "SetupError",
    "StateCorruptError",
    "StateError",
    "StateFileError",
    "StateTooNewError",
    "ThrottledError",
    "TransientError",
    "TypeMismatchError",
    "UnknownEntityError",
    "UnknownFieldError",
    "UnreachableError",
]


class MkdynError(Exception):
    """Base of all errors of this library; raised only as one of its subclasses."""

    def __init__(self, what: str, *, what_to_do: str = "") -> None:
        super().__init__(f"{what} {what_to_do}".strip())
        self.what = what
        self.what_to_do = what_to_do


class SetupError(MkdynError):
    """The program or its settings must change before a retry makes sense."""


class ConfigError(SetupError):
    """A setting, a file or an argument is wrong."""


class CredentialsError(SetupError):
    """A system does not accept who we say we are."""


class CheckError(SetupError):
    """Rights or fields are missing in a system.

    Attributes:
        problems: One sentence each, remedy included.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        head = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n  ".join([head, *problems]))
        self.problems = problems


class PolicyError(SetupError):
    """A policy answered something that is no verdict."""


class NothingSelectedError(SetupError):
    """No field is selected, so there is nothing to sync."""

    def __init__(self) -> None:
        super().__init__(
            "No field is selected.",
            what_to_do="Select some: sync.fields.select_defaults(Entity.LEAD), or sync.fields.select(Pick(…)).",
        )


class FieldError(SetupError):
    """One or more picks are refused, or a selection file is; nothing was selected.

    Attributes:
        faults: The single faults, each of a class of its own.
        line: The line of the selection file that it is about, or None.
    """

    def __init__(self, what: str, *, what_to_do: str = "", faults: tuple[FieldError, ...] = ()) -> None:
        super().__init__(what, what_to_do=what_to_do)
        self.faults: tuple[FieldError, ...] = faults or (self,)
        self.line: int | None = None

    def __str__(self) -> str:
        return super().__str__() if self.line is None else f"line {self.line}: {super().__str__()}"

    @classmethod
    def of(cls, faults: tuple[FieldError, ...], head: str) -> FieldError:
        """Return the one fault as it is, or all of them as one error under a heading."""
        if len(faults) == 1:
            return faults[0]
        lines = [f"{type(fault).__name__}: {fault}" for fault in faults]
        return FieldError("\n  ".join([head, *lines]), faults=faults)


class UnknownEntityError(FieldError):
    """Dynamics has no such table, or the sync user can't see it."""


class UnknownFieldError(FieldError):
    """A system has no such field.

    Attributes:
        nearest: The most similar name there is, or None.
    """

    def __init__(self, what: str, *, what_to_do: str = "", nearest: str | None = None) -> None:
        super().__init__(what, what_to_do=what_to_do)
        self.nearest = nearest


class NotEligibleError(FieldError):
    """The field exists but can't be synced."""


class FieldCreationError(FieldError):
    """A field was asked for in Dynamics; no field can be created there from Marketo (M4).

    Attributes:
        nearest: The most similar name there is in Dynamics, or None.
    """

    def __init__(self, what: str, *, what_to_do: str = "", nearest: str | None = None) -> None:
        super().__init__(what, what_to_do=what_to_do)
        self.nearest = nearest


class OneWayError(FieldError):
    """The direction asked for is wider than the mission allows (M2)."""


class HierarchyError(FieldError):
    """A table of your own belongs to one that does not sync, to itself, or to nothing that can be told."""


class TypeMismatchError(FieldError):
    """The two fields' types have no lens between them."""


class TransientError(MkdynError):
    """The same call may succeed later.

    Attributes:
        retry_after_s: Seconds to wait, where that is known.
    """

    def __init__(self, what: str, *, what_to_do: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(what, what_to_do=what_to_do)
        self.retry_after_s = retry_after_s


class UnreachableError(TransientError):
    """No answer came, or none that can be read."""


class ThrottledError(TransientError):
    """The system asked us to slow down."""


class BudgetSpentError(TransientError):
    """The day's calls are used up; the run paused at a batch boundary."""


class CursorExpiredError(TransientError):
    """A feed can't be resumed at its cursor; only a full read goes on from here."""


class RunInProgressError(TransientError):
    """Another run holds the state."""


class SafetyError(MkdynError):
    """A person must decide; nothing was sent."""


class GuardError(SafetyError):
    """The plan looks like an accident.

    Attributes:
        plan: The stored plan's number.
        breaches: What the guards found, as `mkdyn.domain.Breach`.
    """

    def __init__(self, what: str, *, what_to_do: str, plan: int, breaches: tuple[object, ...]) -> None:
        super().__init__(what, what_to_do=what_to_do)
        self.plan = plan
        self.breaches = breaches


class PlanMovedError(SafetyError):
    """There is no such plan, or it was applied already."""


class OtherOrganizationError(SafetyError):
    """The state file belongs to another Marketo instance or Dynamics organisation."""


class StateError(MkdynError):
    """The memory can't be used; stop before anything is sent."""


class StateCorruptError(StateError):
    """The file is damaged, or is no state file of ours."""


class StateTooNewError(StateError):
    """A newer release wrote the file."""


class StateFileError(StateError):
    """The file can't be opened or written."""
