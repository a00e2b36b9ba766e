"""Which calls a number of a case was made from, so that a reviewer can look at them.

One entry for each signal of the registry that is made from calls: conditions on the columns of
``calls_described.sql``. That they list what the signal counts is held by a test for each signal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import polars as pl

from fraud.features.account_days import BRIEF_RING_MS, SHORT_CALL_MS, SUB_MINUTE_MS
from fraud.features.registry import Signal
from fraud.review.behind import Behind, Figure, span, stem

_OUT = pl.col("direction") == "outbound"
_IN = pl.col("direction") == "inbound"
_EITHER = pl.lit(value=True)
_DAYS_AGO = pl.col("days_ago")
_TIMED = pl.col("duration_ms").is_not_null()
_BRIEF = ~pl.col("answered") & ~pl.col("failed") & (pl.col("ring_ms") <= BRIEF_RING_MS)
_NAMED = pl.col("contact").is_not_null()
_NIGHT = (pl.col("local_hour") >= 20) | (pl.col("local_hour") < 6)
_WEEKEND = (
    ((pl.col("local_weekday") == 4) & (pl.col("local_hour") >= 20))
    | (pl.col("local_weekday") >= 5)
    | ((pl.col("local_weekday") == 0) & (pl.col("local_hour") < 6))
)
_RISKY = pl.col("high_risk") | pl.col("elevated_risk")
_HOUR = pl.col("started_at").dt.truncate("1h")
_SECOND_DAY = 1
"""Days after the one it was opened on that are an account's first days."""


def _farthest(column: str) -> pl.Expr:
    """Return how many days ago calls made first had what a call has."""
    return _DAYS_AGO.filter(_OUT).max().over(column)


def _made(days: int, condition: pl.Expr = _EITHER) -> pl.Expr:
    return _OUT & (days >= _DAYS_AGO) & condition


def _received(days: int, condition: pl.Expr = _EITHER) -> pl.Expr:
    return _IN & (days >= _DAYS_AGO) & condition


def _with_any(days: int, condition: pl.Expr) -> pl.Expr:
    """Tell for a call whether its other party has a call in the window that meets a condition."""
    return (condition & (days >= _DAYS_AGO)).any().over("contact") & _NAMED


def _latest_peak(size: pl.Expr, at: pl.Expr, among: pl.Expr) -> pl.Expr:
    """Return where a size is largest among some calls; the latest of equals."""
    return at.filter(among & (size == size.filter(among).max())).max()


def _share(words: str, of_words: str, of: pl.Expr, condition: pl.Expr) -> Behind:
    return Behind(words, of & condition, Figure.SHARE, of_words, of)


def _things(words: str, listed: pl.Expr, thing: str, thing_words: str) -> Behind:
    known = pl.col(thing).is_not_null()
    return Behind(words, listed & known, Figure.THINGS, thing=thing, thing_words=thing_words)


def _rests_on(words: str, listed: pl.Expr) -> Behind:
    return Behind(words, listed, Figure.RESTS_ON)


def _of_time(days: int, words: str, condition: pl.Expr) -> Behind:
    """List the calls that a part of the talking time went to."""
    of = _made(days, _TIMED)
    return Behind(words, of & condition, Figure.SHARE_OF_TIME, "talking time", of)


def _new(days: int, column: str, words: str, of_words: str) -> Behind:
    """List the calls with what no call before the window had."""
    of = _made(days, pl.col(column).is_not_null())
    return _share(words, of_words, of, _farthest(column) <= days)


def _contacts_that(days: int, words: str, condition: pl.Expr) -> Behind:
    """List calls to the numbers of the window that meet a condition."""
    of = _made(days, _NAMED)
    return Behind(
        words, of & condition, Figure.SHARE_OF_THINGS, "numbers called", of, "contact",
        "different numbers",
    )  # fmt: skip


def _busiest_hour(days: int) -> pl.Expr:
    among = _made(days)
    return among & (_latest_peak(_OUT.sum().over(_HOUR), _HOUR, among) == _HOUR)


