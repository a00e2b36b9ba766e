"""What the calls of a day cost the operator, for whoever watches what accounts spend.

The same rules and the same pricing as a bill's margins, by the deck of costs
(`billing.cost_deck`), in millionths of a US dollar. Not here: what is billed, and what
stands for a cost that no deck knows.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import polars as pl

from cdr.billing.charges import MICRO
from cdr.billing.decks import Deck, current_decks
from cdr.billing.lines import (
    CALL_COLUMNS,
    CARRIED,
    ROWS_AT_ONCE,
    Tariff,
    days_around,
    lines_of,
    load_tariff,
    onward_legs,
)
from cdr.billing.rules import load_rules
from cdr.lake import Lake
from cdr.schema import CALLS

COSTS = pl.Schema({"record_id": pl.Binary(), "usd_micro": pl.Int64()})
"""A leg and what it costs, in millionths of a US dollar."""


@dataclass(frozen=True, slots=True)
class CostBook:
    """The deck of costs with what is needed to apply it; see :func:`cost_book`.

    ``deck`` is the ``cost`` of the tariff, which here is never None.
    """

    lake: Lake
    tariff: Tariff
    deck: Deck
    usd_per: dict[str, Decimal]

    def of_day(self, day: date) -> pl.DataFrame:
        """Price the legs that began on a UTC day and have an account.

        Returns
        -------
        DataFrame
            :data:`COSTS`. 0 where the operator pays nobody (an unanswered, on-net or
            received call); null where the deck has no rate, or is in a currency of which
            `cost.usd_per` does not say what it is worth.
        """
        legs = (
            self.lake.scan(CALLS, dates=[day])
            .filter(pl.col("account_id").is_not_null())
            .select(CALL_COLUMNS)
        )
        forwarded = legs.filter(pl.col("forwarded_to").is_not_null())
        near = self.lake.scan(CALLS, dates=days_around([day])).select(CALL_COLUMNS)
        onward = onward_legs(forwarded.select("record_id", "source", "call_id").collect(), near)
        batches = legs.collect_batches(chunk_size=ROWS_AT_ONCE)
        return pl.concat(
            [pl.DataFrame(schema=COSTS), *(self._of(part, onward) for part in batches)]
        )

    def version(self, day: date) -> str:
        """Return a hash that changes with what prices the calls of a UTC day.

        A rate that begins or ended on another day does not count, so that a new version of
        the deck leaves the days it does not touch as they are.
        """
        since = datetime.combine(day, time(), UTC)
        until = since + timedelta(days=1)
        begun = (pl.col("valid_from").is_null() | (pl.col("valid_from") < until)).fill_null(True)
        over = (pl.col("valid_to") <= since).fill_null(False)
        of_day = self.deck.rates.filter(begun & ~over).select(
            pl.exclude("valid_from", "valid_to", "destination"),
            pl.when(pl.col("valid_from") > since).then("valid_from"),
            pl.when(pl.col("valid_to") < until).then("valid_to"),
        )
        settings = self.tariff.settings
        applied = (
            self.tariff.rules.sha256,
            settings.decimals,
            settings.rounding,
            sorted((name, str(worth)) for name, worth in self.usd_per.items()),
            of_day.write_csv(),
        )
        return hashlib.sha256(repr(applied).encode()).hexdigest()

    @property
    def unknown_currencies(self) -> tuple[str, ...]:
        """Currencies of the deck of which nobody said what they are worth."""
        return tuple(sorted(set(self.deck.rates["currency"]) - self.usd_per.keys()))

    def _of(self, legs: pl.DataFrame, onward: pl.Series) -> pl.DataFrame:
        lines = lines_of(legs, self.tariff, onward)
        worth = {name: int(usd * MICRO) for name, usd in self.usd_per.items()}
        unit = pl.col("cost_currency").replace_strict(
            worth, default=None, return_dtype=pl.Decimal(38, 0)
        )
        return lines.select(
            "record_id",
            pl.when(~CARRIED).then(pl.lit(0, pl.Int64)).otherwise(
                (pl.col("cost").cast(pl.Decimal(38, 6)) * unit).cast(pl.Int64)
            ).alias("usd_micro"),
        )  # fmt: skip


def cost_book(lake: Lake) -> CostBook | None:
    """Load what prices the operator's costs; None where no deck says them.

    Parameters
    ----------
    lake : Lake
        Its settings name the deck (`billing.cost_deck`), the rules and what currencies are
        worth.

    Raises
    ------
    FormatError, WrongUse
        If the rules of billing cannot be read.
    """
    settings = lake.settings.billing
    deck_id = current_decks(lake).get(settings.cost_deck)
    if deck_id is None:
        return None
    tariff = load_tariff(
        lake, load_rules(settings.rules), settings, versions={settings.cost_deck: deck_id}
    )
    if tariff.cost is None:
        return None
    return CostBook(lake, tariff, tariff.cost, lake.settings.cost.in_usd)
