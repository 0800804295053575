"""Every Dynamics type against every Marketo type: which lens stands between them, and that it keeps the laws."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.strategies import SearchStrategy

from mkdyn.domain import FieldSpec, FieldType, FieldValue, Lens, Unfit
from mkdyn.domain.lenses.matrix import Reading, counterpart_type, lens_between
from mkdyn.domain.types import CREATABLE, CREATABLE_IN_CUSTOM, DYNAMICS_TYPES, MARKETO_TYPES
from mkdyn.domain.values import same
from mkdyn.errors import TypeMismatchError

from .worlds import LAW

FEW: Final = settings(LAW, max_examples=25)
VIENNA: Final = Reading(zone=ZoneInfo("Europe/Vienna"))
LABELS: Final = {1: "Cold", 2: "Warm", 3: "warm", 4: "Open", 5: "Open", 6: "", 7: "Straße", 8: "a; b"}


def spec(type: FieldType, **facts: Any) -> FieldSpec:  # noqa: ANN401 - of each fact's own type
    """Return a field of one type."""
    return attrs.evolve(FieldSpec(name="new_x", type=type), **facts)


DYNAMICS: Final[Mapping[FieldType, FieldSpec]] = {
    kind: spec(
        kind,
        length=4 if kind in ("text", "memo", "email", "phone", "url") else None,
        minimum=-3 if kind in ("integer", "decimal", "float", "money") else None,
        maximum=1000 if kind in ("integer", "decimal", "float", "money") else None,
        precision=2 if kind in ("decimal", "float", "money") else None,
        choices=LABELS if kind in ("choice", "choices", "state", "status") else {},
    )
    for kind in DYNAMICS_TYPES
}
MARKETO: Final[Mapping[FieldType, FieldSpec]] = {
    kind: spec(kind, length=6 if kind in ("text", "email", "phone", "url") else None) for kind in MARKETO_TYPES
}

TEXT: Final = st.text(max_size=8) | st.sampled_from(
    ["a@b", "a @b", "@", "a@b@c", "ä@b", "7", "-1.50", "1e3", "٣", "1_0"]
)
GUID: Final = st.uuids().map(str)
MOMENT: Final = st.datetimes(
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))])
)
NUMBER: Final = (
    st.integers(-10, 1010)
    | st.integers()
    | st.floats()
    | st.decimals(-(10**6), 10**6, places=2)
    | st.decimals(-(10**3), 10**3, places=5)
)
LABEL: Final = st.sampled_from([*LABELS.values(), "COLD", "wArm", "STRASSE", "Hot", "Cold;Warm", "warm ; Cold", ";"])
OF_DYNAMICS: Final[Mapping[FieldType, SearchStrategy[Any]]] = {
    **dict.fromkeys(("text", "memo", "email", "phone", "url"), TEXT),
    **dict.fromkeys(("guid", "lookup", "owner", "customer"), GUID),
    **dict.fromkeys(("integer", "bigint"), st.integers(-10, 1010) | st.integers()),
    **dict.fromkeys(("decimal", "float", "money"), NUMBER),
    **dict.fromkeys(("choice", "state", "status"), st.integers(0, 9)),
    "boolean": st.booleans(),
    "choices": st.lists(st.integers(1, 9), max_size=3).map(lambda found: ",".join(map(str, sorted(set(found))))),
    "datetime": MOMENT,
    "user-date": MOMENT,
    "wall-clock": st.datetimes(),
    "date": st.dates(),
}
OF_MARKETO: Final[Mapping[FieldType, SearchStrategy[Any]]] = {
    **dict.fromkeys(("email", "phone", "url"), TEXT),
    **dict.fromkeys(("text", "memo"), TEXT | LABEL | GUID | GUID.map(str.upper)),
    **dict.fromkeys(("integer", "score", "percent"), st.integers(-10, 1010) | st.integers()),
    **dict.fromkeys(("float", "currency"), NUMBER),
    "boolean": st.booleans(),
    "datetime": MOMENT.map(lambda at: at.replace(microsecond=0)),
    "date": st.dates(),
}

TEXTS: Final = ("text", "memo", "email", "phone", "url")
PLAIN: Final = ("text", "memo")
WHOLE: Final = ("integer", "score", "percent")
FRACTIONAL: Final = ("float", "currency")
#: Written out by hand, so that the table in the code is checked against another one.
FITTING: Final[Mapping[tuple[str, str], str]] = {
    **{(left, right): "text" for left in TEXTS for right in TEXTS},
    **{(left, right): "reference" for left in ("guid", "lookup", "owner", "customer") for right in PLAIN},
    **{(left, right): "integer" for left in ("integer", "bigint") for right in WHOLE},
    **{(left, right): "integer-float" for left in ("integer", "bigint") for right in FRACTIONAL},
    **{(left, right): "decimal-integer" for left in ("decimal", "float", "money") for right in WHOLE},
    **{(left, right): "decimal-float" for left in ("decimal", "float", "money") for right in FRACTIONAL},
    **{(left, right): "number-text" for left in ("integer", "bigint", "decimal", "float", "money") for right in PLAIN},
    **{(left, right): "choice-label" for left in ("choice", "state", "status") for right in PLAIN},
    **{(left, right): "choice-number" for left in ("choice", "state", "status") for right in WHOLE},
    **{("choices", right): "choices-labels" for right in PLAIN},
    ("boolean", "boolean"): "boolean",
    ("datetime", "datetime"): "datetime",
    ("wall-clock", "datetime"): "wall-clock",
    ("date", "date"): "date",
    ("user-date", "date"): "user-date",
}  # fmt: skip
CELLS: Final = sorted(FITTING)
each_cell = pytest.mark.parametrize("cell", CELLS, ids="-".join)


def lens_of(cell: tuple[Any, Any]) -> Lens:
    """Return the lens of two types."""
    return lens_between(DYNAMICS[cell[0]], MARKETO[cell[1]], VIENNA)


def test_the_vocabulary_is_that_of_both_systems() -> None:
    """Every type belongs to Dynamics, to Marketo, or to both."""
    assert set(get_args(FieldType)) == {*DYNAMICS_TYPES, *MARKETO_TYPES}
    assert (len(DYNAMICS_TYPES), len(MARKETO_TYPES)) == (26, 15)


@pytest.mark.parametrize("dynamics", DYNAMICS_TYPES)
@pytest.mark.parametrize("marketo", MARKETO_TYPES)
def test_every_two_types_have_one_lens_or_none(dynamics: FieldType, marketo: FieldType) -> None:
    """What fits has a lens; what does not is refused, and says what would do."""
    name = FITTING.get((dynamics, marketo))
    if name is not None:
        assert lens_between(spec(dynamics), spec(marketo)).name == name
        return
    with pytest.raises(TypeMismatchError) as caught:
        lens_between(spec(dynamics), FieldSpec(name="x", type=marketo))
    remedy = {
        "image": "Leave it out: images can't be synced.",
        "file": "Leave it out: files can't be synced.",
        "unsupported": "Leave it out: its type can't be synced.",
    }.get(dynamics, f"Map it to a Marketo field of type {counterpart_type(spec(dynamics))}.")
    assert str(caught.value) == f"new_x ({dynamics} in Dynamics) does not fit x ({marketo} in Marketo). {remedy}"


@pytest.mark.parametrize("kind", sorted({left for left, _ in FITTING}))
@pytest.mark.parametrize("within", [MARKETO_TYPES, CREATABLE, CREATABLE_IN_CUSTOM], ids=["all", "person", "custom"])
def test_every_type_has_a_counterpart_that_fits(kind: FieldType, within: Any) -> None:  # noqa: ANN401 - a collection
    """A field created in Marketo for a Dynamics field can hold it."""
    counterpart = counterpart_type(spec(kind), within)
    assert counterpart in within
    assert (kind, counterpart) in FITTING


# -- the laws ------------------------------------------------------------------------------------------


@each_cell
@FEW
@given(data=st.data())
def test_what_was_carried_over_agrees(cell: tuple[Any, Any], data: st.DataObject) -> None:
    """A value and what the lens makes of it are in agreement, whichever way it went."""
    lens = lens_of(cell)
    d, m = data.draw(st.none() | OF_DYNAMICS[cell[0]]), data.draw(st.none() | OF_MARKETO[cell[1]])
    there, back = lens.to_marketo(d), lens.to_dynamics(m)
    assert isinstance(there, Unfit) or lens.agree(d, there)
    assert isinstance(back, Unfit) or lens.agree(back, m)


@each_cell
@FEW
@given(data=st.data())
def test_there_and_back_and_there_again(cell: tuple[Any, Any], data: st.DataObject) -> None:
    """The second time, it is what it was the first time; so two systems come to rest."""
    lens = lens_of(cell)
    for first, second, shown in [
        (lens.to_marketo, lens.to_dynamics, data.draw(st.none() | OF_DYNAMICS[cell[0]])),
        (lens.to_dynamics, lens.to_marketo, data.draw(OF_MARKETO[cell[1]])),  # Marketo never shows an empty boolean
    ]:
        there = first(shown)
        if isinstance(there, Unfit):
            assert there.reason.endswith(".")
            assert there.code
            continue
        back = second(there)
        if not isinstance(back, Unfit):
            assert same(first(back), there)  # type: ignore[arg-type]  # unfit is not the same


#: Values that each lens holds back, as it says, and values that Marketo shows less of; by lens, Dynamics' and Marketo's.
HELD: Final[Mapping[str, tuple[list[FieldValue], list[FieldValue]]]] = {
    "text": (["seven c"], ["five5"]),
    "reference": (["no guid"], ["no guid"]),
    "integer": ([2**31], [2**63]),
    "integer-float": ([2**53 + 1], [0.5, 2.0**70]),
    "decimal-integer": ([Decimal("0.5"), 2**31], [2000]),
    "decimal-float": ([Decimal("1e400")], [0.125, 2000.0]),
    "number-text": ([Decimal("Infinity")], ["seven", "1e999", "0.123"]),
    "choice-label": ([6, 99], ["Open", "Hot"]),
    "choice-number": ([99], [99]),
    "choices-labels": (["6", "1,99", "8"], ["Hot", "Cold;Hot", "a; b"]),
    "datetime": ([], [datetime(1752, 12, 31, 23, 59, 59, tzinfo=UTC)]),
    "wall-clock": ([], [datetime(1752, 12, 31, 23, 59, 59, tzinfo=UTC)]),
    "date": ([], [date(1752, 12, 31)]),
    "user-date": ([], [date(1752, 12, 31)]),
}
LOST: Final[Mapping[str, FieldValue]] = {
    "decimal-float": Decimal("0.12345678901234567890"),
    "boolean": None,
    "datetime": datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
    "wall-clock": datetime(2026, 1, 2, 3, 4, 5, 678),  # noqa: DTZ001 - the same for everybody
    "user-date": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
}


@each_cell
def test_a_lens_says_what_it_holds_back(cell: tuple[Any, Any]) -> None:
    """Where it names values that don't fit, there are some; they are Unfit, each with a reason."""
    lens = lens_of(cell)
    assert bool(lens.holds) == (lens.name in HELD)
    of_dynamics, of_marketo = HELD.get(lens.name, ([], []))
    found = [*map(lens.to_marketo, of_dynamics), *map(lens.to_dynamics, of_marketo)]
    assert not found or any(isinstance(carried, Unfit) and carried.code != "wrong-type" for carried in found)


