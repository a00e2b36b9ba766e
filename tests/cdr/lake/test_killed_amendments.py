"""What amends calls, killed at any moment, is done wholly or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from killed import kill_at, moments_of, spread
from test_killed import assert_clean, open_home

from cdr.imports import import_numbers
from cdr.ingest import ingest
from cdr.lake.verify import verify
from cdr.lengths import HABIT_CALLS, doubt_lengths
from cdr.reassign import compare, reassign
from cdr.renumber import renumber
from cdr.schema import CALL_HISTORY, CALLS, INGESTS, REJECTS
from cdr.settings import SourceSettings

NOW = datetime(2026, 9, 9, tzinfo=UTC)
DAY = date(2026, 9, 1)
PLAIN = SourceSettings(format="plain_csv", zone="UTC", country="DE")
BY_NUMBER = PLAIN.model_copy(update={"account_from": "number"})
PROXY = SourceSettings(format="opensips_acc", zone="UTC", country="DE")
CALL_FILE = "record_id,account_id,caller,callee,started_at,duration_s,outcome\n" + "".join(
    f"r{n},a1,030 1234567,+442079460000,2026-08-{2 + n % 28:02d} 01:00:00,{60 + n},answered\n"
    for n in range(HABIT_CALLS)
)
LONG_CALLS = "".join(
    f"long{n},a1,030 1234567,+442079460000,2026-09-01 0{n}:00:00,3600,answered\n" for n in range(3)
)
ROW = "{},f,t,c{},200,{},sip:+4930901820@a.example,sip:+442079460018@b.example\n"
ACC = "method,from_tag,to_tag,callid,sip_code,time,from_uri,to_uri\n"
INVITES = ACC + "".join(ROW.format("INVITE", n, f"2026-09-01 23:5{n}:00") for n in range(3))
BUSY = ACC + "".join(
    ROW.format("INVITE", n, f"2026-09-01 23:59:5{n}").replace(",200,", ",486,") for n in range(3)
)
BYES = ACC + "".join(ROW.format("BYE", n, "2026-09-02 00:10:00") for n in range(3))


def take_in(home: Path, text: str, name: str, source: SourceSettings) -> None:
    file = home.parent / f"{name}.csv"
    file.write_text(text)
    ingest(open_home(home), [file], source_name=source.format, source=source, now=NOW)


def read_again(home: Path) -> None:
    renumber(open_home(home), {"plain_csv": PLAIN}, now=NOW)


def assign(home: Path) -> None:
    lake = open_home(home)
    reassign(lake, {"plain_csv": BY_NUMBER}, compare(lake, {"plain_csv": BY_NUMBER}).days, now=NOW)


def doubt(home: Path) -> None:
    doubt_lengths(open_home(home), DAY, now=NOW)


def older(home: Path) -> None:
    """Let the calls look as older metadata read them, in two files a day."""
    take_in(home, CALL_FILE, "calls", PLAIN)
    lake = open_home(home)
    with lake.batch("ingest") as batch, lake.writing():
        rows = lake.calls().collect()
        batch.remove(CALLS, lake.files(CALLS))
        old = {"numbering_version": pl.lit("of old"), "callee_country": pl.lit("FR")}
        rows = rows.with_columns(**old)
        batch.add(CALLS, rows.head(30))
        batch.add(CALLS, rows.tail(-30))
        batch.publish()


def numbers_late(home: Path) -> None:
    take_in(home, CALL_FILE.replace(",a1,", ",,"), "calls", BY_NUMBER)
    file = home.parent / "account_numbers.csv"
    file.write_text(
        "account_id,number,valid_from,valid_to\na1,+49301234567,2026-08-05T00:00:00Z,\n"
    )
    import_numbers(open_home(home), file, now=NOW)


def long_ones(home: Path) -> None:
    take_in(home, CALL_FILE, "calls", PLAIN)
    take_in(home, CALL_FILE.partition("\n")[0] + "\n" + LONG_CALLS, "long", PLAIN)


def begun(home: Path) -> None:
    take_in(home, INVITES, "invites", PROXY)


def end(home: Path) -> None:
    take_in(home, BYES, "byes", PROXY)


def tried(home: Path) -> None:
    take_in(home, BUSY, "first", PROXY)


def try_on(home: Path) -> None:
    """Take in the last final answers of attempts whose first ones are there."""
    take_in(home, BUSY.replace("09-01 23:59", "09-02 00:00"), "last", PROXY)


def told(home: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything the tables say, without what depends on the name of a batch."""
    lake = open_home(home)
    named = {"ingest_id", "batch_id", "superseded_by", "sha256"}
    return {
        table.name: sorted(
            lake.scan(table).drop(named & set(table.polars_schema)).collect().rows(), key=str
        )
        for table in (CALLS, CALL_HISTORY, REJECTS, INGESTS)
    }


@pytest.mark.large
@pytest.mark.parametrize(
    ("made", "job", "at_once"),
    [
        pytest.param(older, read_again, False, id="renumber"),  # it may stop between two days
        pytest.param(numbers_late, assign, False, id="reassign"),
        pytest.param(long_ones, doubt, True, id="lengths"),
        pytest.param(begun, end, True, id="ends"),
        pytest.param(tried, try_on, True, id="attempts"),
    ],
)
def test_an_amendment_killed_at_many_moments(
    tmp_path: Path, made: Callable[[Path], None], job: Callable[[Path], None], at_once: bool
) -> None:
    home, done = tmp_path / "home", tmp_path / "done"
    made(home)
    shutil.copytree(home, done)
    before, moments = told(home), moments_of(job, done)
    after = told(done)
    assert before != after
    for at in spread(25, moments):
        copy = Path(shutil.copytree(home, tmp_path / "copy"))
        kill_at(at, job, copy)
        assert verify(open_home(copy)).faults == ()
        assert not at_once or told(copy) in (before, after)
        job(copy)
        assert told(copy) == after
        assert_clean(copy)
        shutil.rmtree(copy)
