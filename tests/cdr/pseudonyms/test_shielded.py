"""A shielded table answers as if its rows held pseudonyms, and reads what it has to only."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from cdr.pseudonyms import Key, Shielded, pseudonyms

KEY = Key(datetime(2026, 1, 1, tzinfo=UTC), "0f" * 32)
CALLS = pl.DataFrame(
    [
        ("a1", "+493012345678", ["+493011111111"], 60, date(2026, 1, 1)),
        ("a1", "+493012345678", [], 20, date(2026, 1, 2)),
        ("a2", "+442079460000", None, 30, date(2026, 1, 2)),
        (None, None, ["x", None], 5, date(2026, 1, 3)),
    ],
    schema={
        "account_id": pl.String,
        "number": pl.String,
        "others": pl.List(pl.String),
        "seconds": pl.Int64,
        "day": pl.Date,
    },
    orient="row",
)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> ds.Dataset:
    folder = tmp_path_factory.mktemp("calls")
    for (day,), rows in CALLS.partition_by("day", as_dict=True).items():
        rows.drop("day").write_parquet(folder / f"day={day}" / "part.parquet", mkdir=True)
    schema = CALLS.to_arrow().schema
    parts = ds.partitioning(pa.schema([schema.field("day")]), flavor="hive")
    return ds.dataset(folder, schema=schema, format="parquet", partitioning=parts)


def shielded(stored: ds.Dataset, rows: ds.Expression | None = None) -> Shielded:
    return Shielded(stored, columns=frozenset({"number", "others"}), key=KEY, rows=rows)


@pytest.fixture
def con(stored: ds.Dataset) -> duckdb.DuckDBPyConnection:
    """See the table shielded as `calls`, and what it should be as `expected`."""
    con = duckdb.connect()
    con.register("calls", shielded(stored))
    said = dict(zip(numbers(), pseudonyms(pl.Series(numbers()), KEY), strict=True))
    expected = CALLS.with_columns(
        pl.col("number").replace(said), pl.col("others").list.eval(pl.element().replace(said))
    )
    con.register("expected", expected.to_arrow())
    return con


def numbers() -> list[str]:
    return ["+493012345678", "+493011111111", "+442079460000", "x"]


def ask(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return con.execute(sql).fetchall()


def test_of_an_identifier_only_the_host_is_hidden(tmp_path: Path) -> None:
    ids = ["a84b@192.0.2.7", "a84b@192.0.2.7;tag=7", "1782.5", None, "b@192.0.2.8"]
    pl.DataFrame({"call_id": ids}).write_parquet(tmp_path / "part.parquet")
    inner = ds.dataset(tmp_path, format="parquet")
    con = duckdb.connect()
    con.register(
        "calls", Shielded(inner, columns=frozenset(), hosts=frozenset({"call_id"}), key=KEY)
    )

    one, other = pseudonyms(pl.Series(["192.0.2.7", "192.0.2.8"]), KEY)
    assert [row[0] for row in ask(con, "FROM calls")] == [
        f"a84b@{one}",
        f"a84b@{one};tag=7",
        "1782.5",
        None,
        f"b@{other}",
    ]


NUMBER = pseudonyms(pl.Series(["+493012345678"]), KEY)[0]


@pytest.mark.parametrize(
    "sql",
    [
        "FROM {} ORDER BY seconds",
        "SELECT count(*) FROM {}",
        "SELECT account_id, sum(seconds) FROM {} GROUP BY 1 ORDER BY 1",
        "SELECT number, count(*) FROM {} GROUP BY 1 ORDER BY 1",
        "SELECT count(DISTINCT number) FROM {}",
        f"SELECT sum(seconds) FROM {{}} WHERE number = '{NUMBER}'",
        f"SELECT day FROM {{}} WHERE number = '{NUMBER}' AND day = '2026-01-02'",
        f"SELECT day FROM {{}} WHERE number = '{NUMBER}' AND day = '2026-01-03'",
        f"SELECT seconds FROM {{}} WHERE number IN ('{NUMBER}', 'y') OR seconds = 5 ORDER BY 1",
        "SELECT seconds FROM {} WHERE number IS NULL",
        "SELECT seconds FROM {} WHERE number LIKE '+44%'",
        "SELECT seconds FROM {} WHERE number > '+45' ORDER BY 1",
        "SELECT unnest(others) AS other FROM {} ORDER BY 1",
        "SELECT a.seconds, b.seconds FROM {0} a JOIN {0} b USING (number) ORDER BY 1, 2",
    ],
)
def test_every_question_is_answered_as_over_pseudonyms(
    con: duckdb.DuckDBPyConnection, sql: str
) -> None:
    assert ask(con, sql.format("calls")) == ask(con, sql.format("expected"))


def test_the_raw_value_finds_nothing(con: duckdb.DuckDBPyConnection) -> None:
    assert ask(con, "SELECT count(*) FROM calls WHERE number = '+493012345678'") == [(0,)]
    assert "3012345678" not in str(ask(con, "FROM calls"))


def test_rows_that_are_not_to_be_seen_are_not_there(stored: ds.Dataset) -> None:
    con = duckdb.connect()
    con.register("calls", shielded(stored, ~ds.field("account_id").isin(["a1"])))

    assert ask(con, "SELECT seconds FROM calls ORDER BY 1") == [(5,), (30,)]
    assert ask(con, f"SELECT seconds FROM calls WHERE number = '{NUMBER}'") == []


def test_a_statement_that_names_no_shielded_column_makes_no_pseudonym(
    stored: ds.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> pl.Series:
        raise AssertionError("a pseudonym was made")

    monkeypatch.setattr("cdr.pseudonyms.shielded.pseudonyms", never)
    con = duckdb.connect()
    con.register("calls", shielded(stored))

    assert ask(con, "SELECT sum(seconds) FROM calls WHERE account_id = 'a1'") == [(80,)]
    with pytest.raises(duckdb.Error, match="a pseudonym was made"):
        ask(con, "SELECT number FROM calls")


_UNFINISHED = """
import sys, duckdb, pyarrow.dataset as ds
from datetime import UTC, datetime
from cdr.pseudonyms import Key, Shielded
stored = ds.dataset(sys.argv[1], format="parquet")
key = Key(datetime(2026, 1, 1, tzinfo=UTC), "0f" * 32)
con = duckdb.connect()
con.register("calls", Shielded(stored, columns=frozenset({"number"}), key=key))
con.execute("SELECT number FROM calls").fetchone()
"""


@pytest.mark.slow
def test_a_process_that_ends_with_rows_unread_ends_well(tmp_path: Path) -> None:
    rows = pl.DataFrame({"number": [f"+4930{n:08d}" for n in range(300_000)]})
    rows.write_parquet(tmp_path / "part.parquet", row_group_size=10_000)

    ended = subprocess.run(
        [sys.executable, "-c", _UNFINISHED, str(tmp_path)], check=False, capture_output=True
    )

    assert ended.returncode == 0, ended.stderr[:200]
