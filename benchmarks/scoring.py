"""How fast accounts are scored, beside what a user would pick instead.

Run: ``python benchmarks/scoring.py [--accounts 1000000] [--signals 60] [--blocked 10000]``
For PyOD beside it, first: ``.venv/tool/bin/uv sync --inexact --group bench``.

Made-up numbers, 5 % of them unknown; likeness of all accounts, then reasons and
neighbours of 200. Beside it scikit-learn's brute-force nearest neighbours and PyOD's KNN
detector among the same blocked accounts, on a sample, since all would take hours. Wall and
processor seconds, accounts a processor second, and the highest memory so far; the two cores
of a busy machine are not all ours, so compare the processor's.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def timed(what: str, count: int) -> Iterator[None]:
    """Print one line of the table."""
    wall, processor = time.perf_counter(), time.process_time()
    yield
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"{what:<40}{count:>10,}{wall:>9.1f} s{processor:>9.1f} s"
        f"{count / processor:>12,.0f}/s{peak_mb:>8,.0f} MB\n"
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
    with timed("fit", len(X)):
        model = BlockedAccountSimilarity(n_jobs=2).fit(X, y)
    accounts = made_up(asked.accounts, asked.signals, 0.0, 3)
    with timed("likeness of every account", len(accounts)):
        model.predict_proba(accounts)
    few = accounts[:DESCRIBED]
    with timed("reasons and neighbours", len(few)):
        model.explain(few)
        model.similar_blocked(few)
        model.similar_good(few)
    sample, among = np.nan_to_num(accounts[:SAMPLE]), np.nan_to_num(blocked)
    with timed("scikit-learn's brute-force neighbours", SAMPLE):
        NearestNeighbors(n_neighbors=5, algorithm="brute").fit(among).kneighbors(sample)
    try:
        from pyod.models.knn import KNN
    except ImportError:
        sys.stdout.write("PyOD is not installed, so it is not measured\n")
        return
    detector = KNN(n_neighbors=5).fit(among)
    with timed("PyOD's KNN", SAMPLE):
        detector.decision_function(sample)


if __name__ == "__main__":
    main()
