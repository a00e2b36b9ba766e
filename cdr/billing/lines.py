"""Legs of calls become lines of a bill, or come out without a price and with the reason.

Pure but for what a `Tariff` was loaded with: frames in, frames out. What was billed
before is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from cdr.billing.charges import Rounding, as_money
from cdr.billing.decks import Deck, current_decks, load_deck
from cdr.billing.rating import RATED, rated
from cdr.billing.rules import PLAN, RuleSet
from cdr.billing.tables import RELEASES
from cdr.keys import hash_64, joined
from cdr.lake import Lake
from cdr.schema import ACCOUNT_NUMBERS, ACCOUNTS, MONEY, Outcome
from cdr.settings import BillingSettings

CALL_COLUMNS = (
    "record_id",
    "source",
    "call_id",
    "account_id",
    "direction",
    "caller_number",
    "callee_number",
    "callee_number_type",
    "forwarded_to",
    "started_at",
    "duration_ms",
    "outcome",
    "flags",
    "ingest_id",
)
"""What billing reads of a call; no address and no score is among it."""

ROWS_AT_ONCE = 1_000_000
"""Legs priced at a time. Ours: some 300 MB of working memory."""

CARRIED = (
    (pl.col("action") == "rate")
    & (pl.col("number_of") != "caller")
    & ((pl.col("direction") != "inbound") | (pl.col("number_of") == "forwarded_to"))
)
"""Legs that cost the operator something: it carries them on to somebody else's network."""

NO_ACCOUNT = "no_account"
ACCOUNT_UNKNOWN = "account_unknown"
NO_DECK = "no_deck"
NO_RULE = "no_rule"


@dataclass(frozen=True, slots=True)
class Tariff:
    """Everything that decides what is billed for a leg.

    ``decks`` holds those that exist of the decks that plans and rules name. ``plans`` has
    `account_id`, `known_from` and `plan`, ``numbers`` the table of number ownership,
    ``released`` the `record_id` of held legs that a person decided to bill.
    """

    settings: BillingSettings
    rules: RuleSet
    decks: Mapping[str, Deck]
    cost: Deck | None
    plans: pl.DataFrame
    numbers: pl.DataFrame
    released: pl.Series

    @property
    def versions(self) -> dict[str, str]:
        """Map the name of each deck to the hash of its rows."""
        decks = [*self.decks.values(), *([self.cost] if self.cost else [])]
        return {deck.name: deck.deck_id for deck in sorted(decks, key=lambda deck: deck.name)}


def load_tariff(
    lake: Lake,
    rules: RuleSet,
    settings: BillingSettings,
    *,
    versions: Mapping[str, str] | None = None,
    sealed_as: str | None = None,
) -> Tariff:
    """Load the decks, plans and numbers that lines are made with.

    Parameters
    ----------
    lake : Lake
        Where from.
    rules : RuleSet
        Who pays.
    settings : BillingSettings
        Which decks, and how amounts are rounded.
    versions : mapping of str to str, optional
        Which version of each deck; None takes those that count.
    sealed_as : str, optional
        The period (year-month) whose seal is worked out again: releases decided after it
        do not count. None counts all.
    """
    have = current_decks(lake) if versions is None else versions
    named = {settings.default_deck, *settings.plan_decks.values(), *rules.deck_names}
    cost = settings.cost_deck
    return Tariff(
        settings=settings,
        rules=rules,
        decks={name: load_deck(lake, name, have[name]) for name in sorted(named & have.keys())},
        cost=load_deck(lake, cost, have[cost]) if cost in have else None,
        plans=lake.scan(ACCOUNTS)
        .select("account_id", pl.col("valid_from").alias("known_from"), "plan")
        .collect()
        .sort("known_from"),
        numbers=lake.scan(ACCOUNT_NUMBERS).drop("imported_at").collect(),
        released=lake.scan(RELEASES)
        .filter(pl.lit(sealed_as is None) | (pl.col("counts_from") <= (sealed_as or "")))
        .select("record_id")
        .unique()
        .collect()["record_id"],
    )