@each_cell
@FEW
@given(data=st.data())
def test_what_no_lens_names_always_fits(cell: tuple[Any, Any], data: st.DataObject) -> None:
    """A lens that holds nothing back carries every value of its type, but the calendar's first and last day."""
    lens = lens_of(cell)
    if lens.holds:
        return
    for carried in (
        lens.to_marketo(data.draw(OF_DYNAMICS[cell[0]])),
        lens.to_dynamics(data.draw(OF_MARKETO[cell[1]])),
    ):
        assert not isinstance(carried, Unfit) or carried.reason == "the calendar has no such day."


@each_cell
def test_a_lens_says_what_marketo_shows_less_of(cell: tuple[Any, Any]) -> None:
    """A value that Marketo shows less of does not come back as it was, and still agrees with what is shown."""
    lens = lens_of(cell)
    assert bool(lens.loses) == (lens.name in LOST)
    if lens.loses:
        shown = lens.to_marketo(LOST[lens.name])
        assert not isinstance(shown, Unfit)
        assert not same(lens.to_dynamics(shown), LOST[lens.name])  # type: ignore[arg-type]  # unfit is not the same
        assert lens.agree(LOST[lens.name], shown)


@each_cell
@FEW
@given(data=st.data())
def test_what_loses_nothing_comes_back_whole(cell: tuple[Any, Any], data: st.DataObject) -> None:
    """Carried over and back, a value is what it was; an empty text is an empty field."""
    lens = lens_of(cell)
    value = data.draw(OF_DYNAMICS[cell[0]])
    there = lens.to_marketo(value)
    if lens.loses or isinstance(there, Unfit):
        return
    back = lens.to_dynamics(there)
    if not isinstance(back, Unfit):
        exact = Decimal(str(value)) if isinstance(value, float) else value
        assert same(back, exact) or value == ""


