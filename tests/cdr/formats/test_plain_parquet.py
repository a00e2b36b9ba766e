"""Parquet with text, with types, and with what cannot be a call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import polars as pl
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
