"""Reading a CRM from CSV files: all of it, or one error that says where."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from mkdyn.cli.demo.crm import Account, Crm
from mkdyn.cli.demo.csv_source import read_crm
from mkdyn.cli.demo.load import load
from mkdyn.cli.demo.systems import new_systems
from mkdyn.errors import ConfigError

FILES = {
    "accounts.csv": (
        "account,sector,year_established,revenue,employees,office_location,subsidiary_of\n"
        "Little Acme,tchnology,1996,1100.04,2822,Belgiom,Acme\n"
        'Acme,medical,,,,,\n"Bubba, ""Gump""",,,,,,\n'
    ),
    "sales_teams.csv": "sales_agent,manager,regional_office\nAnna Snell,Dustin Brink,Central\nMo,Dustin Brink,Central\n",
    "products.csv": "product,series,sales_price\nGTX Pro,GTX,4821\n",
    "sales_pipeline.csv": (
        "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n"
        "A1,Anna Snell,GTXPro,Acme,Won,10/20/2016,3/1/2017,1054\n"
        "A2,Mo,,,Engaging,10/21/2016,,\n"
        "A3,Mo,GTXPro,Little Acme,Lost,10/21/2016,3/2/2017,0\n"
    ),
    "people_us_500.csv": (
        "first_name,last_name,company_name,address,city,county,state,zip,phone1,phone2,email,web\r\n"
        'James,Butt,"Benton, John B Jr",6649 N Blue,New Orleans,Orleans,LA,70116,504-1,504-2,j@b.com,http://b.com\r\n'
        "\r\n"
        "Ann,Oz,Oz,1 Road,Oz,Oz,OZ,08014,1,2,a@oz.com,http://oz.com\r\n"
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small CRM, complete."""
    for name, text in FILES.items():
        (tmp_path / name).write_bytes(text.encode())
    return tmp_path


def reading(folder: Path) -> str:
    """What the error says that reading the folder ends in, without the folder."""
    with pytest.raises(ConfigError) as refusal:
        read_crm(folder)
    assert refusal.value.what_to_do
    return str(refusal.value).replace(f"{folder}", "DIR")


def test_what_the_files_say_is_kept_as_they_say_it(folder: Path) -> None:
    """Dirt included: it is somebody's data."""
    crm = read_crm(folder)
    assert crm.accounts[0] == Account(
        origin=f"{folder / 'accounts.csv'}, line 2",
        name="Little Acme",
        sector="tchnology",
        founded=1996,
        revenue=Decimal(1_100_040_000),
        employees=2822,
        country="Belgiom",
        parent="Acme",
    )
    assert crm.accounts[2].name == 'Bubba, "Gump"'
    assert [user.title for user in crm.users] == ["Sales agent", "Sales agent", "Sales manager"]
    assert [(team.name, team.managers) for team in crm.teams] == [("Central", ("Dustin Brink",))]
    assert [deal.product for deal in crm.opportunities] == ["GTXPro", None, "GTXPro"]
    assert crm.opportunities[0].closed_on == date(2017, 3, 1)
    assert crm.opportunities[1].value is None
    assert [(len(crm.contacts), len(crm.leads))] == [(1, 1)]
    assert crm.leads[0].postal_code == "08014"
    assert crm.leads[0].origin.endswith("line 4")


def test_all_of_it_becomes_records_of_dynamics(folder: Path) -> None:
    """Each thing lands in its table, and refers to the others."""
    dynamics = new_systems().dynamics
    loaded = load(read_crm(folder), dynamics)
    deals = [record.values for record in dynamics.records("opportunity")]
    assert [deal["statecode"] for deal in deals] == [1, 0, 2]
    assert deals[0]["ownerid"] == dynamics.key_of("systemuser", lastname="Snell")
    assert deals[0]["parentaccountid"] == loaded.accounts[1]
    assert deals[0]["estimatedvalue"] == Decimal(1054)
    assert deals[1]["parentaccountid"] is None
    assert dynamics.records("account")[0].values["parentaccountid"] == loaded.accounts[1]
    assert dynamics.records("contact")[0].values["parentcustomerid"] == loaded.accounts[0]
    assert dynamics.records("lead")[0].values["companyname"] == "Oz"
    assert dynamics.records("new_product")[0].values["new_price"] == Decimal(4821)


Fault = Callable[[Path], object]


def rewrite(name: str, old: str, new: str) -> Fault:
    """Someone spoils one place of one file."""

    def act(folder: Path) -> None:
        text = (folder / name).read_bytes().decode()
        assert old in text
        (folder / name).write_bytes(text.replace(old, new, 1).encode())

    return act


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda folder: (folder / "products.csv").unlink(), "DIR/products.csv: there is no such file."),
        (rewrite("products.csv", "series", "set"), "DIR/products.csv: there is no column series."),
        (lambda folder: (folder / "products.csv").write_bytes(b""), "DIR/products.csv: there is no column product, "),
        (
            lambda folder: (folder / "products.csv").write_bytes(b"product,series,sales_price\n"),
            "DIR/products.csv: it holds no rows.",
        ),
        (
            rewrite("sales_pipeline.csv", "A2,Mo,,,Engaging,10/21/2016,,", "A2,Mo,,,Engag"),
            "DIR/sales_pipeline.csv, line 3: 5 columns, where the first line has 8.",
        ),
        (
            rewrite("sales_pipeline.csv", "3/2/2017,0\n", "3/2/2017,0"),
            "DIR/sales_pipeline.csv, line 4: the last line has no end, so it may have been cut off.",
        ),
        (
            rewrite("accounts.csv", '"Bubba, ""Gump""",', '"Bubba, ""Gump'),
            "DIR/accounts.csv, line 4: unexpected end of data.",
        ),
        (rewrite("products.csv", "4821", "4821 USD"), "DIR/products.csv, line 2: sales_price is '4821 USD'. Write a nu"),
        (rewrite("products.csv", "4821", "NaN"), "DIR/products.csv, line 2: sales_price is 'NaN'."),
        (rewrite("products.csv", "4821", "1e99"), "DIR/products.csv, line 2: sales_price is '1e99'."),
        (rewrite("accounts.csv", "1996", "'96"), 'DIR/accounts.csv, line 2: year_established is "\'96". Write a whole'),
        (
            rewrite("sales_pipeline.csv", "10/20/2016", "20/10/2016"),
            "DIR/sales_pipeline.csv, line 2: engage_date is '20/10/2016'. Write a date written month/day/year",
        ),
        (
            rewrite("sales_pipeline.csv", "10/20/2016", "2016-10-20"),
            "DIR/sales_pipeline.csv, line 2: engage_date is '2016-10-20'.",
        ),
        (rewrite("people_us_500.csv", "Butt", ""), "DIR/people_us_500.csv, line 2: last_name is empty."),
        (
            rewrite("sales_pipeline.csv", "A2,Mo", "A1,Mo"),
            "DIR/sales_pipeline.csv, line 3: opportunity_id 'A1' is there already (DIR/sales_pipeline.csv, line 2).",
        ),
        (
            rewrite("sales_pipeline.csv", "A2,Mo", "A2,Moe"),
            "DIR/sales_pipeline.csv, line 3: there is no sales agent 'Moe'.",
        ),
        (rewrite("accounts.csv", "Belgiom,Acme", "X,Ajax"), "DIR/accounts.csv, line 2: there is no account 'Ajax'."),
        (
            lambda folder: (folder / "products.csv").write_bytes(b"product,series,sales_price\nA,\xe9,1\n"),
            "DIR/products.csv, line 2: it is not UTF-8.",
        ),
    ],
)  # fmt: skip
def test_a_fault_names_its_file_and_line(folder: Path, fault: Fault, message: str) -> None:
    """And what to do about it; nothing is half loaded, because nothing is loaded before all is read."""
    fault(folder)
    assert reading(folder).startswith(message)


def test_a_file_that_cannot_be_opened_is_a_setting_to_change(folder: Path) -> None:
    """A folder in a file's place, for one."""
    (folder / "products.csv").unlink()
    (folder / "products.csv").mkdir()
    assert reading(folder).startswith("DIR/products.csv: it can't be read (")


def test_a_folder_that_cannot_be_looked_at_is_a_setting_to_change(tmp_path: Path) -> None:
    """A name that no disk takes, for one."""
    with pytest.raises(ConfigError, match="it can't be read"):
        read_crm(tmp_path / ("x" * 5000))


def test_a_mark_that_some_programs_put_first_is_no_part_of_the_header(folder: Path) -> None:
    """Spreadsheets begin UTF-8 files with one."""
    path = folder / "products.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert [product.name for product in read_crm(folder).products] == ["GTX Pro"]


def test_a_value_that_dynamics_does_not_take_names_its_line(folder: Path) -> None:
    """The table's limits are not the file's."""
    rewrite("people_us_500.csv", "Butt", "B" * 51)(folder)
    crm: Crm = read_crm(folder)
    with pytest.raises(ConfigError, match=r"line 2: contact\.lastname .* Correct the line\."):
        load(crm, new_systems().dynamics)