def lines_of(legs: pl.DataFrame, tariff: Tariff, onward: pl.Series) -> pl.DataFrame:
    """Make a row of each leg that rules do not skip.

    Parameters
    ----------
    legs : DataFrame
        `CALL_COLUMNS`.
    tariff : Tariff
        See :func:`load_tariff`.
    onward : Series of Binary
        `record_id` of forwarded legs whose onward leg has a record of its own.

    Returns
    -------
    DataFrame
        Columns of `cdr.billing.tables.LINES` that a leg alone decides. A row has either
        `amount` and `currency`, or `reason`: why it has no price. Rows of skipped legs have
        neither and only `rule`; the caller counts and drops them (`action` is `skip`).
    """
    parts = [_lines(part, tariff, onward) for part in legs.iter_slices(ROWS_AT_ONCE)] or [
        _lines(legs, tariff, onward)
    ]
    return pl.concat(parts)


def _lines(legs: pl.DataFrame, tariff: Tariff, onward: pl.Series) -> pl.DataFrame:
    facts = _with_facts(legs, tariff, onward)
    decided = facts.hstack(tariff.rules.decide(facts))
    planned = _with_deck(decided, tariff)
    chosen = planned.with_columns(
        number=pl.when(pl.col("number_of") == "forwarded_to")
        .then("forwarded_number")
        .when(pl.col("number_of") == "caller")
        .then("caller_number")
        .otherwise("callee_number")
    ).with_columns(_reason_before_rating().alias("reason"))
    priced = _priced(chosen, tariff)
    return _with_cost(priced, tariff)


def _with_facts(legs: pl.DataFrame, tariff: Tariff, onward: pl.Series) -> pl.DataFrame:
    forwarded = pl.col("forwarded_to").is_not_null()
    number = pl.col("forwarded_to")
    facts = legs.with_columns(
        pl.col("callee_number_type").alias("callee_type"),
        forwarded.alias("forwarded"),
        pl.when(number.str.contains(r"^\+\d+$")).then(number).alias("forwarded_number"),
        pl.col("record_id").is_in(onward.implode()).alias("onward_leg"),
        pl.col("record_id").is_in(tariff.released.implode()).alias("released"),
        ((pl.col("outcome") == Outcome.ANSWERED.value) & (pl.col("duration_ms") == 0))
        .fill_null(value=False)
        .alias("zero_length"),
    ).with_columns(
        facts_hash=hash_64(
            joined(
                [
                    pl.col(c)
                    for c in ("account_id", "direction", "outcome", "callee_number",
                              "forwarded_to", "duration_ms", "onward_leg")
                ]
            )
        )
    )  # fmt: skip
    ends_at = pl.when("forwarded").then("forwarded_number").otherwise("callee_number")
    return facts.with_columns(on_net=_ours(facts.select(ends_at.alias("number"), "started_at"),
                                           tariff.numbers))  # fmt: skip


def _ours(calls: pl.DataFrame, numbers: pl.DataFrame) -> pl.Series:
    """Tell which numbers an account of ours held when the call began."""
    rows = calls.with_row_index("row")
    hits = (
        rows.join(numbers, on="number", how="inner")
        .filter(
            (pl.col("valid_from").is_null() | (pl.col("valid_from") <= pl.col("started_at")))
            & (pl.col("valid_to").is_null() | (pl.col("started_at") < pl.col("valid_to")))
        )["row"]
        .unique()
    )
    return rows["row"].is_in(hits.implode())


def _with_deck(legs: pl.DataFrame, tariff: Tariff) -> pl.DataFrame:
    """Add `deck`, the name of the deck to price by, and `known`: the accounts table has it."""
    settings = tariff.settings
    row = legs.with_row_index("row").select("row", "account_id", "started_at").sort("started_at")
    at_start = row.join_asof(
        tariff.plans, left_on="started_at", right_on="known_from", by="account_id",
        check_sortedness=False,
    )  # fmt: skip
    first = tariff.plans.unique("account_id", keep="first", maintain_order=True)
    plans = (
        at_start.join(first, on="account_id", how="left", suffix="_first")
        .sort("row")
        .select(
            known=pl.col("known_from_first").is_not_null(),
            plan=pl.when(pl.col("known_from").is_null()).then("plan_first").otherwise("plan"),
        )
    )
    of_plan = pl.col("plan").replace_strict(
        settings.plan_decks, default=settings.default_deck, return_dtype=pl.String
    )
    return legs.hstack(plans).with_columns(
        deck=pl.when(pl.col("deck") == PLAN).then(of_plan).otherwise("deck")
    )


