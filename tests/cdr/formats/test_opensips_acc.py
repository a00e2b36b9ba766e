from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from cdr.errors import FormatError, SettingsError

Read = Callable[..., pl.DataFrame]

HEADER = "method,from_tag,to_tag,callid,sip_code,time,from_uri,to_uri"


def rows(*said: str, header: str = HEADER) -> bytes:
    """Rows given as `METHOD from_tag to_tag call code second`; `-` is nothing."""
    lines = [header]
    for each in said:
        *fields, second = each.replace("-", "").split(" ")
        lines.append(
            ",".join([*fields, f"2026-09-01 12:00:{second}", "sip:a@x.example", "sip:b@y"])
        )
    return "\n".join(lines).encode() + b"\n"


def test_a_call_in_full(read: Read) -> None:
    found = read("opensips_acc", "opensips.csv")
    assert found.drop("raw").row(0, named=True) == {
        "line": 2,
        "source_rows": 5,
        "faults": [],
        "source_record_id": "c1@192.0.2.10;a1;b1",
        "call_id": "c1@192.0.2.10",
        "leg": 0,
        "account_code": None,
        "trunk": None,
        "direction": None,
        "media": None,
        "caller": "sip:+4930901820@example.net;user=phone",
        "callee": "sip:+442079460018@example.net",
        "caller_ip": "192.0.2.10",
        "callee_ip": "198.51.100.7",
        "forwarded_to": None,
        "started": "2026-09-01 12:00:07",
        "answered": "2026-09-01 12:00:07",
        "ended": "2026-09-01 12:01:07",
        "duration": None,
        "elapsed": None,
        "outcome": "answered",
        "cause_code": "200",
        "proof_epoch_s": None,
        "flags": ["start_at_answer"],
    }
    raw = found["raw"][0].split("\n")
    assert [line.split(",")[0] for line in raw] == ["INVITE", "INVITE", "INVITE", "BYE", "BYE"]


def test_the_quirks_of_accounting(read: Read) -> None:
    found = read("opensips_acc", "opensips.csv")
    assert found.select("line", "source_rows", "faults", "outcome", "cause_code").rows()[1:] == [
        (3, 1, [], "busy", "486"),
        (6, 2, [], "cancelled", "487"),  # CANCEL and the INVITE it ended
        (10, 1, [], "answered", "200"),
        (11, 1, ["bye_without_invite"], None, None),
        (12, 2, [], "failed", "503"),  # challenged first, then refused by the carrier
        (14, 1, ["cancel_without_invite"], None, None),
        (15, 1, ["not_a_call"], None, None),
        (16, 1, ["unknown_sip_code"], None, "abc"),
        (17, 1, ["no_call_id"], None, None),
        (18, 1, ["wrong_column_count"], None, None),
    ]
    lost = found.filter(pl.col("line") == 10).row(0, named=True)
    assert (lost["flags"], lost["ended"]) == (["missing_bye", "start_at_answer"], None)


@pytest.mark.parametrize("block_bytes", [64, 200, 1_000])
def test_blocks_do_not_part_dialogs(read: Read, block_bytes: int) -> None:
    whole = read("opensips_acc", "opensips.csv")
    assert read("opensips_acc", "opensips.csv", block_bytes=block_bytes).equals(whole)


def test_the_same_tags_in_another_call_are_another_dialog(read: Read) -> None:
    found = read(
        "opensips_acc", rows("INVITE f t c1 200 01", "INVITE f t c2 200 02", "BYE f t c1 200 09")
    )
    assert found.select("call_id", "ended").rows() == [("c1", "2026-09-01 12:00:09"), ("c2", None)]


def test_forks_of_a_call_are_dialogs_of_their_own(read: Read) -> None:
    found = read("opensips_acc", rows("INVITE f t1 c 200 01", "INVITE f t2 c 200 02"))
    assert found["source_record_id"].to_list() == ["c;f;t1", "c;f;t2"]
    assert found["call_id"].to_list() == ["c", "c"]


def test_a_bye_before_its_invite_in_the_file_is_joined(read: Read) -> None:
    found = read("opensips_acc", rows("BYE t f c 200 09", "INVITE f t c 200 01"))
    assert found.select("source_rows", "started", "ended").rows() == [
        (2, "2026-09-01 12:00:01", "2026-09-01 12:00:09")
    ]


