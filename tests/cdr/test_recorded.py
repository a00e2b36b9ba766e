"""What a person asks from Python is recorded first, and gives no more rows than allowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from test_attempts import ATTEMPTS, SECRET, filled
from test_sessions import row

from cdr import Lake, load_settings, open_lake
from cdr.errors import CdrError, QueryFailed
from cdr.privacy import audit
from cdr.recorded import Session
from cdr.schema import CALLS
from cdr.settings import StoreSettings

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    home = tmp_path_factory.mktemp("recorded") / "home"
    lake = open_lake(load_settings(home=home), create=True)
    lake.settings = lake.settings.model_copy(update={"store": StoreSettings(query_rows=2)})
    said = {"outcome": "answered", "call_date": NOON.date(), "caller_number": "+493011111111"}
    calls = [
        row(CALLS.polars_schema, account_id=f"a{n}", started_at=NOON + timedelta(hours=n), **said)
        for n in range(3)
    ]
    with lake.batch() as batch, lake.writing():
        batch.add(CALLS, pl.DataFrame(calls, schema=CALLS.polars_schema))
        batch.publish()
    return lake


@pytest.fixture
def con(lake: Lake) -> Session:
    return lake.connect("fraud")


def asked(lake: Lake) -> list[str]:
    """List the statements in the audit log since the last session was opened, in order."""
    entries = list(audit.entries(lake.home))
    since = max(entry.seq for entry in entries if entry.what == "session")
    details = audit.details(lake.home)
    return [
        details[entry.seq]["said"]["after"]["sql"]
        for entry in entries
        if entry.what == "query" and entry.seq > since
    ]


def test_each_statement_is_in_the_audit_log_with_its_purpose(lake: Lake, con: Session) -> None:
    con.sql("SELECT 1 AS n").pl()
    con.execute("SELECT ? AS n", [2]).fetchall()
    con.table("calls").aggregate("count(*) AS n").fetchall()
    said = asked(lake)
    assert said[:2] == ["SELECT 1 AS n", "SELECT ? AS n -- [2]"]
    assert "count(*)" in said[2]
    last = list(audit.entries(lake.home))[-1]
    assert audit.details(lake.home)[last.seq]["said"]["after"]["purpose"] == "fraud"


def test_a_number_that_is_asked_for_is_in_the_log_as_a_pseudonym(lake: Lake, con: Session) -> None:
    con.execute("SELECT 1 WHERE 'x' = $who", {"who": "+442079460001"})
    con.sql("SELECT '+442079460001'").fetchall()
    assert not any("7946" in text for text in asked(lake))
    assert all("+44" in text for text in asked(lake))


def test_what_is_refused_is_recorded_too(lake: Lake, con: Session) -> None:
    with pytest.raises(CdrError):
        con.ask("DROP TABLE calls", limit=1)
    assert asked(lake) == ["DROP TABLE calls"]


HANDED_OVER = {
    "polars": lambda con, sql: con.sql(sql).pl().height,
    "arrow": lambda con, sql: con.sql(sql).to_arrow_table().num_rows,
    "tuples": lambda con, sql: len(con.sql(sql).fetchall()),
    "dicts": lambda con, sql: len(con.sql(sql).to_dicts()),
    "rows": lambda con, sql: len(list(con.sql(sql).iter_rows())),
    "numpy": lambda con, sql: len(con.sql(sql).fetchnumpy()["account_id"]),
    "reader": lambda con, sql: con.sql(sql).to_arrow_reader().read_all().num_rows,
    "stream": lambda con, sql: pl.DataFrame(con.sql(sql)).height,
    "executed-numpy": lambda con, sql: len(con.execute(sql).fetchnumpy()["account_id"]),
    "executed": lambda con, sql: len(con.execute(sql).fetchall()),
    "one-by-one": lambda con, sql: len(list(con.execute(sql))),
    "derived": lambda con, sql: len(con.sql(sql).filter("account_id <> ''").fetchall()),
}


@pytest.mark.parametrize("way", list(HANDED_OVER.values()), ids=list(HANDED_OVER))
def test_more_rows_than_allowed_are_refused_and_never_cut(way: object, con: Session) -> None:
    assert way(con, "SELECT account_id FROM calls WHERE account_id <> 'a0'") == 2  # type: ignore[operator]
    with pytest.raises(QueryFailed, match="more than the 2 rows"):
        way(con, "SELECT account_id FROM calls")  # type: ignore[operator]


def test_what_is_computed_from_a_result_counts_all_of_its_rows(con: Session) -> None:
    assert con.sql("SELECT account_id FROM calls").aggregate("count(*)").fetchall() == [(3,)]


@pytest.mark.parametrize(
    "name", ["map", "write_csv", "to_parquet", "create", "insert_into", "torch"]
)
def test_rows_come_in_no_other_way(name: str, con: Session) -> None:
    with pytest.raises(AttributeError, match="take rows with"):
        getattr(con.sql("SELECT account_id FROM calls"), name)


@pytest.mark.parametrize("name", ["read_csv", "from_parquet", "install_extension", "torch"])
def test_a_session_has_no_other_door(name: str, con: Session) -> None:
    with pytest.raises(AttributeError, match="ask with sql"):
        getattr(con, name)


def test_no_attempt_gets_out_of_a_session_of_python(
    con: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.csv").write_text(f"{SECRET}\n")
    pl.DataFrame({"a": [SECRET]}).write_parquet(tmp_path / "secret.parquet")
    monkeypatch.setenv("CALLSIEVE_TEST_SECRET", SECRET)
    monkeypatch.setattr(con, "_note", lambda _: None)  # written down elsewhere; each is synced
    files = set(tmp_path.iterdir())
    for attempt in ATTEMPTS:
        for way in ("execute", "sql"):
            try:
                said = str(getattr(con, way)(filled(attempt, tmp_path)).fetchall())
            except Exception as refused:
                said = str(refused)
            assert SECRET not in said, attempt
            assert "root:" not in said, attempt
    assert set(tmp_path.iterdir()) == files


def test_one_statement_follows_another_whatever_was_fetched(con: Session) -> None:
    assert con.execute("SELECT 1").fetchall() == [(1,)]
    assert con.execute("SELECT unnest([1, 2])").fetchone() == (1,)
    con.complete()
    assert list(con.execute("SELECT 2 AS n").fetchnumpy()["n"]) == [2]
    assert con.sql("SELECT 3").fetchall() == [(3,)]
