"""The operator's files: what is right joins what was known, what is odd is set aside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

import cdr
from cdr.errors import CdrError, FormatError, SchemaMismatch
from cdr.imports import (
    ImportReport,
    import_accounts,
    import_events,
    import_lists,
    import_messages,
    import_numbers,
)
from cdr.schema import (
    ACCOUNT_EVENTS,
    ACCOUNT_NUMBERS,
    ACCOUNTS,
    INGESTS,
    LISTS,
    MESSAGE_TEMPLATES,
    REJECTS,
)

NOW = datetime(2026, 9, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
Import = Callable[..., ImportReport]
ALL = {
    "accounts": import_accounts,
    "numbers": import_numbers,
    "events": import_events,
    "messages": import_messages,
    "lists": import_lists,
}
every = pytest.mark.parametrize("take_in", list(ALL.values()), ids=list(ALL))


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    return cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)


@pytest.fixture
def csv(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str | bytes, name: str = "file.csv") -> Path:
        file = tmp_path / name
        file.write_bytes(
            b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
        )
        return file

    return write


def counts(report: ImportReport) -> tuple[int, ...]:
    return (
        report.read, report.accepted, report.duplicate, report.corrected, report.rejected
    )  # fmt: skip


def reasons(lake: cdr.Lake) -> list[tuple[int, list[str]]]:
    return lake.scan(REJECTS).sort("line").select("line", "reasons").collect().rows()


# -- what is refused as a whole ---------------------------------------------------


@every
def test_no_such_file(lake: cdr.Lake, tmp_path: Path, take_in: Import) -> None:
    with pytest.raises(FormatError, match="there is no such file"):
        take_in(lake, tmp_path / "none.csv", now=NOW)


@every
def test_a_folder(lake: cdr.Lake, tmp_path: Path, take_in: Import) -> None:
    with pytest.raises(FormatError, match="is a folder"):
        take_in(lake, tmp_path, now=NOW)


@every
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\n\n", id="empty lines"),
        pytest.param(bytes(range(256)) * 64, id="bytes of all kinds"),
        pytest.param(b"\x7fELF\x02\x01\x01" + b"\0" * 512, id="program"),
        pytest.param("account_id,at\nä,1\n".encode("utf-16"), id="UTF-16"),
        pytest.param(b"PAR1 but nothing more", id="no Parquet"),
        pytest.param(b'account_id,"at\nx,y\n', id="quote not closed"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_is_no_table_is_refused_and_changes_nothing(
    lake: cdr.Lake, tmp_path: Path, take_in: Import, content: bytes, suffix: str
) -> None:
    file = tmp_path / f"file.{suffix}"
    file.write_bytes(content)
    with pytest.raises(CdrError) as caught:
        take_in(lake, file, now=NOW)
    assert isinstance(caught.value, FormatError | SchemaMismatch)
    assert lake.version(INGESTS) is None


def test_semicolons_between_columns_are_named(lake: cdr.Lake, tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text("account_id;created_at;status\na1;2026-01-01;active\n")
    with pytest.raises(FormatError, match="has `;` between its columns; save it with commas"):
        import_accounts(lake, file, now=NOW)


@every
def test_columns_that_are_needed_are_named(
    lake: cdr.Lake, csv: Callable[..., Path], take_in: Import
) -> None:
    with pytest.raises(SchemaMismatch, match=r"missing .*(account_id|entry)"):
        take_in(lake, csv("name,city", "x,y"), now=NOW)


# -- accounts ---------------------------------------------------------------------

ACCOUNT = "account_id,created_at,status,name"


def test_accounts_that_are_odd_are_set_aside_with_every_reason(
    lake: cdr.Lake, csv: Callable[..., Path]
) -> None:
    report = import_accounts(
        lake,
        csv(
            ACCOUNT,
            "a1,2026-01-01T00:00:00Z,active,Ann",
            ",2026-01-01,active,no id",
            "a3,yesterday,ACTIVE,bad time",
            "a4,2026-13-01,gone,two faults",
            "a5,2026-01-01,,no status",
            "a6,2026-01-01T10:00:00+02:00,Closed,Eve",
            "a1,2026-01-01T00:00:00Z,blocked,Ann",
        ),
        now=NOW,
    )
    assert counts(report) == (7, 2, 0, 0, 5)
    assert reasons(lake) == [
        (2, ["account_repeated_below"]),
        (3, ["no_account_id"]),
        (4, ["created_at_not_understood"]),
        (5, ["created_at_not_understood", "status_not_understood"]),
        (6, ["no_status"]),
    ]
    held = lake.scan(ACCOUNTS).sort("account_id").select("account_id", "status", "created_at")
    assert held.collect().rows() == [
        ("a1", "blocked", datetime(2026, 1, 1, tzinfo=UTC)),
        ("a6", "closed", datetime(2026, 1, 1, 8, tzinfo=UTC)),
    ]


def test_a_detail_that_changes_closes_the_row_that_held_it(
    lake: cdr.Lake, csv: Callable[..., Path]
) -> None:
    import_accounts(
        lake, csv(ACCOUNT, "a1,2026-01-01,active,Ann", "a2,2026-01-01,active,B"), now=NOW
    )
    report = import_accounts(lake, csv(ACCOUNT, "a1,2026-01-01,blocked,Ann"), now=LATER)
    assert counts(report) == (1, 0, 0, 1, 0)
    rows = lake.scan(ACCOUNTS).sort("account_id", "valid_from")
    assert rows.select("account_id", "status", "valid_from", "valid_to").collect().rows() == [
        ("a1", "active", datetime(2026, 1, 1, tzinfo=UTC), LATER),
        ("a1", "blocked", LATER, None),
        ("a2", "active", datetime(2026, 1, 1, tzinfo=UTC), None),
    ]
    assert counts(import_accounts(lake, csv(ACCOUNT, "a1,2026-01-01,blocked,Ann"), now=LATER)) == (
        1, 0, 1, 0, 0,
    )  # fmt: skip


def test_columns_nobody_knows_are_named_and_left_out(
    lake: cdr.Lake, csv: Callable[..., Path]
) -> None:
    report = import_accounts(lake, csv(ACCOUNT + ",shoe", "a1,2026-01-01,active,A,42"), now=NOW)
    assert report.ignored == ("shoe",)


def test_a_row_with_too_many_fields_is_refused_with_what_to_do(
    lake: cdr.Lake, csv: Callable[..., Path]
) -> None:
    with pytest.raises(FormatError, match=r"neither CSV .* one row a line"):
        import_accounts(lake, csv(ACCOUNT, "a1,2026-01-01,active,A,B,C"), now=NOW)


def test_bytes_that_are_no_utf8_are_refused(lake: cdr.Lake, csv: Callable[..., Path]) -> None:
    with pytest.raises(FormatError, match="UTF-8"):
        import_accounts(lake, csv(ACCOUNT, b"a1,2026-01-01,active,J\xfcrgen"), now=NOW)


def test_a_mark_at_the_beginning_and_windows_line_ends_do_not_matter(
    lake: cdr.Lake, csv: Callable[..., Path]
) -> None:
    file = csv(b"\xef\xbb\xbf" + ACCOUNT.encode() + b"\r", "a1,2026-01-01,active,Ann\r")
    assert counts(import_accounts(lake, file, now=NOW)) == (1, 1, 0, 0, 0)
    assert lake.scan(ACCOUNTS).collect()["name"].to_list() == ["Ann"]


def test_a_header_without_rows_is_no_fault(lake: cdr.Lake, csv: Callable[..., Path]) -> None:
    assert counts(import_accounts(lake, csv(ACCOUNT), now=NOW)) == (0, 0, 0, 0, 0)


def test_parquet_says_the_same_as_csv(lake: cdr.Lake, tmp_path: Path) -> None:
    file = tmp_path / "accounts.parquet"
    pl.DataFrame(
        {
            "account_id": ["a1"],
            "created_at": [datetime(2026, 1, 1, 8, tzinfo=UTC)],
            "status": ["active"],
            "devices": [["d1", "d2"]],
        }
    ).write_parquet(file)
    assert import_accounts(lake, file, now=NOW).accepted == 1
    row = lake.scan(ACCOUNTS).collect().row(0, named=True)
    assert (row["created_at"], row["devices"]) == (
        datetime(2026, 1, 1, 8, tzinfo=UTC),
        ["d1", "d2"],
    )


# -- numbers ----------------------------------------------------------------------


def test_numbers_are_international_or_set_aside(lake: cdr.Lake, csv: Callable[..., Path]) -> None:
    report = import_numbers(
        lake,
        csv(
            "account_id,number,valid_from,valid_to",
            "a1,+49 30 1234567,2026-01-01,",
            "a2,0044-20-7946-0018,,",
            "a3,030 1234567,,",
            "a4,anonymous,,",
            "a5,+493012345678901234,,",
            ",+49301234567,,",
            "a6,+49301234568,never,",
            "a7,+49301234569,2026-02-01,2026-01-01",
        ),
        now=NOW,
    )
    held = lake.scan(ACCOUNT_NUMBERS).sort("account_id").select("account_id", "number").collect()
    assert held.rows() == [("a1", "+49301234567"), ("a2", "+442079460018")]
    assert counts(report) == (8, 2, 0, 0, 6)
    assert reasons(lake) == [
        (4, ["number_not_international"]),
        (5, ["number_not_international"]),
        (6, ["number_not_international"]),
        (7, ["no_account_id"]),
        (8, ["valid_from_not_understood"]),
        (9, ["valid_to_not_after_valid_from"]),
    ]


@pytest.mark.parametrize("name", ["file.csv", "file.parquet"])
def test_a_number_kept_as_a_float_is_its_digits(lake: cdr.Lake, tmp_path: Path, name: str) -> None:
    rows = pl.DataFrame({"account_id": ["a1", "a2"], "number": [4930901820.0, 442079460018.0]})
    file = tmp_path / name
    rows.write_csv(file) if file.suffix == ".csv" else rows.write_parquet(file)
    import_numbers(lake, file, now=NOW)
    held = lake.scan(ACCOUNT_NUMBERS).sort("account_id").select("number").collect()
    assert held["number"].to_list() == ["+4930901820", "+442079460018"]


def test_a_number_given_back_is_a_correction_and_twice_is_once(
    lake: cdr.Lake, csv: Callable[..., Path]
) -> None:
    header = "account_id,number,valid_from,valid_to"
    held, ended = "a1,+49301234567,2026-01-01,", "a1,+49301234567,2026-01-01,2026-06-01"
    assert counts(import_numbers(lake, csv(header, held, held), now=NOW)) == (2, 1, 1, 0, 0)
    assert counts(import_numbers(lake, csv(header, ended), now=NOW)) == (1, 0, 0, 1, 0)
    assert counts(import_numbers(lake, csv(header, ended), now=NOW)) == (1, 0, 1, 0, 0)
    assert lake.scan(ACCOUNT_NUMBERS).collect().height == 1


# -- events -----------------------------------------------------------------------


def test_an_event_counts_once_and_odd_ones_are_set_aside(
    lake: cdr.Lake, csv: Callable[..., Path]
) -> None:
    file = csv(
        "account_id,at,kind,ip,amount,currency",
        "a1,2026-09-01T10:00:00Z,payment,192.0.2.1,12.50,EUR",
        "a1,2026-09-01T10:00:00Z,payment,192.0.2.1,12.50,EUR",
        'a1,2026-09-01T11:00:00Z,payment,,"12,50",EUR',
        "a1,,sign_in,,,",
        "a1,2026-09-02,,,,",
    )
    assert counts(import_events(lake, file, now=NOW)) == (5, 1, 1, 0, 3)
    assert reasons(lake) == [
        (4, ["amount_not_understood"]),
        (5, ["no_at"]),
        (6, ["no_kind"]),
    ]
    assert counts(import_events(lake, file, now=LATER))[1:4] == (0, 2, 0)
    assert lake.scan(ACCOUNT_EVENTS).collect().height == 1


# -- messages ---------------------------------------------------------------------


def test_texts_are_dropped_and_their_templates_counted(
    lake: cdr.Lake, csv: Callable[..., Path]
) -> None:
    secret = "Your parcel 8471 waits at http://quartz.example/x"
    file = csv(
        "account_id,at,counterpart,text",
        f"a1,2026-09-01T10:00:00Z,+4930111,{secret}",
        f"a1,2026-09-01T11:00:00Z,+4930112,{secret.replace('8471', '9999')}",
        "a1,2026-09-01T12:00:00Z,+4930113,",
        "a1,noon,+4930113,hello",
    )
    assert counts(import_messages(lake, file, now=NOW)) == (4, 2, 0, 0, 2)
    row = lake.scan(MESSAGE_TEMPLATES).collect().row(0, named=True)
    assert (row["text_count"], row["counterpart_count"], row["link_count"]) == (2, 2, 2)
    assert counts(import_messages(lake, file, now=NOW))[:4] == (4, 0, 2, 0)
    stored = b"".join(f.read_bytes() for f in lake.home.lake.rglob("*") if f.is_file())
    assert b"quartz" not in stored


def test_of_a_link_only_whether_its_domain_is_listed_stays(
    lake: cdr.Lake, csv: Callable[..., Path]
) -> None:
    def sent(day: int, *links: str) -> str:
        return f"a1,2026-09-0{day}T10:00:00Z,+4930111,pay {' or '.join(links)} now"

    listed = ("list,entry,detail,valid_from,valid_to",
              "link_domains,quartz.example,feed,2026-09-02,2026-09-04")  # fmt: skip
    header = "account_id,at,counterpart,text"
    import_messages(lake, csv(header, sent(1, "http://quartz.example")), now=NOW)
    import_lists(lake, csv(*listed), now=NOW)
    texts = (
        sent(1, "http://quartz.example/early"),
        sent(2, "http://www.Pay.QUARTZ.example:80/x"),
        sent(3, "http://notquartz.example/x", "quartz.example/late"),
        sent(3, "https://quartz.example.org"),
        sent(4, "http://quartz.example/after"),
    )
    import_messages(lake, csv(header, *texts), now=NOW)
    found = lake.scan(MESSAGE_TEMPLATES).collect()
    count = pl.col("listed_link_count")
    rows = found.group_by("import_id", "message_date").agg(
        count.sum(), unknown=count.is_null().any()
    )
    assert sorted((day.day, listed, unknown) for _, day, listed, unknown in rows.iter_rows()) == [
        (1, 0, False),
        (1, 0, True),  # nothing was listed yet, so nothing is known
        (2, 1, False),
        (3, 1, False),
        (4, 0, False),
    ]
    folder = lake.home.lake / "message_templates"
    assert b"quartz" not in b"".join(f.read_bytes() for f in folder.rglob("*") if f.is_file())


def test_the_text_of_a_message_set_aside_is_not_kept_either(
    lake: cdr.Lake, csv: Callable[..., Path]
) -> None:
    import_messages(
        lake, csv("account_id,at,counterpart,text", "a1,noon,+4930113,hello there"), now=NOW
    )
    assert lake.scan(REJECTS).collect()["raw"].str.contains("hello").to_list() == [False]


# -- lists ------------------------------------------------------------------------


def test_lists_that_nobody_asks_are_set_aside(lake: cdr.Lake, csv: Callable[..., Path]) -> None:
    report = import_lists(
        lake,
        csv(
            "list,entry,detail,valid_from,valid_to",
            "test_numbers,+8821000000,who,2026-01-01,",
            "networks,192.0.2.0/24,carrier,,",
            "shopping,milk,,,",
            "networks,,,,",
        ),
        now=NOW,
    )
    assert counts(report) == (4, 2, 0, 0, 2)
    assert reasons(lake) == [(4, ["list_unknown"]), (5, ["no_entry"])]
    assert lake.scan(LISTS).collect().height == 2


@every
def test_the_ledger_has_a_row_that_adds_up(
    lake: cdr.Lake, csv: Callable[..., Path], take_in: Import
) -> None:
    file = csv(
        "account_id,created_at,status,number,at,kind,text,list,entry",
        "a1,2026-01-01,active,+49301234567,2026-09-01,sign_in,hi,test_numbers,+8821000000",
        ",,,,,,,,",
    )
    report = take_in(lake, file, now=NOW)
    (row,) = lake.scan(INGESTS).select("read", "accepted", "rejected", "file").collect().rows()
    assert row == (2, 1, 1, "file.csv")
    assert counts(report) == (2, 1, 0, 0, 1)
