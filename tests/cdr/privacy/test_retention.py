"""What is over goes, what still has a purpose stays, and the report says so to the row."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from kept_rows import NOW, account, ago, call, lake_in, names, put, put_accounts, put_calls

import cdr
from cdr.billing.tables import SEALS
from cdr.ingest import ingest
from cdr.privacy import retention
from cdr.privacy.holds import add_hold
from cdr.privacy.periods import RetentionSettings
from cdr.privacy.requests import Person, Right, close, receive
from cdr.privacy.retention import Retained, retain
from cdr.privacy.rules import RULES, Rule, SealedPeriod, Standing
from cdr.schema import ACCOUNT_EVENTS, ACCOUNTS, CALLS, REJECTS, TABLES
from cdr.settings import SourceSettings


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    return lake_in(tmp_path)


def went(done: Retained) -> dict[str, int]:
    """Rows and values that went, by rule."""
    return {one.rule: one.rows + one.values for one in done.removals if one.rows + one.values}


def sealed(month: str, days: float) -> dict[str, object]:
    return {"period": month, "zone": "UTC", "sealed_at": ago(days), "rules": _RULES,
            "manifest": '{"rules": {"name": "r"}}', "decks": "{}", "ingests": []}  # fmt: skip


_RULES = (Path(str(cdr.__file__)).parent / "billing" / "rules_standard.csv").read_text()


def test_addresses_go_first_and_the_call_stays(lake: cdr.Lake) -> None:
    put_calls(lake, call("young", 179), call("old", 181))
    done = retain(lake, now=NOW)
    rows = dict(lake.calls().select("source_record_id", "caller_ip").collect().iter_rows())
    assert rows == {"young": "192.0.2.1", "old": None}
    assert went(done) == {"addresses": 1}


def turned(content: bytes) -> bytes:
    """Turn a bit in the middle, where a value lies."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damaged", [turned, lambda content: content[:99], None], ids=["turned", "cut", "gone"]
)
def test_a_damaged_file_keeps_itself_alone_from_what_is_over(
    lake: cdr.Lake, damaged: Callable[[bytes], bytes] | None
) -> None:
    put_calls(lake, call("old", 181), call("harmed", 190))
    (harmed,) = (f for f in lake.files(CALLS) if f.partition["call_date"] == str(ago(190).date()))
    file = lake.home.lake / "calls" / harmed.path
    whole = file.read_bytes()
    file.unlink()
    if damaged:
        file.write_bytes(damaged(whole))
    done = retain(lake, now=NOW)
    assert went(done) == {"addresses": 1}
    assert done.harmed == {"calls": 1}
    assert "calls" in done.concerns[0]
    file.write_bytes(whole)
    assert went(retain(lake, now=NOW)) == {"addresses": 1}
    assert set(lake.calls().collect()["caller_ip"]) == {None}


def test_unanswered_attempts_go_before_answered_calls(lake: cdr.Lake) -> None:
    put_calls(lake, call("answered", 200), call("busy", 200, "busy"), call("busy_young", 9, "busy"))
    assert went(retain(lake, now=NOW)) == {"addresses": 1, "unanswered attempts": 1}
    assert names(lake) == ["answered", "busy_young"]


def test_parties_go_when_the_fraud_period_is_over_and_billing_is_not(lake: cdr.Lake) -> None:
    put_calls(lake, call("unsealed", 370, caller_ip=None), call("young", 5))
    assert went(retain(lake, now=NOW)) == {"parties": 2, "seen by billing only": 1}
    kept = lake.calls().filter(source_record_id="unsealed").collect().row(0, named=True)
    assert (kept["caller_raw"], kept["callee_raw"]) == (None, None)
    assert kept["callee_number"] == "+442079460001"


@pytest.mark.parametrize(("sealed_days_ago", "left"), [(181, []), (179, ["october"])])
def test_a_sealed_call_stays_while_its_bill_can_be_contested(
    lake: cdr.Lake, sealed_days_ago: float, left: list[str]
) -> None:
    put(lake, SEALS, [sealed("2025-10", sealed_days_ago)])
    put_calls(lake, call("october", 380))  # 2025-10-17, longer ago than the fraud period
    retain(lake, now=NOW)
    assert names(lake) == left


def test_a_call_never_billed_goes_in_the_end(lake: cdr.Lake) -> None:
    put_calls(lake, call("unsealed", 399), call("older", 401))
    retain(lake, now=NOW)
    assert names(lake) == ["unsealed"]


@pytest.mark.parametrize("why", ["legal hold", "open case", "restriction"])
def test_what_is_held_stays_whole(tmp_path: Path, why: str) -> None:
    lake = lake_in(tmp_path)
    put_calls(lake, call("held", 900), call("other", 900, account_id="a2"))
    if why == "legal hold":
        add_hold(lake, Person("account", "a1"), ground="order", until=None, now=ago(9))
    if why == "restriction":
        asked = receive(lake, Right.RESTRICT, Person("account", "a1"), reason=None, now=ago(9))
        close(lake, asked, now=ago(8))
    retain(lake, now=NOW, cases=["a1"] if why == "open case" else [])
    assert lake.calls().select("source_record_id", "caller_ip").collect().rows() == [
        ("held", "192.0.2.1")
    ]


