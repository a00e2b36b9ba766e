"""From labelled accounts to a model that names its versions, and back from disk.

Pure but for `save` and `load`. Who is blocked and who is good as of a midnight is
decided by the caller.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import sklearn
from joblib import parallel_config
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from cdr.errors import storage
from cdr.lake.home import write_whole
from fraud.errors import ModelRefused
from fraud.identity.parameters import FILE, Parameters, parameters_from
from fraud.model import measures
from fraud.model.curve import curve_to, sure_by
from fraud.model.similarity import BlockedAccountSimilarity

TRUSTED_TYPES = (
    "fraud.model.chains.Chain",
    "fraud.model.curve.Curve",
    "fraud.model.lines.Lines",
    "fraud.model.similarity.BlockedAccountSimilarity",
)
"""What an artifact may hold beside the types that skops trusts by itself."""

_CLIP = 1e-6
"""Likeness is kept this far from 0 and 1 before its log-odds are taken. Ours: beyond one in a
million no number of accounts says anything."""


CAUGHT_AT_LEAST = 1 / 3
"""Share of fraud taken to have been caught, at least. Ours: the estimator takes blocked accounts
that the model does not know again for a sign of fraud nobody saw, and where signals say nothing it
would take every open account for fraud."""

LATER_SHARE = 0.25
LATER_AT_LEAST = 30
"""The blocked accounts that became known last calibrate a model of the others, where these are
enough. Ours: a curve of two numbers needs some tens of examples, and a quarter left out leaves
90 to learn from."""

THREADS_FROM = 20_000
"""Accounts from which on several threads learn and score. Ours: with fewer, a tree is grown in the
time that threads take to hand over to each other."""

NOTHING_LEARNED = Parameters()
"""For a model whose signals come from elsewhere."""

_OTHER_BUILD = "another version of Callsieve made it; train again"

IMPORTANCE_ROWS = 500
"""Blocked accounts whose parts are averaged. Ours: more change no second digit."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a model was made from.

    ``caught_share`` is the share of fraud that was recognised among the reference
    accounts, as far as the model can tell, see `train`. ``medians`` gives, for each
    signal, the median of the blocked and of the good reference accounts (None where
    none is known); reasons quote them. ``calibrated_on`` is `later accounts` or `left-out
    accounts`, see `train`. What is ``left_out`` was measured on reference accounts by trees
    that did not learn from them: area under the curve, average precision, and mean score,
    share of blocked and count in bins. ``importance`` is the mean absolute part of each
    signal in the scores of blocked accounts, without themselves. ``identity_parameters`` is
    the version of what account details were weighed with, which lies beside the card.
    """

    trained_as_of: str
    signals: tuple[str, ...]
    feature_set: str
    seed: int
    blocked_count: int
    good_count: int
    sklearn_version: str
    reference_ids: tuple[str, ...]
    caught_share: float
    medians: dict[str, tuple[float | None, float | None]]
    calibrated_on: str
    left_out_auc: float | None
    left_out_average_precision: float | None
    left_out_calibration: tuple[tuple[float, float, int], ...]
    importance: dict[str, float]
    identity_parameters: str


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model: likeness, then a probability calibrated on accounts left out.

    What account details are weighed with belongs to it: other weights would be other signals.
    """

    estimator: BlockedAccountSimilarity
    calibrator: LogisticRegression
    card: Card
    identity: Parameters
    model_id: str | None = None
    """Where it was read from; None for one that was just trained."""

    def matrix(self, features: pl.DataFrame) -> NDArray[np.float64]:
        """Return the model's signals of ``features`` as rows, unknown as NaN."""
        columns = [pl.col(c).cast(pl.Float64).fill_null(float("nan")) for c in self.card.signals]
        return features.select(columns).to_numpy()

    def own_rows(self, features: pl.DataFrame) -> NDArray[np.int64]:
        """Return the row of each account among those the model learned from; -1 for others."""
        rows = dict(zip(self.card.reference_ids, range(len(self.card.reference_ids)), strict=True))
        return np.array([rows.get(account, -1) for account in features["account_id"]], np.int64)

    def likeness(self, features: pl.DataFrame) -> NDArray[np.float64]:
        """Return how much each account is like blocked ones other than itself, 0..1.

        The only account of its class has no tree that did not learn from it; 0 then,
        as nothing speaks for it.
        """
        found = self.estimator.likeness(self.matrix(features), self.own_rows(features))
        return np.nan_to_num(found, nan=0.0)

    def score(
        self, features: pl.DataFrame, *, likeness: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of each account to be like the blocked ones, 0..1.

        Reference accounts are scored without themselves, by trees that did not learn
        from them. ``likeness`` spares working it out again.
        """
        if likeness is None:
            likeness = self.likeness(features)
        found: NDArray[np.float64] = self.calibrator.predict_proba(_log_odds(likeness))[:, 1]
        return found


def train(
    features: pl.DataFrame,
    blocked: pl.Series,
    *,
    trained_as_of: date,
    feature_set: str,
    seed: int,
    known_at: pl.Series | None = None,
    identity: Parameters = NOTHING_LEARNED,
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
    known_at : Series of datetime, optional
        When each blocked account became known as such, in their order. With enough of
        them the curve is fitted to the later ones, by a model of the earlier ones.
    identity : Parameters, optional
        What the account details behind the signals were weighed with; kept with the model.

    Notes
    -----
    The calibrator is a logistic curve on the log-odds of likeness of accounts by trees that
    did not see them: of the blocked accounts that became known last, by a model of those
    before, where there are enough; else of all reference accounts. It has Platt's
    smoothed targets, so that twenty examples do not make it certain [1]_. Open accounts
    hold fraud that nobody has seen yet, so the curve is fitted twice: first to who was
    blocked, which gives the share of fraud that was caught, then with each open account
    counted as fraud by the chance that the first curve and that share leave [2]_.

    References
    ----------
    .. [1] Platt, J. "Probabilistic outputs for support vector machines." Advances in
       Large Margin Classifiers (1999).
    .. [2] Elkan, C., Noto, K. "Learning classifiers from only positive and unlabeled
       data." KDD (2008), estimator e1 and section 3 (weights of unlabeled examples).
    """
    signals = tuple(c for c in features.columns if c != "account_id")
    matrix = features.select(
        pl.col(c).cast(pl.Float64).fill_null(float("nan")) for c in signals
    ).to_numpy()
    labels = blocked.cast(pl.Int8).to_numpy()
    estimator = BlockedAccountSimilarity(random_state=seed).fit(matrix, labels)
    own = np.arange(len(matrix))
    unseen = np.nan_to_num(estimator.likeness(matrix, own), nan=0.0)
    later = _later_likeness(matrix, labels == 1, known_at, seed)
    calibrator, caught_share = _calibrated(*(later or (unseen, labels == 1, np.ones(len(own)))))
    judged = pl.DataFrame(
        {
            "score": calibrator.predict_proba(_log_odds(unseen))[:, 1],
            "fraud": labels == 1,
        }
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
        caught_share=caught_share,
        medians=medians,  # type: ignore[arg-type]
        calibrated_on="later accounts" if later else "left-out accounts",
        left_out_auc=measures.auc(judged),
        left_out_average_precision=measures.average_precision(judged),
        left_out_calibration=tuple(measures.calibration(judged)),
        importance=_importance(estimator, matrix, signals),
        identity_parameters=identity.version,
    )
    return Model(estimator, calibrator, card, identity)


def on_threads(accounts: int, threads: int) -> AbstractContextManager[Any]:
    """Let models learn and score on threads, where so many accounts are worth it.

    The numbers are the same on one thread and on many, and a model does not remember it.
    """
    found: AbstractContextManager[Any] = parallel_config(
        backend="threading", n_jobs=threads if accounts >= THREADS_FROM else 1
    )
    return found


def save(model: Model, folder: Path) -> str:
    """Write a model under ``folder``, unless it lies there; return its id: the artifact's hash."""
    if model.model_id is not None and (folder / model.model_id).is_dir():
        return model.model_id
    import skops.io  # which imports the whole of scikit-learn and SciPy

    content = skops.io.dumps({"estimator": model.estimator, "calibrator": model.calibrator})
    card = json.dumps(asdict(model.card), sort_keys=True).encode()
    identity = model.identity.as_text()
    model_id = hashlib.sha256(content + card + identity).hexdigest()[:32]
    with storage("writing a model"):
        target = folder / model_id
        target.mkdir(mode=0o700, exist_ok=True)
        write_whole(target / "model.skops", content)
        write_whole(target / FILE, identity)
        write_whole(target / "card.json", card)
    return model_id


def load(folder: Path, model_id: str) -> Model:
    """Read a model back.

    Raises
    ------
    ModelRefused
        If it is missing, was changed since, holds a type that is not on the list,
        or was made by another version of scikit-learn or of Callsieve.
    """
    try:
        content = (folder / model_id / "model.skops").read_bytes()
        card_text = (folder / model_id / "card.json").read_bytes()
        identity_text = (folder / model_id / FILE).read_bytes()
    except OSError:
        raise ModelRefused(model_id, "its files are missing; train again") from None
    if hashlib.sha256(content + card_text + identity_text).hexdigest()[:32] != model_id:
        raise ModelRefused(model_id, "its files were changed after training; train again")
    card = _card_of(model_id, json.loads(card_text))
    if card.sklearn_version != sklearn.__version__:
        raise ModelRefused(
            model_id,
            f"scikit-learn {card.sklearn_version} made it and {sklearn.__version__} is installed; "
            "train again",
        )
    estimator, calibrator = _parts_of(model_id, content, card.seed)
    return Model(estimator, calibrator, card, parameters_from(identity_text), model_id)


def _card_of(model_id: str, fields: dict[str, Any]) -> Card:
    """Read a card; one of an earlier build has other fields."""
    if {field.name for field in dataclasses.fields(Card)} != set(fields):
        raise ModelRefused(model_id, _OTHER_BUILD)
    fields["medians"] = {name: tuple(pair) for name, pair in fields["medians"].items()}
    fields |= {name: tuple(fields[name]) for name in ("signals", "reference_ids")}
    fields["left_out_calibration"] = tuple(map(tuple, fields["left_out_calibration"]))
    return Card(**fields)


def _parts_of(
    model_id: str, content: bytes, seed: int
) -> tuple[BlockedAccountSimilarity, LogisticRegression]:
    """Read an artifact; one of an earlier build has other settings or parts, or fails to answer."""
    import skops.io  # see `save`

    try:
        unknown = set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED_TYPES)
        if unknown:
            raise ModelRefused(model_id, "it holds types that are not on the list of trusted ones")
        parts = skops.io.loads(content, trusted=list(TRUSTED_TYPES))
        estimator, calibrator = parts["estimator"], parts["calibrator"]
        if estimator.get_params() != BlockedAccountSimilarity(random_state=seed).get_params():
            raise ModelRefused(model_id, _OTHER_BUILD)
        nothing_known = np.full((1, estimator.n_features_in_), np.nan)
        estimator.explain(nothing_known)
        estimator.similar_blocked(nothing_known)
        calibrator.predict_proba(_log_odds(estimator.likeness(nothing_known, np.array([-1]))))
    except ModelRefused:
        raise
    except Exception:
        raise ModelRefused(model_id, _OTHER_BUILD) from None
    return estimator, calibrator