def _busiest_minute(days: int) -> pl.Expr:
    among = _made(days)
    at = _latest_peak(pl.col("minute_count"), pl.col("started_at"), among)
    begun = pl.col("started_at")
    return (
        among & (begun <= at) & (begun > at - pl.duration(seconds=60))
        & (begun.dt.date() == at.dt.date())
    )  # fmt: skip


def _most_at_once(among: pl.Expr) -> pl.Expr:
    at = _latest_peak(pl.col("up_count"), pl.col("started_at"), among)
    begun = pl.col("started_at")
    return among & (begun <= at) & (pl.col("end_at") > at) & (begun.dt.date() == at.dt.date())


def _most_numbers(days: int, group: str) -> pl.Expr:
    """List the calls of the group with the most numbers."""
    among = _made(days, pl.col(group).is_not_null())
    numbers = pl.col("contact").filter(_OUT).n_unique().over(group)
    return among & (pl.col(group) == _latest_peak(numbers, pl.col(group), among))


def _top_contact(days: int) -> Behind:
    of = _made(days, _NAMED)
    calls = _OUT.sum().over("contact")
    top = _latest_peak(calls, pl.col("contact"), of)
    return _share("calls made to the number called most", "calls made", of,
                  pl.col("contact") == top)  # fmt: skip


def _costliest(days: int, cost: str, at: pl.Expr) -> pl.Expr:
    among = _made(days, pl.col(cost).is_not_null())
    return among & (at == _latest_peak(pl.col(cost), at, among))


def _grown_hour() -> pl.Expr:
    """List the hour of the last day that has most more calls than usual at that hour."""
    of_hour = ("utc_hour", "is_weekend")
    last = (_OUT & (_DAYS_AGO == 1)).sum().over(of_hour)
    before = (_OUT & (_DAYS_AGO > 1)).sum().over(of_hour)
    usual = before / pl.when(pl.col("is_weekend")).then(8.0).otherwise(21.0)
    among = _made(1)
    growth = (last + 1) / (usual + 1)
    return among & (pl.col("utc_hour") == _latest_peak(growth, pl.col("utc_hour"), among))


_ABROAD = pl.col("callee_country") != pl.col("home")
_FROM_ABROAD = pl.col("caller_ip_country") != pl.col("home")
_FIRST = _OUT & (pl.col("opened_days") <= _SECOND_DAY)

