"""Selections as TOML."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given, strategies as st

from mkdyn import CustomEntity, Direction, Entity, NewField, Pick, System, picks_from_toml, picks_to_toml
from mkdyn.domain import FieldPair
from mkdyn.domain.selection_file import file_error, read_selection
from mkdyn.errors import FieldError, UnknownEntityError

from .worlds import LAW

SUBSCRIPTION: Final = CustomEntity("new_subscription", parent=Entity.CONTACT, via="new_contactid", marketo="sub_c")
INVOICE: Final = CustomEntity("new_invoice", parent=SUBSCRIPTION, via="new_subscriptionid")

TEXT: Final = """
[entity.new_subscription]
parent = "contact"
via = "new_contactid"
marketo = "sub_c"

[entity.new_invoice]
parent = "new_subscription"
via = "new_subscriptionid"

[[field]]
entity = "contact"
dynamics = "jobtitle"

[[field]]
entity = "contact"
dynamics = "new_tier"
create = "Customer tier"
name = "tier"
type = "text"
authority = "dynamics"

[[field]]
entity = "user"
dynamics = "title"
marketo = "title"
direction = "to_marketo"

[[field]]
entity = "new_invoice"
dynamics = "new_total"
"""


def test_a_selection_is_read() -> None:
    """Entities by the word people use or by table; each pick knows its line."""
    picks = picks_from_toml(TEXT)
    assert picks == [
        Pick(Entity.CONTACT, "jobtitle"),
        Pick(
            Entity.CONTACT,
            "new_tier",
            marketo=NewField("Customer tier", name="tier", type="text"),
            authority=System.DYNAMICS,
        ),
        Pick(Entity.USER, "title", marketo="title", direction=Direction.TO_MARKETO),
        Pick(INVOICE, "new_total"),
    ]
    assert [pick.line for pick in picks] == [11, 15, 23, 29]
    assert picks_from_toml('[[field]]\nentity = "systemuser"\ndynamics = "title"') == [Pick(Entity.USER, "title")]
    assert picks_from_toml("") == []


NAMES: Final = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
WORDS: Final = st.text(min_size=1, max_size=8).filter(
    lambda word: not any(0xD800 <= ord(char) < 0xE000 for char in word)
)
PICKS: Final = st.builds(
    Pick,
    st.sampled_from([*Entity, SUBSCRIPTION, INVOICE]),
    NAMES,
    marketo=st.none() | NAMES | st.builds(NewField, WORDS, name=st.none() | NAMES),
    direction=st.none() | st.sampled_from(Direction),
    authority=st.none() | st.sampled_from(System),
)


@LAW
@given(st.lists(PICKS, max_size=4))
def test_what_was_written_is_read_back(picks: list[Pick]) -> None:
    """Whatever stands in a label."""
    assert list(picks_from_toml(picks_to_toml(picks))) == picks


def test_selected_pairs_are_written_as_they_are() -> None:
    """So that an export can be loaded elsewhere."""
    pair = FieldPair(Entity.LEAD, "jobtitle", "title", authority=System.DYNAMICS)
    assert picks_to_toml([pair]) == (
        '[[field]]\nentity = "lead"\ndynamics = "jobtitle"\nmarketo = "title"\ndirection = "both"\nauthority = "dynamics"\n'
    )


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (
            '[[field]]\nentity = "contakt"\ndynamics = "a"',
            ["line 1: entity contakt is not known; nearest: contact. A table of your own needs [entity.contakt] in the file."],
        ),
        (
            '\n[[field]]\nentity = "lead"\ndynamic = "a"',
            [
                "line 2: dynamic is no setting of a selection; nearest: dynamics. Leave it out.",
                'line 2: dynamics is missing. Write dynamics = "…".',
            ],
        ),
        (
            '[[field]]\nentity = "lead"\ndynamics = "a"\nmarketo = "x"\ncreate = "X"',
            ["line 1: marketo and create exclude each other. Keep one: a field that is there, or a new one."],
        ),
        (
            '[[field]]\nentity = 7\ndynamics = "a"\ndirection = "to_marketto"',
            [
                'line 1: entity is no text. Write entity = "…".',
                "line 1: direction to_marketto is not known; nearest: to_marketo. Take one of both, to_marketo, to_dynamics.",
            ],
        ),
        (
            '[entity.a]\nparent = "b"\n[entity.b]\nparent = "a"\n[[field]]\nentity = "a"\ndynamics = "x"',
            ["line 1: [entity.a] is its own parent: a belongs to b belongs to a. Put it right, or leave it out."],
        ),
        ('[[field]]\nentity = "a"\ndynamics = "x"\n[entity]\na = 7', ["line 4: entity.a is no table. Put it right, or leave it out."]),
        (
            '[[field]]\nentity = "a"\ndynamics = "x"\n[entity.a]\nparents = "lead"',
            ["line 4: entity.a.parents is no setting of a selection; nearest: parent. Leave it out."],
        ),
        (
            '[[field]]\nentity = "a"\ndynamics = "x"\n[entity.a]\nparent = "led"',
            ["line 4: entity led is not known; nearest: lead. A table of your own needs [entity.led] in the file."],
        ),
        (
            '[[field]]\nentity = "?"\ndynamics = "a"',
            ["line 1: entity ? is not known. A table of your own needs [entity.?] in the file."],
        ),
        (
            '[[field]]\nentity = "lead"\ndynamics = "a"\nmarketo = "x"\nname = "y"',
            ["line 1: name is that of a new field. Write create, too, or take marketo for it."],
        ),
        (
            '[[field]]\nentity = "lead"\ndynamics = "a"\nb = 1\na = 1',
            [
                "line 1: a is no setting of a selection. Leave it out.",
                "line 1: b is no setting of a selection. Leave it out.",
            ],
        ),
        (
            '[[field]]\nentity = "lead"\ndynamics = ""\nmarketo = ""\n[entity.lead]\nvia = ""',
            [
                'line 1: marketo is empty. Write marketo = "…", or leave it out.',
                'line 1: dynamics is missing. Write dynamics = "…".',
                "line 5: [entity.lead] is known without being defined. Put it right, or leave it out.",
            ],
        ),
        (
            '[entity.a]\n[[field]]\nentity = "lead"\ndynamics = "x"\n[entity.contact]\n[entity.b]\nparent = "a"',
            [
                "line 1: [entity.a] is used by no field. Pick a field of it, or leave it out.",
                "line 5: [entity.contact] is known without being defined. Put it right, or leave it out.",
                "line 6: [entity.b] is used by no field. Pick a field of it, or leave it out.",
            ],
        ),
        (
            '[entity]\na.via = "x"\n[[field]]\nentity = "a"\ndynamics = "x"\n[entity.b]',
            ["line 6: [entity.b] is used by no field. Pick a field of it, or leave it out."],
        ),
        (
            'field = [{ entity = "lead" }]\n[entity."new x"]',
            [
                'dynamics is missing. Write dynamics = "…".',
                "line 2: [entity.new x] is used by no field. Pick a field of it, or leave it out.",
            ],
        ),
        ("entity = 7", ["entity is no table. Write [entity.NAME] above each."]),
        ('field = "lead.jobtitle"', ["field is no list of tables. Write [[field]] above each."]),
        ("[fields]", ["fields is no setting of a selection; nearest: field. Leave it out."]),
    ],
)  # fmt: skip
def test_every_fault_is_named_with_its_line(text: str, faults: list[str]) -> None:
    """All at once, each with what to do."""
    with pytest.raises(FieldError) as caught:
        picks_from_toml(text)
    assert [str(fault) for fault in caught.value.faults] == faults


def test_what_is_no_toml_is_refused_where_it_stops_being() -> None:
    """The parser says where."""
    with pytest.raises(FieldError, match=r"no TOML: .*line 2"):
        picks_from_toml("[[field]]\nentity = lead")


def test_a_label_with_a_line_separator_is_on_one_line() -> None:
    """Only TOML's own line ends count."""
    [_, pick] = picks_from_toml(
        '[[field]]\nentity = "lead"\ndynamics = "a"\ncreate = "A\u2028B"\n[[field]]\nentity = "lead"\ndynamics = "b"'
    )
    assert pick.line == 5


