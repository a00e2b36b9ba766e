"""How fast accounts are scored, beside what a user would pick instead.

Run: ``python benchmarks/scoring.py [--accounts 1000000] [--signals 60] [--blocked 10000]``

Made-up numbers, 5 % of them unknown; likeness of all accounts, then reasons and
neighbours of 200. Beside it scikit-learn's brute-force nearest neighbours among the
same blocked accounts, on a sample, since all would take hours.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from fraud import BlockedAccountSimilarity

DESCRIBED = 200
SAMPLE = 20_000
GOOD_FOR_EACH = 5


def made_up(count: int, signals: int, shift: float, seed: int) -> NDArray[np.float64]:
    """Return accounts by signals with long tails and gaps."""
    rng = np.random.default_rng(seed)
    found = np.exp(rng.normal(shift, 1.0, (count, signals)))
    found[rng.random(found.shape, dtype=np.float32) < 0.05] = np.nan
    return found


def say(what: str, count: int, seconds: float) -> None:
    """Print one line of the table."""
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"{what:<44}{count:>10,}{seconds:>10.1f} s{count / seconds:>12,.0f}/s{peak_mb:>8,.0f} MB\n"
    )
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, default=1_000_000)
    options.add_argument("--signals", type=int, default=60)
    options.add_argument("--blocked", type=int, default=10_000)
    asked = options.parse_args()
    blocked = made_up(asked.blocked, asked.signals, 0.5, 1)
    good = made_up(GOOD_FOR_EACH * asked.blocked, asked.signals, 0.0, 2)
    X = np.vstack([blocked, good])
    y = np.arange(len(X)) < asked.blocked
    started = time.perf_counter()
    model = BlockedAccountSimilarity(n_jobs=2).fit(X, y)
    say("fit", len(X), time.perf_counter() - started)
    accounts = made_up(asked.accounts, asked.signals, 0.0, 3)
    started = time.perf_counter()
    model.predict_proba(accounts)
    say("likeness of every account", len(accounts), time.perf_counter() - started)
    few = accounts[:DESCRIBED]
    started = time.perf_counter()
    model.explain(few)
    model.similar_blocked(few)
    model.similar_good(few)
    say("reasons and neighbours", len(few), time.perf_counter() - started)
    started = time.perf_counter()
    nearest = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(np.nan_to_num(blocked))
    nearest.kneighbors(np.nan_to_num(accounts[:SAMPLE]))
    say("scikit-learn's brute-force neighbours", SAMPLE, time.perf_counter() - started)


if __name__ == "__main__":
    main()