def test_closed_and_inactive_accounts(lake: cdr.Lake) -> None:
    put_calls(lake, call("now", 1, account_id="busy"), call("then", 100, account_id="silent"))
    put_accounts(lake, account("busy"), account("silent"), account("new", "active", 10),
                 account("closed", "closed", 366), account("closing", "closed", 364))  # fmt: skip
    done = retain(lake, now=NOW)
    left = lake.scan(ACCOUNTS).sort("account_id").select("account_id", "id_document", "devices")
    assert left.collect().rows() == [
        ("busy", "D123", ["phone"]),
        ("closing", "D123", ["phone"]),
        ("new", "D123", ["phone"]),
        ("silent", None, []),
    ]
    assert went(done) == {"addresses": 1, "closed accounts": 1,
                          "parties": 2, "seen by billing only": 1,
                          "identification of inactive accounts": 2}  # fmt: skip


def test_a_switch_that_is_silent_makes_nobody_inactive(lake: cdr.Lake) -> None:
    put_calls(lake, call("last", 120))
    put_accounts(lake, account("a1"))
    retain(lake, now=NOW)
    assert lake.scan(ACCOUNTS).collect()["id_document"].to_list() == ["D123"]


def test_dry_run_says_the_same_and_changes_nothing(lake: cdr.Lake) -> None:
    put_calls(lake, call("old", 900), call("young", 1))
    before = {table.name: lake.version(table) for table in TABLES.values()}
    said = retain(lake, now=NOW, dry_run=True)
    assert {table.name: lake.version(table) for table in TABLES.values()} == before
    assert went(said) == went(retain(lake, now=NOW)) == {"answered calls": 1}
    assert went(retain(lake, now=NOW)) == {}


