"""Taking in a large file, side by side with plain copies of the same file.

    python benchmarks/ingest.py --rows 10000000 --formats plain_csv
    python benchmarks/ingest.py --rows 1000000 --formats asterisk_csv freeswitch_json
    python benchmarks/ingest.py --rows 5000000 10000000 20000000 --formats plain_csv --only ingest
    python benchmarks/ingest.py --rows 10000000 --formats plain_csv --accounts 60000 --days 10

For each format a file is made of simulated traffic, repeated under other record ids
until it has enough rows; damaged rows are left out, since a plain copy stops at them. With more
`--accounts` or `--days` it repeats less and has more distinct numbers: `simulated` calls are
told. Then, each in a process of its own: (a) Polars copies its columns as text into Parquet, one
folder a day; (b) DuckDB does the same, as `COPY ... PARTITION_BY` does; (c) it is taken into a lake
that holds `--held-rows` other calls of the same days already; (d) it is taken in again, and beside
it what hashing it takes. Printed as JSON: seconds, seconds of processor (imports included), rows a
second, peak MB of memory, and how many times the seconds and the processor seconds of (a) and of
(b).
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import shutil
import sys
import tempfile
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from own_process import child

from pipelines.simulate import simulate

START = date(2026, 9, 1)
SOURCES = {"asterisk_csv": "pbx", "plain_csv": "wholesale", "freeswitch_json": "softswitch"}
DAY_COLUMNS = {"asterisk_csv": "9", "plain_csv": "8", "freeswitch_json": "0"}

_POLARS = """
import polars as pl
file, out, form, day = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
begun = time.perf_counter()
if form == "freeswitch_json":
    rows = pl.scan_ndjson(file)
    start = pl.col("variables").struct.field("start_stamp")
else:
    rows = pl.scan_csv(file, has_header=form == "plain_csv", infer_schema=False)
    start = pl.col(rows.collect_schema().names()[day])
rows = rows.with_columns(start.str.head(10).alias("day"))
rows.sink_parquet(pl.PartitionBy(out, key="day"), compression="zstd", mkdir=True)
found = None
"""

_DUCKDB = """
import duckdb
file, out, form, day = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
begun = time.perf_counter()
con = duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})
con.execute("SET enable_progress_bar = false")
if form == "freeswitch_json":
    rows = con.read_json(file, format="newline_delimited")
    start = "CAST(variables.start_stamp AS VARCHAR)"
else:
    rows = con.read_csv(file, header=form == "plain_csv", all_varchar=True)
    start = f'"{rows.columns[day]}"'
rows = rows.project(f"*, left({start}, 10) AS day")
rows.write_parquet(out, partition_by=["day"], compression="zstd")
found = None
"""

_HASH = """
import hashlib
with open(sys.argv[1], "rb") as handle:
    hashlib.file_digest(handle, "sha256")
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
    options.add_argument("--held-rows", type=int, help="calls held before; as many as taken in")
    options.add_argument("--accounts", type=int, default=2_000, help="accounts simulated")
    options.add_argument("--days", type=int, default=30, help="days simulated")
    options.add_argument("--only", choices=["all", "ingest"], default="all")
    options.add_argument("--seed", type=int, default=99)
    given = options.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        traffic = folder / "traffic"
        simulate(
            accounts=given.accounts, days=given.days, seed=given.seed, out=traffic, start=START
        )
        for form in given.formats:
            for rows in given.rows:
                held = given.held_rows or rows
                found = measured(folder, traffic, form, rows, held, plain=given.only == "all")
                sys.stdout.write(json.dumps(found, indent=1) + "\n")
                sys.stdout.flush()
    finally:
        shutil.rmtree(folder)


def measured(
    folder: Path, traffic: Path, form: str, rows: int, held_rows: int, *, plain: bool
) -> dict[str, Any]:
    """Measure one format and size."""
    source = SOURCES[form]
    file, home = folder / f"{form}.csv", folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    shutil.copy(traffic / "callsieve.toml", home)
    write(file, traffic / "inbox" / source, form, rows=held_rows, first_copy=100_000)
    held = child(_INGEST, file, home, source)
    write(file, traffic / "inbox" / source, form, rows=rows, first_copy=1)
    found = {}
    if plain:
        for name, work in (("polars_copy", _POLARS), ("duckdb_copy", _DUCKDB)):
            found[name] = child(work, file, folder / name, form, DAY_COLUMNS[form])
            shutil.rmtree(folder / name)
    found["ingest"] = child(_INGEST, file, home, source)
    found["ingest_again"] = child(_INGEST, file, home, source)
    found["hash"] = child(_HASH, file)
    for each in found.values():
        each["rows_per_s"] = round(rows / max(each["seconds"], 0.01))
        for copy in ("polars", "duckdb") if plain else ():
            for measure in ("seconds", "cpu_s"):
                beside = max(found[f"{copy}_copy"][measure], 0.01)
                each[f"{measure}_times_{copy}"] = round(each[measure] / beside, 2)
    megabytes = round(file.stat().st_size / 1e6)
    simulated = sum(len(lines) for _, lines in _files(traffic / "inbox" / source, form))
    return {
        "format": form, "rows": rows, "simulated": simulated, "megabytes": megabytes,
        "held": held["accepted"], **found,
    }  # fmt: skip


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
                if written == rows:
                    return
            if rows is None:
                return


@cache
def _files(inbox: Path, form: str) -> list[tuple[bytes, list[bytes]]]:
    return [_sound(path, form) for path in sorted(inbox.iterdir())]


def _sound(path: Path, form: str) -> tuple[bytes, list[bytes]]:
    """Return a file's header and those of its lines at which a plain copy does not stop."""
    lines = path.read_bytes().splitlines(keepends=True)
    header = lines.pop(0) if form == "plain_csv" else b""
    if form == "freeswitch_json":
        return b"", [line for line in lines if line.endswith(b"}\n")]
    columns = [len(next(csv.reader([line.decode("utf-8", "replace")]))) for line in lines]
    usual = max(set(columns), key=columns.count)
    return header, [line for line, n in zip(lines, columns, strict=True) if n == usual]


def _renamed(lines: bytes, form: str, prefix: bytes) -> bytes:
    if form == "plain_csv":
        return prefix + lines[:-1].replace(b"\n", b"\n" + prefix) + b"\n"
    if form == "freeswitch_json":
        return re.sub(rb'("(?:call_)?uuid":")', rb"\1" + prefix, lines)
    return re.sub(rb',"(\d{10}\.\d+")', rb',"' + prefix + rb"\1", lines)  # unique id


if __name__ == "__main__":
    main()
