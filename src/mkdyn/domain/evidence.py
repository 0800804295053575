"""What Marketo's feed proves about one person's fields.

Marketo has no concurrency control, so our own writes are recognised when they come
back: each leaves an `Echo` in the link until the feed, or a read, confirms it. From
the evidence, the echoes and what Marketo shows now follows, per field, whether a person
edited it, whether our write hit an edit made in that instant, or whether Marketo
ignored or rewrote what we sent. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, Literal, TypeAlias

import attrs

from mkdyn.domain.feeds import Evidence
from mkdyn.domain.records import Echo
from mkdyn.domain.values import MISSING, FieldValue, Missing, Shown, same

Echoes: TypeAlias = Mapping[str, tuple[Echo, ...]]
#: Marketo's answer to a write of ours that it did not simply store.
Refusal: TypeAlias = Literal["blocked", "rewritten"]

#: Words a boolean appears as in the feed's text.
_TRUE: Final = frozenset({"true", "1", "yes"})
_FALSE: Final = frozenset({"false", "0", "no", ""})


def reads_as(text: str | None, value: FieldValue) -> bool:
    """Whether the feed's *text* stands for *value*."""
    if isinstance(value, bool):
        return (text or "").casefold() in (_TRUE if value else _FALSE)
    return text == value or value_like(text, value) == value


def value_like(text: str | None, example: FieldValue) -> Shown:
    """Read *text* as a value of the same type as *example*; MISSING if it can't be.

    Only ever used to put back an edit that our own write replaced: nothing else holds it any more.
    """
    if isinstance(example, bool):
        word = (text or "").casefold()
        return True if word in _TRUE else False if word in _FALSE else MISSING
    if text is None or text == "":
        return None
    try:
        return _READERS.get(type(example), str)(text)
    except (ValueError, ArithmeticError):
        return MISSING


def _whole(text: str) -> int:
    """Read a whole number, however it is written: `80`, `80.0`, `8E1`."""
    number = Decimal(text)
    whole = int(number)
    if whole != number:
        raise ValueError
    return whole


def _instant(text: str) -> datetime:
    """Read a date and time; without a zone it is in UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


#: How the feed's text is read, by the type of what the field holds.
_READERS: Final[Mapping[type, Callable[[str], FieldValue]]] = {
    int: _whole,
    float: float,
    Decimal: Decimal,
    datetime: _instant,
    date: date.fromisoformat,
}


#: No feed cuts texts shorter than this (Marketo's string fields have 255 characters).
_KEPT_AT_LEAST: Final = 255


@attrs.define(init=False)
class Proof:
    """What the evidence comes to.

    Attributes:
        edited: Fields that someone else changed, by the feed's word.
        overwritten: Per field, the edit that our write replaced, if nobody has edited it since.
        standing: Per field whose last entry is our own write, what we wrote.
        lost: Fields whose replaced edit can't be read back from the feed's text.
        echoes: Our writes that are still unconfirmed.
        confirmed: Whether any write of ours was confirmed.
        arrived: Per field, our last write if it may never have arrived, and did: no baseline follows it yet.
    """

    edited: set[str]
    overwritten: dict[str, FieldValue] = attrs.field(repr=False)
    standing: dict[str, FieldValue] = attrs.field(repr=False)
    lost: set[str]
    echoes: dict[str, tuple[Echo, ...]]
    confirmed: bool
    arrived: dict[str, FieldValue] = attrs.field(repr=False)

    def __init__(self, echoes: Echoes) -> None:  # one is made of every record: factories take three times as long
        self.edited = set()
        self.overwritten = {}
        self.standing = {}
        self.lost = set()
        self.echoes = dict(echoes)
        self.confirmed = False
        self.arrived = {}


def still_due(
    echoes: Echoes, fields: Iterable[str], since: datetime | None, *, heard: Sequence[Evidence] = ()
) -> Echoes:
    """Return the echoes without those of *fields* that were sent before *since*.

    They would have been confirmed by now, so a new entry that looks like one is somebody's edit. Those that *heard*,
    evidence not dealt with yet, confirms are kept: they are needed to read it.
    """
    asked = echoes.keys() & fields
    if since is None or not asked:
        return echoes
    needed: Mapping[str, Sequence[int]] = confirmed_of(echoes, prove(heard, echoes).echoes) if heard else {}
    kept = dict(echoes)
    for name in asked:
        kept[name] = tuple(
            echo
            for place, echo in enumerate(echoes[name])
            if place in needed.get(name, ()) or echo.at is None or echo.at >= since
        )
    return {name: waiting for name, waiting in kept.items() if waiting}


def heard_of(echoes: Echoes, evidence: Sequence[Evidence]) -> Echoes:
    """Return those of the echoes that the evidence confirms."""
    heard = confirmed_of(echoes, prove(evidence, echoes).echoes)
    return {name: tuple(echoes[name][place] for place in places) for name, places in heard.items()}


def confirmed_of(echoes: Echoes, rest: Echoes) -> Mapping[str, Sequence[int]]:
    """Return the places of those of the echoes that are not among the *rest*, by field."""
    places: dict[str, list[int]] = {}
    for name, waiting in echoes.items():
        left = {id(echo) for echo in rest.get(name, ())}
        if len(left) < len(waiting):
            places[name] = [place for place, echo in enumerate(waiting) if id(echo) not in left]
    return places


def prove(evidence: Iterable[Evidence], echoes: Echoes) -> Proof:
    """Sort feed entries, oldest first, into our own writes and other people's edits."""
    proof = Proof(echoes)
    for item in evidence:
        waiting = proof.echoes.get(item.field, ())
        echo = _echo_of(item, waiting)
        if echo is None:
            proof.edited.add(item.field)
            for known in (proof.overwritten, proof.standing):
                known.pop(item.field, None)
            continue
        after_an_edit = item.field in proof.edited and item.field not in proof.standing  # nobody knew of when we wrote
        proof.confirmed = True
        if echo.sure:
            proof.arrived.pop(item.field, None)
        else:
            proof.arrived[item.field] = echo.after
        proof.standing[item.field] = echo.after
        _settle(proof, item.field, waiting, echo)
        if after_an_edit or not _continues(item, echo):
            replaced = value_like(item.old, echo.after if echo.before is None else echo.before)
            if isinstance(replaced, Missing):
                proof.lost.add(item.field)
            else:
                proof.overwritten.setdefault(item.field, replaced)  # after a write of ours, it is the edit before that
    return proof


