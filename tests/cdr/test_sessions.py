"""What a person's session shows: rows of its purpose, raw values only with right and reason."""

from __future__ import annotations

import os
import pwd
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from cdr import Lake, access, load_settings, open_lake
from cdr.errors import QueryFailed, WrongUse
from cdr.privacy import audit
from cdr.privacy.requests import Person, Right, close, receive
from cdr.pseudonyms import KeyFolder
from cdr.query import ask, session
from cdr.schema import ACCOUNT_EVENTS, CALLS
from cdr.settings import AccessSettings, StoreSettings

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
OWNER = pwd.getpwuid(os.geteuid()).pw_name


def row(table: pl.Schema, **known: object) -> dict[str, object]:
    """Fill what a test does not say: null where that is allowed here, else nothing."""
    plain = {"String": "", "List(String)": [], "Binary": b"0" * 16}
    return {n: known.get(n, plain.get(str(t))) for n, t in table.items() if n != "kept_for"}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = open_lake(load_settings(home=tmp_path / "home"), create=True)
    calls = [
        row(
            CALLS.polars_schema,
            source_record_id=str(n),
            account_id=account,
            caller_number=caller,
            callee_number=callee,
            outcome=outcome,
            started_at=NOON,
            call_date=NOON.date(),
        )
        for n, (account, caller, callee, outcome) in enumerate(
            [
                ("a1", "+493011111111", "+442079460001", "answered"),
                ("a1", "+493011111111", "+442079460002", "busy"),
                ("a2", "+493022222222", "+442079460001", "answered"),
            ]
        )
    ]
    events = [
        row(ACCOUNT_EVENTS.polars_schema, account_id="a1", kind=kind, at=NOON,
            event_date=NOON.date(), ip="192.0.2.7")
        for kind in ("payment", "sign_in")
    ]  # fmt: skip
    with lake.batch() as batch, lake.writing():
        batch.add(CALLS, pl.DataFrame(calls, schema=CALLS.polars_schema))
        batch.add(ACCOUNT_EVENTS, pl.DataFrame(events, schema=ACCOUNT_EVENTS.polars_schema))
        batch.publish()
    return lake


def rows(lake: Lake, purpose: str, sql: str, **how: object) -> list[tuple[object, ...]]:
    return lake.connect(purpose, **how).execute(sql).fetchall()  # type: ignore[arg-type]


COUNT = "SELECT account_id, count(*) FROM calls GROUP BY 1 ORDER BY 1"
KINDS = "SELECT kind FROM account_events ORDER BY 1"


def test_billing_sees_answered_calls_and_payments(lake: Lake) -> None:
    assert rows(lake, "billing", COUNT) == [("a1", 1), ("a2", 1)]
    assert rows(lake, "billing", KINDS) == [("payment",)]


def test_security_sees_what_is_no_payment_and_no_call(lake: Lake) -> None:
    assert rows(lake, "security", KINDS) == [("sign_in",)]
    with pytest.raises(Exception, match="calls"):
        rows(lake, "security", COUNT)


def test_fraud_does_not_see_who_restricted_or_whose_objection_was_granted(lake: Lake) -> None:
    assert rows(lake, "fraud", COUNT) == [("a1", 2), ("a2", 1)]
    asked = receive(lake, Right.RESTRICT, Person("account", "a2"), reason="wrong", now=NOON)
    close(lake, asked, now=NOON)

    assert rows(lake, "fraud", COUNT) == [("a1", 2)]
    assert rows(lake, "billing", COUNT) == [("a1", 1), ("a2", 1)]
    assert rows(lake, "rights", COUNT) == [("a1", 2), ("a2", 1)]


def test_fraud_does_not_see_a_bare_number_that_objected(lake: Lake) -> None:
    asked = receive(lake, Right.OBJECT, Person("number", "+442079460001"), reason="no", now=NOON)
    close(lake, asked, now=NOON)

    assert rows(lake, "fraud", COUNT) == [("a1", 1)]


def test_raw_values_need_a_reason_and_leave_a_trace_without_a_number(lake: Lake) -> None:
    with pytest.raises(WrongUse, match="say why"):
        lake.connect("fraud", reveal=True, reason=" ")

    shown = rows(
        lake, "fraud", "SELECT DISTINCT caller_number FROM calls ORDER BY 1",
        reveal=True, reason="case 12, asked by +49 30 11111111",
    )  # fmt: skip

    assert shown == [("+493011111111",), ("+493022222222",)]
    opened, asked = list(audit.entries(lake.home))[-2:]
    details = audit.details(lake.home)[opened.seq]["said"]
    assert (opened.what, opened.by, asked.what) == ("reveal", OWNER, "query")
    assert details["after"] == {"purpose": "fraud"}
    assert details["why"].startswith("case 12, asked by +49301~")