# -- what the lens knows of its two fields ---------------------------------------------------------------


def test_a_lens_knows_the_fields_limits() -> None:
    """Lengths, ranges, precision, choices and defaults are the two specs'."""
    text = lens_between(spec("text", length=3), spec("text", length=2))
    assert text.to_marketo("abc") == Unfit("too-long", "3 characters, Marketo takes 2.")
    assert text.to_dynamics("abcd") == Unfit("too-long", "4 characters, Dynamics takes 3.")
    area = lens_between(spec("memo"), spec("memo"))
    assert area.to_marketo("ä" * 15_000) == "ä" * 15_000
    assert area.to_marketo("ä" * 15_001) == Unfit("too-long", "30,002 bytes, Marketo takes 30,000.")
    whole = lens_between(spec("integer", minimum=0, maximum=10), spec("integer"))
    assert whole.to_dynamics(11) == Unfit("out-of-range", "Dynamics takes 0 to 10.")
    assert lens_between(spec("integer"), spec("integer")).to_dynamics(2**31 - 1) == 2**31 - 1
    big = lens_between(spec("bigint"), spec("text"))
    assert big.to_dynamics(str(2**63 - 1)) == 2**63 - 1
    assert isinstance(big.to_dynamics(str(2**63)), Unfit)
    number = lens_between(spec("decimal", precision=1, minimum=-1, maximum=1), spec("float"))
    assert number.to_dynamics(0.5) == Decimal("0.5")
    assert isinstance(number.to_dynamics(0.25), Unfit)
    assert isinstance(number.to_dynamics(1.5), Unfit)
    assert lens_between(spec("decimal"), spec("float")).to_dynamics(0.25) == Decimal("0.25")
    assert lens_between(spec("choice", choices={1: "Cold"}), spec("text")).to_marketo(1) == "Cold"
    assert lens_between(spec("boolean", default=True), spec("boolean")).dynamics_default is True
    assert lens_between(spec("boolean"), spec("boolean")).dynamics_default is False


