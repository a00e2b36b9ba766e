"""How fraud is found on the first nights, without a model: our ranking and an isolation forest.

    python benchmarks/first_nights.py --accounts 700 --days 24 --seeds 11 12 13

For each seed an operator is simulated and taken in. On several midnights the accounts that are
still open are ranked by `fraud.behaviour`, and by scikit-learn's `IsolationForest` on the same
signals (unknown ones at the median), which is what one would otherwise take. Fraud that has begun
and was not blocked yet should come first. Nothing is learned from labels by either.

Printed as JSON: nights, accounts and frauds on them, and for each way the mean over nights of the
area under the curve, average precision, and the share of frauds among the first 20 (of 20 at most).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score

import cdr
import fraud
from fraud.behaviour import odd_scores, oddness
from fraud.days import reduce_days
from fraud.signal_set import signal_set
from pipelines.inbox import take_in
from pipelines.simulate import simulate

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
"""Of the simulator's range."""

EVERY_DAYS = 4
FIRST = 20
SIGNALS = signal_set(frozenset()).behaviour


def main() -> None:
    """Simulate, rank and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, default=700)
    options.add_argument("--days", type=int, default=24)
    options.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    given = options.parse_args()
    found: dict[str, list[tuple[float, float, float]]] = {"callsieve": [], "isolation forest": []}
    accounts = frauds = 0
    for seed in given.seeds:
        for features, is_fraud in nights(given.accounts, given.days, seed):
            accounts, frauds = accounts + len(is_fraud), frauds + int(is_fraud.sum())
            ours = odd_scores(oddness(features, SIGNALS), SIGNALS).to_numpy()
            found["callsieve"].append(judged(is_fraud, ours))
            found["isolation forest"].append(judged(is_fraud, isolated(features, seed)))
    said = {
        way: dict(zip(("auc", "average_precision", f"first_{FIRST}"),
                      np.round(np.mean(of_nights, axis=0), 3).tolist(), strict=True))
        for way, of_nights in found.items()
    }  # fmt: skip
    counts = {"nights": len(found["callsieve"]), "accounts": accounts, "frauds": frauds}
    sys.stdout.write(json.dumps(counts | said, indent=1) + "\n")


def nights(accounts: int, days: int, seed: int) -> Iterator[tuple[pl.DataFrame, NDArray[np.bool_]]]:
    """Return the signals of open accounts at several midnights, and which of them are fraud."""
    with tempfile.TemporaryDirectory() as folder:
        out, home = Path(folder) / "operator", Path(folder) / "home"
        simulate(out, accounts=accounts, days=days, seed=seed)
        lake = cdr.open_lake(cdr.load_settings(out / "callsieve.toml", home=home), create=True)
        for laid in (*out.glob("*.csv"), *(out / "inbox").iterdir()):
            laid.rename(lake.home.inbox / laid.name)
        take_in(lake, now=datetime.now(tz=UTC))
        truth = pl.read_parquet(out / "truth" / "accounts.parquet")
        for day in range(2 * EVERY_DAYS - 1, days, EVERY_DAYS):
            yield one_night(lake, truth, BEGIN + timedelta(days=day))


def one_night(
    lake: cdr.Lake, truth: pl.DataFrame, as_of: datetime
) -> tuple[pl.DataFrame, NDArray[np.bool_]]:
    """Describe the accounts that nobody has blocked yet as of a midnight."""
    reduce_days(lake, as_of=as_of)
    began = (pl.col("is_fraud") & (pl.col("fraud_from_at") <= as_of)).fill_null(value=False)
    rows = fraud.features(lake, as_of=as_of).join(
        truth.filter((pl.col("known_at") > as_of).fill_null(value=True)).select(
            "account_id", began.alias("fraud")
        ),
        on="account_id",
    )
    return rows.drop("fraud"), rows["fraud"].to_numpy()


def isolated(features: pl.DataFrame, seed: int) -> NDArray[np.float64]:
    """Rank by an isolation forest; unknown signals stand at the median, or at 0 where all are."""
    known = features.select(pl.col(s.name).fill_null(pl.col(s.name).median()) for s in SIGNALS)
    values = known.fill_null(0).to_numpy()
    forest = IsolationForest(n_estimators=300, random_state=seed).fit(values)
    return -forest.score_samples(values)


def judged(is_fraud: NDArray[np.bool_], score: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return area under the curve, average precision, and recall among the first."""
    first = np.argsort(-score, kind="stable")[:FIRST]
    caught = is_fraud[first].sum() / min(FIRST, is_fraud.sum())
    return roc_auc_score(is_fraud, score), average_precision_score(is_fraud, score), caught


if __name__ == "__main__":
    main()
