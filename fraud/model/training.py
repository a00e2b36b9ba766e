"""From labelled accounts to a model that names its versions, and back from disk.

Pure but for `save` and `load`. Who is blocked and who is good as of a midnight is
decided by the caller.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import sklearn
import skops.io
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from cdr.errors import storage
from cdr.lake.home import write_whole
from fraud.errors import ModelRefused
from fraud.model.similarity import BlockedAccountSimilarity

TRUSTED_TYPES = ("fraud.model.similarity.BlockedAccountSimilarity",)
"""What an artifact may hold beside scikit-learn's, numpy's and scipy's own types."""

_CLIP = 1e-6
"""Scores are kept this far from 0 and 1 before their log-odds are taken."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a model was made from.

    ``medians`` gives, for each signal, the median of the blocked and of the good
    reference accounts (None where none is known); reasons quote them.
    """

    trained_as_of: str
    signals: tuple[str, ...]
    feature_set: str
    seed: int
    blocked_count: int
    good_count: int
    sklearn_version: str
    reference_ids: tuple[str, ...]
    medians: dict[str, tuple[float | None, float | None]]


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model: likeness, then a probability calibrated on accounts left out."""

    estimator: BlockedAccountSimilarity
    calibrator: LogisticRegression
    card: Card

    def matrix(self, features: pl.DataFrame) -> NDArray[np.float64]:
        """Return the model's signals of ``features`` as rows, unknown as NaN."""
        columns = [pl.col(c).cast(pl.Float64).fill_null(float("nan")) for c in self.card.signals]
        return features.select(columns).to_numpy()

    def score(
        self, features: pl.DataFrame, *, likeness: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of each account to be like the blocked ones, 0..1.

        Reference accounts are scored without themselves: ``likeness`` is then what
        `reference_likeness` gave for them.
        """
        if likeness is None:
            likeness = self.estimator.predict_proba(self.matrix(features))[:, 1]
        found: NDArray[np.float64] = self.calibrator.predict_proba(_log_odds(likeness))[:, 1]
        return found


def train(
    features: pl.DataFrame,
    blocked: pl.Series,
    *,
    trained_as_of: date,
    feature_set: str,
    seed: int,
) -> Model:
    """Learn what blocked accounts have in common.

    Parameters
    ----------
    features : DataFrame
        `account_id` and one column a signal, one row a reference account.
    blocked : Series of Boolean
        In the same order; both kinds must occur.
    trained_as_of : date
        The midnight before which all of it was known.
    feature_set : str
        Hash of the registry the signals come from.
    seed : int
        Seed of everything drawn.

    Notes
    -----
    The calibrator is a logistic curve (Platt 1999) on scores of reference
    accounts by trees that did not see them.
    """
    signals = tuple(c for c in features.columns if c != "account_id")
    matrix = features.select(
        pl.col(c).cast(pl.Float64).fill_null(float("nan")) for c in signals
    ).to_numpy()
    labels = blocked.cast(pl.Int8).to_numpy()
    estimator = BlockedAccountSimilarity(random_state=seed).fit(matrix, labels)
    unseen = estimator.score_reference(matrix)
    known = ~np.isnan(unseen)
    calibrator = LogisticRegression(C=1.0, class_weight="balanced").fit(
        _log_odds(unseen[known]), labels[known]
    )
    split = features.with_columns(blocked.alias("blocked"))
    medians = {
        c: (split.filter("blocked")[c].median(), split.filter(~pl.col("blocked"))[c].median())
        for c in signals
    }
    card = Card(
        trained_as_of=trained_as_of.isoformat(),
        signals=signals,
        feature_set=feature_set,
        seed=seed,
        blocked_count=int(labels.sum()),
        good_count=int((1 - labels).sum()),
        sklearn_version=sklearn.__version__,
        reference_ids=tuple(features["account_id"]),
        medians=medians,  # type: ignore[arg-type]
    )
    return Model(estimator, calibrator, card)


def reference_likeness(model: Model, features: pl.DataFrame) -> dict[str, float]:
    """Return each reference account's likeness to the others; ``features`` as in `train`."""
    unseen = model.estimator.score_reference(model.matrix(features))
    return dict(zip(features["account_id"], unseen.tolist(), strict=True))


def save(model: Model, folder: Path) -> str:
    """Write a model under ``folder`` and return its id: the hash of the artifact."""
    content = skops.io.dumps({"estimator": model.estimator, "calibrator": model.calibrator})
    card = json.dumps(asdict(model.card), sort_keys=True).encode()
    model_id = hashlib.sha256(content + card).hexdigest()[:32]
    with storage("writing a model"):
        target = folder / model_id
        target.mkdir(mode=0o700, exist_ok=True)
        write_whole(target / "model.skops", content)
        write_whole(target / "card.json", card)
    return model_id


def load(folder: Path, model_id: str) -> Model:
    """Read a model back.

    Raises
    ------
    ModelRefused
        If it is missing, was changed since, holds a type that is not on the list,
        or was made by another version of scikit-learn.
    """
    try:
        content = (folder / model_id / "model.skops").read_bytes()
        card_text = (folder / model_id / "card.json").read_bytes()
    except OSError:
        raise ModelRefused(model_id, "its files are missing; train again") from None
    if hashlib.sha256(content + card_text).hexdigest()[:32] != model_id:
        raise ModelRefused(model_id, "its files were changed after training; train again")
    fields: dict[str, Any] = json.loads(card_text)
    fields["medians"] = {name: tuple(pair) for name, pair in fields["medians"].items()}
    card = Card(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})
    if card.sklearn_version != sklearn.__version__:
        raise ModelRefused(
            model_id,
            f"scikit-learn {card.sklearn_version} made it and {sklearn.__version__} is installed; "
            "train again",
        )
    unknown = set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED_TYPES)
    if unknown:
        raise ModelRefused(model_id, "it holds types that are not on the list of trusted ones")
    parts = skops.io.loads(content, trusted=list(TRUSTED_TYPES))
    return Model(parts["estimator"], parts["calibrator"], card)


def _log_odds(score: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(score, _CLIP, 1 - _CLIP)
    odds: NDArray[np.float64] = np.log(clipped / (1 - clipped)).reshape(-1, 1)
    return odds