def not_explained(evidence: Iterable[Evidence], echoes: Echoes) -> Sequence[Evidence]:
    """Return the entries that none of our awaited writes explains: those may tell of a write that is none of them."""
    left: list[Evidence] = []
    proof = Proof(echoes)
    for item in evidence:
        waiting = proof.echoes.get(item.field, ())
        echo = _echo_of(item, waiting)
        if echo is None:
            left.append(item)
        else:
            _settle(proof, item.field, waiting, echo)
    return left


def _echo_of(item: Evidence, waiting: Sequence[Echo]) -> Echo | None:
    """Return the write that an entry tells of: the oldest that wrote this, or, where it may never have arrived, one that fits.

    Of several that fit, one that did arrive.
    """
    alike = [echo for echo in waiting if reads_as(item.new, echo.after)]
    if not alike or alike[0].sure:
        return alike[0] if alike else None
    fitting = [echo for echo in alike if _continues(item, echo)] or alike[:1]
    return next((echo for echo in fitting if echo.sure), fitting[0])


def _continues(item: Evidence, echo: Echo) -> bool:
    """Whether a field showed before an entry what it showed when the write was decided on."""
    return _is_cut_from(item.old, echo.before) or reads_as(item.old, echo.before)


def _is_cut_from(text: str | None, value: FieldValue) -> bool:
    """Whether the feed shows the beginning of a long text, as far as it keeps texts."""
    return isinstance(value, str) and text is not None and len(text) >= _KEPT_AT_LEAST and value.startswith(text)


def _settle(proof: Proof, field: str, waiting: Sequence[Echo], heard: Echo) -> None:
    """Await neither what was *heard* nor what was sent before it; what may never have arrived may still come later."""
    place = next(place for place, echo in enumerate(waiting) if echo is heard)
    rest = (*(echo for echo in waiting[:place] if not echo.sure), *waiting[place + 1 :])
    if rest:
        proof.echoes[field] = rest
    else:
        del proof.echoes[field]


def explained(field: str, shown: FieldValue, echoes: Echoes, evidence: Sequence[Evidence]) -> bool:
    """Whether what Marketo shows of a field is what its feed, or our own last write, would have it show.

    If not, values lag behind the feed or the feed behind the values: it is too early to decide.
    """
    told = [item for item in evidence if item.field == field]
    if told:
        return reads_as(told[-1].new, shown)
    waiting = echoes.get(field)
    return not waiting or same(shown, waiting[-1].after)


def given_up_at(field: str, shown: FieldValue, echoes: Echoes) -> datetime | None:
    """Return when our last write of a field was sent, if it seems never to have arrived: what it found shows still."""
    waiting = echoes.get(field)
    return waiting[-1].at if waiting and not waiting[-1].sure and same(shown, waiting[-1].before) else None


def refused(field: str, shown: FieldValue, echoes: Echoes, evidence: Sequence[Evidence]) -> Refusal | None:
    """Say whether *shown* is Marketo's own answer to our last write, and no edit.

    It is, where we wrote something else and the feed names nobody who changed the field
    since: what stood there before our write shows again (blocked), or something that
    Marketo made of it (rewritten). A write that may never have arrived has no answer.
    """
    waiting = echoes.get(field)
    if not waiting or not waiting[-1].sure or same(shown, waiting[-1].after):
        return None
    last = waiting[-1]
    told = [item for item in evidence if item.field == field]
    ours = len(told) == 1 and reads_as(told[0].old, last.before) and reads_as(told[0].new, shown)
    if told and not ours:
        return None
    return "blocked" if same(shown, last.before) else "rewritten"
