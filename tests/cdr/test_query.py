"""What every DuckDB session promises, whoever opens it."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
