"""What a night's features cost against a full recompute, and how both grow with history.

    python benchmarks/nightly_features.py --accounts 20000 --calls-a-day 500000 --history 30 60

For each length of history a lake is filled with calls, a day at a time, that are drawn as whole
columns (not through switch files), and then measured, each in a process of its own:

- `recompute`: from nothing, every day of the window, and before blocks, is reduced, as one
  would do without partial sums, and every account described as of the next midnight;
- `night`: the last day is forgotten, so that the lake is as a night finds it: that day is
  reduced, and every account described.

Wall and processor seconds and peak memory of the process, as JSON, the ratio of the processor
seconds, and the largest relative difference between the
features of both: sums of logarithms and roots are added in no fixed order. With each length comes
what its calls and its reduced days take on the disk.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import cdr
from cdr.schema import ACCOUNTS, CALLS, Table
from fraud.features.account_days import ACCOUNT_DAY_KEYS, ACCOUNT_DAYS, REDUCED_DAYS

LAST = date(2026, 9, 30)
BLOCKED_SHARE = 0.01

_MEASURED = """
import json, resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
import cdr
from fraud.days import reduce_days
from fraud.features.midnight import features
home, as_of, out = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), Path(sys.argv[3])
lake = cdr.open_lake(cdr.load_settings(home=home))
began, used = time.perf_counter(), time.process_time()
days = reduce_days(lake, as_of=as_of)
reduced = time.perf_counter()
features(lake, as_of=as_of).write_parquet(out)
ended = time.perf_counter()
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"days_reduced": days, "reduce_s": round(reduced - began, 1),
                  "features_s": round(ended - reduced, 1), "whole_s": round(ended - began, 1),
                  "processor_s": round(time.process_time() - used, 1),
                  "peak_mb": round(peak_mb)}))
"""


def main() -> None:
    """Fill, measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, default=20_000)
    options.add_argument("--calls-a-day", type=int, default=500_000)
    options.add_argument("--history", type=int, nargs="+", default=[30, 60])
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    found: dict[str, Any] = {"accounts": given.accounts, "calls_a_day": given.calls_a_day}
    for days in given.history:
        with tempfile.TemporaryDirectory() as folder:
            found[f"{days} days of history"] = compared(Path(folder), given, days)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


def compared(folder: Path, given: argparse.Namespace, days: int) -> dict[str, Any]:
    """Measure a night and a recompute over one length of history."""
    random = np.random.default_rng(given.seed)
    as_of = datetime(LAST.year, LAST.month, LAST.day, tzinfo=UTC) + timedelta(days=1)
    home = folder / "home"
    lake = cdr.open_lake(cdr.load_settings(home=home), create=True)
    put(lake, ACCOUNTS, accounts(given.accounts, random))
    for back in reversed(range(days)):
        put(lake, CALLS, calls(LAST - timedelta(days=back), given, random))
    recompute = measured(home, as_of, folder / "recompute.parquet")
    reduced = (ACCOUNT_DAYS, ACCOUNT_DAY_KEYS)
    disk = {"calls_mb": megabytes(lake, CALLS), "days_mb": megabytes(lake, *reduced)}
    tables = (*reduced, REDUCED_DAYS)
    lake.replace_days({t: pl.DataFrame(schema=t.polars_schema) for t in tables}, [LAST])
    night = measured(home, as_of, folder / "night.parquet")
    return {
        "night": night,
        "recompute": recompute,
        **disk,
        "recompute_to_night": round(recompute["processor_s"] / night["processor_s"], 1),
        "largest_difference": difference(folder / "night.parquet", folder / "recompute.parquet"),
    }


def megabytes(lake: cdr.Lake, *tables: Table) -> int:
    """Return what the files of tables take on the disk."""
    return sum(file.size for table in tables for file in lake.files(table)) // 1_000_000


def difference(one: Path, other: Path) -> float | None:
    """Return the largest relative difference of any value; None where one is unknown only once."""
    left, right = (pl.read_parquet(file).drop("account_id") for file in (one, other))
    if not left.select(pl.all().is_null()).equals(right.select(pl.all().is_null())):
        return None
    scale = np.maximum(np.abs(left.fill_null(0).to_numpy()), 1e-12)
    return float((np.abs((left - right).fill_null(0).to_numpy()) / scale).max())


