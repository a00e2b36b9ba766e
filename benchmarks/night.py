"""A first night over a month of a simulated operator: rates, seconds, memory, and whom it finds.

    python benchmarks/night.py --accounts 20000 --days 30 --seed 4711

The seed must be one that nothing was built with. The truth is read after the night, to say how many
of the accounts that defraud and were not blocked yet are among the first 100, and where the
look-alikes stand. Printed as JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

import cdr
from cdr.schema import SCORES
from pipelines.simulate import simulate

FIRST = 100
START = date(2026, 9, 1)

_NIGHT = """
import json, resource, sys
from datetime import UTC, date, datetime
from pathlib import Path
import cdr
from pipelines.nightly import run_nightly
home, day = Path(sys.argv[1]), date.fromisoformat(sys.argv[2])
lake = cdr.open_lake(cdr.load_settings(home / "callsieve.toml", home=home))
found = run_nightly(lake, day, now=datetime.now(tz=UTC)).as_json()
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"ingest": found["ingest"], "seconds": found["seconds"], "peak_mb": peak_mb}))
"""


def main() -> None:
    """Simulate, run the night in a process of its own, and compare with the truth."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, default=20_000)
    options.add_argument("--days", type=int, default=30)
    options.add_argument("--seed", type=int, default=4711)
    options.add_argument("--keep", type=Path, help="leave the home here")
    given = options.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp())
    try:
        found = measured(folder, given.accounts, given.days, given.seed)
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    finally:
        if not given.keep:
            shutil.rmtree(folder)


def measured(folder: Path, accounts: int, days: int, seed: int) -> dict[str, Any]:
    """Return the figures of one night."""
    simulation, home, call_bytes = laid_out(folder, accounts, days, seed)
    last = START + timedelta(days=days - 1)
    night = subprocess.run(
        [sys.executable, "-c", _NIGHT, str(home), last.isoformat()],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found = json.loads(night.stdout)
    rows, seconds = found["ingest"]["read"], found["seconds"]
    return {
        "accounts": accounts,
        "call_files_mb": round(call_bytes / 1e6),
        "lake_mb": round(sum(f.stat().st_size for f in (home / "lake").rglob("*.parquet")) / 1e6),
        "rows_read": rows,
        "rows_a_second": round(rows / seconds["take_in"]),
        "seconds": seconds,
        "peak_mb": round(found["peak_mb"]),
    } | compared(home, simulation / "truth" / "accounts.parquet", last + timedelta(days=1))


def laid_out(folder: Path, accounts: int, days: int, seed: int) -> tuple[Path, Path, int]:
    """Simulate an operator; return the simulation, a home with its files, and their bytes."""
    simulation, home = folder / "simulation", folder / "home"
    report = simulate(simulation, accounts=accounts, days=days, seed=seed, start=START)
    cdr.open_lake(cdr.load_settings(simulation / "callsieve.toml", home=home), create=True)
    shutil.rmtree(home / "inbox")
    (simulation / "inbox").rename(home / "inbox")
    for file in simulation.glob("*.csv"):
        file.rename(home / "inbox" / file.name)
    (simulation / "callsieve.toml").rename(home / "callsieve.toml")
    return simulation, home, report.bytes


def compared(home: Path, truth_file: Path, as_of: date) -> dict[str, Any]:
    """Say where those who defraud and the look-alikes stand in the night's ranking."""
    lake = cdr.open_lake(cdr.load_settings(home / "callsieve.toml", home=home))
    midnight = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    ranked = (
        lake.scan(SCORES, dates=[as_of])
        .filter(pl.col("score").is_not_null())
        .sort("score", "account_id", descending=[True, False])
        .select("account_id", "score", place=pl.int_range(1, pl.len() + 1))
        .collect()
    )
    truth = pl.read_parquet(truth_file).join(ranked, on="account_id", how="inner")
    active = truth.filter("is_fraud", pl.col("fraud_from_at") < midnight)
    alike = truth.filter(pl.col("lookalike_kind").is_not_null())
    first = pl.col("place") <= FIRST
    return {
        "fraud_not_blocked_yet": active.height,
        f"fraud_in_first_{FIRST}": active.filter(first).height,
        "share_of_fraud_found": round(active.filter(first).height / max(active.height, 1), 3),
        "by_kind": _places(active, "kind"),
        "look_alikes_in_first": alike.filter(first).height,
        "look_alikes": _places(alike, "lookalike_kind"),
    }


def _places(accounts: pl.DataFrame, kind: str) -> dict[str, Any]:
    found = accounts.group_by(kind).agg(
        pl.len().alias("accounts"),
        (pl.col("place") <= FIRST).sum().alias("in_first"),
        pl.col("place").min().alias("best_place"),
        pl.col("place").median().alias("median_place"),
    )
    return {row.pop(kind): row for row in found.sort(kind).iter_rows(named=True)}


if __name__ == "__main__":
    main()