def test_it_is_gone_only_when_no_old_version_holds_it(tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    put(lake, REJECTS, [{"raw": "raw record", "ingested_at": ago(31), "reasons": ["r"]}])
    done = retain(lake, now=NOW)
    assert (done.gone.files, done.waiting.files) == (0, 1)
    assert done.waiting_until == NOW + timedelta(days=7)
    at_once = lake_in(tmp_path, retention={"vacuum_days": 0})
    done = retain(at_once, now=NOW)
    assert (done.gone.files, done.waiting.files, done.waiting_until) == (1, 0, None)
    assert list((lake.home.lake / "rejects").rglob("*.parquet")) == []


def test_files_of_the_inbox_go_once_they_were_taken_in(lake: cdr.Lake, tmp_path: Path) -> None:
    folder = lake.home.inbox / "s"
    folder.mkdir()
    header = "record_id,account_id,caller,callee,started_at,duration_s,outcome\n"
    row = "r1,a1,0301234567,0301234568,2026-09-01 09:00:00,60,answered\n"
    (folder / "taken.csv").write_text(header + row)
    (folder / "new.csv").write_text(header)
    (lake.home.reports / "2026-09-01.html").write_text("a1")
    for file in (*folder.iterdir(), *lake.home.reports.iterdir()):
        os.utime(file, (ago(100).timestamp(),) * 2)
    source = SourceSettings(format="plain_csv", zone="UTC", country="DE")
    ingest(lake, [folder / "taken.csv"], source_name="s", source=source, now=ago(40))
    done = retain(lake, now=NOW)
    assert [file.name for file in folder.iterdir()] == ["new.csv"]
    assert list(lake.home.reports.iterdir()) == []
    assert {one.rule: one.files for one in done.files if one.files} == {
        "inbox files taken in": 1,
        "reports of nights": 1,
    }


def test_every_table_with_personal_data_has_a_rule() -> None:
    personal = {
        table.name
        for table in TABLES.values()
        if any(field.personal != "none" for field in table.fields)
    }
    assert personal - {rule.table for rule in RULES} == set()


calls = st.builds(
    call,
    st.uuids().map(lambda one: one.hex[:16]),
    st.integers(0, 800),
    st.sampled_from(["answered", "busy", "no_answer"]),
    account_id=st.sampled_from(["a1", "a2", None]),
    caller_ip=st.sampled_from(["192.0.2.1", None]),
)


def nulls(rows: pl.DataFrame) -> int:
    """Count values that are unknown; of what a row is kept for, nobody is asked."""
    return sum(rows.drop("kept_for").null_count().row(0))


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@example(rows=[call("only_billed", 380)], month="2025-07")
@given(rows=st.lists(calls, min_size=1, max_size=12), month=st.sampled_from(["2025-07", "2026-03"]))
@pytest.mark.slow
def test_kept_and_removed_are_what_was_there(rows: list[dict[str, object]], month: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lake = lake_in(Path(folder))
        put_calls(lake, *rows)
        put(lake, SEALS, [sealed(month, 300)])
        before = lake.calls().collect()
        done = retain(lake, now=NOW, cases=["a2"])
        after = lake.calls().collect()
        removed = [one for one in done.removals if one.table == "calls"]
        assert before.height == after.height + sum(one.rows for one in removed)
        stayed = before.join(after, on="record_id", how="semi")
        unknown = nulls(after) - nulls(stayed)
        marking = ("seen by billing only", "seen by fraud only")
        assert unknown == sum(one.values for one in removed if one.rule not in marking)
        marked = sum(one.values for one in removed if one.rule in marking)
        assert after["kept_for"].count() - stayed["kept_for"].count() == marked
        assert done.left == {}
        held = pl.col("account_id") == "a2"
        assert before.filter(held).sort("record_id").equals(after.filter(held).sort("record_id"))


def test_fraud_sees_no_row_whose_fraud_period_is_over_and_billing_still_does(
    lake: cdr.Lake,
) -> None:
    put_calls(lake, call("over", 370), call("within", 300))
    put(lake, ACCOUNT_EVENTS, [
        {"account_id": "a1", "at": ago(n), "event_date": ago(n).date(), "kind": "payment",
         "event_id": bytes([n]) * 16} for n in (200, 100)
    ])  # fmt: skip
    lake = lake_in(Path(lake.home.root).parent, retention={"event_days": 150})
    retain(lake, now=NOW)

    def seen(purpose: str) -> tuple[int, int]:
        sql = "SELECT (SELECT count(*) FROM calls), (SELECT count(*) FROM account_events)"
        raw = lake.connect_raw(purpose).execute(sql).fetchall()[0]
        assert lake.connect(purpose).execute(sql).fetchall()[0] == raw
        return raw  # type: ignore[return-value]

    assert (seen("billing"), seen("fraud")) == ((2, 2), (1, 1))


def test_billing_sees_no_call_whose_bill_cannot_be_contested_and_fraud_still_does(
    lake: cdr.Lake,
) -> None:
    put(lake, SEALS, [sealed("2026-02", 181)])
    sealed_day = (NOW - datetime(2026, 2, 10, tzinfo=UTC)).days
    put_calls(lake, call("contestable", 100), call("settled", sealed_day, caller_ip=None))
    assert went(retain(lake, now=NOW)) == {"seen by fraud only": 1}
    assert went(retain(lake, now=NOW)) == {}

    def seen(purpose: str) -> list[str]:
        sql = "SELECT source_record_id FROM calls ORDER BY 1"
        return [name for (name,) in lake.connect_raw(purpose).execute(sql).fetchall()]

    assert (seen("billing"), seen("fraud"), seen("rights")) == (
        ["contestable"], ["contestable", "settled"], ["contestable", "settled"],
    )  # fmt: skip


def test_what_comes_in_expired_while_it_runs_is_said_to_be_left(
    lake: cdr.Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_calls(lake, call("old", 900))
    remove = retention._rewrite

    def with_another_writer(*args: Any) -> None:
        remove(*args)
        put_calls(lake, call("late", 900))

    monkeypatch.setattr(retention, "_rewrite", with_another_writer)
    assert retain(lake, now=NOW).left == {"calls": 1}
    monkeypatch.undo()
    assert retain(lake, now=NOW).left == {}


EVERY_DAY = pl.DataFrame(
    [
        call(f"{n} {who} {outcome}", n, outcome, account_id=who)
        for n in range(500)
        for who in ("a1", "quiet")
        for outcome in ("answered", "busy")
        if who == "a1" or n > 120
    ],
    schema=CALLS.polars_schema,
).with_columns(call_date=pl.col("started_at").dt.date())
LAST_YEAR = SealedPeriod(ago(450), ago(300), ago(299))
STANDING = Standing(NOW, RetentionSettings(), sealed=(LAST_YEAR,))


@pytest.mark.parametrize("inactive", [(), ("quiet",)])
@pytest.mark.parametrize("rule", [r for r in RULES if r.table == "calls"], ids=lambda r: r.name)
def test_of_a_day_that_is_not_looked_into_nothing_is_due(
    rule: Rule, inactive: tuple[str, ...]
) -> None:
    silent = ago(120).date() if inactive else date.max
    standing = replace(STANDING, inactive=inactive, silent_from=silent)
    due = EVERY_DAY.filter(rule.due(standing, CALLS.polars_schema))["call_date"]
    spared = [day for day in EVERY_DAY["call_date"].unique() if rule.spares(day, standing)]
    assert not set(due) & set(spared)
    assert len(spared) > 100


def test_what_an_erasure_marked_is_found_though_its_day_is_young(lake: cdr.Lake) -> None:
    put_calls(lake, call("held", 9, kept_for="hold"), call("other", 9))
    put(lake, ACCOUNT_EVENTS, [{"account_id": "a1", "at": ago(9), "kind": "sign_in",
                                "kept_for": "hold", "event_date": ago(9).date()}])  # fmt: skip
    retain(lake, now=NOW)
    assert names(lake) == ["other"]
    assert lake.scan(ACCOUNT_EVENTS).collect().is_empty()
