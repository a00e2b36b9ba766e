"""Taking in a large file, side by side with plain copies of the same file.

    python benchmarks/ingest.py --rows 1000000 --formats asterisk_csv plain_csv

For each format a file is made of simulated traffic of 30 days, repeated under other record ids
until it has enough rows; damaged rows are left out, since a plain copy stops at them. Then, each in
a process of its own: (a) Polars copies its columns as text into Parquet, one folder a day; (b)
DuckDB does the same, as `COPY ... PARTITION_BY` does; (c) it is taken into a lake that holds the
same 30 days already; (d) it is taken in again. Printed as JSON: seconds, rows a second, peak MB
of memory, and how many times as long as (a).
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.simulate import simulate

BASE_ACCOUNTS = 2_000
START = date(2026, 9, 1)
SOURCES = {"asterisk_csv": "pbx", "plain_csv": "wholesale"}

_MEASURE = """
import json, resource, sys, time
begun = time.perf_counter()
{work}
print(json.dumps({{
    "seconds": round(time.perf_counter() - begun, 2),
    "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    **(found or {{}}),
}}))
"""

_POLARS = """
import polars as pl
file, out, header, day = sys.argv[1], sys.argv[2], sys.argv[3] == "1", int(sys.argv[4])
begun = time.perf_counter()
rows = pl.scan_csv(file, has_header=header, infer_schema=False)
names = rows.collect_schema().names()
rows = rows.with_columns(pl.col(names[day]).str.head(10).alias("day"))
rows.sink_parquet(pl.PartitionBy(out, key="day"), compression="zstd", mkdir=True)
found = None
"""

_DUCKDB = """
import duckdb
file, out, header, day = sys.argv[1], sys.argv[2], sys.argv[3] == "1", int(sys.argv[4])
begun = time.perf_counter()
con = duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})
con.execute("SET enable_progress_bar = false")
rows = con.read_csv(file, header=header, all_varchar=True)
rows = rows.project(f'*, left("{rows.columns[day]}", 10) AS day')
rows.write_parquet(out, partition_by=["day"], compression="zstd")
found = None
"""

_INGEST = """
from datetime import UTC, datetime
from pathlib import Path
import cdr
from cdr.ingest import ingest
file, home, source = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
lake = cdr.open_lake(cdr.load_settings(home / "callsieve.toml", home=home), create=True)
begun = time.perf_counter()
report = ingest(
    lake, [file], source_name=source, source=lake.settings.sources[source],
    now=datetime(2026, 11, 1, tzinfo=UTC),
)
names = ("read", "accepted", "duplicate", "corrected", "rejected")
found = {name: report.total(name) for name in names}
"""


def main() -> None:
    """Make the files, measure, and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    options.add_argument("--formats", nargs="+", default=list(SOURCES), choices=list(SOURCES))
    options.add_argument("--seed", type=int, default=99)
    given = options.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        traffic = folder / "traffic"
        simulate(accounts=BASE_ACCOUNTS, days=30, seed=given.seed, out=traffic, start=START)
        for form in given.formats:
            for rows in given.rows:
                sys.stdout.write(json.dumps(measured(folder, traffic, form, rows), indent=1) + "\n")
                sys.stdout.flush()
    finally:
        shutil.rmtree(folder)


def measured(folder: Path, traffic: Path, form: str, rows: int) -> dict[str, Any]:
    """Measure one format and size."""
    source = SOURCES[form]
    held, file = folder / "held.csv", folder / f"{form}.csv"
    write(held, traffic / "inbox" / source, form, rows=None, first_copy=0)
    write(file, traffic / "inbox" / source, form, rows=rows, first_copy=1)
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    shutil.copy(traffic / "callsieve.toml", home)
    shape = ("1", "8") if form == "plain_csv" else ("0", "9")  # header, column of the start
    found = {
        "polars_copy": child(_POLARS, file, folder / "polars", *shape),
        "duckdb_copy": child(_DUCKDB, file, folder / "duckdb", *shape),
    }
    child(_INGEST, held, home, source)
    found["ingest"] = child(_INGEST, file, home, source)
    found["ingest_again"] = child(_INGEST, file, home, source)
    for each in found.values():
        each["rows_per_s"] = round(rows / max(each["seconds"], 0.01))
        each["times_polars"] = round(each["seconds"] / found["polars_copy"]["seconds"], 2)
    for name in ("polars", "duckdb"):
        shutil.rmtree(folder / name)
    return {"format": form, "rows": rows, "megabytes": round(file.stat().st_size / 1e6), **found}


def write(file: Path, inbox: Path, form: str, *, rows: int | None, first_copy: int) -> None:
    """Write a file of `rows` rows (None: as many as were simulated), every copy under other ids."""
    with file.open("wb") as out:
        written = 0
        for copy in range(first_copy, 1_000_000):
            for header, lines in _files(inbox, form):
                if not written and header:
                    out.write(header)
                left = len(lines) if rows is None else min(len(lines), rows - written)
                out.write(_renamed(b"".join(lines[:left]), form, b"k%d-" % copy))
                written += left
            if rows is None or written >= rows:
                return


def _files(inbox: Path, form: str) -> Iterator[tuple[bytes, list[bytes]]]:
    for path in sorted(inbox.iterdir()):
        lines = path.read_bytes().splitlines(keepends=True)
        header = lines.pop(0) if form == "plain_csv" else b""
        columns = [len(next(csv.reader([line.decode("utf-8", "replace")]))) for line in lines]
        usual = max(set(columns), key=columns.count)
        yield header, [line for line, n in zip(lines, columns, strict=True) if n == usual]


def _renamed(lines: bytes, form: str, prefix: bytes) -> bytes:
    if form == "plain_csv":
        return re.sub(rb"(?m)^(?=.)", prefix, lines)
    return re.sub(rb',"(\d{10}\.\d+")', rb',"' + prefix + rb"\1", lines)  # unique id


def child(work: str, *words: object) -> dict[str, Any]:
    """Run some work in a process of its own and return what it measured."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE.format(work=work), *map(str, words)],
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
