"""A midnight's scores: signals and identity in, candidates with reasons out.

Joins the parts; each of them is elsewhere. Nothing that happened at or after the
midnight is seen. Accounts that taught the model are scored without themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from types import MappingProxyType

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.lake import Lake
from cdr.privacy.restrictions import left_alone
from cdr.query import Connection
from cdr.schema import ACCOUNT_EVENTS, ACCOUNTS, CALLS, Table
from cdr.scoring_settings import ScoringSettings
from fraud.behaviour import odd_candidates, odd_scores, oddness
from fraud.candidates import Candidate, Method, SimilarAccount
from fraud.champion import Known, champion_of, fitting_model
from fraud.errors import ModelRefused
from fraud.features.by_slice import opened
from fraud.features.midnight import features_as_of, features_at
from fraud.identity.overlap import (
    Compared,
    compare_accounts,
    identity_matches,
    identity_reasons,
)
from fraud.identity.parameters import Parameters
from fraud.identity.signals import identity_signals
from fraud.model.training import Model, on_threads, train
from fraud.put_forward import banded, enough_known, leaned_on_gone, put_forward
from fraud.reasons import Vocabulary, reasons_of
from fraud.reference import (
    NO_LABELS,
    accounts_as_of,
    good_sample,
    midnights_of_blocks,
    with_decisions,
)
from fraud.signal_set import SignalSet, signal_set
from fraud.tables import ACCOUNT_DAYS

NEIGHBOURS_SHOWN = 3

Bands = Callable[[pl.DataFrame, NDArray[np.float64]], pl.DataFrame]
"""Gives accounts, in the order of their signals, their bands."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a challenger says of the same accounts; nothing comes of it.

    ``scores`` are as those of `Night`; empty where ``note`` says why it could not score.
    """

    model_id: str
    scores: pl.DataFrame
    feature_set: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Night:
    """What one midnight's scoring found.

    ``scores`` has one row per account: `account_id`, `score` (0..1, null: unknown)
    and `band`. ``features`` has the signals of the same accounts. ``note`` says why
    there is no likeness where `method` is `behaviour`. ``sampled`` were drawn at random
    from below the threshold; ``rescored`` have an open case that leaned on accounts which
    are no longer compared with. ``shadow`` is what the challenger said.
    """

    scores: pl.DataFrame
    features: pl.DataFrame
    candidates: tuple[Candidate, ...]
    method: Method
    model: Model | None
    feature_set: str
    note: str | None
    sampled: tuple[Candidate, ...] = ()
    rescored: tuple[Candidate, ...] = ()
    shadow: Shadow | None = None


def score_night(
    lake: Lake,
    *,
    as_of: datetime,
    model_id: str | None = None,
    only: str | None = None,
    use_shelf: bool = True,
    labels: pl.DataFrame | None = None,
    leaning: Mapping[str, Sequence[str]] = MappingProxyType({}),
    challenger: str | None = None,
    told_by: datetime | None = None,
) -> Night:
    """Score every open account as of a midnight.

    The champion scores where one was promoted and still fits; otherwise a model is
    trained on what was known at the midnight.

    Parameters
    ----------
    lake : Lake
        With `account_days` up to date, see :func:`fraud.days.reduce_days`.
    as_of : datetime
        Midnight UTC.
    model_id : str, optional
        A model of the shelf that is to score, champion or not.
    only : str, optional
        The one account to describe as a candidate, whatever its band.
    use_shelf : bool, default=True
        False trains anew, champion or not.
    labels : DataFrame, optional
        Reviewers' decisions known at the midnight, see
        :func:`fraud.review.queue.decisions_as_labels`.
    leaning : mapping of str to sequence of str, optional
        For accounts with an open case, the blocked accounts its evidence names.
    challenger : str, optional
        A model of the shelf that scores in shadow.
    told_by : datetime, optional
        As for `accounts_as_of`: who is not scored since it is known to have left.

    Raises
    ------
    ModelRefused
        If ``model_id`` is given and that model cannot be read or does not fit.
    """
    settings = lake.settings.scoring
    signals = signal_set(settings.features_off)
    con, reduced = opened(lake)
    left_out = left_alone(lake, as_of=as_of)
    accounts = with_decisions(
        accounts_as_of(lake, as_of, told_by=told_by), NO_LABELS if labels is None else labels
    )
    blocked = accounts.filter("pattern")
    known = Known(as_of, signals, blocked["account_id"], left_out)
    enough_blocked = blocked.height >= settings.min_blocked
    model, note = _shelved(lake, model_id, known) if use_shelf and enough_blocked else (None, None)
    compare = _comparison(con, lake, known)
    compared = compare(parameters=model.identity if model else None)
    details = identity_signals(compared)
    identity = _switched_on(details, signals)
    described = features_as_of(
        con, as_of=as_of, signals=signals.described, left_out=left_out, reduced=reduced
    ).join(accounts.filter("open"), on="account_id", how="semi")
    bands = partial(banded, known=enough_known(described, details, settings), settings=settings)
    behaviour = described.select("account_id", *(signal.name for signal in signals.behaviour))
    open_now = behaviour.join(identity, on="account_id", how="left").sort("account_id")
    if not enough_blocked or open_now.is_empty():
        return _by_behaviour(open_now, signals, settings, blocked.height, bands)
    with on_threads(open_now.height, lake.settings.store.threads):
        model = model or _trained(
            con, lake, as_of, signals, accounts, identity, open_now, compared.parameters, left_out
        )
        score = model.score(open_now)
    scores = bands(open_now, score)
    left = leaned_on_gone(leaning, blocked["account_id"])
    shared = _shared(compared)
    candidates, sampled, rescored = (
        _candidates(group, open_now, model, signals, shared)
        for group in put_forward(scores, settings, as_of, only, left)
    )
    shadow = None
    if challenger is not None:
        reweigh = partial(_reweighed, behaviour, compare, signals)
        shadow = _in_shadow(lake, challenger, known, model.identity, open_now, reweigh, bands)
    return Night(
        scores, open_now, candidates, "similarity", model, model.card.feature_set, note,
        sampled, rescored, shadow,
    )  # fmt: skip


def _shelved(lake: Lake, model_id: str | None, known: Known) -> tuple[Model | None, str | None]:
    """Return the model asked for or else the champion; why not, where it does not fit."""
    if model_id:
        return fitting_model(lake.home.models, model_id, known), None
    return champion_of(lake.home.models, known)


def _comparison(con: Connection, lake: Lake, known: Known) -> Callable[..., Compared]:
    """Return what compares the details of accounts, weighed with the parameters it is given."""
    return partial(
        compare_accounts,
        con,
        as_of=known.as_of,
        left_out=known.left_out,
        data_version=_versions(lake, (ACCOUNTS, ACCOUNT_EVENTS)),
        seed=lake.settings.scoring.seed,
        store=lake.settings.store,
    )


def _in_shadow(
    lake: Lake,
    challenger: str,
    known: Known,
    weighed_with: Parameters,
    open_now: pl.DataFrame,
    reweigh: Callable[[Parameters], pl.DataFrame],
    bands: Bands,
) -> Shadow:
    """Score the same accounts by the challenger, or say why not: the night goes on without it."""
    try:
        model = fitting_model(lake.home.models, challenger, known)
    except ModelRefused as refused:
        note = f"the challenger was not used: {refused.why}"
        return Shadow(challenger, pl.DataFrame(), known.signals.version, note)
    described = open_now if model.identity == weighed_with else reweigh(model.identity)
    with on_threads(described.height, lake.settings.store.threads):
        score = model.score(described)
    return Shadow(challenger, bands(described, score), known.signals.version)


def _reweighed(
    behaviour: pl.DataFrame,
    compare: Callable[..., Compared],
    signals: SignalSet,
    parameters: Parameters | None,
) -> pl.DataFrame:
    """Return signals of accounts whose details are weighed with parameters."""
    identity = _switched_on(identity_signals(compare(parameters=parameters)), signals)
    return behaviour.join(identity, on="account_id", how="left").sort("account_id")


def _switched_on(details: pl.DataFrame, signals: SignalSet) -> pl.DataFrame:
    """Return the signals of account details that are not switched off."""
    return details.select("account_id", *(signal.name for signal in signals.identity))


def _trained(
    con: Connection,
    lake: Lake,
    as_of: datetime,
    signals: SignalSet,
    accounts: pl.DataFrame,
    identity: pl.DataFrame,
    open_now: pl.DataFrame,
    parameters: Parameters,
    left_out: Collection[str],
) -> Model:
    """Train on the accounts blocked by the midnight and a sample of the open ones."""
    seed = lake.settings.scoring.seed
    blocked = accounts.filter("pattern")
    patterns = (
        features_at(
            con,
            midnights_of_blocks(blocked, as_of),
            signals=signals.behaviour,
            left_out=left_out,
        )
        .drop("as_of")
        .join(identity, on="account_id", how="left")
        .select(open_now.columns)
        .join(blocked.select("account_id", "status_since"), on="account_id", how="left")
        .sort("account_id")
    )
    known_at = patterns["status_since"]
    patterns = patterns.drop("status_since")
    good = good_sample(open_now, accounts, seed=seed)
    reference = pl.concat([patterns, good])
    return train(
        reference,
        pl.Series("blocked", [True] * patterns.height + [False] * good.height),
        trained_as_of=as_of.date(),
        feature_set=signals.version,
        seed=seed,
        known_at=known_at,
        identity=parameters,
    )


def _candidates(
    chosen: pl.DataFrame,
    features: pl.DataFrame,
    model: Model,
    signals: SignalSet,
    shared: Mapping[str, str],
) -> tuple[Candidate, ...]:
    """Describe chosen accounts, in their order, with reasons and neighbours.

    ``shared`` says in words what an account has in common with a blocked one.
    """
    if chosen.is_empty():
        return ()
    rows = chosen.join(features, on="account_id", how="left", maintain_order="left")
    matrix = model.matrix(rows)
    own = model.own_rows(rows)
    parts = np.nan_to_num(model.estimator.explain(matrix, own))
    near_blocked = model.estimator.similar_blocked(matrix, NEIGHBOURS_SHOWN, own)
    near_good = model.estimator.similar_good(matrix, NEIGHBOURS_SHOWN, own)
    by_name = signals.by_name
    vocabulary = Vocabulary(
        {name: by_name[name] for name in model.card.signals},
        {name: good for name, (_, good) in model.card.medians.items()},
    )
    return tuple(
        Candidate(
            account_id=row["account_id"],
            score=row["score"],
            band=row["band"],
            rank=place + 1,
            method="similarity",
            reasons=reasons_of(row, parts[place], vocabulary, shared.get(row["account_id"])),
            similar_blocked=_similar(model, near_blocked, place),
            similar_good=_similar(model, near_good, place),
        )
        for place, row in enumerate(rows.iter_rows(named=True))
    )


def _shared(compared: Compared) -> dict[str, str]:
    """Return, for each account, what it has in common with the blocked one nearest by details."""
    reasons = identity_reasons(identity_matches(compared))
    return dict(reasons.select("account_id", "text").iter_rows())


def _similar(
    model: Model,
    near: tuple[NDArray[np.intp], NDArray[np.float64]],
    place: int,
) -> tuple[SimilarAccount, ...]:
    ids = model.card.reference_ids
    return tuple(
        SimilarAccount(ids[row], float(similarity))
        for row, similarity in zip(near[0][place], near[1][place], strict=True)
    )


def _by_behaviour(
    features: pl.DataFrame,
    signals: SignalSet,
    settings: ScoringSettings,
    blocked_count: int,
    bands: Bands,
) -> Night:
    """Rank without a model, and say why."""
    surprises = oddness(features, signals.behaviour)
    score = odd_scores(surprises, signals.behaviour).to_numpy()
    scores = bands(features, score).with_columns(pl.lit("unknown").alias("band"))
    candidates = odd_candidates(
        features, surprises, scores, signals.behaviour, capacity=settings.daily_capacity
    )
    note = (
        f"{blocked_count} blocked accounts are known, {settings.min_blocked} are needed to "
        "learn from: ranked by behaviour only, with nothing to compare with"
    )
    if features.is_empty():
        note = "no open account is known: import accounts.csv or .parquet"
    return Night(scores, features, candidates, "behaviour", None, signals.version, note)


def data_version(lake: Lake) -> str:
    """Name the table versions a score was made from."""
    return _versions(lake, (CALLS, ACCOUNTS, ACCOUNT_DAYS))


def _versions(lake: Lake, tables: Sequence[Table]) -> str:
    return ",".join(f"{table.name}={lake.version(table)}" for table in tables)


def midnight_after(day: date) -> datetime:
    """Return the midnight UTC that ends a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
