"""What an error means: for one write, and for a whole call. No value of anybody is told on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

import attrs

from mkdyn.adapters.dynamics.codes import Known, known
from mkdyn.adapters.dynamics.responses import ApiError
from mkdyn.domain.outcomes import Applied, Create, Delete, Outcome, Rejected, Stale, Unknown, Update, Write
from mkdyn.errors import (
    CheckError,
    CredentialsError,
    CursorExpiredError,
    MkdynError,
    SetupError,
    ThrottledError,
    UnknownEntityError,
    UnknownFieldError,
    UnreachableError,
)

_NOT_FOUND: Final = 404
_SERVER: Final = 500
_QUOTED: Final = re.compile(r"['\"]([A-Za-z_][A-Za-z0-9_]*)['\"]", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PRIVILEGE: Final = re.compile(r"\bprv[A-Z]\w{0,120}", re.ASCII)
#: A customer's own code speaks: what it mentions need not be to blame.
_PLUG_INS: Final = ("0x80040265", "0x80040224", "0x80040216")


@attrs.frozen
class Again:
    """The server was busy, and did nothing: the same may be sent again."""

    reason: str


@attrs.frozen
class LookUp:
    """Whether the row is there decides.

    Attributes:
        there: What it comes to if the row is there; None for a Create that found it.
        missing: What it comes to if it is not.
    """

    there: Outcome | None
    missing: Outcome


Verdict: TypeAlias = Outcome | Again | LookUp


@attrs.frozen(kw_only=True)
class Sent:
    """A write as it was sent.

    Attributes:
        place: Its place among the writes.
        write: What was asked for.
        names: What each of its fields is called on the wire, by that name.
        references: The rows that its lookups name, by field.
    """

    place: int
    write: Write
    names: Mapping[str, str] = attrs.field(factory=dict[str, str])
    references: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)


def verdict(error: ApiError, sent: Sent) -> Verdict:
    """Decide what a refused write comes to.

    Raises:
        CredentialsError: Not the write is refused, but who we are.
    """
    found, refusal = known(error.status, error.code), rejected(error, sent)
    match found.meaning, sent.write:
        case (("throttled" | "busy"), _):
            return Again(found.sentence)
        case "user", _:
            raise failure(error, "")
        case (("moved" | "exists"), Create()):
            return LookUp(None, refusal)
        case "moved", _:
            return Stale()
        case "gone", Delete(key=key):
            return Applied(key=key.lower())
        case "gone", Update():
            return _gone(error, sent, refusal)
        case _:
            return Unknown(reason=f"Dynamics answered {error.status}") if _says_nothing(error) else refusal


def _says_nothing(error: ApiError) -> bool:
    """Whether that is no refusal of Dynamics' own: it failed, or what is between us answered, or half of it is lost."""
    return not error.code and (error.status >= _SERVER or not error.message)


def _gone(error: ApiError, sent: Sent, refusal: Rejected) -> Verdict:
    """Tell a row that is not there from one that it refers to."""
    named = _guids(error.message)
    if not sent.references or sent.write.key.lower() in named:
        return Stale(gone=True)
    if refusal.field is not None:
        return refusal
    return LookUp(refusal, Stale(gone=True))


def _guids(message: str) -> set[str]:
    return {guid.lower() for guid in _GUID.findall(message)}


def rejected(error: ApiError, sent: Sent) -> Rejected:
    """Return a refusal as the engine is told of it: our sentence, and the field to blame."""
    sentence = known(error.status, error.code).sentence
    lacking = _PRIVILEGE.search(error.message)
    if lacking is not None:
        sentence = f"{sentence.rstrip('.')}: {lacking[0]}."
    return Rejected(code=error.code or str(error.status), message=sentence, field=_blamed(error, sent))


def _blamed(error: ApiError, sent: Sent) -> str | None:
    """Return the field that a message is about: the one that refers to a row it names, or the only one it names."""
    if error.code in _PLUG_INS:
        return None
    guids = _guids(error.message)
    found = {name for name, guid in sent.references.items() if guid in guids}
    for words in (_QUOTED, _WORD):
        found = found or _fields(words.findall(error.message), sent.names)
    return found.pop() if len(found) == 1 else None


def _fields(words: Iterable[str], names: Mapping[str, str]) -> set[str]:
    return {names[word] for word in words if word in names}


# -- whole calls ---------------------------------------------------------------------------------------------


def failure(error: ApiError, about: str, *, retry_after_s: float | None = None) -> MkdynError:
    """Return what to raise where a whole call is refused.

    Args:
        error: The refusal.
        about: The table it was about; nothing for none.
        retry_after_s: How long Dynamics asks us to wait.
    """
    found = known(error.status, error.code)
    where = f"Dynamics {about}" if about else "Dynamics"
    if found.meaning in _NEEDS_WORDS and _says_nothing(error):
        return UnreachableError(f"{where} answered {error.status}.", what_to_do="Try again later.")
    return _failure(error, found, where, retry_after_s)


def _failure(error: ApiError, found: Known, where: str, retry_after_s: float | None) -> MkdynError:
    match found.meaning:
        case "throttled":
            return ThrottledError(f"{where}: {found.sentence}", retry_after_s=retry_after_s)
        case "user":
            return CredentialsError(f"{where}: {found.sentence}", what_to_do=_REMEDIES.get(error.code, _RENEW))
        case "privilege" | "column" | "untracked":
            return CheckError((_problem(error, where, found),))
        case "expired":
            return CursorExpiredError(f"{where}: {found.sentence}", what_to_do="Read the table in full.")
        case "gone" | "unknown-name" if error.status == _NOT_FOUND:
            return UnknownEntityError(f"{where}: there is no such table.", what_to_do="Check the name.")
        case "unknown-name":
            what = f"{where}: {found.sentence} ({error.code})"
            return UnknownFieldError(what, what_to_do="Check the selected fields.")
        case "busy":
            return UnreachableError(f"{where}: {found.sentence}", what_to_do="Try again later.")
        case _:
            return _unexpected(error, where, found.sentence)


#: What only Dynamics itself can say: a status alone may be a gateway's.
_NEEDS_WORDS: Final = ("refused", "gone", "privilege", "expired")


def _problem(error: ApiError, where: str, found: Known) -> str:
    if found.meaning == "untracked":
        return f"{where}: {found.sentence} {TRACK}"
    lacking = _PRIVILEGE.search(error.message)
    name = "" if lacking is None else f" ({lacking[0]})"
    return f"{where}: {found.sentence.rstrip('.')}{name}. {_ASK_FOR_RIGHTS}"


def _unexpected(error: ApiError, where: str, sentence: str) -> MkdynError:
    if error.status >= _SERVER:
        return UnreachableError(f"{where} answered {error.status}.", what_to_do="Try again later.")
    return SetupError(
        f"{where}: {sentence} ({error.code or error.status})", what_to_do="Report it: mkdyn should not ask for that."
    )


#: How to have a table's changes tracked.
TRACK: Final = "Switch on Track changes in the table's properties, and publish it."
_RENEW: Final = "Check the tenant, the client id and its secret, and the environment's address."
_ASK_FOR_RIGHTS: Final = "Run sync.check() for what is missing, and have the user's role or profile changed."
_REMEDIES: Final[Mapping[str, str]] = {
    "0x80072560": "Add an application user with this client id to the environment, and give it a security role.",
    "0x80040225": "Enable the application user, and give it a business unit.",
    "0x80042f09": "Give the application user a security role.",
}