def test_a_number_without_limits_of_its_own_has_the_vendor_s() -> None:
    """Dynamics' own bounds of its whole numbers and its decimals, to the last one that fits; ten decimal places."""
    whole = lens_between(spec("integer"), spec("integer"))
    for last in (-(2**31), 2**31 - 1):
        assert whole.to_dynamics(last) == last
    for beyond in (-(2**31) - 1, 2**31):
        assert whole.to_dynamics(beyond) == Unfit("out-of-range", "Dynamics takes -2,147,483,648 to 2,147,483,647.")
    number = lens_between(spec("decimal"), spec("float"))
    for edge in (-(10**11), 10**11):
        assert number.to_dynamics(edge) == edge
        assert number.to_dynamics(edge + edge // 10**11) == Unfit(
            "out-of-range", "Dynamics takes -100,000,000,000.0 to 100,000,000,000.0."
        )
    assert number.to_dynamics(Decimal("0.0000000001")) == Decimal("0.0000000001")
    assert number.to_dynamics(Decimal("0.00000000001")) == Unfit("too-precise", "Dynamics keeps 10 decimal places.")
    assert lens_between(spec("decimal", minimum=-1), spec("float")).to_dynamics(-2) == Unfit(
        "out-of-range", "Dynamics takes -1 to 100,000,000,000.0."
    )


