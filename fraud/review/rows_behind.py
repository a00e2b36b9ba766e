"""From the name of a signal to the rows behind it, out of what was read of an account.

Not here: which rows (`calls_behind`, `events_behind`, `others_behind`), who may see them (pages).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import polars as pl

from cdr.schema import INSTANT
from fraud.features.account_days import key_of
from fraud.features.registry import Signal
from fraud.features.signals import SIGNALS
from fraud.review.behind import ROWS_OF, Behind, Rows
from fraud.review.calls_behind import calls_behind
from fraud.review.events_behind import describe_events, events_behind
from fraud.review.others_behind import numbers_behind, texts_behind, ties_behind
from fraud.review.slices import Account
from fraud.rules.numbers import NUMBERS

_BEHIND: Mapping[Rows, Callable[[Signal], Behind]] = {
    Rows.CALLS: calls_behind,
    Rows.EVENTS: events_behind,
    Rows.TEXTS: texts_behind,
    Rows.NUMBERS: numbers_behind,
    Rows.TIES: ties_behind,
}

TEXT_COLUMNS = pl.Schema(
    {
        "day": pl.Date(), "days_ago": pl.Int64(), "template": pl.String(),
        "text_count": pl.Int64(), "link_count": pl.Int64(), "listed_link_count": pl.Int64(),
        "counterpart_count": pl.Int64(),
    }
)  # fmt: skip
NUMBER_COLUMNS = pl.Schema(
    {"number": pl.String(), "valid_from": INSTANT, "held": pl.Boolean(), "is_new": pl.Boolean()}
)
TIE_COLUMNS = pl.Schema(
    {
        "blocked_id": pl.String(), "hop": pl.Int64(), "kind": pl.String(), "key": pl.String(),
        "called": pl.Boolean(), "calling": pl.Boolean(), "used": pl.Boolean(),
    }
)  # fmt: skip


@cache
def signals_by_name() -> Mapping[str, Signal]:
    """Return the signals of the registry, and the numbers of rules, by name."""
    return {signal.name: signal for signal in (*SIGNALS, *NUMBERS)}


def behind(name: str) -> tuple[Rows, Behind] | None:
    """Say which rows a signal is made from; None for what rests on the account's details.

    Examples
    --------
    >>> behind("numbers_held_count_1d")[1].words
    'numbers held on the last day'
    >>> behind("account_age_days_30d"), behind("identity_evidence_bits")
    (None, None)
    """
    signal = signals_by_name().get(name)
    rows = ROWS_OF.get(signal.relation) if signal else None
    return (rows, _BEHIND[rows](signal)) if signal and rows else None


def rows_of(account: Account, kind: Rows, *, as_of: date) -> pl.DataFrame:
    """Return the rows of a kind that an account has, the newest first; not for calls.

    Parameters
    ----------
    account : Account
        As it was read.
    kind : Rows
        Which.
    as_of : date
        The midnight that begins this UTC day.
    """
    match kind:
        case Rows.EVENTS:
            return describe_events(account.events, home=account.details.get("country"), as_of=as_of)
        case Rows.TEXTS:
            keys = {one["key"] for one in account.ties if one["kind"] == "template"}
            texts = _frame(account.texts, TEXT_COLUMNS)
            tied = [one for one in texts["template"].unique() if key_of(one) in keys]
            return texts.with_columns(blocked=pl.col("template").is_in(tied))
        case Rows.NUMBERS:
            return _frame(account.numbers, NUMBER_COLUMNS)
        case Rows.TIES:
            return _frame(account.ties, TIE_COLUMNS)
        case Rows.CALLS:
            raise ValueError("calls are read by themselves")


def _frame(rows: Sequence[Mapping[str, Any]], columns: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame([{name: one[name] for name in columns} for one in rows], schema=columns)
