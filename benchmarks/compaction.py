"""Compacting a day of many small files: memory, time, and what DuckDB needs to sort the same files.

    python benchmarks/compaction.py --rows 2000000 4000000 8000000

For each size a day of calls is laid into a lake in files of `--file-rows` rows, as many small
deliveries leave it: over 20,000 accounts, and a quarter of the calls of no known account. Then,
each in a process of its own: `compact` writes the day as the night does; DuckDB sorts the same
files by account and time into one Parquet file, with the 2,048 MB of memory that
`store.memory_limit_mb` gives it by default. Printed as JSON: seconds, processor seconds, peak MB of
the process, and files before and after.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from own_process import child

import cdr
from cdr.ingest import ingest
from cdr.schema import CALLS
from cdr.settings import SourceSettings

ACCOUNTS = 20_000
NO_ACCOUNT_SHARE = 0.25
DAY_S = 86_400
SOURCE = SourceSettings(format="plain_csv", zone="UTC", country="DE")
ONE_CALL = (
    "record_id,account_id,caller,callee,started_at,duration_s,outcome\n"
    "r1,a1,+4930901820,+442079460018,2026-09-01 12:00:00,60,answered\n"
)

_COMPACT = """
import cdr
from cdr.lake.compact import compact
assert compact(cdr.open_lake(cdr.load_settings(home=Path(sys.argv[1])))).days == 1
"""

_DUCKDB = """
import duckdb
con = duckdb.connect(config={"threads": 2, "memory_limit": "2048MB", "temp_directory": sys.argv[2]})
con.execute("SET enable_progress_bar = false")
rows = con.read_parquet(json.loads(Path(sys.argv[1]).read_text()), hive_partitioning=True)
ordered = rows.order("account_id, started_at, record_id")
ordered.write_parquet(sys.argv[2] + "/day.parquet", compression="zstd")
"""


def main() -> None:
    """Lay the days, measure, and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, nargs="+", default=[2_000_000, 4_000_000])
    options.add_argument("--file-rows", type=int, default=20_000)
    given = options.parse_args()
    for rows in given.rows:
        with tempfile.TemporaryDirectory() as folder:
            found = measured(Path(folder), rows, given.file_rows)
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
        sys.stdout.flush()


def measured(folder: Path, rows: int, file_rows: int) -> dict[str, Any]:
    """Measure one size, and see that no row is lost."""
    home = folder / "home"
    lake = lay_a_day(home, rows, file_rows)
    before, keys = lake.files(CALLS), _keys(lake)
    listed = folder / "files.json"
    listed.write_text(json.dumps([lake.address(CALLS, file) for file in before]))
    spill = folder / "spill"
    spill.mkdir()
    by_duckdb = child(_DUCKDB, listed, spill)
    compacted = child(_COMPACT, home)
    lake = cdr.open_lake(cdr.load_settings(home=home))
    if _keys(lake) != keys:
        raise SystemExit("rows were lost")
    return {
        "rows": rows,
        "files_before": len(before),
        "files_after": len(lake.files(CALLS)),
        "compact": compacted,
        "duckdb_sort": by_duckdb,
    }


def lay_a_day(home: Path, rows: int, file_rows: int) -> cdr.Lake:
    """Make a lake with one day of calls in many files."""
    lake = cdr.open_lake(cdr.load_settings(home=home), create=True)
    csv = home.parent / "one.csv"
    csv.write_text(ONE_CALL)
    ingest(lake, [csv], source_name="pbx", source=SOURCE, now=datetime(2026, 9, 2, tzinfo=UTC))
    call = lake.calls().collect()
    chance = np.random.default_rng(20_261_128)
    with lake.batch("ingest") as batch, lake.writing():
        for _ in range(rows // file_rows):
            batch.add(CALLS, _like(call, file_rows, chance))
        batch.publish()
    return lake


def _like(call: pl.DataFrame, count: int, chance: np.random.Generator) -> pl.DataFrame:
    """Make calls at random times of the day between random numbers and accounts."""
    accounts = pl.Series(chance.integers(0, ACCOUNTS, count)).cast(pl.String)
    known = pl.Series(chance.random(count) >= NO_ACCOUNT_SHARE)
    seconds = pl.Series(np.sort(chance.integers(0, DAY_S, count)))
    numbers = pl.Series(chance.integers(10**9, 10**10, count)).cast(pl.String)
    start = pl.col("started_at").dt.truncate("1d") + pl.duration(seconds=pl.lit(seconds))
    return call.select(pl.all().repeat_by(count).explode(empty_as_null=True)).with_columns(
        record_id=pl.Series([chance.bytes(16) for _ in range(count)], dtype=pl.Binary),
        account_id=pl.when(pl.lit(known)).then("acc" + pl.lit(accounts)),
        started_at=start,
        callee_number=pl.lit("+44" + numbers),
    )


def _keys(lake: cdr.Lake) -> tuple[int, int]:
    """Return how many calls there are, and a sum over the hashes of their keys."""
    key = pl.col("record_id").hash().sum()
    counted = lake.calls().select(pl.len(), key).collect(engine="streaming")
    return counted.row(0)


if __name__ == "__main__":
    main()
