"""Which texts, numbers and ties to blocked accounts a number of a case was made from.

One entry for each signal of the registry that is made from these. Not here: calls
(`calls_behind`), events (`events_behind`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import polars as pl

from fraud.features.registry import Signal, Unit
from fraud.review.behind import Behind, Figure, span, stem

_DAYS_AGO = pl.col("days_ago")
_ALL = pl.lit(value=True)


def _texts(days: int, condition: pl.Expr = _ALL) -> pl.Expr:
    return (days >= _DAYS_AGO) & condition


def _template_with_most(days: int, weight: str) -> pl.Expr:
    """List the days of the template that has most of something."""
    among = _texts(days)
    size = pl.col(weight).filter(among).sum().over("template")
    top = pl.col("template").filter(among & (size == size.filter(among).max())).max()
    return among & (pl.col("template") == top)


_TEXTS: Mapping[str, Callable[[int], Behind]] = {
    "texts": lambda d: Behind("texts sent", _texts(d), weight="text_count"),
    "top_template": lambda d: Behind(
        "texts sent that say the same", _template_with_most(d, "text_count"), Figure.SHARE,
        "texts sent", _texts(d), weight="text_count", of_weight="text_count",
    ),
    "link_text": lambda d: Behind(
        "texts sent with a link", _texts(d, pl.col("link_count") > 0), Figure.SHARE, "texts sent",
        _texts(d), weight="link_count", of_weight="text_count",
    ),
    "listed_link_texts": lambda d: Behind(
        "texts sent with a link to a listed domain", _texts(d, pl.col("listed_link_count") > 0),
        weight="listed_link_count",
    ),
    "template_counterparts_max": lambda d: Behind(
        "numbers that one text was sent to, each day's",
        _template_with_most(d, "counterpart_count"), weight="counterpart_count",
    ),
    "blocked_templates": lambda d: Behind(
        "days of texts that blocked accounts sent too", _texts(d, pl.col("blocked")),
        Figure.THINGS, thing="template", thing_words="different texts",
    ),
    "blocked_template_text": lambda d: Behind(
        "texts sent that blocked accounts sent too", _texts(d, pl.col("blocked")),
        Figure.RESTS_ON, weight="text_count",
    ),
}  # fmt: skip

_NUMBERS: Mapping[str, Callable[[int], Behind]] = {
    "numbers_held": lambda d: Behind("numbers held", _ALL),
    "numbers_new": lambda d: Behind("numbers taken up", pl.col("is_new")),
}


def _tied_by(kind: str, words: str) -> Callable[[int], Behind]:
    return lambda _: Behind(
        f"ties by {words}", (pl.col("hop") == 1) & (pl.col("kind") == kind), Figure.THINGS,
        thing="blocked_id", thing_words="blocked accounts",
    )  # fmt: skip


_NEAR = (pl.col("hop") == 1) & (pl.col("kind") == "number")
_TIES: Mapping[str, Callable[[int], Behind]] = {
    "contact_dice": lambda _: Behind("numbers in common", _NEAR, Figure.RESTS_ON),
    "contact_hellinger": lambda _: Behind("numbers in common", _NEAR, Figure.RESTS_ON),
    "blocked_by_calls": _tied_by("number", "a number called, calling or held"),
    "blocked_by_devices": _tied_by("device", "a device"),
    "blocked_by_payments": _tied_by("payment", "a means of payment"),
    "blocked_by_addresses": _tied_by("postal", "the postal address"),
    "blocked_by_ips": _tied_by("ip", "an IP address"),
    "blocked_one_hop": lambda _: Behind(
        "ties to blocked accounts", pl.col("hop") == 1, Figure.RESTS_ON
    ),
    "blocked_two_hops": lambda _: Behind(
        "ties to blocked accounts through one other account",
        pl.col("hop") == 2,
        Figure.THINGS,
        thing="blocked_id",
        thing_words="blocked accounts",
    ),
}


def texts_behind(signal: Signal) -> Behind:
    """Say which texts, by template and day, a signal counts or rests on."""
    return _with_span(_TEXTS, signal)


def numbers_behind(signal: Signal) -> Behind:
    """Say which numbers held on the last day a signal counts."""
    return _with_span(_NUMBERS, signal)


def ties_behind(signal: Signal) -> Behind:
    """Say which ties to blocked accounts a signal counts or rests on."""
    return _with_span(_TIES, signal)


def _with_span(entries: Mapping[str, Callable[[int], Behind]], signal: Signal) -> Behind:
    found = entries[stem(signal)](signal.window_days)
    if signal.unit is Unit.RATIO:
        found = replace(found, figure=Figure.RESTS_ON)
    return replace(found, words=f"{found.words} {span(signal.window_days)}")
