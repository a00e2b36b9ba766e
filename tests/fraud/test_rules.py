"""The rules beside the model, on days of accounts one can check by eye."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cdr import Settings, open_lake
from cdr.lake import Lake
from cdr.schema import ACCOUNTS
from cdr.scoring_settings import CostSettings, RulesSettings
from fraud.candidates import Candidate, Reason
from fraud.rules.candidates import rule_candidates, with_rules
from fraud.rules.hits import cap_applies, rule_hits
from fraud.tables import ACCOUNT_DAYS, RULE_HITS

DAY = date(2026, 9, 30)
NOW = datetime(2026, 9, 30, 20, tzinfo=UTC)
OLD, NEW = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 9, 20, tzinfo=UTC)


def account(name: str, created_at: datetime = OLD, **more: Any) -> dict[str, Any]:
    listed = {c: [] for c in ("social", "payment_fingerprint", "devices", "forward_to")}
    return {
        "account_id": name, "created_at": created_at, "plan": "starter", "status": "active",
        "valid_from": created_at, "imported_at": NOW, **listed, **more,
    }  # fmt: skip


def of_day(name: str, back: int = 0, **sums: Any) -> dict[str, Any]:
    counts = {
        field.name: Decimal(0) if field.dtype.is_decimal() else 0
        for field in ACCOUNT_DAYS.fields
        if field.dtype.is_numeric() and not field.nullable
    }
    own = {"account_id": name, "call_date": DAY - timedelta(days=back), "newest_ingested_at": NOW}
    return {**counts, **own, **sums}


ROWS = [
    of_day("tester", back=1, test_number_count=2),
    of_day("tester", cost_usd=Decimal("1")),
    of_day("costly", cost_usd=Decimal("25")),
    of_day("warned", cost_usd=Decimal("20")),
    of_day("cheap", cost_usd=Decimal("19.99")),
    of_day("many", simultaneous_max_count=11),
    of_day("ten", simultaneous_max_count=10),
    of_day("new", high_risk_count=5),
    of_day("old", high_risk_count=500),
    of_day("four", high_risk_count=4),
    of_day("blocked", test_number_count=9, cost_usd=Decimal("90")),
]


def lake_with(tmp_path: Path, rows: list[dict[str, Any]], **settings: Any) -> Lake:
    lake = open_lake(Settings(home=tmp_path / "home", **settings), create=True)
    names = sorted({row["account_id"] for row in rows})
    young = {"new": {"created_at": NEW}, "four": {"created_at": NEW}}
    gone = {"status": "blocked", "status_since": NEW, "status_reason": "fraud"}
    accounts = [account(n, **young.get(n, {}), **(gone if n == "blocked" else {})) for n in names]
    with lake.batch("test") as batch, lake.writing():
        batch.add(ACCOUNTS, pl.DataFrame(accounts, schema=ACCOUNTS.polars_schema))
        batch.add(ACCOUNT_DAYS, pl.DataFrame(rows, schema=ACCOUNT_DAYS.polars_schema))
        batch.publish()
    return lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return lake_with(tmp_path_factory.mktemp("rules"), ROWS)


def found(lake: Lake) -> set[tuple[str, str, str]]:
    rows = rule_hits(lake, DAY, now=NOW).select("account_id", "rule", "band")
    return set(rows.iter_rows())


def test_each_rule_hits_what_it_is_for_and_nobody_who_is_blocked(lake: Lake) -> None:
    assert found(lake) == {
        ("tester", "test_number", "high"),
        ("costly", "cost_cap", "high"),
        ("warned", "cost_cap", "medium"),
        ("many", "concurrent_calls", "medium"),
        ("new", "new_account_high_risk", "medium"),
    }


def test_a_hit_keeps_when_it_was_seen_first(lake: Lake) -> None:
    hits = rule_hits(lake, DAY, now=NOW)
    lake.replace_days({RULE_HITS: hits}, [DAY])
    again = rule_hits(lake, DAY, now=NOW + timedelta(hours=1))
    assert again.equals(hits)


def test_a_quantile_of_peers_raises_what_is_too_many(tmp_path: Path) -> None:
    usual = [of_day("many", back=n, simultaneous_max_count=n + 5) for n in range(1, 21)]
    quick = {"rules": RulesSettings(min_peer_days=20, quantile=0.9)}
    assert ("many", "concurrent_calls", "medium") not in found(
        lake_with(tmp_path, [*usual, *ROWS], **quick)
    )


def test_rules_can_be_switched_off_or_only_reported(tmp_path: Path) -> None:
    rules = RulesSettings(off=("cost_cap",), report_only=("test_number",))
    hits = rule_hits(lake_with(tmp_path, ROWS, rules=rules), DAY, now=NOW)
    assert "cost_cap" not in set(hits["rule"])
    assert {one.account_id for one in rule_candidates(hits)} == {"many", "new"}


def test_a_cap_of_another_currency_counts_by_what_it_is_worth(tmp_path: Path) -> None:
    cost = CostSettings(currency="EUR", daily_cap=Decimal(20), usd_per={"EUR": Decimal("1.25")})
    hits = rule_hits(lake_with(tmp_path, ROWS, cost=cost), DAY, now=NOW)
    costly = hits.filter((pl.col("rule") == "cost_cap") & (pl.col("account_id") == "costly"))
    assert costly["threshold"].to_list() == [25.0]
    text = "calls of one day cost about EUR 20.00; the cap is EUR 20.00"
    assert costly["text"].to_list() == [text]


def test_a_cap_of_a_currency_whose_worth_is_unknown_is_not_applied(tmp_path: Path) -> None:
    cost = CostSettings(currency="EUR")
    assert not cap_applies(cost)
    assert "cost_cap" not in {rule for _, rule, _ in found(lake_with(tmp_path, ROWS, cost=cost))}


def test_an_account_that_model_and_rule_name_is_one_candidate(lake: Lake) -> None:
    reason = Reason("answer_share", 0.5, "half were answered", 0.7)
    scored = [Candidate("warned", 0.9, "high", 1, "similarity", (reason,))]
    both = with_rules(scored, rule_candidates(rule_hits(lake, DAY, now=NOW)))
    assert [(one.account_id, one.rank, one.band) for one in both] == [
        ("warned", 1, "high"), ("costly", 2, "high"), ("tester", 3, "high"),
        ("many", 4, "medium"), ("new", 5, "medium"),
    ]  # fmt: skip
    assert (both[0].score, [one.signal for one in both[0].reasons]) == (
        0.9,
        ["cost_usd_1d", "answer_share"],
    )
