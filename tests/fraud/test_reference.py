"""Who teaches: reviewers' decisions count from when they became known."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from fraud.reference import NO_LABELS, good_sample, with_decisions


def day(number: int) -> datetime:
    return datetime(2026, 9, number, tzinfo=UTC)


ACCOUNTS = pl.DataFrame(
    {
        "account_id": ["blocked", "contested", "confirmed", "cleared", "blocked again", "open"],
        "status_since": [day(5), day(5), None, None, day(9), None],
        "pattern": [True, True, False, False, True, False],
        "open": [False, False, True, True, False, True],
    },
    schema_overrides={"status_since": pl.Datetime("us", "UTC")},
)
LABELS = pl.DataFrame(
    {
        "account_id": ["contested", "confirmed", "cleared", "blocked again"],
        "label": [0, 1, 0, 0],
        "known_at": [day(7)] * 4,
    },
    schema=NO_LABELS.schema,
)


def test_of_a_decision_and_a_block_the_later_one_counts() -> None:
    found = with_decisions(ACCOUNTS, LABELS)
    assert found.filter("pattern")["account_id"].to_list() == [
        "blocked", "confirmed", "blocked again",
    ]  # fmt: skip
    assert found.filter("cleared")["account_id"].to_list() == ["contested", "cleared"]
    assert found.filter(account_id="confirmed")["status_since"].item() == day(7)


def test_without_decisions_nothing_changes() -> None:
    found = with_decisions(ACCOUNTS, NO_LABELS)
    assert found.drop("cleared").equals(ACCOUNTS)


def test_who_was_confirmed_is_no_good_example() -> None:
    accounts = with_decisions(ACCOUNTS, LABELS)
    open_now = ACCOUNTS.filter("open").select("account_id", s=pl.lit(1.0))
    assert good_sample(open_now, accounts, seed=1)["account_id"].to_list() == ["cleared", "open"]
