"""Likeness against tuned classifiers, on real accounts blocked for fraud and on quite other data.

Run: ``python benchmarks/sichuan.py [--splits 20] [--data ../shared/data/sichuan] [--other]
[--folds N] [--tune-each] [--kept FILE] [--without-ours]``

Rows are split in halves, stratified, again and again; every method sees the same splits. With
``--folds N`` they are cut into N folds, again and again, and N - 1 of them are learned from.
Printed: mean and standard deviation of the area under the curve, of average precision and of
macro F1 (of what ``predict`` says), and by how much ours is better, paired, with the 95 %
interval of that mean. Splits overlap, so the interval is Nadeau and
Bengio's corrected one (Machine Learning 52, 2003). The second table is without the columns
that give away how long an account has existed. The others' settings are chosen by
cross-validated search on the training half of the first split, with ``--tune-each`` on that of
every split; ours are the defaults. That takes the others long, so ``--kept`` writes what was
measured to a file, line by line, and a run that finds it there goes on; ``--without-ours`` fills
it with the others' only. ``--other`` measures on data that has nothing to do with telephony.
Set ``OMP_NUM_THREADS=1`` where other work shares the machine: threads that wait cost more.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import t as student
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, RepeatedStratifiedKFold, StratifiedShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from fraud import BlockedAccountSimilarity

TENURE = ("month_ids", "voc_day_nunique")
"""Columns that tell how long an account has existed, which the label leaks into."""

OURS = "BlockedAccountSimilarity"
MEASURES = ("AUC", "AP", "macro F1")


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


SEARCHED_WITH = {"random forest": {"n_estimators": 100}}
"""What a method is searched with instead, to save time: more trees of a forest say the same with
less noise, and which settings suit the rows does not hang on their number."""


def tuned(name: str, X: Any, y: Any) -> Any:
    """Return one of the others, not fitted, with the settings that suit the rows given best."""
    estimator, grid = others()[name]
    tried = clone(estimator).set_params(**SEARCHED_WITH.get(name, {}))
    search = GridSearchCV(tried, grid, scoring="roc_auc", cv=3, refit=False).fit(X, y)
    return estimator.set_params(**search.best_params_)


class Kept:
    """What was measured before: (table, method, split) to the measures, in a file of lines."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        lines = file.read_text("utf-8").splitlines() if file and file.exists() else []
        self.found = {tuple(key): values for key, values in map(json.loads, lines)}

    def measured(
        self, key: tuple[str, str, int], measure: Callable[[], Sequence[float]]
    ) -> Sequence[float]:
        """Return what is kept under a key, else measure and keep it."""
        if key not in self.found:
            self.found[key] = measure()
            if self.file:
                with self.file.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps([key, self.found[key]]) + "\n")
        return self.found[key]


def measured(
    make: Callable[[], Any], X: Any, y: Any, learned: Any, asked: Any
) -> tuple[float, float, float]:
    """Learn from one half and measure on the other."""
    model = make().fit(X[learned], y[learned])
    score, said = model.predict_proba(X[asked])[:, 1], model.predict(X[asked])
    return (
        float(roc_auc_score(y[asked], score)),
        float(average_precision_score(y[asked], score)),
        float(f1_score(y[asked], said, average="macro")),
    )


