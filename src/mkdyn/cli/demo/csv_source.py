"""Read a CRM from a folder of CSV files: all of it, or an error that names the file and the line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, TypeVar

import attrs

from mkdyn.cli.demo.crm import Account, Crm, Opportunity, Person, Product, Team, User
from mkdyn.errors import ConfigError

T = TypeVar("T")

#: The files, and the columns that are used of each.
_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "accounts.csv": (
        "account", "sector", "year_established", "revenue", "employees", "office_location", "subsidiary_of",
    ),
    "sales_teams.csv": ("sales_agent", "manager", "regional_office"),
    "products.csv": ("product", "series", "sales_price"),
    "sales_pipeline.csv": (
        "opportunity_id", "sales_agent", "product", "account", "deal_stage", "engage_date", "close_date", "close_value",
    ),
    "people_us_500.csv": (
        "first_name", "last_name", "company_name", "address", "city", "state", "zip", "phone1", "phone2", "email", "web",
    ),
}  # fmt: skip
_MILLION: Final = 1_000_000
_NUMBER_END: Final = Decimal(10**12)
_RESTORE: Final = "Put the complete file there."


def read_crm(folder: Path) -> Crm:
    """Read the CSV files of *folder*; the first half of the people are contacts, the rest leads.

    Raises:
        ConfigError: A file is missing, was half written, or holds something that can't be read.
    """
    try:
        there = folder.is_dir()
    except OSError as error:
        raise ConfigError(
            f"{folder}: it can't be read ({error.strerror}).", what_to_do="Let this user read it, or give another one."
        ) from error
    if not there:
        raise ConfigError(
            f"{folder}: there is no such folder.",
            what_to_do=f"Give --data a folder with {', '.join(_COLUMNS)}; or leave it out.",
        )
    offices = _rows(folder, "sales_teams.csv", _seat)
    accounts = _rows(folder, "accounts.csv", _account)
    products = _rows(folder, "products.csv", _product)
    opportunities = _rows(folder, "sales_pipeline.csv", _opportunity)
    people = _rows(folder, "people_us_500.csv", _person)
    users = _users(offices)
    _expect_unique("account", ((item.origin, item.name) for item in accounts))
    _expect_unique("product", ((item.origin, item.name) for item in products))
    _expect_unique("opportunity_id", ((item.origin, item.number) for item in opportunities))
    companies = {item.name for item in accounts}
    _expect_known("account", companies, ((item.origin, item.account) for item in opportunities))
    _expect_known("account", companies, ((item.origin, item.parent) for item in accounts))
    _expect_known("sales agent", {user.name for user in users}, ((item.origin, item.agent) for item in opportunities))
    half = len(people) // 2
    return Crm(
        name=str(folder),
        teams=_teams(offices),
        users=users,
        accounts=accounts,
        contacts=people[:half],
        leads=people[half:],
        products=products,
        opportunities=opportunities,
    )


@attrs.frozen
class _Row:
    """One line of a file, by column."""

    origin: str
    cells: Mapping[str, str]

    def text(self, column: str) -> str | None:
        """Return what stands there, or None for nothing."""
        return self.cells[column].strip() or None

    def needed(self, column: str) -> str:
        """Return what stands there."""
        found = self.text(column)
        if found is None:
            raise ConfigError(f"{self.origin}: {column} is empty.", what_to_do="Fill it in, or take the line out.")
        return found

    def number(self, column: str) -> Decimal | None:
        """Return the number that stands there."""
        return self._read(column, _decimal, "a number, like 1234.50")

    def whole(self, column: str) -> int | None:
        """Return the whole number that stands there."""
        return self._read(column, int, "a whole number")

    def day(self, column: str) -> date | None:
        """Return the day that stands there, written the American way."""
        return self._read(column, _american, "a date written month/day/year, like 12/31/2017")

    def _read(self, column: str, read: Callable[[str], T], kind: str) -> T | None:
        text = self.text(column)
        try:
            return None if text is None else read(text)
        except ValueError as error:
            raise ConfigError(
                f"{self.origin}: {column} is {text!r}.", what_to_do=f"Write {kind}, or nothing."
            ) from error


def _decimal(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise ValueError from error
    if not found.is_finite() or abs(found) >= _NUMBER_END:
        raise ValueError
    return found


def _american(text: str) -> date:
    month, day, year = text.split("/")
    return date(int(year), int(month), int(day))


@attrs.frozen
class _Seat:
    """An agent with manager and office, as sales_teams.csv has them."""

    agent: str
    manager: str
    office: str


def _seat(row: _Row) -> _Seat:
    return _Seat(row.needed("sales_agent"), row.needed("manager"), row.needed("regional_office"))


def _account(row: _Row) -> Account:
    revenue = row.number("revenue")
    return Account(
        origin=row.origin,
        name=row.needed("account"),
        sector=row.text("sector"),
        founded=row.whole("year_established"),
        revenue=None if revenue is None else revenue * _MILLION,  # the file counts in millions
        employees=row.whole("employees"),
        country=row.text("office_location"),
        parent=row.text("subsidiary_of"),
    )


def _product(row: _Row) -> Product:
    return Product(
        origin=row.origin, name=row.needed("product"), series=row.text("series"), price=row.number("sales_price")
    )


def _opportunity(row: _Row) -> Opportunity:
    return Opportunity(
        origin=row.origin,
        number=row.needed("opportunity_id"),
        agent=row.needed("sales_agent"),
        product=row.text("product"),
        account=row.text("account"),
        stage=row.needed("deal_stage"),
        engaged_on=row.day("engage_date"),
        closed_on=row.day("close_date"),
        value=row.number("close_value"),
    )


def _person(row: _Row) -> Person:
    return Person(
        origin=row.origin,
        first_name=row.text("first_name"),
        last_name=row.needed("last_name"),
        company=row.text("company_name"),
        street=row.text("address"),
        city=row.text("city"),
        state=row.text("state"),
        postal_code=row.text("zip"),
        phone=row.text("phone1"),
        mobile=row.text("phone2"),
        email=row.text("email"),
        website=row.text("web"),
    )


def _users(seats: Iterable[_Seat]) -> Sequence[User]:
    seats = tuple(seats)
    titles = {seat.agent: "Sales agent" for seat in seats} | {seat.manager: "Sales manager" for seat in seats}
    return [User(name=name, title=title) for name, title in titles.items()]


def _teams(seats: Iterable[_Seat]) -> Sequence[Team]:
    managers: dict[str, dict[str, None]] = {}
    for seat in seats:
        managers.setdefault(seat.office, {})[seat.manager] = None
    return [Team(name=office, managers=tuple(names)) for office, names in managers.items()]


def _rows(folder: Path, name: str, make: Callable[[_Row], T]) -> Sequence[T]:
    text = _text(folder / name)
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[T] = []
    try:
        header = next(lines, list[str]())
        missing = [column for column in _COLUMNS[name] if column not in header]
        if missing:
            raise ConfigError(
                f"{folder / name}: there is no column {', '.join(missing)}.",
                what_to_do="Its first line must name the columns.",
            )
        for cells in lines:
            where = f"{folder / name}, line {lines.line_num}"
            if cells and len(cells) != len(header):
                raise ConfigError(
                    f"{where}: {len(cells)} columns, where the first line has {len(header)}.", what_to_do=_RESTORE
                )
            if cells:
                found.append(make(_Row(where, dict(zip(header, cells, strict=True)))))
    except csv.Error as error:
        raise ConfigError(f"{folder / name}, line {lines.line_num}: {error}.", what_to_do=_RESTORE) from error
    if not found:
        raise ConfigError(f"{folder / name}: it holds no rows.", what_to_do=_RESTORE)
    return found


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file.", what_to_do=_RESTORE) from error
    except OSError as error:
        raise ConfigError(
            f"{path}: it can't be read ({error.strerror}).", what_to_do="Let this user read it."
        ) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {line}: it is not UTF-8.", what_to_do="Save the file as UTF-8.") from error
    if text and not text.endswith(("\n", "\r")):
        line = len(text.splitlines())
        raise ConfigError(
            f"{path}, line {line}: the last line has no end, so it may have been cut off.",
            what_to_do=f"{_RESTORE[:-1]}; if it is complete, end it with a line break.",
        )
    return text


def _expect_unique(column: str, rows: Iterable[tuple[str, str]]) -> None:
    seen: dict[str, str] = {}
    for origin, value in rows:
        first = seen.setdefault(value, origin)
        if first != origin:
            raise ConfigError(
                f"{origin}: {column} {value!r} is there already ({first}).", what_to_do="Take one of the lines out."
            )


def _expect_known(what: str, names: set[str], rows: Iterable[tuple[str, str | None]]) -> None:
    for origin, name in rows:
        if name is not None and name not in names:
            raise ConfigError(
                f"{origin}: there is no {what} {name!r}.", what_to_do=f"Add it to the {what}s' file, or correct it."
            )
