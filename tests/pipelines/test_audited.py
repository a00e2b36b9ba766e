"""Retention and billing leave an entry in the audit log; details go when their period is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import cdr
from cdr.billing.files import Format
from cdr.billing.periods import Period
from cdr.privacy import audit
from cdr.privacy.audit_check import verify
from pipelines.billing_extract import write_period
from pipelines.retention import clear_away

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