def _later_likeness(
    matrix: NDArray[np.float64], blocked: NDArray[np.bool_], known_at: pl.Series | None, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]] | None:
    """Return likeness of later accounts by a model of earlier ones, their kind and weight.

    None where there are too few. A third of the good accounts is kept from that model; the
    weights make both kinds count as often as there are of them.
    """
    if known_at is None or known_at.null_count():
        return None
    rows = np.flatnonzero(blocked)
    order = known_at.arg_sort().to_numpy()
    split = len(rows) - int(len(rows) * LATER_SHARE)
    early, late = rows[order[:split]], rows[order[split:]]
    good = np.random.default_rng(seed).permutation(np.flatnonzero(~blocked))
    kept = good[: len(good) // 3]
    if len(late) < LATER_AT_LEAST or len(kept) < LATER_AT_LEAST:
        return None
    taught = np.concatenate([early, good[len(kept) :]])
    earlier = BlockedAccountSimilarity(random_state=seed).fit(matrix[taught], blocked[taught])
    asked = np.concatenate([late, kept])
    weights = np.where(blocked[asked], len(rows) / len(late), len(good) / len(kept))
    return earlier.predict_proba(matrix[asked])[:, 1], blocked[asked], weights


def _importance(
    estimator: BlockedAccountSimilarity, matrix: NDArray[np.float64], signals: tuple[str, ...]
) -> dict[str, float]:
    """Return the mean absolute part of each signal, over blocked accounts without themselves."""
    rows = estimator.reference_blocked_[:IMPORTANCE_ROWS]
    parts = np.abs(np.nan_to_num(estimator.explain(matrix[rows], rows))).mean(axis=0)
    return dict(zip(signals, parts.tolist(), strict=True))


def _calibrated(
    likeness: NDArray[np.float64], blocked: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[LogisticRegression, float]:
    """Fit the curve from likeness to the chance of fraud; return it and the share caught."""
    odds = _log_odds(likeness)
    most, least = sure_by(blocked.sum()), 1 - sure_by((~blocked).sum())
    first = curve_to(odds, np.where(blocked, most, least), weights)
    chance = first.predict_proba(odds)[:, 1].clip(1e-9, 1 - 1e-9)
    caught_share = max(float(chance[blocked].mean()), CAUGHT_AT_LEAST)
    unseen_fraud = (1 - caught_share) / caught_share * chance / (1 - chance)
    target = np.where(blocked, most, np.clip(unseen_fraud, least, most))
    return curve_to(odds, target, weights), caught_share


def _log_odds(score: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(score, _CLIP, 1 - _CLIP)
    odds: NDArray[np.float64] = np.log(clipped / (1 - clipped)).reshape(-1, 1)
    return odds
