"""Bandicoot's two users: where a definition coincides, the value worked out by hand comes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from feature_rows import account, call

from cdr.query import Connection
from fraud.features.midnight import features_as_of
from fraud.features.signals import SIGNALS

DATA = Path(__file__).parents[3].parent / "shared/data/bandicoot"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="shared/data/bandicoot is not here")

COINCIDE = {
    "contacts_count_30d": ("number_of_contacts", "call"),
    "contact_entropy_nats_30d": ("entropy_of_contacts", "call"),
    "outbound_share_30d": ("percent_initiated_interactions", "call"),
    "talk_mean_s_30d": ("call_duration", "call", "mean"),
    "talk_deviation_s_30d": ("call_duration", "call", "std"),
    "active_days_count_30d": ("active_days", "callandtext"),
}
"""Our signal and where the files have it."""

NOT_THERE = {("B", "talk_deviation_s_30d"), ("B", "active_days_count_30d")}
"""B's deviation is not worked out; its active days count a day with texts and no call."""

CASES = [(user, name) for user in "AB" for name in COINCIDE if (user, name) not in NOT_THERE]


def by_hand(user: str, indicator: str, *path: str) -> Any:
    found: Any = json.loads((DATA / f"{user}.json").read_text("utf-8"))[indicator]
    for key in ("allweek", "allday", *path):
        found = found[key]
    return found


def calls_of(user: str) -> list[Any]:
    rows = pl.read_csv(DATA / f"{user}.csv").filter(interaction="call").to_dicts()
    other = {"in": ("inbound", "caller_number"), "out": ("outbound", "callee_number")}
    return [
        call(
            row["datetime"],
            row["call_duration"],
            direction=other[row["direction"]][0],
            **{other[row["direction"]][1]: f"+4930{ord(row['correspondent_id'])}"},
        )
        for row in rows
    ]


@pytest.mark.parametrize(("user", "name"), CASES)
def test_what_bandicoot_worked_out_comes_out(
    tables: Callable[..., Connection], user: str, name: str
) -> None:
    expected = by_hand(user, *COINCIDE[name])
    signal = next(replace(s, minimum_count=1) for s in SIGNALS if s.name == name)
    con = tables(calls_of(user), accounts=[account(created="2014-01-01")])
    as_of = datetime(2014, 8, 23, tzinfo=UTC) if user == "A" else datetime(2014, 7, 15, tzinfo=UTC)
    got = features_as_of(con, as_of=as_of, signals=[signal])[name][0]
    assert round(got, 4) == expected
