"""What pages read: cut out for many cases at once, kept, and let go when the lake changes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from review_site import NIGHT, site_settings

from cdr.imports import import_events
from cdr.lake import Lake, open_lake
from fraud.features.midnight import features_as_of
from fraud.features.signals import SIGNALS
from fraud.review import account
from fraud.review.account import AccountReader
from fraud.review.midnights import calls_between, shared_values
from fraud.review.slices import Account, Asked, OpenLake

pytestmark = pytest.mark.slow


SIGNAL_NAMES = tuple(signal.name for signal in SIGNALS)
FIRST = Asked("acc-1", NIGHT, ("acc-9",), SIGNAL_NAMES)
SECOND = Asked("acc-9", NIGHT, ("acc-1", "acc-8"), SIGNAL_NAMES)


@pytest.fixture(scope="module")
def lake(filled_home: Path) -> Lake:
    return open_lake(site_settings(filled_home))


@pytest.fixture(scope="module")
def opened(lake: Lake) -> OpenLake:
    return OpenLake(lake)


@pytest.fixture(scope="module")
def both(opened: OpenLake) -> dict[Asked, Account]:
    return opened.read([FIRST, SECOND])


def test_a_slice_measures_what_the_whole_lake_does(lake: Lake, both: dict[Asked, Account]) -> None:
    con = lake.connect_raw("fraud")
    midnight = datetime(NIGHT.year, NIGHT.month, NIGHT.day, tzinfo=UTC)
    whole = features_as_of(con, as_of=midnight, accounts=["acc-1", "acc-9"]).to_dicts()
    cut_out = [both[SECOND].behaviour[name] for name in ("acc-1", "acc-9")]
    assert [{k: v for k, v in row.items() if k != "as_of"} for row in cut_out] == whole


def test_read_together_is_read_alone(opened: OpenLake, both: dict[Asked, Account]) -> None:
    assert both[FIRST] == opened.read([FIRST])[FIRST]


def test_nothing_of_one_case_is_on_the_page_of_another(both: dict[Asked, Account]) -> None:
    first, second = both[FIRST], both[SECOND]
    assert first.details["name"] == "Ada Lovelace"
    assert list(first.similar) == ["acc-9"]
    assert [e["kind"] for e in first.events] == ["sign_in", "payment"]
    assert second.events == ()
    assert sum(row["outbound_count"] for row in first.days) == 5
    assert sum(row["outbound_count"] for row in second.days) == 1


def test_what_two_accounts_have_is_shared_and_who_is_left_alone_is_nobodys_other(
    opened: OpenLake,
) -> None:
    whole = opened.midnight(NIGHT)
    shared = shared_values(whole, ["acc-1"])["acc-1"]
    ties = {(row["kind"], row["other_id"]) for row in shared}
    assert ties == {("device", "acc-8"), ("ip", "acc-8"), ("number", None), ("payment", None)}
    alone = replace(whole, left_out=frozenset({"acc-8"}))
    assert {row["other_id"] for row in shared_values(alone, ["acc-1"])["acc-1"]} == {None}


def test_a_number_that_a_blocked_account_called_too_is_a_tie(both: dict[Asked, Account]) -> None:
    (tie,) = [one for one in both[FIRST].ties if one["called"]]
    assert (tie["kind"], tie["blocked_id"], tie["hop"]) == ("number", "acc-8", 1)
    assert "200002" not in tie["key"]
    assert not [one for one in both[SECOND].ties if one["called"]]


def test_accounts_that_call_each_other_are_tied_the_blocked_ones_first(opened: OpenLake) -> None:
    parties = pl.DataFrame(
        {
            "account_id": ["me", "me", "me", "other"],
            "kind": ["callee", "caller", "callee", "callee"],
            "key": ["k1", "k2", "mine", "k1"],
            "call_count": [5, 1, 2, 9],
        }
    )
    holders = pl.DataFrame(
        {
            "number": ["+491", "+492", "+493", "+491"],
            "key": ["k1", "k2", "mine", "k1"],
            "account_id": ["friend", "fraud", "me", "left alone"],
            "status": ["active", "blocked", "active", "active"],
        }
    )
    whole = replace(opened.midnight(NIGHT), holders=holders, left_out=frozenset({"left alone"}))
    found = calls_between(whole, parties, ["me"])["me"]
    assert [(one["other_id"], one["kind"], one["value"]) for one in found] == [
        ("fraud", "number that called", "+492"),
        ("friend", "number called", "+491"),
    ]


def test_a_value_that_thousands_have_names_a_page_of_them_the_blocked_ones_first(
    opened: OpenLake,
) -> None:
    many = pl.DataFrame(
        {
            "account_id": ["me", *(f"a{n:05}" for n in range(5_000))],
            "kind": "ip",
            "value": "198.51.100.1",
            "status": ["active"] * 5_000 + ["blocked"],
        }
    )
    whole = replace(opened.midnight(NIGHT), held=many, left_out=frozenset())
    found = shared_values(whole, ["me"])["me"]
    assert len(found) <= 60
    assert found[0]["other_id"] == "a04999"


def test_what_was_prepared_is_not_read_again(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = AccountReader(lake)
    asked: list[Any] = []
    read = OpenLake.read
    monkeypatch.setattr(
        OpenLake, "read", lambda self, wanted: asked.append(list(wanted)) or read(self, wanted)
    )
    assert reader.prepare([FIRST, SECOND]) == 2
    assert reader.prepare([SECOND]) == 0
    assert asked == [[FIRST, SECOND]]


def test_what_was_read_is_let_go_when_the_lake_changes(
    filled_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(filled_home, tmp_path / "home")
    own = open_lake(site_settings(tmp_path / "home"))
    monkeypatch.setattr(account, "LOOK_AGAIN_S", 0.0)
    reader = AccountReader(own)
    reader.prepare([FIRST])
    assert reader.missing([FIRST]) == []
    late = tmp_path / "late.csv"
    late.write_text("account_id,at,kind\nacc-1,2026-02-23T08:00:00Z,sign_in\n")
    import_events(own, late, now=datetime(2026, 3, 2, 4, tzinfo=UTC))
    assert reader.prepare([FIRST]) == 1


def test_an_account_that_the_lake_does_not_know_has_a_page_of_nothing(tmp_path: Path) -> None:
    asked = Asked("acc-1", NIGHT, ("acc-8",), SIGNAL_NAMES)
    found = OpenLake(open_lake(site_settings(tmp_path), create=True)).read([asked])[asked]
    assert (found.details, found.similar, found.behaviour) == ({}, {}, {})
    assert (found.events, found.shared, found.identity) == ((), (), ())


def test_a_reduced_day_says_which_accounts_its_row_groups_hold_and_no_number(
    filled_home: Path,
) -> None:
    files = list((filled_home / "lake" / "account_day_keys").rglob("*.parquet"))
    assert files
    for file in files:
        group = pq.ParquetFile(file).metadata.row_group(0)
        columns = [group.column(place) for place in range(group.num_columns)]
        told = {one.path_in_schema for one in columns if one.is_stats_set}
        assert "account_id" in told
        assert "key" not in told