@pytest.mark.parametrize("rotated", [False, True])
def test_who_is_behind_a_pseudonym_can_be_found_when_revealing(lake: Lake, rotated: bool) -> None:
    ((hidden,),) = rows(lake, "fraud", "SELECT min(caller_number) FROM calls WHERE account_id='a2'")
    function = "pseudonym"
    if rotated:
        KeyFolder(lake.settings.keys_folder, lake.home.root).rotate()
        function = f"pseudonym_{hidden.partition('~')[2][:4]}"

    found = rows(
        lake, "fraud",
        f"SELECT DISTINCT caller_number FROM calls WHERE {function}(caller_number) = '{hidden}'",
        reveal=True, reason="case 12",
    )  # fmt: skip

    assert found == [("+493022222222",)]


@pytest.mark.parametrize(
    ("named", "may"),
    [((), False), (("bob",), False), (("ada",), True), (("*",), True), (("@nobody-here",), False)],
)
def test_others_than_the_owner_reveal_only_where_the_settings_name_them(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, named: tuple[str, ...], may: bool
) -> None:
    monkeypatch.setenv("SUDO_USER", "ada")
    lake.settings = lake.settings.model_copy(update={"access": AccessSettings(reveal=named)})

    assert rows(lake, "fraud", COUNT)  # with pseudonyms everybody may
    if may:
        lake.connect("fraud", reveal=True, reason="case 12")
        assert list(audit.entries(lake.home))[-1].by == "ada"
    else:
        with pytest.raises(WrongUse, match=r"access\.reveal"):
            lake.connect("fraud", reveal=True, reason="case 12")


def test_rights_are_for_the_data_protection_officer(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "ada")
    with pytest.raises(WrongUse, match=r"access\.rights"):
        lake.connect("rights")
    assert access.person() == "ada"


def little(**other: int) -> StoreSettings:
    """Return limits that a test reaches soon; the settings allow no less than 256 MB."""
    return StoreSettings().model_copy(update={"memory_limit_mb": 48, **other})


def test_a_session_spills_to_a_folder_of_its_own_that_goes_with_it(tmp_path: Path) -> None:
    con = session({}, store=little(), spill=tmp_path)
    reader = con.execute("FROM (FROM range(2_000_000) SELECT md5(range::VARCHAR) m) ORDER BY m")
    assert reader.fetchone() is not None
    (folder,) = tmp_path.iterdir()
    assert any(folder.iterdir())

    con.close()

    assert list(tmp_path.iterdir()) == []


def test_a_statement_that_takes_too_long_is_stopped_and_says_so() -> None:
    con = session({}, store=StoreSettings(), time_limit_s=1)
    with pytest.raises(QueryFailed, match=r"longer than store\.query_s"):
        ask(con, "SELECT count(*) FROM range(100_000_000_000) WHERE range % 7 = 3", limit=1)


def test_a_statement_that_needs_too_much_memory_is_stopped_and_says_so() -> None:
    con = session({}, store=little(spill_limit_mb=1))
    with pytest.raises(QueryFailed, match=r"store\.memory_limit_mb"):
        ask(con, "SELECT list(md5(range::VARCHAR)) FROM range(3_000_000)", limit=1)


def test_rows_are_limited() -> None:
    con = session({}, store=StoreSettings())
    assert ask(con, "FROM range(100)", limit=7).height == 7


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_home_that_others_can_write_to_is_refused(lake: Lake, mode: int) -> None:
    lake.home.root.chmod(mode)
    try:
        with pytest.raises(WrongUse, match="chmod 700"):
            open_lake(lake.settings)
        with pytest.raises(WrongUse, match="chmod 700"):
            open_lake(lake.settings, create=True)
    finally:
        lake.home.root.chmod(0o700)


def test_a_home_is_made_for_its_owner_only(lake: Lake) -> None:
    folders = [lake.home.root, *(p for p in lake.home.root.rglob("*") if p.is_dir())]
    made = [lake.home.root, lake.home.lake, lake.home.inbox, lake.home.models, lake.home.spill]
    assert set(made) <= set(folders)
    assert {folder.stat().st_mode & 0o777 for folder in made} == {0o700}


@pytest.mark.parametrize("sql", ["FROM read_text('/etc/passwd')", "FROM '/etc/passwd'"])
def test_reaching_for_a_file_is_wrong_use_and_said_in_words(lake: Lake, sql: str) -> None:
    with pytest.raises(WrongUse, match=r"no file|does not exist"):
        lake.connect("billing").ask(sql, limit=1)