def split(X: Any, y: Any, splits: int, folds: int | None) -> list[tuple[Any, Any]]:
    """Return rows to learn from and rows to ask about, as often as wanted."""
    if folds is None:
        return list(StratifiedShuffleSplit(splits, test_size=0.5, random_state=1).split(X, y))
    again = RepeatedStratifiedKFold(n_splits=folds, n_repeats=splits // folds, random_state=1)
    return list(again.split(X, y))


def table(
    name: str,
    X: Any,
    y: Any,
    *,
    splits: int,
    folds: int | None,
    tune_each: bool,
    kept: Kept,
    ours_too: bool,
) -> None:
    """Measure every method on the same splits and print one line each."""
    every = split(X, y, splits, folds)
    first = every[0][0]
    sys.stdout.write(
        f"\n{name}: {len(y):,} rows, {X.shape[1]} columns, {y.mean():.0%} positive, "
        f"{len(every)} times {len(first):,} to learn from\n"
    )
    key = name if folds is None else f"{name}, {folds} folds"
    found: dict[str, list[Sequence[float]]] = {}
    for method in (*others(), *([OURS] if ours_too else [])):
        once = cache(partial(tuned, method, X[first], y[first]))  # not where all of it is kept
        found[method] = []
        for number, (learned, asked) in enumerate(every):
            make = partial(tuned, method, X[learned], y[learned]) if tune_each else once
            if method == OURS:
                make = BlockedAccountSimilarity
            measure = partial(measured, make, X, y, learned, asked)
            found[method].append(kept.measured((key, method, number), measure))
    for method, values in found.items():
        mean, spread = np.mean(values, axis=0), np.std(values, axis=0)
        line = "  ".join(
            f"{what} {m:.4f} ± {s:.4f}" for what, m, s in zip(MEASURES, mean, spread, strict=True)
        )
        if method != OURS and ours_too:
            line += "  ours better by " + ", ".join(
                _margins(np.array(found[OURS]) - np.array(values), len(y) / len(first) - 1)
            )
        sys.stdout.write(f"{method:<25} {line}\n")
    sys.stdout.flush()


def _margins(differences: Any, asked_share: float) -> Iterator[str]:
    """Write each column's mean, its 95 % interval and how often it is above 0.

    The interval is corrected for the overlap of splits by how many rows are asked about for
    each that is learned from.
    """
    count = len(differences)
    if count < 2:
        return (f"{mean:+.4f}" for mean in differences.mean(axis=0))
    wide = student.ppf(0.975, count - 1) * np.sqrt(1 / count + asked_share)
    return (
        f"{of_one.mean():+.4f} ± {wide * of_one.std(ddof=1):.4f} ({(of_one > 0).sum()})"
        for of_one in differences.T
    )


def sichuan(folder: Path) -> pl.DataFrame:
    """Return both files as one frame."""
    files = [folder / name for name in ("train.csv", "validation.csv")]
    return pl.concat([pl.read_csv(file) for file in files], how="vertical_relaxed")


def rows_of(frame: pl.DataFrame) -> tuple[Any, Any]:
    """Return signals, unknown as NaN, and labels."""
    columns = [c for c in frame.columns if c not in ("account_id", "label")]
    X = frame.select(pl.col(columns).cast(pl.Float64).fill_null(float("nan"))).to_numpy()
    return X, frame["label"].to_numpy()


def other_data(frame: pl.DataFrame) -> Iterator[tuple[str, Any, Any]]:
    """Yield data sets that are quite other ones: name, columns, label."""
    rng = np.random.default_rng(0)
    X, y = rows_of(frame)
    yield "sichuan with 110 columns of noise", np.hstack([X, rng.normal(size=(len(X), 110))]), y
    few = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:60]])
    yield "sichuan with 60 blocked", X[few], y[few]
    small = rng.permutation(len(y))[:200]
    yield "sichuan, 200 accounts", X[small], y[small]
    yield "breast cancer", *load_breast_cancer(return_X_y=True)
    digits, number = load_digits(return_X_y=True)
    yield "digits, is it an 8", digits, (number == 8).astype(int)
    yield (
        "made up: 8 of 40 columns count, 5 % positive",
        *make_classification(
            4_000, 40, n_informative=8, n_redundant=4, weights=[0.95], class_sep=0.7,
            random_state=3,
        ),
    )  # fmt: skip
    codes = rng.integers(0, 8, size=(3_000, 6))
    odd = ((codes[:, 0] == 3) ^ (codes[:, 1] > 4)) & (codes[:, 2] != 1)
    flipped = odd ^ (rng.random(3_000) < 0.1)
    yield "made up: categories as one-hot columns", np.eye(8)[codes].reshape(3_000, -1), flipped * 1


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--splits", type=int, default=20)
    options.add_argument("--folds", type=int, help="folds instead of halves")
    options.add_argument("--data", type=Path, default=Path("../shared/data/sichuan"))
    options.add_argument("--other", action="store_true", help="quite other data instead")
    options.add_argument("--tune-each", action="store_true", help="tune the others in every split")
    options.add_argument("--kept", type=Path, help="file of what was measured; a run goes on")
    options.add_argument("--without-ours", action="store_true", help="measure the others only")
    asked = options.parse_args()
    how = {
        "splits": asked.splits,
        "folds": asked.folds,
        "tune_each": asked.tune_each,
        "kept": Kept(asked.kept),
        "ours_too": not asked.without_ours,
    }
    frame = sichuan(asked.data)
    if asked.other:
        for name, X, y in other_data(frame):
            table(name, X, y, **how)
        return
    table("sichuan", *rows_of(frame), **how)
    table(f"sichuan without {', '.join(TENURE)}", *rows_of(frame.drop(TENURE)), **how)


if __name__ == "__main__":
    main()