def test_with_a_time_of_creation_the_ringing_is_known(read: Read) -> None:
    data = rows("INVITE f t c 200 07", "INVITE g t d 486 08", header=HEADER + ",created")
    lines = data.decode().splitlines()
    lines[1:] = [line + ",2026-09-01 12:00:01" for line in lines[1:]]
    found = read("opensips_acc", "".join(f"{line}\n" for line in lines).encode())
    assert found.select("started", "answered", "ended", "flags").rows() == [
        ("2026-09-01 12:00:01", "2026-09-01 12:00:07", None, ["missing_bye"]),
        ("2026-09-01 12:00:01", None, "2026-09-01 12:00:08", []),
    ]


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("302", "failed"),
        ("403", "rejected"),
        ("404", "failed"),
        ("408", "no_answer"),
        ("480", "no_answer"),
        ("486", "busy"),
        ("487", "cancelled"),
        ("500", "failed"),
        ("600", "busy"),
        ("603", "rejected"),
    ],
)
def test_the_final_code_tells_the_outcome(read: Read, code: str, outcome: str) -> None:
    found = read("opensips_acc", rows(f"INVITE f t c {code} 01"))
    assert found.select("outcome", "cause_code").rows() == [(outcome, code)]


def test_more_rows_than_a_call_can_have_are_set_aside(read: Read) -> None:
    found = read("opensips_acc", rows(*["INVITE f t c 200 01"] * 2_500))
    assert found.select("line", "source_rows", "faults").rows() == [
        (2, 1_000, []),
        (1_002, 1_000, ["too_many_rows"]),
        (2_002, 500, ["too_many_rows"]),
    ]


def test_columns_can_have_other_names(read: Read) -> None:
    data = rows("INVITE f t c 200 01").replace(b"from_uri", b"Caller").replace(b"to_uri", b"ruri")
    found = read("opensips_acc", data, columns={"from_uri": "caller", "to_uri": "RURI"})
    assert found.select("caller", "callee").rows() == [("sip:a@x.example", "sip:b@y")]


def test_texts_of_a_column_that_is_filled_up_are_without_the_blanks(read: Read) -> None:
    written = rows("INVITE f t c1 200 00", "BYE f t c1 200 09", "INVITE f - c2 486 10")
    head, _, lines = written.decode().partition("\n")
    padded = lines.replace(",", "   ,").replace("\n", "   \n")
    found = read("opensips_acc", f"{head}\n{padded}".encode())
    assert found.drop("raw").equals(read("opensips_acc", written).drop("raw"))


def test_a_table_may_be_written_as_its_database_shows_it(read: Read) -> None:
    head = f"{HEADER},created".replace(",", "\t")
    row = ["INVITE", "f", "NULL", "c1", "486", "2026-09-01 12:00:00", "sip:1@a", "sip:2@b", "NULL"]
    found = read("opensips_acc", "\n".join([head, "\t".join(row), ""]).encode())
    assert found.select("source_record_id", "started", "faults").rows() == [
        ("c1;f;", "2026-09-01 12:00:00", [])
    ]


def test_a_missing_column_is_named(read: Read) -> None:
    data = rows("INVITE f t c 200 01").replace(b"callid", b"id")
    with pytest.raises(FormatError, match=r"calls: the header lacks callid; name the file's own"):
        read("opensips_acc", data)


def test_a_mapped_column_that_nobody_reads_is_wrong(read: Read) -> None:
    with pytest.raises(SettingsError, match="caller is not one of method, from_tag"):
        read("opensips_acc", rows(), columns={"caller": "x"})


def test_a_row_that_tells_its_length_needs_no_bye(read: Read) -> None:
    header = HEADER + ",created,duration,ms_duration"
    lines = rows("INVITE f t c 200 07", "INVITE g t d 200 08", "INVITE h t e 200 09",
                 "INVITE i t f 486 10", header=header).decode().splitlines()  # fmt: skip
    told = (",2026-09-01 12:00:01,60,60250", ",2026-09-01 12:00:01,61,", ",2026-09-01 12:00:01,0,0",
            ",,0,0")  # fmt: skip
    lines[1:] = [line + more for line, more in zip(lines[1:], told, strict=True)]
    found = read("opensips_acc", "".join(f"{line}\n" for line in lines).encode())
    assert found.select("started", "answered", "duration", "outcome", "flags").rows() == [
        ("2026-09-01 12:00:01", "2026-09-01 12:00:07", "60.250", "answered", []),
        ("2026-09-01 12:00:01", "2026-09-01 12:00:08", "61.000", "answered", []),
        ("2026-09-01 12:00:01", "2026-09-01 12:00:09", None, "answered", ["missing_bye"]),
        ("2026-09-01 12:00:10", None, None, "busy", []),
    ]
