"""Lenses between texts, and between texts and what texts stand for: labels, numbers, references."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from mkdyn.domain.lenses.lens import Carry, Convert, Lens, Unfit, carrying
from mkdyn.domain.lenses.numbers import decimals_in_range
from mkdyn.domain.records import is_guid
from mkdyn.domain.values import FieldValue

#: Between the labels of several choices in one Marketo text.
SEPARATOR: Final = ";"


def text_lens(
    *,
    dynamics_length: int | None = None,
    marketo_length: int | None = None,
    marketo_bytes: int | None = None,
    email: bool = False,
) -> Lens:
    """Return the lens between two texts; empty text is an empty field.

    Args:
        dynamics_length: The most characters Dynamics takes.
        marketo_length: The most characters Marketo takes.
        marketo_bytes: The most bytes of UTF-8 Marketo takes, for a text area.
        email: Whether Marketo takes addresses only (source: Adobe, "Leads": ASCII, syntax checked).
    """

    def to_marketo(value: str) -> FieldValue | Unfit:
        if marketo_length is not None and len(value) > marketo_length:
            return _too_long(len(value), "characters", "Marketo", marketo_length)
        if marketo_bytes is not None and (size := len(value.encode(errors="surrogatepass"))) > marketo_bytes:
            return _too_long(size, "bytes", "Marketo", marketo_bytes)
        if email and value and not is_email(value):
            return Unfit("bad-email", "Marketo takes no such address.")
        return value or None

    def to_dynamics(value: str) -> FieldValue | Unfit:
        if dynamics_length is not None and len(value) > dynamics_length:
            return _too_long(len(value), "characters", "Dynamics", dynamics_length)
        return value or None

    limits = [limit for limit in (dynamics_length, marketo_length, marketo_bytes) if limit is not None]
    return Lens(
        name="text",
        to_marketo=carrying(str, to_marketo, "text"),
        to_dynamics=carrying(str, to_dynamics, "text"),
        holds=", ".join([*(["texts that are too long"] if limits else []), *(["what is no address"] if email else [])]),
    )


def _too_long(size: int, unit: str, system: str, limit: int) -> Unfit:
    return Unfit("too-long", f"{size:,} {unit}, {system} takes {limit:,}.")


def is_email(text: str) -> bool:
    """Whether Marketo takes *text* as an address: ASCII, one @, something on both sides, no space."""
    name, _, domain = text.partition("@")
    return bool(name and domain) and text.isascii() and "@" not in domain and text.split() == [text]


def reference_lens() -> Lens:
    """Return the lens between a lookup's GUID and the external key we gave its target in Marketo."""

    def key(value: str) -> FieldValue | Unfit:
        if value and not is_guid(value):
            return Unfit("no-guid", "it is no record's GUID.")
        return value.lower() or None

    return Lens(
        name="reference",
        to_marketo=carrying(str, key, "reference"),
        to_dynamics=carrying(str, key, "reference"),
        holds="texts that are no GUID",
    )


# -- choices -----------------------------------------------------------------------------------------


def choice_lens(choices: Mapping[int, str]) -> Lens:
    """Return the lens between a choice's number in Dynamics and its label in Marketo."""
    label, number = _labels(choices)
    return Lens(
        name="choice-label",
        to_marketo=carrying(int, label, "choice"),
        to_dynamics=carrying(str, number, "label"),
        holds="choices without a label, labels without a choice of their own",
    )


def choice_number_lens(choices: Mapping[int, str]) -> Lens:
    """Return the lens between a choice and its number as a number."""

    def number(value: int) -> FieldValue | Unfit:
        return int(value) if value in choices else Unfit("no-choice", "Dynamics has no choice of that number.")

    carry: Carry = carrying(int, number, "choice")
    return Lens(name="choice-number", to_marketo=carry, to_dynamics=carry, holds="numbers without a choice")


