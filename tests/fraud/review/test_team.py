"""What leads see: the random sample, what came late, and only their part of the cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from review_site import MORNING, NIGHT, PLAIN, site_settings

from cdr.imports import import_accounts
from cdr.lake import Lake, open_lake
from cdr.schema import SCORES
from fraud.review.account import AccountReader
from fraud.review.facts import Facts
from fraud.review.missed import below_threshold, missed
from fraud.review.queue import open_cases
from fraud.review.web import reader

LOW = 96


@pytest.fixture
def lake(site: Any) -> Lake:
    """Put the scores of the night into the lake of the site: 96 low, 4 above."""
    own = open_lake(site_settings(site.home))
    bands = ["low"] * LOW + ["high"] * 4
    rows = pl.DataFrame(
        {
            "as_of_date": [NIGHT] * 100,
            "run_id": "r",
            "account_id": [f"s-{n}" for n in range(100)],
            "score": 0.1,
            "band": bands,
            "method": "similarity",
            "feature_set": "f",
            "data_version": "d",
            "numbering_version": "n",
            "scored_at": MORNING,
        },
    )
    lacking = {name: t for name, t in SCORES.polars_schema.items() if name not in rows.columns}
    rows = rows.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in lacking.items())
    own.replace_days({SCORES: SCORES.conform(rows)}, [NIGHT])
    reader.use(AccountReader(own))
    return own


def act(client: Any, case_id: int, action: str, **form: str) -> None:
    client.post(f"/cases/{case_id}/decide", {"action": action, **form})


def block(site: Any, case_id: int) -> None:
    ada, lea = site.client("ada"), site.client("lea")
    act(ada, case_id, "take")
    act(ada, case_id, "propose_block", reason="like_blocked")
    act(lea, case_id, "confirm_block", reason="checked")


def test_the_random_sample_says_how_much_of_all_fraud_is_missed(site: Any, lake: Lake) -> None:
    drawn = [replace(PLAIN, account_id=f"s-{n}", band="low", rank=n + 9) for n in range(4)]
    accounts = [one.account_id for one in drawn]
    placed = open_cases(
        site.home, drawn, run_id="r", as_of=NIGHT, now=MORNING, sampled=accounts
    ).case_ids  # fmt: skip
    block(site, 1)
    block(site, placed["s-0"])
    ada = site.client("ada")
    for account in accounts[1:]:
        act(ada, placed[account], "take")
        act(ada, placed[account], "clear", reason="coincidence")
    answer = site.client("lea").get("/team")
    found = answer.context["figures"].missed
    # one of four is fraud, so 24 of the 96 below the threshold are; one more was found above
    assert (found.decided, found.confirmed, found.below) == (4, 1, LOW)
    assert found.of_all == pytest.approx(24 / 25)
    assert found.of_all_low < found.of_all < found.of_all_high
    assert "of all fraud lies below the threshold" in answer.content.decode()


def test_a_part_of_the_cases_says_nothing_of_all_fraud(site: Any, lake: Lake) -> None:
    found = missed(decided=4, confirmed=1, caught=1, below=None)
    assert (found.share, found.of_all) == (0.25, None)


def test_below_the_threshold_of_a_country_lie_its_accounts(site: Any, lake: Lake) -> None:
    rows = "account_id,created_at,country,plan,status\n" + "".join(
        f"s-{n},2026-01-01T00:00:00Z,{'PL' if n < 10 else 'DE'},{('free', 'pro')[n % 2]},active\n"
        for n in range(100)
    )
    file = site.home / "accounts.csv"
    file.write_text(rows)
    import_accounts(lake, file, now=MORNING)
    assert below_threshold(lake, [NIGHT], countries=["PL"]) == 10
    assert below_threshold(lake, [NIGHT], countries=["PL"], plans=["pro"]) == 5
    assert below_threshold(lake, [NIGHT], countries=["FR"]) == 0


def test_nights_whose_scores_are_gone_say_nothing(lake: Lake) -> None:
    assert below_threshold(lake, [NIGHT]) == LOW
    assert below_threshold(lake, [date(2020, 1, 1)]) is None
    assert below_threshold(lake, []) is None


def test_what_was_decided_after_it_was_due_is_counted(site: Any) -> None:
    fresh = replace(PLAIN, account_id="acc-7", rank=9)
    now = datetime.now(tz=UTC)
    placed = open_cases(site.home, [fresh], run_id="r", as_of=NIGHT, now=now).case_ids
    ada = site.client("ada")
    for case_id in (1, placed["acc-7"]):  # the first was due in March
        act(ada, case_id, "take")
        act(ada, case_id, "clear", reason="coincidence")
    found = site.client("lea").get("/team").context["figures"]
    assert (found.decided_count, found.decided_late) == (2, 1)
    assert [one.late for one in found.people] == [1]


def test_a_lead_of_a_country_sees_the_figures_of_that_country(site: Any) -> None:
    from fraud.review.models import Staff

    far = replace(PLAIN, account_id="acc-7", rank=9)
    now = datetime.now(tz=UTC) - timedelta(hours=1)
    open_cases(
        site.home, [far], run_id="r", as_of=NIGHT, now=now, facts={"acc-7": Facts("pro", "PL")}
    )
    ada = site.client("ada")
    act(ada, 1, "take")
    act(ada, 1, "clear", reason="coincidence")
    Staff.objects.filter(user__username="lea").update(countries=["PL"])
    found = site.client("lea").get("/team").context["figures"]
    assert (found.open_count, found.decided_count, found.people) == (1, 0, [])
    assert "Only cases and accounts of PL" in site.client("lea").get("/team").content.decode()
