"""Requests of persons on the officer's page, and the audit log tied to the house's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from review_site import site_settings
from typer.testing import CliRunner

from cdr.lake import Lake, open_lake
from cdr.privacy import audit
from cdr.privacy.audit_check import verify
from cdr.privacy.requests import Person, Right, receive, requests_of
from fraud.review.account import AccountReader
from fraud.review.audit_seal import seal, unsealed
from fraud.review.models import AuditEntry
from fraud.review.old_cases import remove_old_cases
from fraud.review.persons import erase_from_queue
from fraud.review.queue import audit_breaks
from fraud.review.sealed import changed_in_queue
from fraud.review.web import reader
from pipelines.cli import app

NOW = datetime.now(tz=UTC)


@pytest.fixture
def lake(site: Any) -> Lake:
    """Give a lake whose requests no other test sees."""
    own = open_lake(site_settings(site.home))
    reader.use(AccountReader(own))
    return own


def test_an_objection_is_refused_with_grounds_only(site: Any, lake: Lake) -> None:
    said = "<b>I am</b> no fraud"
    asked = receive(lake, Right.OBJECT, Person("account", "acc-1"), reason=said, now=NOW)
    number = Person("number", "+4930123456")
    receive(lake, Right.ACCESS, number, reason=None, now=NOW - timedelta(days=60))
    client = site.client("dora")
    page = client.get("/requests").content.decode()
    assert "acc-1" in page
    assert "&lt;b&gt;I am&lt;/b&gt; no fraud" in page
    assert "+4930123456" not in page
    assert "1 request past the month" in page
    assert "callsieve person access" in page
    address = f"/requests/{asked.request_id}/decide"
    client.post(address, {"state": "refused", "grounds": ""})
    assert set(requests_of(lake)["state"]) == {"open"}
    client.post(address, {"state": "refused", "grounds": "a fraud case is open"})
    assert "a fraud case is open" in client.get("/requests").content.decode()
    rows = {row["right"]: row for row in requests_of(lake).to_dicts()}
    assert rows["object"]["state"] == "refused"
    assert rows["object"]["in_force_until"] is not None
    assert rows["access"]["state"] == "open"


def test_what_makes_files_is_not_granted_by_a_click(site: Any, lake: Lake) -> None:
    asked = receive(lake, Right.ERASE, Person("account", "acc-1"), reason=None, now=NOW)
    site.client("dora").post(f"/requests/{asked.request_id}/decide", {"state": "done"})
    assert requests_of(lake)["state"].to_list() == ["open"]


def test_an_entry_changed_behind_our_back_shows(site: Any, lake: Lake) -> None:
    from django.db import connection

    site.client("ada").get("/cases/1")
    later = datetime.now(tz=UTC) + timedelta(minutes=5)
    last = seal(lake.home, now=later)
    assert seal(lake.home, now=later) == last > 0
    assert [entry.what for entry in audit.entries(lake.home)] == ["review.seal"]
    assert verify(lake.home).faults == ()
    assert unsealed(lake.home) == []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE review_auditentry SET \"by\" = 'nobody' WHERE action = 'see_case'")
    assert [(one.last, one.missing) for one in unsealed(lake.home)] == [(last, False)]
    assert audit_breaks(lake.home) == unsealed(lake.home)
    ran = CliRunner().invoke(app, ["--home", str(site.home), "review", "verify"])
    assert (ran.exit_code, ran.stdout) == (1, f"entries 1 to {last}: changed or put in\n")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM review_auditentry WHERE action = 'see_case'")
    assert [one.missing for one in unsealed(lake.home)] == [True]
    ran = CliRunner().invoke(app, ["--home", str(site.home), "review", "verify"])
    assert (ran.exit_code, ran.stdout) == (1, f"entries 1 to {last}: some were taken out\n")


def test_what_retention_and_erasure_take_out_is_no_fault_and_what_a_hand_does_is(
    site: Any, lake: Lake
) -> None:
    site.client("ada").get("/cases/1")
    later = datetime.now(tz=UTC) + timedelta(minutes=5)
    seal(lake.home, now=later)
    before = AuditEntry.objects.count()
    erase_from_queue(
        site.home, None, ["ada"], lambda text: text.replace("ada", "erased"), now=later
    )
    remove_old_cases(site.home, before=later, now=later, dry_run=False)
    last = list(audit.entries(lake.home))[-1]
    assert AuditEntry.objects.count() < before
    assert unsealed(lake.home) == []
    assert changed_in_queue(lake.home) == ()
    assert audit.details(lake.home)[last.seq]["said"]["why"] == "retention"


def test_a_change_by_hand_is_not_covered_up_by_the_next_retention(site: Any, lake: Lake) -> None:
    from django.db import connection

    site.client("ada").get("/cases/1")
    later = datetime.now(tz=UTC) + timedelta(minutes=5)
    seal(lake.home, now=later)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE review_auditentry SET \"by\" = 'nobody' WHERE action = 'see_case'")
    remove_old_cases(site.home, before=later, now=later, dry_run=False)
    assert len(unsealed(lake.home)) == 1
