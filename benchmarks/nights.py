"""Whom a week of nights puts before the team, over several simulated operators.

    python benchmarks/nights.py --seeds 3104 3105 3106 --accounts 1200 --keep FOLDER

Each operator has a month of calls. The nights before 21 to 27 September learn from what was blocked
by then, one after the other, as `callsieve evaluate` does; the truth is read at the end. Printed
as JSON for each operator and for all: precision and recall at capacity and average precision, with
95 % intervals by a bootstrap over accounts, the same where the team would stop at other scores, and
how many good accounts of each kind were put before it. The seeds must be ones that nothing was
built with. ``--keep`` leaves the homes, so that another build scores the same nights.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from night import START, laid_out

import cdr
from fraud.backtest import rows_of
from fraud.days import reduce_days
from fraud.model import measures
from fraud.scoring import midnight_after, score_night
from fraud.truth import read_truth
from pipelines.nightly import run_nightly

DAYS = 30
FIRST = datetime(2026, 9, 21, tzinfo=UTC)
NIGHTS = 7
STOPS = (0.3, 0.4, 0.5, 0.6)


def main() -> None:
    """Lay the operators out, score their nights and print what came of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[3104])
    options.add_argument("--accounts", type=int, default=1_200)
    options.add_argument("--keep", type=Path, help="leave the homes here, and use those that are")
    given = options.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp())
    try:
        found = {seed: scored(folder / str(seed), given.accounts, seed) for seed in given.seeds}
        for seed, rows in found.items():
            sys.stdout.write(json.dumps({"seed": seed, **said(rows)}) + "\n")
        together = pl.concat(found.values())
        sys.stdout.write(json.dumps({"seed": "all", **said(together), **at_stops(together)}) + "\n")
    finally:
        if not given.keep:
            shutil.rmtree(folder)


def scored(folder: Path, accounts: int, seed: int) -> pl.DataFrame:
    """Return rows of `fraud.backtest.rows_of` of every night; accounts carry their operator."""
    home, laid = folder / "home", folder / "laid"
    if not laid.exists():
        shutil.rmtree(folder, ignore_errors=True)
        laid_out(folder, accounts, DAYS, seed)
        run_nightly(opened(home), START + timedelta(days=DAYS - 1), now=datetime.now(tz=UTC))
        laid.touch()
    outcomes = read_truth(folder / "simulation" / "truth" / "accounts.parquet").rename(
        {"is_fraud": "fraud", "fraud_from_at": "began_at"}
    )
    nights = pl.concat(_nights(opened(home), outcomes))
    return nights.with_columns(pl.format("{}-{}", pl.lit(seed), "account_id").alias("account_id"))


def opened(home: Path) -> cdr.Lake:
    """Open the lake of a home."""
    return cdr.open_lake(cdr.load_settings(home / "callsieve.toml", home=home))


def _nights(lake: cdr.Lake, outcomes: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for number in range(NIGHTS):
        at = midnight_after(FIRST.date() + timedelta(days=number - 1))
        reduce_days(lake, as_of=at)
        night = score_night(lake, as_of=at, use_shelf=False)
        yield rows_of(at, night.scores, outcomes, lake.settings.scoring.daily_capacity)


def said(rows: pl.DataFrame) -> dict[str, Any]:
    """Return the measures of rows with their intervals, and who was worked in vain."""
    of = {
        "precision": measures.precision_at_capacity,
        "recall": measures.recall_at_capacity,
        "average_precision": measures.average_precision,
    }
    in_vain = rows.filter("worked", ~pl.col("fraud"))
    kinds = in_vain.group_by(pl.col("lookalike_kind").fill_null("no look-alike")).agg(
        pl.col("account_id").n_unique().alias("accounts")
    )
    return {
        "frauds": rows.filter("fraud")["account_id"].n_unique(),
        "worked": rows["worked"].sum(),
        **{name: _rounded(measures.measured(rows, one, seed=1)) for name, one in of.items()},
        "worked_in_vain": dict(kinds.sort("accounts", descending=True).iter_rows()),
    }


def at_stops(rows: pl.DataFrame) -> dict[str, Any]:
    """Return precision and recall where the team stopped at other scores."""
    found = {}
    for stop in STOPS:
        at = rows.with_columns((pl.col("score").fill_null(0) >= stop).alias("worked"))
        both = (measures.precision_at_capacity(at), measures.recall_at_capacity(at))
        found[str(stop)] = [None if one is None else round(one, 3) for one in both]
    return {"precision_and_recall_from_a_score_of": found}


def _rounded(one: measures.Measure) -> list[float | None]:
    return [None if x is None else round(x, 3) for x in (one.value, one.low, one.high)]


if __name__ == "__main__":
    main()
