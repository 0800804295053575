"""`$batch` bodies: what is written can be read, and nothing in a part can end it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, strategies as st

from mkdyn.adapters.dynamics import requests
from mkdyn.adapters.dynamics.batch import Answer, ItemAnswer, Part, boundary_of, read_batch, write_batch
from mkdyn.adapters.dynamics.odata import text_literal

from .test_odata import GUID, NASTY, table

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from([*NASTY, "\r\n--b1--\r\n"])

CREATE = requests.create(table(("lastname", "text")), GUID, {"lastname": "Oak"})
DELETE = requests.delete(table(), GUID, 'W/"7"')


def test_the_text_of_a_batch() -> None:
    """Every line ends in CRLF; a change set is a batch within, whose parts are numbered."""
    state = requests.update(table(("statecode", "state")), GUID, {"statecode": 1}, None)
    text = write_batch([DELETE, [CREATE, state]], "b1").decode()
    assert (
        text.replace("\r\n", "\n")
        == f"""\
--b1
Content-Type: application/http
Content-Transfer-Encoding: binary

DELETE /api/data/v9.2/leads({GUID}) HTTP/1.1
Accept: application/json
If-Match: W/"7"


--b1
Content-Type: multipart/mixed; boundary="changeset_1_b1"

--changeset_1_b1
Content-Type: application/http
Content-Transfer-Encoding: binary
Content-ID: 1

PATCH /api/data/v9.2/leads({GUID})?$select=leadid HTTP/1.1
Accept: application/json
Content-Type: application/json
Prefer: return=representation
If-None-Match: *

{{"lastname":"Oak"}}
--changeset_1_b1
Content-Type: application/http
Content-Transfer-Encoding: binary
Content-ID: 2

PATCH /api/data/v9.2/leads({GUID})?$select=leadid HTTP/1.1
Accept: application/json
Content-Type: application/json
Prefer: return=representation
If-Match: *

{{"statecode":1}}
--changeset_1_b1--

--b1--
"""
    )
    assert "\n" not in text.replace("\r\n", "")


@given(st.lists(texts, min_size=1, max_size=4))
def test_no_value_ends_a_part(values: list[str]) -> None:
    """Whatever is written or looked for, there are as many parts as requests, one request line in each."""
    leads = table(("lastname", "text"))
    column = leads.columns["lastname"]
    parts = [
        *(requests.create(leads, GUID, {"lastname": value}) for value in values),
        requests.rows(leads, [column], column, [text_literal(value) for value in values]),
    ]
    text = write_batch(parts, "b1").decode("ascii")
    assert len(re.findall(r"(?m)^--b1\r$", text)) == len(parts)
    assert len(re.findall(r"(?m)^(?:PATCH|GET) \S+ HTTP/1\.1\r$", text)) == len(parts)


@pytest.mark.parametrize(
    "part",
    [
        Part(method="GET", target="/api/data/v9.2/leads HTTP/1.1\r\nEvil: yes"),
        Part(method="GET", target="/api/data/v9.2/leads HTTP/1.1"),
        Part(method="GET", target="/leads", headers={"If-Match": "1\r\nEvil: yes"}),
        Part(method="PATCH", target="/leads", body=b"{\n}"),
    ],
)
def test_what_would_break_a_line_is_not_written(part: Part) -> None:
    """A version or a link that came from elsewhere can't add a header or a request."""
    with pytest.raises(ValueError, match="would break its line"):
        write_batch([part], "b1")


# -- answers -------------------------------------------------------------------------------------------------

answers = st.builds(
    Answer,
    status=st.integers(100, 599),
    headers=st.fixed_dictionaries({}, optional={"etag": st.just('W/"7"'), "odata-version": st.just("4.0")}),
    body=st.sampled_from(
        [b"", b"{}", b'{"a":"--b1"}', b'{"error":{"code":"","message":"x"}}', b"<html>\r\n\r\n</html>"]
    ),
)
items = st.lists(answers | st.lists(answers, min_size=1, max_size=3), max_size=5)


def told(items: Sequence[ItemAnswer], boundary: str, eol: str = "\r\n") -> bytes:
    """The answers as a server writes them."""
    lines: list[str] = []
    for place, item in enumerate(items):
        lines.append(f"--{boundary}")
        if isinstance(item, Answer):
            lines += one(item)
        else:
            inner = f"cs{place}{boundary}"
            lines += [f"Content-Type: multipart/mixed; boundary={inner}", ""]
            for answer in item:
                lines += [f"--{inner}", *one(answer)]
            lines += [f"--{inner}--", ""]
    return eol.join([*lines, f"--{boundary}--", ""]).encode()


def one(answer: Answer) -> list[str]:
    """One answer's lines."""
    return [
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        f"HTTP/1.1 {answer.status} Whatever",
        *(f"{name.title()}: {value}" for name, value in answer.headers.items()),
        "",
        answer.body.decode(),
    ]


@given(items, st.sampled_from(["\r\n", "\n"]))
def test_answers_stand_in_the_order_of_the_parts(wanted: list[ItemAnswer], eol: str) -> None:
    """Each is read with its status, headers and body, those of change sets together."""
    assert read_batch("multipart/mixed; boundary=b1", told(wanted, "b1", eol)) == wanted


@given(items, st.data())
def test_an_answer_that_breaks_off_is_read_as_far_as_it_is_whole(wanted: list[ItemAnswer], data: st.DataObject) -> None:
    """What is cut off is not told; what is told is what was meant, in order."""
    whole = told(wanted, "b1")
    cut = data.draw(st.integers(0, len(whole)))
    found = read_batch('multipart/mixed; boundary="b1"', whole[:cut])
    assert found == wanted[: len(found)]


def test_answers_after_one_that_is_none_are_not_told() -> None:
    """They could not be told apart from those before."""
    text = told([Answer(status=204), Answer(status=418), Answer(status=204)], "b1")
    broken = text.replace(b"HTTP/1.1 418", b"gibberish", 1)
    assert read_batch("multipart/mixed; boundary=b1", broken) == [Answer(status=204)]
    assert read_batch("application/json", text) == []


def test_what_follows_the_last_boundary_is_nothing() -> None:
    """Nor is a line among the headers that is none."""
    text = told([Answer(status=204)], "b1") + b"\r\n--b1\r\n\r\nHTTP/1.1 500 X\r\n\r\n\r\n--b1--"
    text = text.replace(b"Content-Transfer", b"whatever\r\nContent-Transfer", 1)
    assert read_batch("multipart/mixed; boundary=b1", text) == [Answer(status=204)]


def test_a_batch_within_a_batch_within_a_batch_is_none() -> None:
    """No answer is nested any deeper."""
    deep = told([[Answer(status=204)]], "b1").replace(b"application/http", b"multipart/mixed; boundary=b3", 1)
    assert read_batch("multipart/mixed; boundary=b1", deep) == [[]]


@pytest.mark.parametrize(
    ("kind", "boundary"),
    [
        ("multipart/mixed; boundary=batchresponse_b0e4", "batchresponse_b0e4"),
        ('Multipart/Mixed; charset=utf-8; Boundary="b 1"', "b 1"),
        ('multipart/mixed; boundary="b1"; x=y', "b1"),
        ("multipart/mixed", None),
        ("application/json; boundary=b1", None),
        ("", None),
    ],
)
def test_boundaries(kind: str, boundary: str | None) -> None:
    """An answer without one has no parts: the whole batch was refused."""
    assert boundary_of(kind) == boundary
