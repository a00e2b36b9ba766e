"""What every DuckDB session promises, whoever opens it."""

from __future__ import annotations

import subprocess
import sys

import polars as pl
import pytest

from cdr.errors import WrongUse
from cdr.query import Connection, ask, session
from cdr.settings import StoreSettings

_PROGRESS = """
from cdr.query import session
from cdr.settings import StoreSettings
con = session({}, store=StoreSettings())
print(con.execute("SELECT current_setting('enable_progress_bar')").fetchone()[0])
"""


@pytest.mark.slow
def test_a_slow_query_draws_no_progress_on_stdout_where_results_go() -> None:
    # DuckDB takes `python -c` and a notebook for a terminal and would draw a bar
    said = subprocess.run(
        [sys.executable, "-c", _PROGRESS], check=True, capture_output=True, text=True
    )

    assert said.stdout == "False\n"


@pytest.fixture(scope="module")
def con() -> Connection:
    calls = pl.DataFrame({"n": [1]}).to_arrow()
    return session({"calls": calls, "accounts": calls}, store=StoreSettings())


def test_how_long_something_took_is_told_though_polars_has_no_such_type(con: Connection) -> None:
    took = "TIMESTAMP '2026-11-02 00:01:30' - TIMESTAMP '2026-11-01'"
    found = ask(con, f'SELECT n, {took} AS "it ""took""", [{took}] AS many FROM calls', limit=1)
    assert found.to_dicts() == [
        {"n": 1, 'it "took"': "1 day 00:01:30", "many": "['1 day 00:01:30']"}
    ]


def test_a_table_of_another_purpose_is_told_from_one_that_is_none(con: Connection) -> None:
    with pytest.raises(WrongUse, match="has accounts, calls; billing_lines is for billing and"):
        ask(con, "FROM billing_lines", limit=1)
    with pytest.raises(WrongUse, match=r"has accounts, calls$"):
        ask(con, "FROM '+49301234567'", limit=1)
