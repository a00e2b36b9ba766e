"""No number, party or address outside the rows: not in the log, footers, names or messages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

import cdr
from cdr.lake.compact import compact
from cdr.schema import TABLES, Personal

if TYPE_CHECKING:
    from conftest import RunCommand

HEADER = "record_id,account_id,caller,callee,caller_ip,started_at,duration_s,outcome\n"
NUMBERS = ("301234567", "2079460018", "192.0.2.77", "alice.example", "1001001")
ACCOUNTS = """\
account_id,created_at,status,name,email,phone,address,signup_ip
a1,2026-01-01T00:00:00Z,active,Zoe Quartz,zoe@quartz.example,+49301234567,Elm Row 5,192.0.2.77
a2,2026-01-01T00:00:00Z,no such,Zoe Quartz,zoe@quartz.example,+49301234567,Elm Row 5,192.0.2.77
"""
SECRETS = tuple(s.encode() for s in (*NUMBERS, "Quartz", "quartz.example", "Elm Row"))


@pytest.fixture
def printed(callsieve: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Take in calls, accounts and rows set aside, and return all that was said."""
    monkeypatch.setattr("cdr.lake.compact.MAX_FILES_A_DAY", 1)
    home, said = tmp_path / "home", ""
    for number in range(2):
        calls = tmp_path / f"{number}.csv"
        calls.write_text(
            HEADER
            + f"r{number},a1,+49301234567,+442079460018,192.0.2.77,2026-09-01 12:00:00,9,answered\n"
            + f"s{number},a1,sip:alice.example@x,1001001,192.0.2.77,2026-09-01 12:00:00,9,busy\n"
            + f"t{number},a1,+49301234567,+442079460018,192.0.2.77,2026-09-99,9,answered\n"
        )
        words = ("--format", "plain_csv", "--zone", "UTC", "--country", "DE", "--json")
        ran = callsieve("--home", home, "ingest", calls, *words)
        assert ran.code == 1
        said += ran.out + ran.err
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(ACCOUNTS)
    ran = callsieve("--home", home, "accounts", "import", accounts, "--json")
    assert ran.found["rejected"] == 1
    return said + ran.out + ran.err


def test_no_number_in_log_names_footers_or_messages(printed: str, tmp_path: Path) -> None:
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"))
    assert lake.calls().collect()["caller_number"].drop_nulls().unique().to_list() == [
        "+49301234567"
    ]
    assert compact(lake).days == 1
    outside = [printed.encode()]
    for path in lake.home.root.rglob("*"):
        outside.append(str(path.relative_to(lake.home.root)).encode())
        if path.is_file() and path.suffix == ".parquet":
            content = path.read_bytes()
            footer = int.from_bytes(content[-8:-4], "little")
            outside.append(content[-8 - footer :])
        elif path.is_file():
            outside.append(path.read_bytes())
    everything = b"\n".join(outside)
    assert b"numRecords" in everything
    assert [secret for secret in SECRETS if secret in everything] == []


def test_compacted_footers_measure_what_is_not_personal_and_only_that(
    printed: str, tmp_path: Path
) -> None:
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"))
    compact(lake)
    (file,) = lake.files(TABLES["calls"])
    group = pq.ParquetFile(lake.home.lake / "calls" / file.path).metadata.row_group(0)
    measured = {
        column.path_in_schema.split(".")[0]
        for column in map(group.column, range(group.num_columns))
        if column.statistics is not None and column.statistics.has_min_max
    }
    direct = {f.name for f in TABLES["calls"].fields if f.personal is Personal.DIRECT}
    assert measured & direct == set()
    assert {"account_id", "started_at"} <= measured


def test_the_log_measures_nothing_personal() -> None:
    for table in TABLES.values():
        of = {field.name: field.personal for field in table.fields}
        assert all(of[name] is not Personal.DIRECT for name in table.statistics), table.name
