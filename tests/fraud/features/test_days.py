"""What is kept from night to night equals what a full recompute gives, whatever came late."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from feature_rows import AS_OF, Row, account, call, calls_frame, frame
from polars.testing import assert_frame_equal

import cdr
from cdr.billing.decks import import_deck
from cdr.ingest import ingest
from cdr.lake import Lake
from cdr.lake.verify import missing
from cdr.privacy.requests import Person, Right, receive
from cdr.schema import ACCOUNTS, CALLS, Table
from cdr.settings import SourceSettings
from fraud.days import Reduced, reduce_days
from fraud.features import associates, volume
from fraud.features.account_days import ACCOUNT_DAY_KEYS, ACCOUNT_DAYS, REDUCED_DAYS
from fraud.features.midnight import features
from fraud.features.traces import BLOCKED_TRACES

pytestmark = pytest.mark.slow


BLOCKED = account(
    "b",
    status="blocked",
    status_since=datetime(2026, 2, 27, 15, tzinfo=UTC),
    status_reason="fraud",
    devices=["D1"],
)
ACCOUNTS_THERE = [account("a", devices=["D1"]), BLOCKED]
CALLS_THERE = [
    # of the 30 days before the block only
    call("2026-01-29 09:00", 50, account_id="b", callee_number="+4930900"),
    call("2026-02-27 10:00", 50, account_id="b", callee_number="+5351234567"),
    call("2026-02-27 11:00", 50),
    call("2026-03-01 10:00", 50, callee_number="+5351234567"),
]
DERIVED = (ACCOUNT_DAYS, ACCOUNT_DAY_KEYS, BLOCKED_TRACES)


def lake_with(
    home: Path, calls: Sequence[Row] = CALLS_THERE, accounts: Sequence[Row] = ACCOUNTS_THERE
) -> Lake:
    lake = lake_at(home)
    put(lake, CALLS, calls_frame(calls))
    put(lake, ACCOUNTS, frame(ACCOUNTS, accounts))
    return lake


def lake_at(home: Path) -> Lake:
    return cdr.open_lake(cdr.load_settings(home=home), create=True)


@pytest.fixture(scope="module")
def reduced_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("reduced") / "home"
    assert reduce_days(lake_with(home), as_of=AS_OF).days == 3
    return home


@pytest.fixture
def lake(reduced_once: Path, tmp_path: Path) -> Lake:
    """Give a copy of a lake whose days are reduced."""
    shutil.copytree(reduced_once, tmp_path / "home")
    return lake_at(tmp_path / "home")


def put(lake: Lake, table: Table, rows: pl.DataFrame) -> None:
    """Let rows be all of a table."""
    with lake.batch() as batch, lake.writing():
        batch.remove(table, lake.files(table))
        batch.add(table, rows)
        batch.publish()


def described(lake: Lake) -> pl.DataFrame:
    """Return some signals of each account; more would only take longer."""
    return features(lake, as_of=AS_OF, signals=(*associates.SIGNALS, *volume.SIGNALS))


def kept(lake: Lake, table: Table) -> pl.DataFrame:
    return lake.scan(table).sort(pl.all()).collect()


def test_a_second_night_has_nothing_to_reduce(lake: Lake) -> None:
    versions = [lake.version(table) for table in DERIVED]
    assert reduce_days(lake, as_of=AS_OF).days == 0
    assert (
        reduce_days(lake, as_of=AS_OF - timedelta(days=9)).days == 0
    )  # an older midnight undoes none
    assert [lake.version(table) for table in DERIVED] == versions
    assert kept(lake, BLOCKED_TRACES).height > 2


LATER = AS_OF + timedelta(hours=1)
CHANGED = {
    "late": [*CALLS_THERE, call("2026-02-27 12:00", 500, ingested_at=LATER)],
    "corrected": [
        CALLS_THERE[0],
        {**CALLS_THERE[1], "callee_number": "+4930999", "ingested_at": LATER},
        *CALLS_THERE[2:],
    ],
    "gone": CALLS_THERE[:1] + CALLS_THERE[2:],
    "of-the-day-all-gone": CALLS_THERE[:3],
    "of-an-account-found-later": [
        *CALLS_THERE[:2],
        {**CALLS_THERE[2], "account_id": "b", "ingested_at": LATER},
        *CALLS_THERE[3:],
    ],
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_changed_day_is_reduced_again_and_equals_a_full_recompute(
    lake: Lake, tmp_path: Path, change: str
) -> None:
    fresh = lake_with(tmp_path / "fresh", CHANGED[change])
    put(lake, CALLS, calls_frame(CHANGED[change]))
    assert reduce_days(lake, as_of=AS_OF).days == 1
    reduce_days(fresh, as_of=AS_OF)
    for table in DERIVED:
        assert_frame_equal(kept(lake, table), kept(fresh, table))
    assert_frame_equal(described(lake), described(fresh))


def test_a_day_is_reduced_again_when_a_call_of_it_gets_its_end(tmp_path: Path) -> None:
    lake = lake_at(tmp_path / "home")
    proxy = SourceSettings(format="opensips_acc", zone="UTC", country="DE")
    ends = "sip:+4930901820@a.example,sip:+442079460018@b.example,a"
    lengths = []
    for said in ("INVITE,f,t,c,200,2026-02-27 23:50:00", "BYE,f,t,c,200,2026-02-28 00:10:00"):
        file = tmp_path / f"{said[:3]}.csv"
        file.write_text(
            f"method,from_tag,to_tag,callid,sip_code,time,from_uri,to_uri,account\n{said},{ends}\n"
        )
        now = datetime.fromisoformat(said[-19:]).replace(tzinfo=UTC) + timedelta(hours=1)
        ingest(lake, [file], source_name="proxy", source=proxy, now=now)
        assert reduce_days(lake, as_of=AS_OF).days == 1
        rows = lake.scan(ACCOUNT_DAYS).filter(account_id="a").collect()
        lengths += rows.select("call_date", "outbound_timed_count", "outbound_duration_ms").rows()
    day = date(2026, 2, 27)
    assert lengths == [(day, 0, 0), (day, 1, 20 * 60_000)]


def test_days_of_other_statements_are_reduced_again(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fraud.days.made_by", lambda: "0123456789abcdef")
    assert reduce_days(lake, as_of=AS_OF).days == 3


@pytest.mark.parametrize("back_days", [None, 2], ids=["night", "hour"])
@pytest.mark.parametrize("table", [*DERIVED, REDUCED_DAYS], ids=lambda table: table.name)
def test_what_lost_a_file_is_worked_out_again_and_told(
    lake: Lake, table: Table, back_days: int | None
) -> None:
    before = {one: kept(lake, one) for one in DERIVED}
    lost = lake.files(table)[0]
    Path(lake.address(table, lost)).unlink()
    day = next(iter(lost.partition.values()))
    said = reduce_days(lake, as_of=AS_OF, back_days=back_days).concerns
    assert [text.endswith(f"of {day} were worked out again: a file of theirs was gone or cut")
            for text in said] == [True]  # fmt: skip
    for one, rows in before.items():
        assert_frame_equal(kept(lake, one), rows)
    assert reduce_days(lake, as_of=AS_OF) == Reduced(0)
    assert not missing(lake, table)


def test_a_cut_file_is_as_good_as_gone(lake: Lake) -> None:
    before = kept(lake, ACCOUNT_DAYS)
    cut = Path(lake.address(ACCOUNT_DAYS, lake.files(ACCOUNT_DAYS)[0]))
    cut.write_bytes(cut.read_bytes()[:-9])
    assert reduce_days(lake, as_of=AS_OF).lost_days
    assert_frame_equal(kept(lake, ACCOUNT_DAYS), before)


def test_a_lost_day_whose_calls_have_gone_too_is_let_go_of(lake: Lake) -> None:
    lost = lake.files(ACCOUNT_DAYS)[0]
    Path(lake.address(ACCOUNT_DAYS, lost)).unlink()
    day = date.fromisoformat(lost.partition["call_date"])
    rest = [row for row in CALLS_THERE if row["started_at"].date() != day]
    put(lake, CALLS, calls_frame(rest))
    reduce_days(lake, as_of=AS_OF)
    assert day not in kept(lake, ACCOUNT_DAYS)["call_date"].to_list()


def test_days_older_than_their_retention_are_not_made_again(tmp_path: Path) -> None:
    lake = lake_with(tmp_path)
    kept_days = lake.settings.retention.feature_days
    assert reduce_days(lake, as_of=AS_OF + timedelta(days=kept_days - 3)).days == 1
    assert kept(lake, ACCOUNT_DAYS)["call_date"].unique().to_list() == [date(2026, 2, 27)]


def test_traces_of_accounts_no_longer_blocked_go(lake: Lake) -> None:
    put(lake, ACCOUNTS, frame(ACCOUNTS, ACCOUNTS_THERE[:1]))
    reduce_days(lake, as_of=AS_OF)
    assert kept(lake, BLOCKED_TRACES).is_empty()


def test_accounts_that_object_are_neither_described_nor_used(lake: Lake) -> None:
    assert described(lake)["blocked_by_devices_count_30d"].to_list() == [1, None]
    receive(lake, Right.OBJECT, Person("account", "b"), reason=None, now=AS_OF)
    found = described(lake)
    assert found["account_id"].to_list() == ["a"]
    assert found["blocked_by_devices_count_30d"].to_list() == [None]
    reduce_days(lake, as_of=AS_OF)
    assert kept(lake, BLOCKED_TRACES).is_empty()


def test_nobody_is_compared_by_the_number_of_a_person_who_objects(lake: Lake) -> None:
    shared = ("blocked_by_calls_count_30d", "blocked_by_devices_count_30d")
    assert described(lake).select(shared).row(0) == (1, 1)
    receive(lake, Right.OBJECT, Person("number", "+5351234567"), reason=None, now=AS_OF)
    reduce_days(lake, as_of=AS_OF)
    assert described(lake).select(shared).row(0) == (0, 1)


def test_a_deck_of_costs_prices_days_and_opens_those_it_changes(tmp_path: Path) -> None:
    settings = lake_with(tmp_path, CALLS_THERE[2:]).settings
    billing = settings.billing.model_copy(update={"cost_deck": "wholesale"})
    lake = cdr.open_lake(settings.model_copy(update={"billing": billing}))

    def deck_says(*rows: str) -> list[Decimal]:
        deck, told = tmp_path / "deck.csv", AS_OF + timedelta(hours=len(opened))
        deck.write_text("\n".join(("prefix,rate_per_min,currency,valid_from,valid_to", *rows)))
        import_deck(lake, deck, name="wholesale", settings=billing, now=told)
        opened.append(reduce_days(lake, as_of=AS_OF).days)
        return lake.scan(ACCOUNT_DAYS).sort("call_date").collect()["cost_usd"].to_list()

    opened: list[int] = []
    # 50 s to Cuba on 1 March; Germany, called on 27 February, is not in the deck
    before, cuba = deck_says("535,3.60,USD,,")
    assert cuba == Decimal("3.00")
    assert deck_says("535,3.60,USD,,2026-03-01", "535,7.20,USD,2026-03-01,") == [before, 6]
    assert deck_says("535,3.60,USD,,2026-03-01", "535,7.20,USD,2026-03-01,2026-05-01") == [
        before,
        6,
    ]
    assert opened == [2, 1, 0]
