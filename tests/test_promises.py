"""What the operator promised, one test a promise; `docs/promises.md` says where each is kept.

Each proves the heart of its promise on rows one can check by eye. What the page names beside
these are the tests that go into its corners.
"""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
import typer.main

from cdr import Lake, load_settings, open_lake
from cdr.errors import WrongUse
from cdr.imports import import_accounts, import_events, import_messages
from cdr.ingest import ingest
from cdr.object_store import ObjectStoreSettings
from cdr.privacy.periods import RetentionSettings
from cdr.privacy.purposes import GROUNDS, bases_of
from cdr.privacy.requests import (
    Person,
    Right,
    close,
    disclose,
    disclosures_of,
    receive,
    requests_of,
)
from cdr.privacy.restrictions import left_alone
from cdr.residency import ResidencySettings, check_residency
from cdr.schema import CALLS, MESSAGE_TEMPLATES, TABLES, Purpose
from cdr.settings import SourceSettings
from fraud.features.registry import Signal
from fraud.features.signals import SIGNALS
from fraud.identity.details import DETAILS
from fraud.review.decisions import RULES, Action, Status
from fraud.review.rights import RIGHTS, Role
from fraud.review.rights import Right as StaffRight
from pipelines.cli import app

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "promises.md"
NOW = datetime(2026, 9, 2, 3, tzinfo=UTC)
PROMISES = 10
"""Of the operator's privacy policy, as the page numbers them."""

CALLS_CSV = """\
record_id,account_id,caller,callee,caller_ip,started_at,duration_s,outcome
r1,a1,030 1234567,+44 20 7946 0001,192.0.2.7,2026-09-01 12:00:00,60,answered
r2,a1,030 1234567,+44 20 7946 0002,192.0.2.7,2026-09-01 12:05:00,,busy
r3,a2,030 7654321,+44 20 7946 0001,192.0.2.8,2026-09-01 12:10:00,30,answered
"""
ACCOUNTS_CSV = """\
account_id,created_at,status,status_since,status_reason,name,email,country
a1,2026-01-01T00:00:00Z,active,,,Ada Lovelace,ada@example.com,DE
a2,2026-01-01T00:00:00Z,active,,,Bob Byron,bob@example.com,DE
"""
EVENTS_CSV = """\
account_id,at,kind,ip,device,payment_fingerprint,amount,currency,counterpart,detail
a1,2026-09-01T10:00:00Z,sign_in,192.0.2.7,phone,,,,,
a1,2026-09-01T11:00:00Z,payment,,,card-1,9.90,EUR,,
"""
TEXT = "Dear customer your parcel waits, code 4711, see http://parcel.example/x"
OTHER = "Dear customer your parcel waits, code 9999, see http://other.example/y"


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Take in three calls, two accounts, two events and two texts; only to be read."""
    folder = tmp_path_factory.mktemp("promises")
    return filled(folder)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Give the same, to be changed."""
    return filled(tmp_path)


def filled(folder: Path) -> Lake:
    lake = open_lake(load_settings(home=folder / "home"), create=True)
    messages = (
        f"account_id,at,counterpart,text\na1,2026-09-01T12:00:00Z,+447700900001,"
        f'"{TEXT}"\na2,2026-09-01T12:01:00Z,+447700900002,"{OTHER}"\n'
    )
    files = {"calls": CALLS_CSV, "accounts": ACCOUNTS_CSV, "events": EVENTS_CSV, "texts": messages}
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    import_accounts(lake, folder / "accounts.csv", now=NOW)
    import_events(lake, folder / "events.csv", now=NOW)
    import_messages(lake, folder / "texts.csv", now=NOW)
    source = SourceSettings(format="plain_csv", zone="Europe/Berlin", country="DE")
    ingest(lake, [folder / "calls.csv"], source_name="pbx", source=source, now=NOW)
    return lake


def accounts_seen(lake: Lake, purpose: str) -> list[str]:
    sql = "SELECT DISTINCT account_id FROM calls ORDER BY 1"
    return [account for (account,) in lake.connect(purpose).execute(sql).fetchall()]


def granted(lake: Lake, right: Right, person: Person) -> None:
    close(lake, receive(lake, right, person, reason="asked", now=NOW), now=NOW)


def test_promise_1_metadata_and_no_content(taken_in: Lake) -> None:
    (first, *_) = taken_in.calls().sort("started_at").collect().to_dicts()
    assert first["caller_number"] == "+49301234567"
    assert first["callee_number"] == "+442079460001"
    assert first["caller_ip"] == "192.0.2.7"
    assert first["started_at"] == datetime(2026, 9, 1, 10, tzinfo=UTC)
    assert first["duration_ms"] == 60_000
    contents = {"recording", "audio", "text", "content", "transcript", "body"}
    ours = {("rule_hits", "text")}  # the reason in words that a rule gives
    columns = {
        field.name
        for table in TABLES.values()
        for field in table.fields
        if (table.name, field.name) not in ours
    }
    assert not contents & columns


