"""The rules: which accounts they hit on a day, by the sums of that day so far.

Here: the four rules and what they hit. Not here: from which value on a day is unusual
(:mod:`fraud.rules.thresholds`), and what becomes of a hit (:mod:`fraud.rules.candidates`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl

from cdr.lake import Lake
from cdr.scoring_settings import CostSettings, RulesSettings
from fraud.reference import accounts_as_of
from fraud.rules.numbers import TEST_NUMBER_CALLS, TEST_NUMBER_DAYS
from fraud.rules.thresholds import PEER_DAYS, with_tenure, with_threshold
from fraud.tables import ACCOUNT_DAYS, RULE_HITS

_CENTS = pl.Decimal(18, 2)

HIT_COLUMNS = tuple(field.name for field in RULE_HITS.fields if field.name != "first_hit_at")


def rule_hits(lake: Lake, day: date, *, now: datetime) -> pl.DataFrame:
    """Apply the rules to the calls of one UTC day, as far as they were taken in and reduced.

    Parameters
    ----------
    lake : Lake
        With `account_days` of ``day`` and the days before.
    day : date
        UTC day; it need not be over.
    now : datetime
        UTC instant; kept as the first sight of a hit that is new.

    Returns
    -------
    DataFrame
        Rows of `rule_hits` of that day. An account that a rule hit before, keeps when it did.
    """
    known = known_hits(lake, day).select("account_id", "rule", pl.col("first_hit_at"))
    found = _hits(lake, day, now).join(known, on=["account_id", "rule"], how="left")
    return RULE_HITS.conform(
        found.with_columns(
            pl.col("first_hit_at").fill_null(now), call_date=pl.lit(day)
        ).sort("account_id", "rule")
    )  # fmt: skip


def known_hits(lake: Lake, day: date) -> pl.DataFrame:
    """Return what the rules were found to hit on a day, in `rule_hits`."""
    return lake.scan(RULE_HITS, dates=[day]).collect()


def cap_applies(cost: CostSettings) -> bool:
    """Tell whether it is known what the currency of the caps is worth."""
    return cost.currency in cost.in_usd


def _hits(lake: Lake, day: date, now: datetime) -> pl.DataFrame:
    settings = lake.settings.rules
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    accounts = with_tenure(accounts_as_of(lake, midnight, told_by=now).filter("open"), day)
    of_day = _with_accounts(lake, accounts, [day])
    peers = _with_accounts(lake, accounts, [day - timedelta(days=n + 1) for n in range(PEER_DAYS)])
    parts = []
    if "test_number" not in settings.off:
        days = [day - timedelta(days=back) for back in range(TEST_NUMBER_DAYS)]
        parts.append(_test_numbers(_with_accounts(lake, accounts, days)))
    if "cost_cap" not in settings.off and cap_applies(lake.settings.cost):
        parts.append(_costly(of_day, peers, settings, lake.settings.cost))
    if "concurrent_calls" not in settings.off:
        parts.append(_concurrent(of_day, peers, settings))
    if "new_account_high_risk" not in settings.off:
        parts.append(_new_and_risky(of_day, peers, settings))
    columns = [c for c in HIT_COLUMNS if c not in ("call_date", "report_only")]
    found = pl.concat([part.select(columns) for part in parts]) if parts else _nothing(columns)
    report_only = pl.col("rule").is_in(list(settings.report_only))
    return found.with_columns(report_only=report_only)


def _with_accounts(lake: Lake, accounts: pl.DataFrame, days: list[date]) -> pl.DataFrame:
    """Return days of open accounts with plan and tenure; only what the rules look at."""
    return (
        lake.scan(ACCOUNT_DAYS, dates=days)
        .select(
            "account_id",
            "call_date",
            "test_number_count",
            "high_risk_count",
            "simultaneous_max_count",
            pl.col("cost_usd").cast(pl.Float64),
        )
        .join(accounts.lazy(), on="account_id")
        .collect()
    )


def _test_numbers(days: pl.DataFrame) -> pl.DataFrame:
    """Hit whoever called a listed test number on the day or the one before."""
    found = days.group_by("account_id").agg(pl.col("test_number_count").sum().alias("value"))
    return found.filter(pl.col("value") > 0).select(
        "account_id",
        pl.col("value").cast(pl.Float64),
        rule=pl.lit("test_number"),
        signal=pl.lit(TEST_NUMBER_CALLS.name),
        threshold=pl.lit(1.0),
        band=pl.lit("high"),
        text=pl.format(
            "called listed test numbers of revenue-share fraud on the last two days, calls: {}",
            "value",
        ),
    )


def _costly(
    days: pl.DataFrame, peers: pl.DataFrame, settings: RulesSettings, cost: CostSettings
) -> pl.DataFrame:
    """Hit whose calls of the day cost the cap (high), or nearly so (medium)."""
    worth = cost.in_usd[cost.currency]
    caps = {plan: float(cap * worth) for plan, cap in settings.plan_caps.items()}
    cap = pl.col("plan").replace_strict(
        caps, default=float(cost.daily_cap * worth), return_dtype=pl.Float64
    )
    found = days.with_columns(cap.alias("threshold"))
    if settings.cap_by_quantile:
        usual = with_threshold(days, peers, "cost_usd", settings)["threshold"].fill_null(0)
        found = found.with_columns(pl.max_horizontal("threshold", usual).alias("threshold"))
    over = pl.col("cost_usd") >= pl.col("threshold")
    return found.filter(pl.col("cost_usd") >= pl.col("threshold") * settings.warn_share).select(
        "account_id",
        "threshold",
        value="cost_usd",
        rule=pl.lit("cost_cap"),
        signal=pl.lit("cost_usd_1d"),
        band=pl.when(over).then(pl.lit("high")).otherwise(pl.lit("medium")),
        text=pl.format(
            f"calls of one day cost about {cost.currency} {{}}; the cap is {cost.currency} {{}}",
            (pl.col("cost_usd") / float(worth)).cast(_CENTS),
            (pl.col("threshold") / float(worth)).cast(_CENTS),
        ),
    )


def _concurrent(days: pl.DataFrame, peers: pl.DataFrame, settings: RulesSettings) -> pl.DataFrame:
    """Hit who had more calls up at one moment than accounts of its plan and age have."""
    found = with_threshold(
        days, peers, "simultaneous_max_count", settings, at_least=settings.concurrent_at_least
    )
    return found.filter(pl.col("simultaneous_max_count") > pl.col("threshold")).select(
        "account_id",
        "threshold",
        value=pl.col("simultaneous_max_count").cast(pl.Float64),
        rule=pl.lit("concurrent_calls"),
        signal=pl.lit("simultaneous_max_count_1d"),
        band=pl.lit("medium"),
        text=pl.format(
            "{} calls up at one moment; accounts of its plan and age stay at {} or below",
            "simultaneous_max_count",
            pl.col("threshold").round(1),
        ),
    )


def _new_and_risky(
    days: pl.DataFrame, peers: pl.DataFrame, settings: RulesSettings
) -> pl.DataFrame:
    """Hit new accounts that call high-risk destinations more than new accounts do."""
    new = pl.col("age_days") < settings.new_account_days
    found = with_threshold(
        days.filter(new), peers, "high_risk_count", settings,
        at_least=settings.high_risk_at_least - 1,
    )  # fmt: skip
    return found.filter(pl.col("high_risk_count") > pl.col("threshold")).select(
        "account_id",
        "threshold",
        value=pl.col("high_risk_count").cast(pl.Float64),
        rule=pl.lit("new_account_high_risk"),
        signal=pl.lit("high_risk_calls_count_1d"),
        band=pl.lit("medium"),
        text=pl.format(
            "opened {} days ago and made {} calls a day to high-risk destinations; accounts of its "
            "plan and age stay at {} or below",
            "age_days",
            "high_risk_count",
            pl.col("threshold").round(1),
        ),
    )


def _nothing(columns: list[str]) -> pl.DataFrame:
    return RULE_HITS.empty().select(columns)
