"""What a night of scoring hands on: accounts to look at, with why.

The shapes only. Who becomes a candidate is decided by scoring, what happens to
one by the review queue; both speak of it in these words.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Literal, get_args

Band = Literal["unknown", "low", "medium", "high"]
"""How urgent a score is, in rising order; the bounds are settings."""

Method = Literal["similarity", "behaviour", "rules"]
"""What a score was made from: likeness to blocked accounts, or behaviour alone. A candidate of
rules has none."""

BANDS: tuple[Band, ...] = get_args(Band)
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True, slots=True)
class Reason:
    """One signal that moved a score, in words a reviewer can check.

    Parameters
    ----------
    signal : str
        Name in the registry of signals.
    value : float or None
        In the signal's own unit; None where it is unknown, never NaN.
    text : str
        The sentence that is shown.
    share : float
        Part of the score that this signal contributed; positive speaks for
        similarity to blocked accounts, negative against it. 1 where a rule decided.
    """

    signal: str
    value: float | None
    text: str
    share: float

    def __post_init__(self) -> None:
        if self.value is not None and not isfinite(self.value):
            raise ValueError(f"value of {self.signal} must be finite, or None where unknown")
        if not isfinite(self.share):
            raise ValueError(f"share of {self.signal} must be finite")


@dataclass(frozen=True, slots=True)
class SimilarAccount:
    """An account that a candidate is like, with the similarity in 0..1."""

    account_id: str
    similarity: float

    def __post_init__(self) -> None:
        if not 0 <= self.similarity <= 1:
            raise ValueError("similarity must lie in 0..1")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account that scoring wants a person to look at.

    Parameters
    ----------
    account_id : str
        The account.
    score : float or None
        In 0..1, see `method`; None where too little is known to say.
    band : {"unknown", "low", "medium", "high"}
        Urgency by the settings' bounds.
    rank : int
        Place among the night's candidates, from 1, the most urgent.
    method : {"similarity", "behaviour", "rules"}
        What the score was made from; scores of two methods do not compare.
    reasons : tuple of Reason
        The strongest first.
    similar_blocked, similar_good : tuple of SimilarAccount
        The nearest first.
    """

    account_id: str
    score: float | None
    band: Band
    rank: int
    method: Method
    reasons: tuple[Reason, ...] = ()
    similar_blocked: tuple[SimilarAccount, ...] = ()
    similar_good: tuple[SimilarAccount, ...] = ()

    def __post_init__(self) -> None:
        if self.score is not None and not 0 <= self.score <= 1:
            raise ValueError("score must lie in 0..1, or be None where unknown")
        if self.band not in BANDS:
            raise ValueError(f"band must be one of {', '.join(BANDS)}, got {self.band!r}")
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {self.method!r}")
        if self.rank < 1:
            raise ValueError(f"rank counts from 1, got {self.rank}")

    def as_json(self) -> dict[str, object]:
        """Return the object that ``nightly --json`` prints: keys and order of the contract."""
        return {
            "account_id": self.account_id,
            "score": self.score,
            "band": self.band,
            "rank": self.rank,
            "reasons": [asdict(reason) for reason in self.reasons],
            "similar_blocked": [asdict(account) for account in self.similar_blocked],
        }


@dataclass(frozen=True, slots=True)
class Versions:
    """What a score was made with, so that it can be made again.

    Parameters
    ----------
    model_id : str, optional
        Hash of the model; None without one.
    feature_set : str, optional
        Hash of the registry of signals.
    data_version : str, optional
        Table versions that were read.
    numbering_version : str, optional
        Numbering metadata that read the calls.
    """

    model_id: str | None = None
    feature_set: str | None = None
    data_version: str | None = None
    numbering_version: str | None = None
