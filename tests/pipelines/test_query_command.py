"""What `query` draws for people: a table, or row below row where a table would not fit."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from pipelines.commands.query import _in_words

FOUND = pl.DataFrame(
    {"record_id": [b"\x01\xff"], "started_at": [datetime(2026, 9, 1, 12, tzinfo=UTC)], "leg": [0]}
)


def test_what_fits_is_a_table() -> None:
    assert "│ 01ff      ┆ 2026-09-01 12:00:00 UTC ┆ 0   │" in _in_words(FOUND, 60).splitlines()


def test_what_is_too_wide_stands_row_below_row() -> None:
    assert _in_words(FOUND, 30).splitlines() == [
        "-- row 1",
        "record_id   01ff",
        "started_at  2026-09-01 12:00:00+00:00",
        "leg         0",
    ]


def test_no_rows_are_a_table_however_wide() -> None:
    assert "started_at" in _in_words(FOUND.clear(), 10).splitlines()[1]
