"""Retention and billing leave an entry in the audit log; details go when their period is over."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import connection

import cdr
from cdr.billing.files import Format
from cdr.billing.periods import Period
from cdr.privacy import audit
from cdr.privacy.audit_check import verify
from cdr.privacy.settings_changes import note_settings
from fraud.review.database import queue_database
from fraud.review.sealed import changed_in_queue, seal_queue
from pipelines.billing_extract import write_period
from pipelines.retention import clear_away
from pipelines.runs import open_run

pytestmark = pytest.mark.slow


if TYPE_CHECKING:
    from conftest import RunCommand

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def lake_in(folder: Path) -> cdr.Lake:
    return cdr.open_lake(cdr.load_settings(home=folder / "home"), create=True)


def kinds(lake: cdr.Lake) -> list[str]:
    return [entry.what for entry in audit.entries(lake.home)]


def test_retention_records_what_went_and_a_dry_run_nothing(tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    clear_away(lake, now=NOW, dry_run=True)
    assert kinds(lake) == []
    clear_away(lake, now=NOW)
    assert kinds(lake) == ["retention"]


def test_details_of_the_log_go_when_their_period_is_over(tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    audit.note(lake.home, "query", by="ada", at=NOW - timedelta(days=1096), why="long ago")
    audit.note(lake.home, "query", by="ada", at=NOW - timedelta(days=1094), why="lately")
    assert clear_away(lake, now=NOW).audit_details == 1
    said = [record["said"].get("why") for record in audit.details(lake.home).values()]
    assert "long ago" not in said
    assert "lately" in said
    assert verify(lake.home).faults == ()


def test_an_extract_is_recorded(tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    write_period(
        lake, Period.parse("2026-09"), tmp_path / "out", form=Format.CSV, accounts=(),
        with_statements=False, now=NOW,
    )  # fmt: skip
    assert kinds(lake) == ["billing.extract"]


def test_a_change_of_settings_is_an_entry_without_texts_and_secrets(tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    said = cdr.load_settings(home=lake.home.root).model_dump()
    said["review"]["webhook_secret"] = "the-old-secret"
    before = cdr.Settings(**said)
    said["retention"]["call_days"], said["review"]["webhook_secret"] = 400, "the-new-secret"
    said["scoring"]["features_off"] = ("C1000016",)
    after = cdr.Settings(**said)

    assert note_settings(before, by="ada", now=NOW) != ()
    assert note_settings(before, by="ada", now=NOW) == ()
    changed = note_settings(after, by="ada", now=NOW)

    assert changed == ("retention.call_days", "review.webhook_secret", "scoring.features_off")
    assert kinds(lake) == ["settings", "settings"]
    entry = audit.details(lake.home)[2]["said"]
    assert (entry["before"]["retention.call_days"], entry["after"]["retention.call_days"]) == (
        365, 400,
    )  # fmt: skip
    written = b"".join(file.read_bytes() for file in lake.home.audit.rglob("*") if file.is_file())
    assert [word for word in (b"the-old", b"the-new", b"C1000016") if word in written] == []


def test_a_log_cut_off_at_the_end_is_found_by_the_heads_that_nights_kept(
    callsieve: RunCommand, tmp_path: Path
) -> None:
    lake = lake_in(tmp_path)
    for number in range(3):
        audit.note(lake.home, "query", by="ada", at=NOW, why=f"reason {number}")
    kept = {"audit_head": asdict(audit.head(lake.home))}  # type: ignore[call-overload]
    open_run(lake.home.runs, NOW.date()).step("retention", lambda: kept)
    words = ("--home", lake.home.root, "audit", "verify", "--json")
    assert callsieve(*words).code == 0
    log = lake.home.audit / "log.jsonl"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:2]))
    (lake.home.audit / "settings.json").unlink()  # so that no entry takes the missing one's place
    ran = callsieve(*words)
    assert ran.code == 1
    assert 3 in [fault["seq"] for fault in ran.found["faults"]]


def test_a_changed_entry_of_the_queue_is_found(tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    assert changed_in_queue(lake.home) == ()
    with queue_database(lake.home.root):
        from fraud.review.audit import note_action
        from fraud.review.models import AuditEntry

        note_action("change_person", by="root", at=NOW - timedelta(days=1), why="bob")
        seal_queue(lake.home, now=NOW)
        assert changed_in_queue(lake.home) == ()
        table = AuditEntry._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET why = 'carl' WHERE action = 'change_person'")
    assert [fault.what for fault in changed_in_queue(lake.home)] == [
        "entries 1 to 1 of the queue's log: altered"
    ]
