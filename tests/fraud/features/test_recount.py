"""Random calls: the features equal what other statements count straight from the calls."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import polars as pl
import pytest
from feature_rows import AS_OF, account, call, open_tables, reduce_all
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraud.features.account_days import reduce_day
from fraud.features.midnight import features_as_of
from fraud.features.signals import SIGNALS

pytestmark = pytest.mark.slow


RECOUNT = """
    WITH seen AS (
        SELECT *, duration_ms / 1000.0 AS s, 'suspect_duration' = ANY(flags) AS doubtful
        FROM calls
        WHERE started_at < $as_of AND started_at >= $as_of - to_days($days)
    )
    SELECT
        account_id,
        count(DISTINCT call_id) FILTER (direction = 'outbound') AS outbound_calls_count,
        count(DISTINCT call_id) FILTER (direction = 'inbound') AS inbound_calls_count,
        count(DISTINCT callee_number) FILTER (direction = 'outbound') AS callees_count,
        max(s) FILTER (direction = 'outbound' AND NOT doubtful) AS call_duration_max_s,
        count(DISTINCT callee_country) FILTER (direction = 'outbound') AS countries_count,
        count(DISTINCT caller_ip) FILTER (direction = 'outbound') AS addresses_count,
        CASE WHEN bool_or(direction = 'outbound') THEN count(DISTINCT call_id) FILTER (
            direction = 'outbound' AND callee_number[:3] = '+53'
        ) END AS high_risk_calls_count,
        CASE WHEN count(*) FILTER (direction = 'outbound') >= 20 THEN
            avg((outcome = 'answered')::INT) FILTER (direction = 'outbound')
        END AS answer_seizure_share,
        CASE WHEN count(*) FILTER (direction = 'outbound' AND s IS NOT NULL AND NOT doubtful) >= 10
        THEN avg(s) FILTER (direction = 'outbound' AND NOT doubtful) END AS call_duration_mean_s,
        CASE WHEN count(*) FILTER (direction = 'outbound' AND s IS NOT NULL AND NOT doubtful) >= 10
        THEN avg((s <= 6)::INT) FILTER (direction = 'outbound' AND NOT doubtful)
        END AS short_call_share
    FROM seen GROUP BY account_id ORDER BY account_id
"""

RECOUNTED = set(re.findall(r" AS (\w+_(?:count|share|s))\b", RECOUNT))
ZERO_IS_UNKNOWN = {"callees_count", "countries_count", "addresses_count"}


ACCOUNTS = "abcdefgh"


def random_calls(seed: int) -> list[Any]:
    """Make up to some hundred calls of each account around the edges of the windows."""
    random = Random(seed)
    edges = [timedelta(days=days) for days in (-31, -30, -29, -8, -7, -6, -2, -1, 0)]
    calls = []
    for account_id in (one for one in ACCOUNTS for _ in range(random.randint(0, 150))):
        abroad = random.random() < 0.3
        calls.append(
            call(
                AS_OF + random.choice(edges) + timedelta(seconds=random.choice((0, 1, 43_200))),
                random.choice((None, 0.5, 6, 6.5, 59.999, 300)),
                account_id=account_id,
                direction=random.choice(("outbound", "outbound", "inbound")),
                callee_number=("+53" if abroad else "+4930") + str(random.randrange(1000, 1040)),
                callee_country="CU" if abroad else "DE",
                caller_ip=random.choice((None, "10.0.0.1", "10.0.0.2")),
                flags=random.choice(([], [], ["suspect_duration"])),
            )
        )
    return calls


@settings(max_examples=1, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_features_equal_an_independent_count(seed: int) -> None:
    calls = random_calls(seed)
    con = open_tables(calls, accounts=list(map(account, ACCOUNTS)))
    reduce_all(con, sorted({row["call_date"] for row in calls}))
    signals = [s for s in SIGNALS if s.name.removesuffix(f"_{s.window_days}d") in RECOUNTED]
    assert len(signals) == len(RECOUNTED) * 3
    got = features_as_of(con, as_of=AS_OF, signals=signals)
    counted = {
        days: con.sql(RECOUNT, params={"as_of": AS_OF, "days": days}).pl() for days in (1, 7, 30)
    }
    con.close()
    for account_id in ACCOUNTS:
        mine = got.row(by_predicate=pl.col("account_id") == account_id, named=True)
        for signal in signals:
            bare = signal.name.removesuffix(f"_{signal.window_days}d")
            theirs = counted[signal.window_days].filter(account_id=account_id)[bare].to_list()
            wanted = theirs[0] if theirs else None
            unknown = wanted is None or (wanted == 0 and bare in ZERO_IS_UNKNOWN)
            assert mine[signal.name] == (None if unknown else pytest.approx(wanted)), signal.name


times = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 200)), min_size=1, max_size=25)
NOON = datetime.fromisoformat("2026-03-01T12:00:00+00:00")


@settings(max_examples=4)
@given(st.lists(times, min_size=1, max_size=12))
def test_peaks_equal_a_count_by_brute_force(accounts: list[list[tuple[int, int]]]) -> None:
    calls = [
        call(
            NOON + timedelta(seconds=at),
            length,
            callee_number=f"+49301{at:03}",
            account_id=f"a{number:02}",
        )
        for number, spans in enumerate(accounts)
        for at, length in spans
    ]
    con = open_tables(calls)
    sums = reduce_day(con, NOON.date()).account_days
    con.close()
    peaks = ("minute_max_count", "run_max_count", "block_max_count", "simultaneous_max_count")
    assert sums.select(peaks).rows() == list(map(peaks_of, accounts))


def peaks_of(spans: list[tuple[int, int]]) -> tuple[int, int, int, int]:
    """Count calls within a minute, numbers in a row, numbers of a block, calls up at once."""
    # a call that ends as it begins is up at its own instant
    up = [sum(a <= at < a + max(length, 0.5) for a, length in spans) for at, _ in spans]
    numbers = sorted({at for at, _ in spans})
    runs = [1]
    for earlier, later in pairwise(numbers):
        runs.append(runs[-1] + 1 if later == earlier + 1 else 1)
    return (
        max(sum(at <= other < at + 60 for other, _ in spans) for at, _ in spans),
        max(runs),
        max(sum(n // 100 == block for n in numbers) for block in range(4)),
        max(up),
    )
