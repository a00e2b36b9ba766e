"""What comparing account details says about each account: the entry of this package.

Here: accounts compared, their nearest blocked account, the waterfall of a pair and
its words. Not here: the arithmetic (`weigh`) and the columns for the model
(`signals`). Values of details never leave: what comes out names accounts, levels,
counts and bits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from cdr.query import Connection, Query, run
from cdr.settings import StoreSettings
from fraud.identity.details import DETAILS
from fraud.identity.learning import learn_parameters
from fraud.identity.normalise import held_values
from fraud.identity.pairs import find_pairs
from fraud.identity.parameters import Parameters
from fraud.identity.weigh import DIFFERS, weigh

STORE = StoreSettings()

DISPOSABLE = "email_disposable"

EVENT_DAYS = 90
"""Days of events that tell what an account uses. Ours: a season; who comes back does so sooner."""

MATCHES = pl.Schema(
    {
        "account_id": pl.String(),
        "blocked_id": pl.String(),
        "match_weight_bits": pl.Float64(),
        "detail": pl.String(),
        "level": pl.String(),
        "bits": pl.Float64(),
        "holders": pl.Int64(),
        "words": pl.String(),
    }
)
"""One row per pair and step of its waterfall."""

_WORDS = {level.key: level.words for detail in DETAILS for level in detail.levels}


@dataclass(frozen=True, slots=True)
class Compared:
    """Accounts compared with blocked ones as of a midnight.

    Parameters
    ----------
    accounts : pl.DataFrame
        account_id of each account compared, sorted; for each detail whether the account
        has one that can be compared; whether its mail address is a throw-away one.
    pairs : pl.DataFrame
        Schema `weigh.WEIGHED`: accounts beside blocked ones they share a rare value with.
    blocked_count : int
        Accounts blocked for fraud or misuse by then.
    parameters : Parameters
        What agreements were weighed with.
    """

    accounts: pl.DataFrame
    pairs: pl.DataFrame
    blocked_count: int
    parameters: Parameters


def compare_accounts(
    con: Connection,
    *,
    as_of: datetime,
    accounts: Sequence[str] | None = None,
    left_out: Collection[str] = (),
    parameters: Parameters | None = None,
    data_version: str = "",
    seed: int = 20_260_901,
    store: StoreSettings = STORE,
) -> Compared:
    """Compare accounts with those blocked for fraud or misuse, as of a midnight.

    Details count as they stood then, and an account is one to compare with if it was
    blocked by then. A blocked account is compared with those blocked before it, never
    with itself.

    Parameters
    ----------
    con : Connection
        A session that sees `accounts` with all details (the fraud purpose).
    as_of : datetime
        UTC instant; nothing that began at or after it is seen.
    accounts : sequence of str, optional
        Only these are compared; None takes all. Rarity is counted over all.
    left_out : collection of str
        Accounts that may be neither compared nor compared with: restricted ones, and
        those that object.
    parameters : Parameters, optional
        What agreements are worth; None learns it from what was known then.
    data_version : str, optional
        Table versions, kept with what is learned.
    seed : int, default=20_260_901
        Of what is drawn to learn; `scoring.seed` of the settings.
    store : StoreSettings, optional
        Memory and threads for the comparison, which has a session of its own.

    Raises
    ------
    QueryFailed
        If DuckDB refuses.
    """
    found = run(
        con,
        Query.from_file(
            "fraud.identity.sql", "accounts_as_of", as_of=as_of, left_out=list(left_out)
        ),
    )
    blocked = found.filter(pl.col("blocked_on").is_not_null()).select("account_id", "blocked_on")
    shown = run(
        con,
        Query.from_file(
            "fraud.identity.sql",
            "events_as_of",
            as_of=as_of,
            since=as_of - timedelta(days=EVENT_DAYS),
            blocked=blocked["account_id"].to_list(),
        ),
    )
    values = held_values(found, shown.join(found, on="account_id", how="semi"))
    pairs = find_pairs(values, blocked, accounts)
    names = values.filter(pl.col("key") == "name").select("account_id", name="value")
    if parameters is None:
        parameters = learn_parameters(
            pairs if accounts is None else find_pairs(values, blocked),
            names,
            population=found.height,
            learned_as_of=as_of.date().isoformat(),
            data_version=data_version,
            seed=seed,
            store=store,
        )
    weighed = weigh(pairs, names, parameters=parameters, store=store)
    compared = found.select("account_id")
    if accounts is not None:
        compared = compared.filter(pl.col("account_id").is_in(list(accounts)))
    return Compared(_known(compared, values), weighed, blocked.height, parameters)


def _known(compared: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Say of each account which details it has."""
    strongest = {detail.name: detail.levels[0].key for detail in DETAILS}
    known = values.group_by("account_id").agg(
        (pl.col("key") == key).any().alias(name)
        for name, key in (*strongest.items(), (DISPOSABLE, DISPOSABLE))
    )
    joined = compared.join(known, on="account_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col(*strongest, DISPOSABLE).fill_null(value=False))


def identity_matches(
    compared: Compared, *, accounts: Sequence[str] | None = None, nearest: int = 3
) -> pl.DataFrame:
    """Return the waterfall of each account's nearest pairs: what moved the weight, how far.

    Parameters
    ----------
    compared : Compared
        As :func:`compare_accounts` gives.
    accounts : sequence of str, optional
        Only these.
    nearest : int, default=3
        Blocked accounts to an account at most.

    Returns
    -------
    pl.DataFrame
        Schema :data:`MATCHES`; the nearest pair first, in it the strongest step first.
        The steps of a pair add up to its evidence; with the prior, to its weight.
        `words` is null where the detail differs, `holders` where no value is shared.
    """
    pairs = compared.pairs
    if accounts is not None:
        pairs = pairs.filter(pl.col("account_id").is_in(list(accounts)))
    place = pl.col("match_weight_bits").rank("ordinal", descending=True).over("account_id")
    pairs = pairs.sort("account_id", "blocked_id").filter(place <= nearest)
    steps = [
        pairs.select(
            "account_id",
            "blocked_id",
            "match_weight_bits",
            detail=pl.lit(detail.name),
            level=f"{detail.name}_level",
            bits=f"{detail.name}_bits",
            holders=f"{detail.name}_holders",
        )
        for detail in DETAILS
    ]
    order = ["account_id", "match_weight_bits", "blocked_id", "bits", "detail"]
    return (
        pl.concat(steps)
        .filter(pl.col("level").is_not_null())
        .sort(order, descending=[False, True, False, True, False])
        .with_columns(words=_in_words())
        .select(MATCHES.names())
    )


def _in_words() -> pl.Expr:
    what = pl.col("level").replace_strict(_WORDS, default=None, return_dtype=pl.String)
    return (
        pl.when(pl.col("level") == DIFFERS)
        .then(None)
        .when(pl.col("holders").is_null())
        .then(what)
        .when(pl.col("holders") == 2)
        .then(what + " that nobody else has")
        .otherwise(pl.format("{} that {} accounts have", what, "holders"))
    )


def identity_reasons(matches: pl.DataFrame) -> pl.DataFrame:
    """Put each account's nearest pair into a sentence.

    Parameters
    ----------
    matches : pl.DataFrame
        As :func:`identity_matches` gives.

    Returns
    -------
    pl.DataFrame
        One row per account: account_id, blocked_id, text, such as ``shares a device
        that nobody else has and the name that 7 accounts have with blocked account X``.
    """
    shared = matches.filter(pl.col("words").is_not_null())
    first = pl.col("blocked_id").first().over("account_id")
    words = pl.col("words")
    joined = (
        pl.when(pl.len() == 1)
        .then(words.first())
        .otherwise(words.head(pl.len() - 1).str.join(", ") + " and " + words.last())
    )
    return (
        shared.filter(pl.col("blocked_id") == first)
        .group_by("account_id", "blocked_id", maintain_order=True)
        .agg(what=joined)
        .select(
            "account_id",
            "blocked_id",
            text=pl.format("shares {} with blocked account {}", "what", "blocked_id"),
        )
    )
