"""Whatever is done to the audit log by others than its writer is found."""

from __future__ import annotations

import json
import multiprocessing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdr.lake.home import Home
from cdr.privacy import audit
from cdr.privacy.audit_check import verify

AT = datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.create()
    for number in range(1, 6):
        audit.note(made, "query", by="ada", at=AT, subject=f"p{number}", why=f"reason {number}")
    return made


def log(home: Home) -> Path:
    return home.audit / "log.jsonl"


def rewrite(home: Home, *places: int) -> None:
    """Let the log have only these of its lines, in this order, from 0."""
    old = log(home).read_text().splitlines(keepends=True)
    log(home).write_text("".join(old[place] for place in places))


def faults(home: Home, *heads: audit.Head) -> list[str]:
    return [f"{fault.seq} {fault.what.split(':')[0]}" for fault in verify(home, heads).faults]


def test_an_untouched_log_has_no_fault(home: Home) -> None:
    checked = verify(home)
    assert (checked.entries, checked.faults) == (5, ())
    assert checked.head == audit.head(home)


def test_an_entry_says_who_when_what_whom_and_why(home: Home) -> None:
    first = next(iter(audit.entries(home)))
    assert (first.by, first.at, first.what, first.subject) == (
        "ada", "2026-11-01T09:00:00.000000+00:00", "query", "p1",
    )  # fmt: skip
    assert audit.details(home)[1]["said"] == {"why": "reason 1"}


@pytest.mark.parametrize("field", ["at", "by", "what", "subject", "details", "before", "seq"])
def test_an_altered_entry_is_found(home: Home, field: str) -> None:
    lines = log(home).read_text().splitlines()
    entry = json.loads(lines[2])
    entry[field] = 77 if field == "seq" else "other"
    lines[2] = json.dumps(entry)
    log(home).write_text("\n".join(lines) + "\n")
    assert any("altered" in fault for fault in faults(home))


def test_an_entry_altered_with_its_hash_is_found(home: Home) -> None:
    lines = log(home).read_text().splitlines()
    entry = json.loads(lines[2]) | {"by": "bob"}
    entry["hash"] = audit.entry_of(entry).hash
    lines[2] = json.dumps(entry)
    log(home).write_text("\n".join(lines) + "\n")
    assert faults(home) == ["3 altered"]


def test_a_dropped_entry_is_found(home: Home) -> None:
    rewrite(home, 0, 1, 3, 4)
    assert faults(home) == ["3 dropped"]


def test_entries_dropped_at_the_end_are_found_by_a_head_kept_elsewhere(home: Home) -> None:
    kept = audit.head(home)
    assert kept is not None
    rewrite(home, 0, 1, 2)
    assert faults(home) == []
    assert faults(home, kept) == ["5 dropped"]


def test_a_log_written_anew_is_found_by_a_head_kept_elsewhere(home: Home) -> None:
    kept = audit.head(home)
    assert kept is not None
    for file in list(audit.files(home)):
        file.unlink()
    for number in range(1, 6):
        audit.note(home, "query", by="eve", at=AT, subject=f"p{number}")
    assert faults(home) == []
    assert faults(home, kept) == ["5 altered"]


def test_moved_entries_are_found(home: Home) -> None:
    rewrite(home, 0, 2, 1, 3, 4)
    assert faults(home) == ["2 moved"]


def test_altered_and_dropped_details_are_found(home: Home) -> None:
    file = home.audit / "details" / "2026-11.jsonl"
    lines = file.read_text().replace("reason 2", "reason 9").splitlines(keepends=True)
    file.write_text("".join(lines[:-1]))
    assert faults(home) == ["2 its details were altered", "5 its details were dropped"]


def test_details_can_go_and_the_log_still_verifies(home: Home) -> None:
    assert audit.remove_details(home, [2, 4], what="retention", by="x", at=AT, why="over") == 2
    assert sorted(audit.details(home)) == [1, 3, 5, 6]
    assert "reason 2" not in "".join(file.read_text() for file in audit.files(home))
    assert faults(home) == []
    assert audit.remove_details(home, [2, 4], what="retention", by="x", at=AT, why="over") == 0


def test_a_torn_line_is_taken_away_by_the_next_writer(home: Home) -> None:
    whole = log(home).read_bytes()
    log(home).write_bytes(whole + b'{"seq":6,"at":"2026')
    assert faults(home) == []
    assert audit.note(home, "query", by="ada", at=AT).seq == 6
    assert log(home).read_bytes().startswith(whole)
    assert faults(home) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("call +49 30 1234567 back", "call X back"),
        ("0301234567", "X"),
        ("ada@example.com asked", "X asked"),
        ("from 192.0.2.7", "from X"),
        ("from 2001:db8:1::5", "from X"),
        ("ticket 4711 of 2026-10-01", "ticket 4711 of 2026-10-01"),
    ],
)
def test_a_reason_holds_no_number_and_no_address(text: str, shown: str) -> None:
    assert audit.without_personal(text, lambda _: "X") == shown


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_other_order_or_selection_is_found(home: Home, data: st.DataObject) -> None:
    kept = audit.head(home)
    assert kept is not None
    old = log(home).read_text()
    count = len(old.splitlines())
    places = data.draw(st.lists(st.integers(0, count - 1), max_size=count + 1))
    rewrite(home, *places)
    assert (faults(home, kept) == []) == (places == list(range(count)))
    log(home).write_text(old)


_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(["cdr.privacy.audit"])


def write(root: Path, name: str, count: int) -> None:
    for number in range(count):
        audit.note(Home(root), "query", by=name, at=AT, why=str(number))


@pytest.mark.large
def test_writers_wait_for_each_other_and_a_killed_one_leaves_whole_entries(home: Home) -> None:
    steady = _server.Process(target=write, args=(home.root, "steady", 40))
    killed = _server.Process(target=write, args=(home.root, "killed", 1_000_000))
    steady.start()
    killed.start()
    steady.join()
    killed.kill()
    killed.join()
    audit.note(home, "query", by="after", at=AT)
    assert faults(home) == []
    assert [entry.by for entry in audit.entries(home)].count("steady") == 40