def choices_lens(choices: Mapping[int, str]) -> Lens:
    """Return the lens between several choices (`"1,9"`, in order) and their labels (`"A;B"`).

    In which order either system lists them means nothing.
    """
    label, number = _labels({choice: text for choice, text in choices.items() if SEPARATOR not in text})

    def labels(value: str) -> FieldValue | Unfit:
        numbers = [part.strip() for part in value.split(",") if part.strip()]
        if not all(part.lstrip("-").isdecimal() for part in numbers):
            return Unfit("wrong-type", "it is no list of choices.")
        return _joined(SEPARATOR, [label(part) for part in sorted({int(part) for part in numbers})])

    def numbers(value: str) -> FieldValue | Unfit:
        found = [number(part.strip()) for part in value.split(SEPARATOR) if part.strip()]
        ordered = sorted({part for part in found if isinstance(part, int)})
        return _joined(",", [*(part for part in found if isinstance(part, Unfit)), *ordered])

    return Lens(
        name="choices-labels",
        to_marketo=carrying(str, labels, "list of choices"),
        to_dynamics=carrying(str, numbers, "list of labels"),
        holds="choices without a label of their own, labels without a choice, labels with a semicolon",
    )


def _joined(separator: str, parts: list[FieldValue | Unfit]) -> FieldValue | Unfit:
    unfit = next((part for part in parts if isinstance(part, Unfit)), None)
    return unfit or separator.join(map(str, parts)) or None


def _labels(choices: Mapping[int, str]) -> tuple[Convert, Convert]:
    """Return what makes a label of a number, and a number of a label."""
    numbers: dict[str, list[int]] = {}
    for choice, text in choices.items():
        numbers.setdefault(text.casefold(), []).append(choice)

    def label(value: int) -> FieldValue | Unfit:
        return choices.get(value) or Unfit("no-label", "the choice has no label.")

    def number(value: str) -> FieldValue | Unfit:
        if not value:
            return None
        meant = numbers.get(value.casefold(), [])
        if len(meant) > 1:  # labels that differ by case, or not at all
            meant = [choice for choice in meant if choices[choice] == value]
        return meant[0] if len(meant) == 1 else Unfit("no-choice", "Dynamics has no one choice of that label.")

    return label, number


# -- numbers as texts --------------------------------------------------------------------------------


def digits_lens(
    *,
    whole: bool,
    precision: int = 10,
    minimum: float = -1e11,
    maximum: float = 1e11,
    marketo_length: int | None = None,
) -> Lens:
    """Return the lens between a number in Dynamics and its digits in a Marketo text.

    Args:
        whole: Whether Dynamics takes whole numbers only.
        precision: Dynamics' decimal places.
        minimum: The least number Dynamics takes.
        maximum: The greatest number Dynamics takes.
        marketo_length: The most characters Marketo takes.
    """
    ranged = decimals_in_range(minimum, maximum)

    def digits(value: Decimal | float) -> FieldValue | Unfit:
        exact = Decimal(str(value))
        if not exact.is_finite():
            return Unfit("out-of-range", "it is no finite number.")
        text = f"{exact:f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        text = "0" if text == "-0" else text
        if marketo_length is not None and len(text) > marketo_length:
            return _too_long(len(text), "characters", "Marketo", marketo_length)
        return text

    def number(value: str) -> FieldValue | Unfit:
        text = value.strip()
        if not text:
            return None
        try:
            exact = Decimal(text) if text.isascii() and "_" not in text else Decimal("NaN")
        except InvalidOperation:
            exact = Decimal("NaN")
        if not exact.is_finite():
            return Unfit("no-number", "it is no number.")
        places = 0 if whole else precision
        if isinstance(found := ranged(exact), Unfit):
            return found
        if exact != round(exact, places):
            return Unfit("too-precise", f"Dynamics keeps {places} decimal places.")
        return int(exact) if whole else exact

    return Lens(
        name="number-text",
        to_marketo=carrying((int, float, Decimal), digits, "number"),
        to_dynamics=carrying(str, number, "text"),
        holds="texts that are no number Dynamics takes",
    )