def test_the_heads_of_tables_are_found_whatever_they_look_like() -> None:
    """With a comment, with quotes, with Windows' line ends; a list that goes on is none."""
    text = '[[ field ]] # one\r\nentity = "lead"\r\ndynamics = "a"\r\n[["field"]]\r\nentity = "lead"\r\ndynamics = "b"'
    assert [pick.line for pick in picks_from_toml(text)] == [1, 4]
    text = (
        '[[field]]\nentity = "lead"\ndynamics = "a"\ntype = [\n["x",\n"y"]]\n[[field]]\nentity = "led"\ndynamics = "b"'
    )
    with pytest.raises(FieldError) as caught:
        picks_from_toml(text)
    assert [fault.line for fault in caught.value.faults] == [1, 7]


def test_a_head_may_be_indented_and_an_entity_may_have_none() -> None:
    """Then a fault in it is named without a line, before those that have one."""
    text = '  [[field]]\nentity = "lead"\ndynamics = "a"'
    assert [pick.line for pick in picks_from_toml(text)] == [1]
    with pytest.raises(FieldError) as caught:
        picks_from_toml('entity.new_x = {}\n[[field]]\nentity = "led"\ndynamics = "a"')
    assert [fault.line for fault in caught.value.faults] == [None, 2]
    first, second = FieldError("first"), FieldError("second")
    first.line = 1
    assert file_error([first, second]).faults == (second, first)


