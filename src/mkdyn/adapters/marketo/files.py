"""Updates of persons as files: which of them a file can carry, and how they are shared out. No input, no output.

Nobody has documented what an empty cell does, nor whether a cell is trimmed, cut or read as a word of its own. So all
rows of a file write the same fields, no cell is empty, and what a cell may not carry letter for letter goes by calls.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import attrs

from mkdyn.adapters.marketo.crossover import Terms, rows_in_files
from mkdyn.adapters.marketo.requests import PERSON, key_of
from mkdyn.adapters.marketo.values import sent
from mkdyn.domain.fields import FieldSpec
from mkdyn.domain.lenses.texts import is_email
from mkdyn.domain.outcomes import Update, Write
from mkdyn.domain.types import FRACTIONAL, WHOLE
from mkdyn.domain.values import FieldValue

_ID: Final = key_of(PERSON)
_LINES: Final = frozenset({"text", "email", "phone", "url"})
#: A word that other imports of Marketo's take for an empty cell.
_NULL: Final = "null"


@attrs.frozen(kw_only=True)
class File:
    """Updates of the same fields, each of another person.

    Attributes:
        places: Where each update stands among all that are written, by the person's id in the file.
        content: The rows, with a header.
    """

    places: Mapping[str, int]
    content: bytes = attrs.field(repr=False)


@attrs.frozen
class _Row:
    place: int
    key: str
    line: bytes = attrs.field(repr=False)


def filed(
    writes: Sequence[Write], places: Sequence[int], specs: Mapping[str, FieldSpec], terms: Terms
) -> tuple[Sequence[File], Sequence[int]]:
    """Return the files that save something, and the places of the updates that are in none of them.

    Args:
        writes: All that is written.
        places: Which of it to look at: updates of persons, no two of one person.
        specs: The persons' fields.
        terms: What calls and files cost.
    """
    shapes: defaultdict[tuple[str, ...], list[_Row]] = defaultdict(list)
    for place in places:
        cells = _cells(writes[place], specs)
        if cells is not None:
            shapes[tuple(cells)].append(_Row(place, cells[_ID], _line(cells.values())))
    files = [file for names, rows in shapes.items() for file in _worthwhile(names, rows, terms)]
    carried = {place for file in files for place in file.places.values()}
    return files, [place for place in places if place not in carried]


def _worthwhile(names: Sequence[str], rows: Sequence[_Row], terms: Terms) -> Iterator[File]:
    """Yield the files of rows that write the same fields, as far as they save something."""
    header = _line(names)
    packed = list(_packed(rows, terms.file_bytes - len(header)))
    at_once = 1 if terms.aim == "calls" else terms.jobs
    for start in range(0, len(packed), at_once):
        portion = packed[start : start + at_once]
        count = sum(map(len, portion))
        row_bytes = math.ceil(sum(len(row.line) for part in portion for row in part) / count)
        if rows_in_files(terms, count, row_bytes) > 0:
            for part in portion:
                content = header + b"".join(row.line for row in part)
                yield File(places={row.key: row.place for row in part}, content=content)


def _packed(rows: Sequence[_Row], bytes_max: int) -> Iterator[Sequence[_Row]]:
    """Yield rows, of which there are some, file by file."""
    part, size = list[_Row](), 0
    for row in rows:
        if part and size + len(row.line) > bytes_max:
            yield part
            part, size = [], 0
        part.append(row)
        size += len(row.line)
    yield part


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def ids_in(text: str) -> Sequence[str] | None:
    """Return the persons' ids in a file of rows that failed or that there is a warning of; None where it has none."""
    rows = csv.DictReader(io.StringIO(text))
    found = [row.get(_ID) for row in rows]
    return None if None in found else [str(id) for id in found]


# -- cells ---------------------------------------------------------------------------------------------


def _cells(write: Write, specs: Mapping[str, FieldSpec]) -> Mapping[str, str] | None:
    """Return an update as a row's cells, by field; None where a file may not carry it as it is."""
    if not isinstance(write, Update) or not write.key.isdecimal() or not write.values or _ID in write.values:
        return None
    cells = {_ID: str(int(write.key))}
    for name in sorted(write.values):
        cell = _cell(specs[name], write.values[name]) if name in specs else None
        if cell is None:
            return None
        cells[name] = cell
    return cells


def _cell(spec: FieldSpec, value: FieldValue) -> str | None:
    """Return a value as a cell; None where it may not come out as it went in."""
    match value:
        case bool():
            return json.dumps(value) if spec.type == "boolean" else None
        case int() | float() | Decimal():
            return json.dumps(sent(value)) if spec.type in WHOLE | FRACTIONAL and math.isfinite(value) else None
        case date():  # dates and times
            return str(sent(value)) if spec.type in {"date", "datetime"} else None
        case str():
            return value if spec.type in _LINES and _is_plain(spec, value) else None
        case _:
            return None


def _is_plain(spec: FieldSpec, text: str) -> bool:
    """Whether a text is one that no import cuts, trims, takes for nothing, or leaves out with a warning."""
    fits = spec.length is not None and 0 < len(text) <= spec.length
    plain = text.isprintable() and text == text.strip() and text.casefold() != _NULL
    return fits and plain and (spec.type != "email" or is_email(text))
