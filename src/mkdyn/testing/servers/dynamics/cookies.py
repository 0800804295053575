"""Where a page ended, as the link to the next one tells it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape, unescape
from typing import Final
from urllib.parse import quote, unquote

import attrs

from mkdyn.testing.servers.dynamics.question import BAD_REQUEST, Question, RefusedError

_OUTER: Final = re.compile(r'<cookie pagenumber="(\d+)" pagingcookie="([^"]*)" istracking="(?:True|False)" />')
_LAST: Final = re.compile(r'<(\w+) last="([^"]*)" />')


@attrs.frozen
class Cookie:
    """A place between two pages.

    Attributes:
        page: The number of the page that comes next.
        last: What the last row before it holds, and whatever else is needed to go on.
    """

    page: int
    last: Mapping[str, str]

    def written(self, *, tracking: bool) -> str:
        """Return it as `$skiptoken` holds it, decoded once."""
        cells = "".join(f'<{name} last="{escape(text)}" />' for name, text in self.last.items())
        inner = quote(f'<cookie page="{self.page - 1}">{cells}</cookie>', safe="")
        return f'<cookie pagenumber="{self.page}" pagingcookie="{inner}" istracking="{tracking}" />'


def read_cookie(text: str) -> Cookie:
    """Read what `$skiptoken` holds.

    Raises:
        RefusedError: It is no such thing.
    """
    match = _OUTER.fullmatch(text)
    if match is None:
        raise RefusedError(400, BAD_REQUEST, "Malformed XML in the Paging Cookie")
    cells = _LAST.findall(unquote(match[2]))
    return Cookie(int(match[1]), {name: unescape(last) for name, last in cells})


def next_link(question: Question, cookie: Cookie, *, tracking: bool) -> str:
    """Return the address of the next page: this one's, with the cookie."""
    token = quote(cookie.written(tracking=tracking), safe="")
    return with_option(question, "$skiptoken", token, without=("$skiptoken",))


def same_again(question: Question, asked: str | None) -> str:
    """Return the address of a page that begins where this one does, though it is the next one.

    Args:
        question: The question for this page.
        asked: What its `$skiptoken` holds, if it has one.

    Raises:
        RefusedError: That is no such thing.
    """
    here = Cookie(1, {}) if asked is None else read_cookie(asked)
    return next_link(question, Cookie(here.page + 1, here.last), tracking="deltatoken" in question.query)


def with_option(question: Question, name: str, value: str, *, without: tuple[str, ...]) -> str:
    """Return a question's address with one option more, and without some."""
    kept = [
        option for option in question.query.split("&") if option and unquote(option.partition("=")[0]) not in without
    ]
    return f"{question.root}/{question.path}?{'&'.join([*kept, f'{name}={value}'])}"
