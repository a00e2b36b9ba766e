"""A backtest in the order of time: train on what was known, score, wait, compare.

Each night is scored by a model that is trained as that night would have trained it; then it
is looked up who of the open accounts turned out fraudulent afterwards. Here: the nights, the
outcomes and what they come to. Not here: the measures (:mod:`fraud.model.measures`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from cdr.lake import Lake
from fraud.days import reduce_days
from fraud.errors import NothingToEvaluate
from fraud.model import measures
from fraud.model.measures import Drift, Leak, Measure
from fraud.reference import NO_LABELS, accounts_as_of, with_decisions
from fraud.scoring import Night, score_night
from fraud.tables import ACCOUNT_DAYS

DRIFT_FROM = 0.147
"""Cliff's delta from which a move is more than negligible (Romano et al. 2006)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What became of one kind of fraud, or of good accounts that look like it.

    ``accounts`` of the kind were open on some night; ``worked`` of them were put before
    the team. For fraud that is good, for look-alikes it is bad.
    """

    kind: str
    accounts: int
    worked: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a backtest came to.

    Parameters
    ----------
    nights : tuple of str
        Midnights that were scored, ISO dates.
    known_until : str
        Midnight up to which outcomes are known.
    capacity : int
        Accounts the team can work in a day.
    outcomes : {"blocks", "truth"}
        Whether fraud is what was blocked or confirmed later, or what a truth file says.
    rows, fraud_accounts : int
        Accounts on nights; accounts that were or became fraudulent.
    precision_at_capacity, recall_at_capacity, average_precision, auc : Measure
        With 95 % intervals by a bootstrap over accounts.
    fraud_share : float
        What average precision would be by chance.
    calibration : list of (mean score, share of fraud, rows)
        In ten bins.
    days_until_caught, usd_until_caught : float or None
        Mean, over fraudulent accounts, from the beginning of the fraud (by the truth; else
        from the first night) to the first night it was worked, or to the last night.
    kinds, lookalikes : tuple of Kind
        By the truth; empty without one.
    drift : tuple of Drift
        Signals and the score, last night against first, from a small effect on.
    leaks : tuple of Leak
        Signals that know the future. With one of these nothing above can be trusted.
    notes : tuple of str
        What limits the evaluation.
    model_id : str or None
        The one model that scored all nights; None where each night learned its own.
    """

    nights: tuple[str, ...]
    known_until: str
    capacity: int
    outcomes: str
    rows: int
    fraud_accounts: int
    precision_at_capacity: Measure
    recall_at_capacity: Measure
    average_precision: Measure
    auc: Measure
    fraud_share: float
    calibration: list[tuple[float, float, int]]
    days_until_caught: float | None
    usd_until_caught: float | None
    kinds: tuple[Kind, ...]
    lookalikes: tuple[Kind, ...]
    drift: tuple[Drift, ...]
    leaks: tuple[Leak, ...]
    notes: tuple[str, ...]
    model_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``evaluate --json`` prints."""
        return asdict(self)


def backtest(
    lake: Lake,
    midnights: Sequence[datetime],
    *,
    known_until: datetime,
    labels_before: Callable[[datetime], pl.DataFrame | None],
    model_id: str | None = None,
    truth: pl.DataFrame | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Score past midnights as they would have been scored, and compare with what came.

    Parameters
    ----------
    lake : Lake
        Where everything is.
    midnights : sequence of datetime
        Midnights UTC, in order.
    known_until : datetime
        Outcomes known before this instant count; after the last of ``midnights``.
    labels_before : callable
        Gives the reviewers' decisions known before an instant.
    model_id : str, optional
        A model of the shelf that scores all of the nights, to be judged beside another on
        the same nights; None lets each night learn its own.
    truth : DataFrame, optional
        Who is fraudulent, from when on and of which kind, as `fraud.truth.read_truth` gives it.
    tell : callable, optional
        Told in words which night is scored.

    Raises
    ------
    NothingToEvaluate
        If no night had enough blocked accounts to learn from.
    ModelRefused
        If ``model_id`` does not fit one of the nights, as when it was trained after it.
    """
    nights: list[tuple[datetime, Night]] = []
    for midnight in midnights:
        tell(f"night of {midnight.date().isoformat()}")
        reduce_days(lake, as_of=midnight)
        night = score_night(
            lake,
            as_of=midnight,
            model_id=model_id,
            use_shelf=model_id is not None,
            labels=labels_before(midnight),
        )
        if night.method == "similarity":
            nights.append((midnight, night))
    if not nights:
        raise NothingToEvaluate(lake.settings.scoring.min_blocked)
    known = labels_before(known_until)
    later = with_decisions(accounts_as_of(lake, known_until), NO_LABELS if known is None else known)
    outcomes = _outcomes(later, truth)
    capacity = lake.settings.scoring.daily_capacity
    rows = pl.concat([rows_of(at, one.scores, outcomes, capacity) for at, one in nights])
    notes = [] if truth is not None else [
        "fraud that nobody has caught yet counts as good here: precision is understated"
    ]  # fmt: skip
    if len(nights) < len(midnights):
        notes.append(f"{len(midnights) - len(nights)} nights knew too few blocked accounts")
    return summed_up(
        rows, [night for _, night in nights], lake.scan(ACCOUNT_DAYS), known_until,
        capacity=capacity, seed=lake.settings.scoring.seed, with_truth=truth is not None,
        notes=tuple(notes), model_id=model_id,
    )  # fmt: skip


