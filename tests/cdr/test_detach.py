"""What is kept of a block does not keep the block: memory stays the same however many there are."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

import cdr
from cdr.detach import detached
from cdr.formats.dialogs import Dialogs
from cdr.ingest.collect import MOST_PIECES, Collector
from cdr.lake import Batch, DataFile
from cdr.schema import CALLS, REJECTS, Table

LINES, LINE_BYTES = 100, 1_000
BLOCK_BYTES = LINES * LINE_BYTES
RARE, USUAL = date(2026, 9, 1), date(2026, 9, 2)


def block(name: str) -> pl.Series:
    """Return the lines of a block."""
    return pl.Series("raw", [f"{name} {line} ".ljust(LINE_BYTES, "_") for line in range(LINES)])


def held_bytes(texts: pl.Series) -> int:
    """Add up all that a column keeps in memory, also what none of its rows shows."""
    chunks = (chunk.to_arrow(compat_level=pl.CompatLevel.newest()) for chunk in texts.get_chunks())
    kept = [buffer for chunk in chunks for buffer in chunk.buffers() if buffer]
    return sum({buffer.address: buffer.size for buffer in kept}.values())


def test_a_row_keeps_its_block_and_detached_only_itself() -> None:
    row = block("a").to_frame()[7:8].filter(pl.lit(value=True))
    assert held_bytes(row["raw"]) > BLOCK_BYTES
    assert detached(row).equals(row)
    assert held_bytes(detached(row)["raw"]) < 2 * LINE_BYTES


@pytest.mark.parametrize("table", [CALLS, REJECTS], ids=lambda table: table.name)
def test_detached_rows_have_the_types_they_had(table: Table) -> None:
    assert detached(table.empty()).schema == table.empty().schema


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[pl.DataFrame]:
    """Give what is put into the lake, as it is handed over."""
    found: list[pl.DataFrame] = []
    add = Batch.add

    def told(self: Batch, table: Table, rows: pl.DataFrame) -> list[DataFile]:
        found.append(rows)
        return add(self, table, rows)

    monkeypatch.setattr(Batch, "add", told)
    return found


def test_a_line_set_aside_does_not_keep_its_block(
    tmp_path: Path, written: list[pl.DataFrame]
) -> None:
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)
    with lake.batch("ingest") as batch, Collector(batch) as collector:
        collector.begin(0, "i")
        for name in "abc":
            line = block(name)[7:8].to_frame().with_columns(ingest_id=pl.lit("i"))
            collector.add(CALLS.empty(), pl.concat([REJECTS.empty(), line], how="diagonal"))
        collector.write_rest()
    assert held_bytes(written[0]["raw"]) < 3 * 2 * LINE_BYTES


def test_a_few_calls_of_a_day_in_each_block_do_not_keep_all_blocks(
    tmp_path: Path, written: list[pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cdr.ingest.collect.HELD_ROWS", 2 * LINES)
    days = pl.Series("call_date", [RARE] + [USUAL] * (LINES - 1))
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)
    with lake.batch("ingest") as batch, Collector(batch) as collector:
        collector.begin(0, "i")
        for place in range(3 * MOST_PIECES):
            lines = block(f"{place}")
            said = pl.DataFrame([lines.alias("source_record_id"), days]).with_columns(
                lines.cast(pl.Binary).alias("record_id"),
                ingest_id=pl.lit("i"),
                content_hash=pl.lit(1, pl.Int64),
            )
            collector.add(pl.concat([CALLS.empty(), said], how="diagonal"), REJECTS.empty())
        collector.write_rest()
    (rare,) = (rows for rows in written if rows["call_date"][0] == RARE)
    assert rare.height == 3 * MOST_PIECES
    assert held_bytes(rare["source_record_id"]) < (MOST_PIECES + 1) * BLOCK_BYTES


def test_a_dialog_that_waits_does_not_keep_the_blocks_it_stood_in() -> None:
    dialogs = Dialogs(reach_rows=1)
    for name, first in (("a", 0), ("b", LINES), ("c", 2 * LINES)):
        ended = pl.Series([False] + [True] * (LINES - 1))
        rows = pl.DataFrame({"line": range(first, first + LINES), "callid": block(name)})
        rows = rows.with_columns(
            *(pl.lit(text).alias(column) for column, text in SAID.items()), ended.alias("closes")
        )
        dialogs.add(rows, first + LINES + 1)
    waiting = dialogs.rest()
    assert waiting is not None
    assert waiting["line"].sort().to_list() == [0, LINES, 2 * LINES]
    assert held_bytes(waiting["callid"]) < BLOCK_BYTES


SAID = {"method": "INVITE", "sip_code": "200", "from_tag": "f", "to_tag": "t"}