def measured(home: Path, as_of: datetime, out: Path) -> dict[str, Any]:
    """Bring a home up to date and describe its accounts in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(home), as_of.isoformat(), str(out)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    result: dict[str, Any] = json.loads(ran.stdout)
    return result


def put(lake: cdr.Lake, table: Table, rows: pl.DataFrame) -> None:
    """Add rows to a table."""
    with lake.batch("benchmark") as batch, lake.writing():
        batch.add(table, rows)
        batch.publish()


def accounts(count: int, random: np.random.Generator) -> pl.DataFrame:
    """Draw accounts; some were blocked within the last 30 days."""
    opened = datetime(2026, 1, 1, tzinfo=UTC)
    ended = datetime(LAST.year, LAST.month, LAST.day, tzinfo=UTC)
    blocked = pl.Series(random.random(count) < BLOCKED_SHARE)
    since = pl.Series(random.integers(1, 30 * 86_400, count)).cast(pl.Duration("us")) * 1_000_000
    drawn = pl.DataFrame({"n": pl.arange(count, eager=True), "blocked": blocked, "since": since})
    known = drawn.select(
        account_id=pl.format("A{}", "n"),
        created_at=pl.lit(opened),
        country=pl.lit("DE"),
        email=pl.format("someone{}@mail{}.example", "n", pl.col("n") % 500),
        devices=pl.concat_list(pl.format("device {}", pl.col("n") // 2)),
        status=pl.when("blocked").then(pl.lit("blocked")).otherwise(pl.lit("active")),
        status_since=pl.when("blocked").then(pl.lit(ended) - pl.col("since")),
        status_reason=pl.when("blocked").then(pl.lit("fraud")),
        valid_from=pl.lit(opened),
        imported_at=pl.lit(opened),
    )
    return filled(ACCOUNTS, known)


def calls(day: date, given: argparse.Namespace, random: np.random.Generator) -> pl.DataFrame:
    """Draw one day of calls: accounts of very different sizes, each with its own contacts."""
    count = given.calls_a_day
    account = (given.accounts * random.random(count) ** 2).astype(np.int64)
    contact = (account * 7919 + random.geometric(0.02, count)) % 9_000_000
    begun = np.sort(random.integers(0, 86_400_000_000, count))
    length_ms = (random.exponential(90_000, count)).astype(np.int64)
    drawn = pl.DataFrame(
        {
            "n": pl.arange(count, eager=True),
            "account": account,
            "contact": contact,
            "begun": pl.Series(begun).cast(pl.Duration("us")),
            "length_ms": length_ms,
            "outbound": random.random(count) < 0.6,
            "answered": random.random(count) < 0.7,
        }
    )
    started = pl.lit(datetime(day.year, day.month, day.day, tzinfo=UTC)) + pl.col("begun")
    other = pl.format("+4930{}", pl.col("contact") + 1_000_000)
    own = pl.format("+4989{}", pl.col("account") + 1_000_000)
    length = pl.when("answered").then("length_ms")
    key = pl.format("{} {}", pl.lit(day.isoformat()), "n")
    known = drawn.select(
        record_id=key.cast(pl.Binary),
        source=pl.lit("s"),
        source_record_id=key,
        call_id=key,
        leg=pl.lit(0),
        account_id=pl.format("A{}", "account"),
        direction=pl.when("outbound").then(pl.lit("outbound")).otherwise(pl.lit("inbound")),
        media=pl.lit("voice"),
        caller_number=pl.when("outbound").then(own).otherwise(other),
        callee_number=pl.when("outbound").then(other).otherwise(own),
        callee_country=pl.lit("DE"),
        caller_ip=pl.format("81.2.{}.{}", pl.col("account") // 250 % 250, pl.col("account") % 250),
        started_at=started,
        ended_at=started + pl.duration(milliseconds=length.fill_null(20_000)),
        ring_ms=pl.lit(8_000),
        duration_ms=length,
        outcome=pl.when("answered").then(pl.lit("answered")).otherwise(pl.lit("no_answer")),
        flags=pl.lit([], pl.List(pl.String)),
        source_rows=pl.lit(1),
        content_hash=pl.lit(0),
        ingested_at=started + pl.duration(days=1),
        ingest_id=pl.lit("i"),
        numbering_version=pl.lit("n"),
        call_date=pl.lit(day),
    )
    return filled(CALLS, known)


def filled(table: Table, known: pl.DataFrame) -> pl.DataFrame:
    """Return rows with every column of a table; lists that are not given are empty."""
    lacking = {name: dtype for name, dtype in table.polars_schema.items() if name not in known}
    return table.conform(
        known.with_columns(
            pl.lit([] if isinstance(dtype, pl.List) else None, dtype).alias(name)
            for name, dtype in lacking.items()
        )
    )


if __name__ == "__main__":
    main()
