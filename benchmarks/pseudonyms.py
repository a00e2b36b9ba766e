"""What pseudonyms cost: making them, and a question over a table that shows them.

    python benchmarks/pseudonyms.py --texts 1000000

Beside making them stands what one writes without an engine: `hmac.digest` of each in Python.
Beside a session's question stands the same over raw numbers, which no analyst may ask. Processor
seconds, the best of three, as JSON.
"""

from __future__ import annotations

import argparse
import hmac
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.dataset as ds

from cdr.pseudonyms import Key, Shielded, pseudonyms
from cdr.query import Connection, session
from cdr.settings import StoreSettings

KEY = Key(datetime(2026, 1, 1, tzinfo=UTC), "00" * 32)
ROWS_A_NUMBER = 10
QUESTIONS = {
    "names_no_number": "SELECT sum(duration_ms) FROM calls",
    "busiest_numbers": "SELECT number, count(*) n FROM calls GROUP BY 1 ORDER BY n, 1 LIMIT 9",
}


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--texts", type=int, default=1_000_000)
    count = options.parse_args().texts
    numbers = pl.select(pl.format("+4930{}", pl.int_range(10**8, 10**8 + count))).to_series()
    texts = numbers.to_list()
    secret = bytes.fromhex(KEY.secret)
    result: dict[str, Any] = {
        "texts": count,
        "made_s": _best(lambda: pseudonyms(numbers, KEY)),
        "hmac_in_python_s": _best(
            lambda: [hmac.digest(secret, text.encode(), "sha256") for text in texts]
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        result["rows"] = count
        result |= _asked(Path(folder) / "calls.parquet", numbers[: count // ROWS_A_NUMBER])
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


def _asked(file: Path, numbers: pl.Series) -> dict[str, dict[str, float]]:
    rows = pl.concat([numbers] * ROWS_A_NUMBER).alias("number").to_frame()
    rows.with_columns(duration_ms=pl.int_range(pl.len())).write_parquet(file)
    raw = ds.dataset(file)
    shown = Shielded(raw, columns=frozenset({"number"}), key=KEY)
    sessions = {
        name: session({"calls": view}, store=StoreSettings())
        for name, view in (("raw_s", raw), ("pseudonyms_s", shown))
    }
    return {
        question: {name: _best(partial(_answer, con, sql)) for name, con in sessions.items()}
        for question, sql in QUESTIONS.items()
    }


def _answer(con: Connection, sql: str) -> list[Any]:
    return con.execute(sql).fetchall()


def _best(work: Callable[[], Any]) -> float:
    took = []
    for _ in range(3):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return round(min(took), 3)


if __name__ == "__main__":
    main()
