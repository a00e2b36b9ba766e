"""A midnight's scores: signals and identity in, candidates with reasons out.

Joins the parts; each of them is elsewhere. Nothing that happened at or after the
midnight is seen. Accounts that taught the model are scored without themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from cdr.lake import Lake
from cdr.schema import ACCOUNTS, CALLS
from cdr.settings import ScoringSettings
from fraud.candidates import Candidate, Method, Reason, SimilarAccount
from fraud.features.account_days import reduce_day, stale_days
from fraud.features.midnight import HISTORY_DAYS, features_as_of, features_at
from fraud.features.signals import feature_set_hash, signals_on
from fraud.features.words import describe
from fraud.identity.overlap import compare_accounts, identity_matches, identity_reasons
from fraud.identity.signals import SIGNALS as IDENTITY_SIGNALS
from fraud.identity.signals import describe as describe_identity
from fraud.identity.signals import identity_signals
from fraud.model.training import Model, reference_likeness, train
from fraud.tables import ACCOUNT_DAY_KEYS, ACCOUNT_DAYS

PATTERN_REASONS = ("fraud", "misuse")
"""Reasons of a block that make an account a pattern to compare with (product.md, promise 3)."""

REASONS_SHOWN = 5
NEIGHBOURS_SHOWN = 3
CANDIDATES_PER_PLACE = 1
"""Candidates handed on for each case the team can work in a day."""


@dataclass(frozen=True, slots=True)
class Night:
    """What one midnight's scoring found.

    ``scores`` has one row per account: `account_id`, `score` (0..1, null: unknown)
    and `band`. ``note`` says why there is no likeness where `method` is `behaviour`.
    """

    scores: pl.DataFrame
    candidates: tuple[Candidate, ...]
    method: Method
    model: Model | None
    feature_set: str
    note: str | None


def reduce_days(lake: Lake, *, as_of: datetime, blocked_days: int = 60) -> int:
    """Bring `account_days` up to date with calls that are new, late or corrected.

    Returns
    -------
    int
        Days reduced.
    """
    until = as_of.date()
    con = lake.connect("fraud")
    first = until - timedelta(days=HISTORY_DAYS + blocked_days)
    days = stale_days(con, first_date=first, until_date=until)
    for day in days:
        reduced = reduce_day(con, day)
        lake.replace_days(
            {ACCOUNT_DAYS: reduced.account_days, ACCOUNT_DAY_KEYS: reduced.account_day_keys}, [day]
        )
    return len(days)


def score_night(lake: Lake, *, as_of: datetime) -> Night:
    """Score every open account as of a midnight.

    Parameters
    ----------
    lake : Lake
        With `account_days` up to date, see :func:`reduce_days`.
    as_of : datetime
        Midnight UTC.
    """
    settings = lake.settings.scoring
    signals = signals_on(settings.features_off)
    con = lake.connect("fraud")
    accounts = _accounts(lake, as_of)
    compared = compare_accounts(con, as_of=as_of, seed=settings.seed, store=lake.settings.store)
    identity = identity_signals(compared)
    today = features_as_of(con, as_of=as_of, signals=signals).join(
        identity, on="account_id", how="left"
    )
    blocked = accounts.filter("pattern")
    open_ids = accounts.filter("open").select("account_id")
    open_today = today.join(open_ids, on="account_id", how="semi").sort("account_id")
    feature_set = feature_set_hash(signals)
    if blocked.height < settings.min_blocked:
        note = (
            f"{blocked.height} blocked accounts are known, {settings.min_blocked} are needed to "
            "learn from: ranked by behaviour only, with nothing to compare with"
        )
        return _by_behaviour(open_today, settings, feature_set, note)
    pairs = blocked.select(
        "account_id", (pl.col("status_since").dt.truncate("1d") + timedelta(days=1)).alias("as_of")
    )
    pairs = pairs.with_columns(pl.min_horizontal("as_of", pl.lit(as_of)).alias("as_of"))
    patterns = (
        features_at(con, pairs, signals=signals)
        .drop("as_of")
        .join(identity, on="account_id", how="left")
        .select(open_today.columns)
        .sort("account_id")
    )
    reference = pl.concat([patterns, open_today])
    labels = pl.Series("blocked", [True] * patterns.height + [False] * open_today.height)
    model = train(
        reference,
        labels,
        trained_as_of=as_of.date(),
        feature_set=feature_set,
        seed=settings.seed,
    )
    unseen = reference_likeness(model, reference)
    likeness = np.array([unseen[account] for account in open_today["account_id"]])
    likeness = np.nan_to_num(likeness, nan=0.0)
    score = model.score(open_today, likeness=likeness)
    scores = _banded(open_today, score, settings)
    texts = identity_reasons(identity_matches(compared))
    candidates = _candidates(scores, open_today, model, settings, texts)
    return Night(scores, candidates, "similarity", model, feature_set, None)


def _accounts(lake: Lake, as_of: datetime) -> pl.DataFrame:
    """Describe accounts as of the midnight: `pattern` (blocked for fraud), `open`."""
    known = pl.col("status_since").is_null() | (pl.col("status_since") < as_of)
    status = pl.when(known).then(pl.col("status")).otherwise(pl.lit("active"))
    return (
        lake.scan(ACCOUNTS)
        .filter(
            (pl.col("created_at") < as_of)
            & (pl.col("valid_from") <= as_of)
            & (pl.col("valid_to").is_null() | (pl.col("valid_to") > as_of))
        )
        .select(
            "account_id",
            "status_since",
            (
                (status == "blocked")
                & pl.col("status_reason").is_in(PATTERN_REASONS)
                & pl.col("status_since").is_not_null()
            ).fill_null(value=False).alias("pattern"),
            (status == "active").alias("open"),
        )
        .collect()
    )  # fmt: skip


def _banded(features: pl.DataFrame, score: np.ndarray, settings: ScoringSettings) -> pl.DataFrame:
    """Give each account its band; too few calls and nothing shared is `unknown`."""
    known = (pl.col("outbound_calls_count_30d").fill_null(0) >= settings.min_calls) | (
        pl.col("identity_evidence_bits").fill_null(0) > 0
    )
    return (
        features.with_columns(pl.Series("score", score))
        .with_columns(pl.when(known).then(pl.col("score")).alias("score"))
        .select(
            "account_id",
            "score",
            pl.when(pl.col("score").is_null())
            .then(pl.lit("unknown"))
            .when(pl.col("score") >= settings.high_from)
            .then(pl.lit("high"))
            .when(pl.col("score") >= settings.medium_from)
            .then(pl.lit("medium"))
            .otherwise(pl.lit("low"))
            .alias("band"),
        )
    )


def _candidates(
    scores: pl.DataFrame,
    features: pl.DataFrame,
    model: Model,
    settings: ScoringSettings,
    identity_texts: pl.DataFrame,
) -> tuple[Candidate, ...]:
    chosen = (
        scores.filter(pl.col("band").is_in(["high", "medium"]))
        .sort("score", "account_id", descending=[True, False])
        .head(settings.daily_capacity * CANDIDATES_PER_PLACE)
    )
    if chosen.is_empty():
        return ()
    rows = chosen.select("account_id").join(
        features, on="account_id", how="left", maintain_order="left"
    )
    matrix = model.matrix(rows)
    parts = model.estimator.explain(matrix)
    near_blocked = model.estimator.similar_blocked(matrix, NEIGHBOURS_SHOWN)
    near_good = model.estimator.similar_good(matrix, NEIGHBOURS_SHOWN + 1)
    shared = dict(
        identity_texts.unique("account_id", keep="first", maintain_order=True)
        .select("account_id", "text")
        .iter_rows()
    )
    found = []
    for place, account in enumerate(chosen.iter_rows(named=True)):
        values = rows.row(place, named=True)
        account_id = account["account_id"]
        found.append(
            Candidate(
                account_id=account_id,
                score=account["score"],
                band=account["band"],
                rank=place + 1,
                method="similarity",
                reasons=_reasons(values, parts[place], model, shared.get(account_id)),
                similar_blocked=_similar(model, near_blocked, place, account_id),
                similar_good=_similar(model, near_good, place, account_id),
            )
        )
    return tuple(found)


def _reasons(
    values: dict[str, float | None], parts: np.ndarray, model: Model, shared: str | None
) -> tuple[Reason, ...]:
    """Name the signals that spoke most for likeness, in words."""
    by_name = {signal.name: signal for signal in signals_on(())}
    identity = {signal.name: signal for signal in IDENTITY_SIGNALS}
    whole = float(np.abs(parts).sum()) or 1.0
    found = []
    for index in np.argsort(-parts, kind="stable")[:REASONS_SHOWN]:
        name = model.card.signals[index]
        if parts[index] <= 0:
            break
        value = values[name]
        if name in identity:
            text = shared if shared and value else describe_identity(identity[name], value)
        else:
            text = describe(by_name[name], value, values)
        found.append(Reason(name, value, text, float(parts[index]) / whole))
    return tuple(found)


def _similar(
    model: Model, near: tuple[np.ndarray, np.ndarray], place: int, account_id: str
) -> tuple[SimilarAccount, ...]:
    ids = model.card.reference_ids
    return tuple(
        SimilarAccount(ids[row], float(similarity))
        for row, similarity in zip(near[0][place], near[1][place], strict=True)
        if ids[row] != account_id
    )[:NEIGHBOURS_SHOWN]


def _by_behaviour(
    features: pl.DataFrame, settings: ScoringSettings, feature_set: str, note: str
) -> Night:
    """Rank accounts by how far their signals lie from the others', without a model."""
    signals = [s for s in signals_on(settings.features_off) if s.direction is not None]
    deviations = features.select(_deviation(s.name, str(s.direction)) for s in signals)
    strongest = deviations.select(
        pl.concat_list(pl.all().fill_null(0)).list.sort(descending=True).list.head(REASONS_SHOWN)
        .list.mean().alias("score")
    )["score"]  # fmt: skip
    score = (strongest / MAX_DEVIATION).to_numpy()
    scores = _banded(features, score, settings).with_columns(pl.lit("unknown").alias("band"))
    order = scores.with_row_index("row").filter(pl.col("score") > 0)
    chosen = order.sort("score", "account_id", descending=[True, False]).head(
        settings.daily_capacity
    )
    found = []
    for place, account in enumerate(chosen.iter_rows(named=True)):
        values = features.row(account["row"], named=True)
        of_account = deviations.row(account["row"])
        ranked = sorted(zip(signals, of_account, strict=True), key=lambda pair: -(pair[1] or 0.0))
        whole = sum(max(d or 0.0, 0.0) for d in of_account) or 1.0
        reasons = tuple(
            Reason(s.name, values[s.name], describe(s, values[s.name], values), d / whole)
            for s, d in ranked[:REASONS_SHOWN]
            if d
        )
        found.append(
            Candidate(
                account["account_id"], account["score"], "unknown", place + 1, "behaviour", reasons
            )
        )
    return Night(scores, tuple(found), "behaviour", None, feature_set, note)


MAX_DEVIATION = 8.0
"""Robust deviations beyond which accounts are equally odd. Ours: nobody can tell 20 from 2000."""


def _deviation(name: str, direction: str) -> pl.Expr:
    """Return how far a signal lies on its suspicious side, in robust deviations, 0..8."""
    value = pl.col(name)
    spread = (value.quantile(0.75) - value.quantile(0.25)) / 1.349
    distance = (value - value.median()) / pl.when(spread > 0).then(spread).otherwise(1.0)
    signed = -distance if direction == "lower" else distance
    return signed.clip(0, MAX_DEVIATION).alias(name)


def data_version(lake: Lake) -> str:
    """Name the table versions a score was made from."""
    return ",".join(f"{t.name}={lake.version(t)}" for t in (CALLS, ACCOUNTS, ACCOUNT_DAYS))


def midnight_after(day: date) -> datetime:
    """Return the midnight UTC that ends a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
