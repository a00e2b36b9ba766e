"""Parquet with text, with types, and with what cannot be a call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from uuid import UUID

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdr.errors import FormatError

Read = Callable[..., pl.DataFrame]

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC).replace(tzinfo=None)
CALLS = pl.DataFrame(
    {
        "caller": ["+4930901820", "+4930901820"],
        "callee": [200, 201],
        "started_at": [NOON, NOON + timedelta(minutes=1)],
        "duration_s": [60.5, None],
        "outcome": ["answered", "busy"],
    },
    schema_overrides={"callee": pl.Int32},
)


def parquet(frame: pl.DataFrame) -> bytes:
    file = BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_typed_columns_are_read_as_text(read: Read, block_bytes: int) -> None:
    found = read("plain_parquet", parquet(CALLS), block_bytes=block_bytes)
    said = ("line", "faults", "caller", "callee", "started", "duration", "outcome")
    assert found.select(said).rows() == [
        (1, [], "+4930901820", "200", "2026-09-01T12:00:00.000000", "60.5", "answered"),
        (2, [], "+4930901820", "201", "2026-09-01T12:01:00.000000", None, "busy"),
    ]
    assert '"callee":"200"' in found["raw"][0]


def test_a_zone_must_be_declared(read: Read) -> None:
    zoned = CALLS.with_columns(pl.lit(datetime(2026, 9, 1, 12, tzinfo=UTC)).alias("started_at"))
    with pytest.raises(FormatError, match='time zone in started_at; set clock = "offset"'):
        read("plain_parquet", parquet(zoned))
    found = read("plain_parquet", parquet(zoned), clock="offset")
    assert found["started"][0] == "2026-09-01T12:00:00.000000Z"


def test_what_cannot_be_read_is_refused_with_what_to_do(read: Read) -> None:
    with pytest.raises(FormatError, match="lacks the columns who; name the file's own"):
        read("plain_parquet", parquet(CALLS), columns={"caller": "who"})
    with pytest.raises(FormatError, match="lists or structs in callee"):
        read("plain_parquet", parquet(CALLS.with_columns(callee=pl.lit([[1]]))))
    with pytest.raises(FormatError, match="not a whole Parquet file"):
        read("plain_parquet", parquet(CALLS)[:-5])


def test_an_empty_table_has_no_records(read: Read) -> None:
    assert read("plain_parquet", parquet(CALLS.clear())).height == 0


def test_columns_are_joined_and_constants_filled_in(read: Read, tmp_path: Path) -> None:
    file = tmp_path / "calls.parquet"
    rows = {
        "cc": [49],
        "a": [30],
        "callee": ["2"],
        "d": [date(2026, 9, 1)],
        "t": ["12:00"],
        "s": [0],
    }
    pl.DataFrame(rows).write_parquet(file)
    found = read(
        "plain_parquet",
        file,
        columns={"caller": "+{cc}{a}", "started_at": "{d} {t}", "duration_s": "s"},
        constants={"direction": "in"},
        outcome_from_length=True,
    )
    assert found.select("caller", "started", "outcome", "direction", "faults").rows() == [
        ("+4930", "2026-09-01 12:00", "no_answer", "inbound", [])
    ]


def with_column(name: str, values: pa.Array) -> bytes:
    """Write three calls of which one column is of some type; it stands first in the file."""
    calls = {
        "outcome": pa.array(["answered"] * 3),
        "duration_s": pa.array([60, 61, 62]),
        "started_at": pa.array([NOON] * 3),
        "callee": pa.array(["+442079460018"] * 3),
        "caller": pa.array(["+4930901820"] * 3),
        "record_id": pa.array(["r1", "r2", "r3"]),
    }
    file = BytesIO()
    pq.write_table(pa.table({name: values} | {k: v for k, v in calls.items() if k != name}), file)
    return file.getvalue()


A_UUID = UUID("0b6f3a52-7a0e-4b7e-9f1e-3f4b8f0c2d11")


@pytest.mark.parametrize(
    ("name", "of", "values", "said"),
    [
        pytest.param(
            "caller",
            "caller",
            pa.array([4930901820.0, None, float("nan")]),
            ["4930901820", None, None],
            id="float",
        ),
        pytest.param(
            "record_id",
            "source_record_id",
            pa.array([A_UUID.bytes, None, A_UUID.bytes], pa.uuid()),
            [str(A_UUID), None, str(A_UUID)],
            id="uuid",
        ),
        pytest.param(
            "duration_s",
            "duration",
            pa.array([Decimal("60.5"), Decimal(61), None], pa.decimal256(60, 1)),
            ["60.5", "61.0", None],
            id="long-decimal",
        ),
        pytest.param(
            "duration_s",
            "duration",
            pa.array([Decimal("60.5"), Decimal(61), None], pa.decimal32(5, 1)),
            ["60.5", "61.0", None],
            id="short-decimal",
        ),
        pytest.param(
            "record_id",
            "source_record_id",
            pa.array([b"r1", None, b"r1"], pa.large_binary()),
            ["r1", None, "r1"],
            id="bytes",
        ),
    ],
)
def test_each_type_is_the_text_one_would_write(
    name: str, of: str, values: pa.Array, said: list[str | None], read: Read
) -> None:
    found = read("plain_parquet", with_column(name, values))
    assert found[of].to_list() == said
    assert found["callee"].to_list() == ["+442079460018"] * 3


def test_a_fraction_of_a_second_is_kept(read: Read) -> None:
    times = pa.array([time(0, 1, 1, 500_000), time(1, 2, 3), None], pa.time64("us"))
    found = read("plain_parquet", with_column("duration_s", times), length_unit="clock")
    assert found["duration"].to_list() == ["61.500000", "3723.000000", None]


@pytest.mark.parametrize("kind", [pa.string(), pa.binary()], ids=str)
def test_bytes_that_are_not_utf8_set_their_row_aside(kind: pa.DataType, read: Read) -> None:
    said = pa.array([b"+4930901820", b"\xff\xfe30", b"\xc3"], pa.binary())
    unchecked = pa.Array.from_buffers(kind, 3, said.buffers())
    found = read("plain_parquet", with_column("caller", unchecked))
    assert found["faults"].to_list() == [[], ["not_utf8"], ["not_utf8"]]


def test_what_is_no_single_text_is_refused_by_name(read: Read) -> None:
    length = pa.array([timedelta(seconds=60)] * 3, pa.duration("ms"))
    with pytest.raises(FormatError, match=r"no text or numbers in duration_s \(duration\[ms\]\)"):
        read("plain_parquet", with_column("duration_s", length))
    ids = pa.array([b"0123456789abcdef"] * 3, pa.binary(16))
    with pytest.raises(FormatError, match=r"no text or numbers in record_id \(fixed_size"):
        read("plain_parquet", with_column("record_id", ids))
    table = pq.read_table(BytesIO(parquet(CALLS)))
    twice = BytesIO()
    pq.write_table(table.append_column("caller", table["caller"]), twice)
    with pytest.raises(FormatError, match="has caller more than once"):
        read("plain_parquet", twice.getvalue())
