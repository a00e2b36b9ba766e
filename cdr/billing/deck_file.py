"""A rate deck as a file: its columns, and everything that can be wrong with it.

A deck is taken in whole or not at all. A row left out would let its calls fall to a
shorter prefix, at another price, and nobody would see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from cdr.billing.charges import MAX_PRICE_MICRO, MICRO
from cdr.operator_files import Kind, OperatorFile, read_operator_file
from cdr.schema import INSTANT, MONEY

DECK_FILE = OperatorFile(
    "rate_deck",
    dict.fromkeys(
        (
            "prefix",
            "destination",
            "rate_per_min",
            "connect_fee",
            "min_s",
            "increment_s",
            "free_s",
            "currency",
            "valid_from",
            "valid_to",
        ),
        Kind.TEXT,
    ),
    ("prefix", "rate_per_min"),
)

_PRICES = ("rate_per_min", "connect_fee")
_SECONDS = {"min_s": 0, "increment_s": 1, "free_s": 0}
_DATES = ("valid_from", "valid_to")
_PRICE = r"^-?\d{1,12}(\.\d{0,6})?$"  # six decimals: what `MONEY` holds without rounding
_WHOLE = r"^\d{1,6}$"
_EVER, _NEVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DeckFile:
    """A deck as read.

    ``rates`` has the columns of `cdr.billing.tables.RATES` but the id, and `line`.
    ``wrong`` has `line` and `reasons`; the deck can be used where it is empty.
    ``gaps`` counts the stretches of time between two rows of a prefix without a rate.
    """

    rates: pl.DataFrame
    wrong: pl.DataFrame
    gaps: int
    ignored: tuple[str, ...]


def read_deck(file: Path, *, zone: str, currency: str) -> DeckFile:
    """Read and check a rate deck, CSV or Parquet.

    Parameters
    ----------
    file : Path
        Columns as in :data:`DECK_FILE`; only `prefix` and `rate_per_min` are required.
        Without fee it is 0, without minimum 0, without increment 1, without free
        seconds 0.
    zone : str
        IANA zone in which dates of validity begin.
    currency : str
        ISO 4217 code where a row names none.

    Raises
    ------
    FormatError, SchemaMismatch
        If it cannot be read or lacks a required column.
    """
    understood = read_operator_file(file, DECK_FILE)
    texts = understood.rows.with_columns(
        pl.col("prefix").str.strip_prefix("+"),
        pl.col("currency").fill_null(currency),
        pl.col("connect_fee").fill_null("0"),
        *(pl.col(column).fill_null(str(least)) for column, least in _SECONDS.items()),
    )
    typed = texts.with_columns(
        *(pl.col(c).cast(MONEY, strict=False).alias(f"{c}\x00") for c in _PRICES),
        *(pl.col(c).cast(pl.Int64, strict=False).alias(f"{c}\x00") for c in _SECONDS),
        *(_instants(texts[c], zone).alias(f"{c}\x00") for c in _DATES),
    )
    judged = typed.select("line", _row_reasons().alias("reasons"))
    rates = typed.select(
        "line",
        *(
            pl.col(f"{c}\x00").alias(c) if c in (*_PRICES, *_SECONDS, *_DATES) else pl.col(c)
            for c in DECK_FILE.columns
        ),
    )
    beside = _beside(rates)
    wrong = pl.concat(
        [understood.rejects.select("line", "reasons"), judged, beside.select("line", "reasons")]
    )
    return DeckFile(
        rates.sort("prefix", "valid_from"),
        wrong.group_by("line")
        .agg(pl.col("reasons").list.explode().unique(maintain_order=True))
        .filter(pl.col("reasons").list.len() > 0)
        .sort("line"),
        int(beside["gap"].sum()),
        understood.ignored,
    )


def _row_reasons() -> pl.Expr:
    checks = [_when(~pl.col("prefix").str.contains(r"^\d{1,15}$"), "prefix_not_digits")]
    for column in _PRICES:
        text, amount = pl.col(column), pl.col(f"{column}\x00")
        is_price = text.str.contains(_PRICE)
        too_dear = amount > MAX_PRICE_MICRO // MICRO
        checks += [
            _when(~is_price, f"{column}_not_a_price"),
            _when(is_price & (amount < 0), f"{column}_negative"),
            _when(is_price & too_dear, f"{column}_too_large"),
        ]
    for column, least in _SECONDS.items():
        whole = pl.col(column).str.contains(_WHOLE)
        checks += [
            _when(~whole, f"{column}_not_whole_seconds"),
            _when(whole & (pl.col(f"{column}\x00") < least), f"{column}_zero"),
        ]
    checks.append(_when(~pl.col("currency").str.contains("^[A-Z]{3}$"), "currency_not_iso_4217"))
    for column in _DATES:
        not_read = pl.col(column).is_not_null() & pl.col(f"{column}\x00").is_null()
        checks.append(_when(not_read, f"{column}_not_understood"))
    ends_first = pl.col("valid_to\x00") <= pl.col("valid_from\x00")
    checks.append(_when(ends_first, "valid_to_not_after_valid_from"))
    return pl.concat_list(checks).list.drop_nulls()


def _when(condition: pl.Expr, reason: str) -> pl.Expr:
    return pl.when(condition).then(pl.lit(reason))


def _beside(rates: pl.DataFrame) -> pl.DataFrame:
    """Compare each row with the others of its prefix: `line`, `reasons`, `gap`."""
    since = pl.col("valid_from").fill_null(pl.lit(_EVER, INSTANT))
    until = pl.col("valid_to").fill_null(pl.lit(_NEVER, INSTANT))
    shared = rates.filter(pl.col("prefix").is_duplicated()).select(
        "line", "prefix", "currency", since.alias("since"), until.alias("until")
    )
    ordered = shared.sort("prefix", "since", "until", "line").with_columns(
        pl.col("until").cum_max().shift(1).over("prefix").alias("before"),
        pl.col("since").cum_min(reverse=True).shift(-1).over("prefix").alias("after"),
        (pl.col("currency").n_unique().over("prefix") > 1).alias("mixed"),
    )
    overlaps = (pl.col("before") > pl.col("since")) | (pl.col("after") < pl.col("until"))
    overlaps = overlaps.fill_null(value=False)
    return ordered.select(
        "line",
        pl.concat_list(
            _when(overlaps, "overlaps_another_row"),
            _when(overlaps & pl.col("mixed"), "two_currencies"),
        )
        .list.drop_nulls()
        .alias("reasons"),
        (pl.col("before") < pl.col("since")).fill_null(value=False).alias("gap"),
    )


def _instants(texts: pl.Series, zone: str) -> pl.Series:
    """Read dates and times of validity; a deck has few different ones."""
    known = {text: _instant(text, zone) for text in texts.drop_nulls().unique()}
    return texts.replace_strict(known, default=None, return_dtype=INSTANT)


def _instant(text: str, zone: str) -> datetime | None:
    """Read ISO 8601; without an offset it is the clock of ``zone``, where it jumps the earlier."""
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