_ENTRIES: Mapping[str, Callable[[int], Behind]] = {
    # how much
    "outbound_calls": lambda d: Behind("calls made", _made(d)),
    "inbound_calls": lambda d: Behind("calls received", _received(d)),
    "out_in": lambda d: _rests_on("calls made and received", d >= _DAYS_AGO),
    "outbound": lambda d: _share("calls made", "calls either way", d >= _DAYS_AGO, _OUT),
    "active_days": lambda d: _things("calls either way", d >= _DAYS_AGO, "call_date", "days"),
    "day_growth": lambda d: _rests_on("calls made", _made(d)),
    "forwarded": lambda d: _share(
        "calls sent on elsewhere", "calls either way", d >= _DAYS_AGO, pl.col("forwarded")
    ),
    # how they end
    "answer_seizure": lambda d: _share(
        "answered calls made", "calls made", _made(d), pl.col("answered")
    ),
    "refused": lambda d: _share(
        "calls made that were refused or failed", "calls made", _made(d), pl.col("failed")
    ),
    "brief_ring": lambda d: _share(
        "unanswered calls made that rang 5 s at most", "calls made", _made(d), _BRIEF
    ),
    "unanswered_ring_mean": lambda d: _rests_on(
        "unanswered calls made whose ringing is known",
        _made(d, ~pl.col("answered") & pl.col("ring_ms").is_not_null()),
    ),
    "inbound_answered": lambda d: _share(
        "answered calls received", "calls received", _received(d), pl.col("answered")
    ),
    "inbound_brief_ring": lambda d: _share(
        "unanswered calls received that rang 5 s at most", "calls received", _received(d), _BRIEF
    ),
    # how long they last
    "call_duration_mean": lambda d: _rests_on("answered calls made", _made(d, _TIMED)),
    "short_call": lambda d: _share(
        "answered calls made of 6 s at most", "answered calls made of known length",
        _made(d, _TIMED), pl.col("duration_ms") <= SHORT_CALL_MS,
    ),
    "sub_minute": lambda d: _share(
        "answered calls made of less than a minute", "answered calls made of known length",
        _made(d, _TIMED), pl.col("duration_ms") < SUB_MINUTE_MS,
    ),
    "call_duration_max": lambda d: _rests_on("answered calls made", _made(d, _TIMED)),
    "talk_mean": lambda d: _rests_on("answered calls either way", _TIMED & (d >= _DAYS_AGO)),
    "talk_deviation": lambda d: _rests_on("answered calls either way", _TIMED & (d >= _DAYS_AGO)),
    # to whom
    "callees": lambda d: _things("calls made", _made(d), "contact", "different numbers"),
    "unique_callee": lambda d: Behind(
        "calls made", _made(d, _NAMED), Figure.THINGS_EACH, thing="contact",
        thing_words="different numbers",
    ),
    "called_back": lambda d: _contacts_that(
        d, "calls made to numbers that also called it", _with_any(d, _IN)
    ),
    "block_callees_max": lambda d: _things(
        "calls made to one block of 100 numbers within an hour", _most_numbers(d, "block_of"),
        "contact", "different numbers",
    ),
    "consecutive_callees_max": lambda d: _things(
        "calls made to consecutive numbers on one day", _most_numbers(d, "run_of"), "contact",
        "different numbers",
    ),
    "known_callee": lambda d: _contacts_that(
        d, "calls made to numbers called before", _farthest("contact") > d
    ),
    "brief_callers": lambda d: _things(
        "unanswered calls received that rang 5 s at most", _received(d, _BRIEF), "contact",
        "different callers",
    ),
    "brief_callers_called": lambda d: Behind(
        "calls made to numbers that rang it for 5 s at most",
        _made(d) & _with_any(d, _IN & _BRIEF), Figure.SHARE_OF_THINGS, "such callers",
        _received(d, _BRIEF & _NAMED), "contact", "different numbers",
    ),
    "mass_ringers": lambda d: _things(
        "unanswered calls from numbers that rang many accounts for 5 s at most",
        _received(d, _BRIEF & pl.col("rings_many")), "contact", "different callers",
    ),
    "mass_ringers_called": lambda d: _things(
        "calls made to numbers that rang many accounts for 5 s at most",
        _made(d, pl.col("rings_many")), "contact", "different numbers",
    ),
    "top_callee": _top_contact,
    "contacts": lambda d: _things(
        "calls either way", d >= _DAYS_AGO, "contact", "different numbers"
    ),
    "contact_entropy": lambda d: _rests_on("calls either way", _NAMED & (d >= _DAYS_AGO)),
    "callers": lambda d: _things("calls received", _received(d), "contact", "different callers"),
    # to where
    "high_risk_duration": lambda d: _of_time(
        d, "answered calls made to high-risk ranges", pl.col("high_risk")
    ),
    "elevated_risk_duration": lambda d: _of_time(
        d, "answered calls made to ranges of high or elevated risk", _RISKY
    ),
    "high_risk_calls": lambda d: Behind(
        "calls made to high-risk ranges", _made(d, pl.col("high_risk"))
    ),
    "test_number_calls": lambda d: Behind(
        "calls made to listed test numbers", _made(d, pl.col("test_number"))
    ),
    "countries": lambda d: _things("calls made", _made(d), "callee_country", "countries"),
    "abroad": lambda d: _share(
        "calls made to other countries", "calls made to a known country",
        _made(d, _ABROAD.is_not_null()), _ABROAD,
    ),
    "new_country": lambda d: _new(
        d, "callee_country", "calls made to countries not called before", "calls to a known country"
    ),
    "new_prefix": lambda d: _new(
        d, "prefix", "calls made to prefixes not called before", "calls to a known number"
    ),
    # when
    "simultaneous_max": lambda d: Behind("calls up at the busiest moment", _most_at_once(_made(d))),
    "minute_calls_max": lambda d: Behind("calls of the busiest minute", _busiest_minute(d)),
    "hour_calls_max": lambda d: Behind("calls of the busiest hour", _busiest_hour(d)),
    "night": lambda d: _share(
        "calls made from 20 to 6 o'clock local time", "calls made",
        _made(d, pl.col("local_hour").is_not_null()), _NIGHT,
    ),
    "weekend": lambda d: _share(
        "calls made between Friday 20 and Monday 6 o'clock local time", "calls made",
        _made(d, pl.col("local_hour").is_not_null()), _WEEKEND,
    ),
    "off_hours": lambda d: _share(
        "calls made in hours in which it had not called before", "calls made", _made(d),
        _DAYS_AGO.filter(_OUT).max().over("utc_hour", "is_weekend") <= d,
    ),
    "same_hour_growth": lambda d: _rests_on("calls of the hour that grew most", _grown_hour()),
    "active_hours": lambda d: _things("calls made", _made(d), "utc_hour", "hours of the day"),
    # what they cost
    "cost": lambda d: _rests_on("answered calls made", _made(d, _TIMED)),
    "cost_max_hour": lambda d: _rests_on(
        "calls of the costliest hour", _costliest(d, "hour_cost_usd", _HOUR)
    ),
    "cost_max_day": lambda d: _rests_on(
        "calls of the costliest day", _costliest(d, "day_cost_usd", pl.col("call_date"))
    ),
    "cost_per_minute": lambda d: _rests_on("answered calls made", _made(d, _TIMED)),
    "cost_growth": lambda d: _rests_on("answered calls made", _made(d, _TIMED)),
    # from where
    "addresses": lambda d: _things("calls made", _made(d), "caller_ip", "IP addresses"),
    "networks": lambda d: _things("calls made", _made(d), "network", "IP networks"),
    "new_network": lambda d: _new(
        d, "network", "calls made from IP networks not called from before",
        "calls from a known address",
    ),
    "ip_countries": lambda d: _things("calls made", _made(d), "caller_ip_country", "countries"),
    "foreign_address": lambda d: _share(
        "calls made from addresses of other countries", "calls from an address of known country",
        _made(d, _FROM_ABROAD.is_not_null()), _FROM_ABROAD,
    ),
    "new_ip_country": lambda d: _new(
        d, "caller_ip_country", "calls made from countries not called from before",
        "calls from an address of known country",
    ),
    # at first
    "first_days_outbound_calls": lambda d: Behind("calls made", _FIRST),
    "first_days_callees": lambda d: _things("calls made", _FIRST, "contact", "different numbers"),
    "first_days_countries": lambda d: _things("calls made", _FIRST, "callee_country", "countries"),
    "first_days_cost": lambda d: _rests_on("answered calls made", _FIRST & _TIMED),
    "first_days_high_risk_calls": lambda d: Behind(
        "calls made to high-risk ranges", _FIRST & pl.col("high_risk")
    ),
    "first_days_simultaneous_max": lambda d: Behind(
        "calls up at the busiest moment", _most_at_once(_FIRST)
    ),
    "first_days_addresses": lambda d: _things("calls made", _FIRST, "caller_ip", "IP addresses"),
}  # fmt: skip
"""What is behind a signal, by its name without unit and window; asked with its days."""


def calls_behind(signal: Signal) -> Behind:
    """Say which calls a signal counts, or rests on.

    Raises
    ------
    KeyError
        For a signal that is not made from calls.

    Examples
    --------
    >>> from fraud.features.signals import SIGNALS
    >>> known = {signal.name: signal for signal in SIGNALS}
    >>> calls_behind(known["outbound_calls_count_7d"]).words
    'calls made in the last 7 days'
    >>> calls_behind(known["short_call_share_30d"]).words
    'answered calls made of 6 s at most in the last 30 days'
    """
    found = _ENTRIES[stem(signal)](signal.window_days)
    when = "in its first two days" if signal.family == "first_days" else span(signal.window_days)
    return replace(found, words=f"{found.words} {when}")