def _reason_before_rating() -> pl.Expr:
    """Say why a leg that is not skipped gets no price, before a deck is asked."""
    return (
        pl.when(pl.col("action").is_null())
        .then(pl.lit(NO_RULE))
        .when(pl.col("action") == "skip")
        .then(None)
        .when(pl.col("action") == "hold")
        .then("rule")
        .when(pl.col("account_id").is_null())
        .then(pl.lit(NO_ACCOUNT))
        .when(~pl.col("known"))
        .then(pl.lit(ACCOUNT_UNKNOWN))
    )


def _priced(legs: pl.DataFrame, tariff: Tariff) -> pl.DataFrame:
    """Add `prefix`, `destination`, `billed_s`, `amount` and `currency`, or a `reason`."""
    row = legs.with_row_index("row").select(
        "row", "number", "started_at", "duration_ms", "deck",
        wanted=(pl.col("action") == "rate") & pl.col("reason").is_null(),
    )  # fmt: skip
    wanted = row.filter("wanted")
    found = [pl.DataFrame(schema={"row": pl.UInt32, **RATED})]
    for name, deck in tariff.decks.items():
        of_deck = wanted.filter(pl.col("deck") == name)
        found.append(of_deck.select("row").hstack(_rate(of_deck, deck, tariff.settings)))
    answers = row.select("row").join(pl.concat(found), on="row", how="left", maintain_order="left")
    free = (pl.col("action") == "free") & pl.col("reason").is_null()
    no_deck = (pl.col("action") == "rate") & ~pl.col("deck").is_in(list(tariff.decks))
    return legs.hstack(answers.drop("row", "deck_row")).with_columns(
        amount=as_money(pl.when(free).then(pl.lit(0, pl.Int64)).otherwise("amount_micro")),
        currency=pl.when(free).then(pl.lit(tariff.settings.currency)).otherwise("currency"),
        reason=pl.coalesce("reason", pl.when(no_deck).then(pl.lit(NO_DECK)), "unrated"),
    )


def _with_cost(legs: pl.DataFrame, tariff: Tariff) -> pl.DataFrame:
    """Add what the leg costs the operator: `cost`, `cost_currency`; null where not known."""
    if tariff.cost is None:
        return legs.with_columns(cost=pl.lit(None, MONEY), cost_currency=pl.lit(None, pl.String))
    rates = _rate(legs, tariff.cost, tariff.settings)
    costs = legs.select(CARRIED.alias("carried")).hstack(rates.select("amount_micro", "currency"))
    return legs.hstack(
        costs.select(
            cost=as_money(pl.when("carried").then("amount_micro")),
            cost_currency=pl.when("carried").then("currency"),
        )
    )


def _rate(legs: pl.DataFrame, deck: Deck, settings: BillingSettings) -> pl.DataFrame:
    return rated(
        legs.select("number", "started_at", "duration_ms"),
        deck,
        decimals=settings.decimals,
        rounding=Rounding(settings.rounding),
    )


def onward_legs(forwarded: pl.DataFrame, near: pl.LazyFrame) -> pl.Series:
    """Return the forwarded legs whose onward leg has a record of its own.

    Parameters
    ----------
    forwarded : DataFrame
        `record_id`, `source` and `call_id` of forwarded legs.
    near : LazyFrame
        Legs of their days, of the days before and of those after: `CALL_COLUMNS`.

    Returns
    -------
    Series of Binary
        `record_id` of ``forwarded``.
    """
    if forwarded.is_empty():
        return forwarded["record_id"]
    onward = (
        near.filter((pl.col("direction") == "outbound") & pl.col("call_id").is_not_null())
        .select("source", "call_id", pl.col("record_id").alias("other"))
        .join(forwarded.lazy(), on=["source", "call_id"], how="inner")
        .filter(pl.col("other") != pl.col("record_id"))
    )
    return onward.select("record_id").unique().collect()["record_id"]


def days_around(days: Iterable[date]) -> list[date]:
    """Return days with the one before and the one after each, in order."""
    return sorted({day + timedelta(days=step) for day in days for step in (-1, 0, 1)})


def within(since: datetime, until: datetime) -> pl.Expr:
    """Tell which calls began in a half-open range."""
    return (pl.col("started_at") >= since) & (pl.col("started_at") < until)