def test_labels_are_in_the_chosen_language() -> None:
    """Where a choice has no label in it, the user's own stands in."""
    rating = spec("choice", choices={1: "Hot", 2: "Cold"}, translations={1031: {1: "Heiß"}})
    german = lens_between(rating, spec("text"), Reading(language=1031))
    assert [german.to_marketo(1), german.to_marketo(2), german.to_dynamics("heiß")] == ["Heiß", "Cold", 1]
    assert lens_between(rating, spec("text")).to_marketo(1) == "Hot"


@pytest.mark.parametrize(
    ("cell", "value", "there", "back"),
    [
        (("choices", "text"), "2,1", "Cold;Warm", "1,2"),
        (("choices", "text"), "", None, None),
        (("money", "text"), Decimal("20.5000"), "20.5", Decimal("20.5")),
        (("integer", "text"), 0, "0", 0),
        (("integer", "float"), 7, 7.0, 7),
        (("decimal", "percent"), Decimal("50.00"), 50, Decimal(50)),
        (("state", "integer"), 1, 1, 1),
        (("user-date", "date"), datetime(2026, 7, 13, 22, tzinfo=UTC), date(2026, 7, 14), datetime(2026, 7, 13, 22, tzinfo=UTC)),
        (("wall-clock", "datetime"), datetime(2026, 7, 14, 9), datetime(2026, 7, 14, 9, tzinfo=UTC), datetime(2026, 7, 14, 9)),  # noqa: DTZ001
        (("guid", "memo"), "{", Unfit("no-guid", "it is no record's GUID."), None),
        (("email", "email"), "a@b", "a@b", "a@b"),
        (("email", "email"), "a b@c", Unfit("bad-email", "Marketo takes no such address."), None),
        (("wall-clock", "datetime"), datetime(2026, 7, 14, tzinfo=UTC), Unfit("time-zone", "the time has a zone, and the field knows none."), None),
        (("user-date", "date"), datetime(2026, 7, 14), Unfit("no-time-zone", "the time has no zone."), None),  # noqa: DTZ001
        (("user-date", "date"), datetime(9999, 12, 31, 23, 30, tzinfo=UTC), Unfit("out-of-range", "the calendar has no such day."), None),
    ],
)  # fmt: skip
def test_a_value_there_and_back(
    cell: tuple[Any, Any], value: FieldValue, there: FieldValue | Unfit, back: FieldValue
) -> None:
    """Each lens's own way of writing."""
    lens = lens_of(cell)
    carried = lens.to_marketo(value)
    assert carried == there
    if not isinstance(carried, Unfit):
        assert lens.to_dynamics(carried) == back
        assert type(lens.to_dynamics(carried)) is type(back)


@pytest.mark.parametrize(
    ("cell", "first"),
    [
        (("datetime", "datetime"), datetime(1753, 1, 1, tzinfo=UTC)),
        (("wall-clock", "datetime"), datetime(1753, 1, 1, tzinfo=UTC)),
        (("date", "date"), date(1753, 1, 1)),
        (("user-date", "date"), date(1753, 1, 2)),  # the first begins in 1752, as Dynamics keeps it
    ],
)
def test_dynamics_knows_no_day_before_1753(cell: tuple[Any, Any], first: date) -> None:
    """What is older is held, and not refused together with its record."""
    lens = lens_of(cell)
    assert not isinstance(lens.to_dynamics(first), Unfit)
    assert lens.to_dynamics(first - timedelta(days=1)) == Unfit("out-of-range", "Dynamics knows no day before 1753.")


def test_a_day_kept_as_an_instant_comes_of_a_day() -> None:
    """A time of day is not cut off."""
    at = datetime(2026, 7, 14, 9, tzinfo=UTC)
    assert lens_of(("user-date", "date")).to_dynamics(at) == Unfit("wrong-type", "it has a time of day.")


def test_a_list_of_choices_must_be_one() -> None:
    """What is no list of numbers is no value of such a field."""
    lens = lens_of(("choices", "text"))
    assert lens.to_marketo("Cold") == Unfit("wrong-type", "it is no list of choices.")
    assert lens.agree("1,2", "Warm; Cold")