def test_promise_2_two_purposes_two_grounds_and_an_objection_to_one(lake: Lake) -> None:
    assert GROUNDS[Purpose.BILLING] != GROUNDS[Purpose.FRAUD]
    (number,) = (field for field in CALLS.fields if field.name == "callee_number")
    assert {basis.purpose for basis in bases_of(CALLS, number)} >= {Purpose.BILLING, Purpose.FRAUD}

    granted(lake, Right.OBJECT, Person("account", "a1"))

    assert accounts_seen(lake, "fraud") == ["a2"]
    assert accounts_seen(lake, "billing") == ["a1", "a2"]


def test_promise_3_details_are_compared_and_a_block_needs_two() -> None:
    compared = {detail.name for detail in DETAILS}
    assert compared >= {"name", "email", "phone", "address", "id_document"}
    assert RULES[Action.CONFIRM_BLOCK].right is StaffRight.CONFIRM
    assert RULES[Action.CONFIRM_BLOCK].before == {Status.PROPOSED}
    assert StaffRight.CONFIRM not in RIGHTS[Role.REVIEWER]


def test_promise_4_texts_are_compared_and_not_kept(taken_in: Lake) -> None:
    hashes = taken_in.scan(MESSAGE_TEMPLATES).collect()["template_hash"]
    assert hashes.n_unique() == 1  # the same but for code and link
    for file in taken_in.home.root.rglob("*"):
        if file.is_file():
            assert b"parcel" not in file.read_bytes(), file.name
    for part in taken_in.scan(MESSAGE_TEMPLATES).collect().to_dicts():
        assert "parcel" not in str(part)


def test_promise_5_payments_visits_and_app_use_are_signals() -> None:
    def named(word: str) -> list[Signal]:
        return [signal for signal in SIGNALS if word in signal.name]

    assert named("sign_ins")
    assert named("payment")


def test_promise_6_a_reviewer_can_ask_for_proof() -> None:
    assert RULES[Action.ASK_PROOF].right is StaffRight.DECIDE
    assert StaffRight.DECIDE in RIGHTS[Role.REVIEWER]


def test_promise_7_people_who_are_no_customers_have_rights_by_their_number(lake: Lake) -> None:
    assert accounts_seen(lake, "fraud") == ["a1", "a2"]

    granted(lake, Right.OBJECT, Person("number", "+442079460001"))

    calls = lake.connect("fraud").execute("SELECT count(*) FROM calls").fetchone()
    assert calls == (1,)
    assert requests_of(lake, Person("number", "+442079460001")).height == 1


def test_promise_8_periods_are_as_promised_and_settings() -> None:
    days = RetentionSettings()
    assert days.bookkeeping_days == 7 * 365 + 2
    assert days.closed_account_days == 365
    assert days.inactive_account_days == 90
    assert days.reject_days == 30
    assert RetentionSettings(call_days=30).call_days == 30


def test_promise_9_requests_are_tracked_due_in_a_month_and_obeyed(lake: Lake) -> None:
    person = Person("account", "a1")
    asked = receive(lake, Right.RESTRICT, person, reason="it is wrong", now=NOW)

    assert asked.due_at == datetime(2026, 10, 2, 3, tzinfo=UTC)
    assert left_alone(lake, as_of=NOW) == {"a1"}
    assert {right.value for right in Right} == {
        "access", "rectify", "erase", "restrict", "export", "object",
    }  # fmt: skip


def test_promise_10_few_see_it_it_stays_here_and_disclosures_are_recorded(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person("number", "+442079460001")
    disclose(lake, person, recipient="police", what="calls", ground="law", now=NOW)
    assert disclosures_of(lake, person)["recipient"].to_list() == ["police"]

    shown = lake.connect("fraud").execute("SELECT caller_number FROM calls").fetchall()
    assert all("~" in number for (number,) in shown)
    with pytest.raises(duckdb.Error):
        lake.connect("fraud").execute("FROM read_text('/etc/hostname')")

    monkeypatch.setenv("SUDO_USER", "somebody")
    with pytest.raises(WrongUse, match="names who may"):
        lake.connect("fraud", reveal=True, reason="curious")

    abroad = ObjectStoreSettings(address="s3://calls/lake", region="us-east-1")
    with pytest.raises(WrongUse, match="residency"):
        check_residency(abroad, ResidencySettings())


def page() -> dict[int, str]:
    """Return the text of the page about each promise."""
    parts = re.split(r"^## (\d+)\. ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return {int(number): text for number, text in zip(parts[1::2], parts[2::2], strict=True)}


def names_of_tests(file: Path) -> set[str]:
    tree = ast.parse(file.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_promise_is_on_the_page_with_its_test_and_a_command() -> None:
    assert set(page()) == set(range(1, PROMISES + 1))
    for number, text in page().items():
        assert re.search(rf"`tests/test_promises\.py::test_promise_{number}_", text), number
        assert re.search(r"`callsieve ", text), number


@pytest.mark.parametrize("number", range(1, PROMISES + 1))
def test_every_test_that_the_page_names_is_there(number: int) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page()[number])
    assert named
    for file, test in named:
        assert (ROOT / file).exists(), file
        assert test in names_of_tests(ROOT / file), f"{file}::{test}"


def test_every_command_that_the_page_names_is_there() -> None:
    root = typer.main.get_command(app)
    for words in re.findall(r"`callsieve ([^`]*)`", PAGE.read_text("utf-8")):
        command = root
        for word in words.split():
            if not hasattr(command, "commands"):
                break
            assert word in command.commands, words
            command = command.commands[word]