def test_a_pick_is_read_for_its_other_faults() -> None:
    """Where only its direction or its authority is wrong; what it is matters to whether it can be had at all."""
    picks, faults = read_selection(
        '[[field]]\nentity = "lead"\ndynamics = "a"\nmarketo = "b"\ndirection = "up"\nauthority = "me"\n'
        '[[field]]\nentity = "lead"\ndynamics = "c"\nmarkto = "d"'
    )
    assert picks == [Pick(Entity.LEAD, "a", marketo="b")]
    assert [str(fault).partition(" is ")[0] for fault in faults] == [
        "line 1: direction up",
        "line 1: authority me",
        "line 7: markto",
    ]


def test_several_faults_are_one_error() -> None:
    """With each in its own class."""
    with pytest.raises(FieldError, match="2 faults in the selection, nothing was changed") as caught:
        picks_from_toml('[[field]]\nentity = "x"\ndynamics = "a"\n[[field]]\nentity = "y"\ndynamics = "a"')
    assert [type(fault) for fault in caught.value.faults] == [UnknownEntityError, UnknownEntityError]


def test_a_selection_is_written_word_for_word() -> None:
    """Parents before children, names in quotes where TOML wants them, and nothing that says nothing."""
    odd = CustomEntity("new_größe", via="new_x")
    written = picks_to_toml(
        [
            Pick(INVOICE, "new_total"),
            Pick(odd, "new_name", marketo=NewField('"Size"\x7f', name="size", type="text")),
            Pick(Entity.USER, "title", marketo="title", direction=Direction.TO_MARKETO, authority=System.DYNAMICS),
        ]
    )
    assert (
        written
        == """[entity.new_subscription]
parent = "contact"
via = "new_contactid"
marketo = "sub_c"

[entity.new_invoice]
parent = "new_subscription"
via = "new_subscriptionid"

[entity."new_größe"]
via = "new_x"

[[field]]
entity = "new_invoice"
dynamics = "new_total"

[[field]]
entity = "new_größe"
dynamics = "new_name"
create = "\\"Size\\"\\u007f"
name = "size"
type = "text"

[[field]]
entity = "user"
dynamics = "title"
marketo = "title"
direction = "to_marketo"
authority = "dynamics"
"""
    )


@pytest.mark.parametrize(
    ("text", "says", "what_to_do", "line"),
    [
        ("field = 7", "field is no list of tables.", "Write [[field]] above each.", None),
        ("field = [7]", "field is no list of tables.", "Write [[field]] above each.", None),
        ("[entty.new_x]", "entty is no setting of a selection; nearest: entity.", "Leave it out.", None),
        (
            '[[field]]\nentity = "lead"\ndynamics = "x"\ncreate = "X"\ntype = "txt"',
            "type txt is not known; nearest: text.",
            "Take one of text, memo,",
            1,
        ),
        (
            '\n[entity.new_x]\nvia = 7\n[[field]]\nentity = "new_x"\ndynamics = "y"',
            "via is no text.",
            'Write via = "…".',
            2,
        ),
        (
            '[entity.new_x]\n[[field]]\nentity = "lead"\ndynamics = "y"',
            "[entity.new_x] is used by no field.",
            "Pick a field of it, or leave it out.",
            1,
        ),
    ],
)
def test_a_fault_says_what_to_do(text: str, says: str, what_to_do: str, line: int | None) -> None:
    """And where."""
    [fault] = read_selection(text)[1]
    assert (fault.what, fault.line) == (says, line)
    assert fault.what_to_do.startswith(what_to_do)


def test_what_is_no_toml_is_to_be_put_right() -> None:
    """There is nothing else to say of it."""
    with pytest.raises(FieldError) as caught:
        read_selection("[[field")
    assert caught.value.what_to_do == "Put that line right."


def test_a_field_of_a_definition_that_can_not_be_read_uses_it() -> None:
    """One fault, not two."""
    text = '[entity.new_x]\nparent = "new_y"\n[[field]]\nentity = "new_x"\ndynamics = "z"'
    [fault] = read_selection(text)[1]
    assert fault.what.startswith("entity new_y is not known")