def rows_of(
    midnight: datetime, scores: pl.DataFrame, outcomes: pl.DataFrame, capacity: int
) -> pl.DataFrame:
    """Return one night's rows: score, whether the team would have worked it, and what it was."""
    chosen = (
        scores.filter(pl.col("band").is_in(["high", "medium"]))
        .sort("score", "account_id", descending=[True, False])
        .head(capacity)
    )
    return (
        scores.select("account_id", "score")
        .join(outcomes, on="account_id", how="left", maintain_order="left")
        .with_columns(
            pl.lit(midnight).alias("as_of"),
            pl.col("account_id").is_in(chosen["account_id"].implode()).alias("worked"),
            (pl.col("fraud") & (pl.col("began_at").fill_null(midnight) <= midnight))
            .fill_null(value=False)
            .alias("fraud"),
        )
    )


def summed_up(
    rows: pl.DataFrame,
    nights: Sequence[Night],
    account_days: pl.LazyFrame,
    known_until: datetime,
    *,
    capacity: int,
    seed: int,
    with_truth: bool,
    notes: tuple[str, ...],
    model_id: str | None = None,
) -> Evaluation:
    """Work out everything that an evaluation says from rows of `rows_of`."""
    days, usd = _until_caught(rows, account_days)
    features = pl.concat([night.features for night in nights])
    signals = [name for name in features.columns if name != "account_id"]
    first, last = nights[0], nights[-1]
    drift = (
        *measures.drifts(first.scores, last.scores, ["score"]),
        *measures.drifts(first.features, last.features, signals),
    )
    return Evaluation(
        nights=tuple(at.date().isoformat() for at in rows["as_of"].unique().sort()),
        known_until=known_until.date().isoformat(),
        capacity=capacity,
        outcomes="truth" if with_truth else "blocks",
        rows=rows.height,
        fraud_accounts=rows.filter("fraud")["account_id"].n_unique(),
        precision_at_capacity=measures.measured(rows, measures.precision_at_capacity, seed=seed),
        recall_at_capacity=measures.measured(rows, measures.recall_at_capacity, seed=seed),
        average_precision=measures.measured(rows, measures.average_precision, seed=seed),
        auc=measures.measured(rows, measures.auc, seed=seed),
        fraud_share=float(rows["fraud"].mean() or 0.0),  # type: ignore[arg-type]
        calibration=measures.calibration(rows),
        days_until_caught=days,
        usd_until_caught=usd,
        kinds=_kinds(rows.filter("fraud"), "kind"),
        lookalikes=_kinds(rows.filter(~pl.col("fraud")), "lookalike_kind"),
        drift=tuple(one for one in drift if abs(one.effect) >= DRIFT_FROM),
        leaks=measures.leaks(features, rows["fraud"], signals),
        notes=notes,
        model_id=model_id,
    )


def _outcomes(later: pl.DataFrame, truth: pl.DataFrame | None) -> pl.DataFrame:
    """Return who is fraudulent, since when (null: all along), and the kinds."""
    if truth is None:
        nothing = pl.lit(None, dtype=pl.String)
        return later.filter("pattern").select(
            "account_id",
            pl.lit(value=True).alias("fraud"),
            pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("began_at"),
            nothing.alias("kind"),
            nothing.alias("lookalike_kind"),
        )
    return truth.select(
        "account_id",
        pl.col("is_fraud").alias("fraud"),
        pl.col("fraud_from_at").alias("began_at"),
        "kind",
        "lookalike_kind",
    )


def _until_caught(
    rows: pl.DataFrame, account_days: pl.LazyFrame
) -> tuple[float | None, float | None]:
    """Return mean days and USD from the beginning of fraud to the night it was worked."""
    fraud = rows.filter("fraud")
    if fraud.is_empty():
        return None, None
    caught = fraud.group_by("account_id").agg(
        pl.coalesce(pl.col("began_at").first(), pl.col("as_of").min()).alias("began_at"),
        pl.coalesce(
            pl.col("as_of").filter(pl.col("worked")).min(), pl.col("as_of").max()
        ).alias("until"),
    )  # fmt: skip
    days = ((pl.col("until") - pl.col("began_at")).dt.total_seconds() / 86_400).clip(0).mean()
    spent = (
        account_days.join(caught.lazy(), on="account_id")
        .filter(
            (pl.col("call_date") >= pl.col("began_at").dt.date())
            & (pl.col("call_date") < pl.col("until").dt.date())
        )
        .select(pl.col("cost_usd").cast(pl.Float64).sum())
        .collect()
        .item()
    )
    return float(caught.select(days).item()), float(spent or 0.0) / caught.height


def _kinds(rows: pl.DataFrame, column: str) -> tuple[Kind, ...]:
    found = (
        rows.drop_nulls(column)
        .group_by(column, "account_id")
        .agg(pl.col("worked").any())
        .group_by(column)
        .agg(pl.len(), pl.col("worked").sum())
        .sort(column)
    )
    return tuple(Kind(*row) for row in found.iter_rows())


def midnights_between(first: datetime, last: datetime, *, every_days: int) -> list[datetime]:
    """Return midnights from ``first`` to ``last`` (included), every so many days."""
    count = (last - first) // timedelta(days=every_days)
    return [first + timedelta(days=every_days * n) for n in range(count + 1)]
