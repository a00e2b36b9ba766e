"""Likeness against tuned classifiers on real accounts that were blocked for fraud.

Run: ``python benchmarks/sichuan.py [--splits 20] [--data ../shared/data/sichuan]``

The two files together are split in halves, stratified, again and again; every method
sees the same splits. Printed: mean and standard deviation of the area under the curve and
of average precision, and the mean paired margin of ours. The second table is without the
columns that give away how long an account has existed. The settings of the others were
chosen by cross-validated search over a small grid on the training half of split 0.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from fraud import BlockedAccountSimilarity

TENURE = ("month_ids", "voc_day_nunique")
"""Columns that tell how long an account has existed, which the label leaks into."""

OURS = "BlockedAccountSimilarity"


def others() -> dict[str, tuple[Any, dict[str, list[Any]]]]:
    """Return what a user would pick instead, and the grid each is tuned over."""
    neighbours = make_pipeline(
        SimpleImputer(), QuantileTransformer(n_quantiles=200), KNeighborsClassifier()
    )
    return {
        "gradient boosting": (
            HistGradientBoostingClassifier(random_state=0, l2_regularization=1.0),
            {
                "learning_rate": [0.03, 0.1],
                "max_iter": [100, 200],
                "max_leaf_nodes": [6, 12],
                "min_samples_leaf": [10, 20],
            },
        ),
        "random forest": (
            RandomForestClassifier(n_estimators=300, random_state=0),
            {"min_samples_leaf": [1, 3], "max_features": ["sqrt", 0.3]},
        ),
        "nearest neighbours": (
            neighbours,
            {
                "kneighborsclassifier__n_neighbors": [10, 20, 40],
                "kneighborsclassifier__weights": ["uniform", "distance"],
            },
        ),
    }


def methods(X: Any, y: Any) -> dict[str, Callable[[], Any]]:
    """Return how to make each method, tuned on the rows given."""
    found: dict[str, Callable[[], Any]] = {OURS: BlockedAccountSimilarity}
    for name, (estimator, grid) in others().items():
        search = GridSearchCV(estimator, grid, scoring="roc_auc", cv=3).fit(X, y)
        found[name] = lambda best=search.best_estimator_: best  # type: ignore[misc]
    return found


def table(frame: pl.DataFrame, *, splits: int) -> None:
    """Measure every method on the same splits and print one line each."""
    y = frame["label"].to_numpy()
    columns = [c for c in frame.columns if c not in ("account_id", "label")]
    X = frame.select(pl.col(columns).cast(pl.Float64).fill_null(float("nan"))).to_numpy()
    halves = list(StratifiedShuffleSplit(splits, test_size=0.5, random_state=1).split(X, y))
    made = methods(X[halves[0][0]], y[halves[0][0]])
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in made}
    for learned, asked in halves:
        for name, make in made.items():
            score = make().fit(X[learned], y[learned]).predict_proba(X[asked])[:, 1]
            measured = roc_auc_score(y[asked], score), average_precision_score(y[asked], score)
            found[name].append(measured)
    ours = np.array(found[OURS])
    for name, values in found.items():
        mean, spread = np.mean(values, axis=0), np.std(values, axis=0)
        margin = (ours - np.array(values)).mean(axis=0)
        sys.stdout.write(
            f"{name:<26} AUC {mean[0]:.4f} ± {spread[0]:.4f}  AP {mean[1]:.4f} ± {spread[1]:.4f}"
            f"  ours is better by {margin[0]:+.4f} AUC, {margin[1]:+.4f} AP\n"
        )
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--splits", type=int, default=20)
    options.add_argument("--data", type=Path, default=Path("../shared/data/sichuan"))
    asked = options.parse_args()
    files = [asked.data / name for name in ("train.csv", "validation.csv")]
    frame = pl.concat([pl.read_csv(file) for file in files], how="vertical_relaxed")
    sys.stdout.write(f"{frame.height:,} accounts, {asked.splits} splits in halves\n")
    table(frame, splits=asked.splits)
    sys.stdout.write(f"without {', '.join(TENURE)}\n")
    table(frame.drop(TENURE), splits=asked.splits)


if __name__ == "__main__":
    main()
