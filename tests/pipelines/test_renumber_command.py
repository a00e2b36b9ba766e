"""`callsieve lake renumber`: the report comes before the change, and the change only when asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

import cdr
from cdr.ingest import ingest
from cdr.schema import CALLS

if TYPE_CHECKING:
    from conftest import RunCommand
    from pipelines.conftest import Operator


@pytest.fixture
def aged(operator: Operator) -> Operator:
    """Two calls to London, which older metadata took for calls to France."""
    settings = cdr.load_settings(operator.config, home=operator.home)
    lake = cdr.open_lake(settings, create=True)
    file = operator.leave(1, operator.call(1, "a1", 1, 5), operator.call(2, "a1", 1, 6))
    pbx = settings.sources["pbx"]
    ingest(lake, [file], source_name="pbx", source=pbx, now=datetime(2026, 9, 2, tzinfo=UTC))
    with lake.batch("ingest") as batch, lake.writing():
        rows = lake.calls().collect()
        batch.remove(CALLS, lake.files(CALLS))
        batch.add(
            CALLS,
            rows.with_columns(numbering_version=pl.lit("old"), callee_country=pl.lit("FR")),
        )
        batch.publish()
    return operator


def test_the_report_is_shown_and_nothing_written_until_commit(
    callsieve: RunCommand, aged: Operator
) -> None:
    report = callsieve(*aged.words, "lake", "renumber")
    assert report.code == 1
    assert "callee_country" in report.out
    assert "2 of 2 calls of 1 days that other metadata read differ" in report.out
    assert "7946" not in report.out
    assert callsieve(*aged.words, "lake", "renumber", "--json").found["committed"] == 0

    done = callsieve(*aged.words, "lake", "renumber", "--commit")
    assert done.code == 0
    assert "callee_country" in done.out
    assert "2 calls changed; their earlier versions are in call_history" in done.out

    again = callsieve(*aged.words, "lake", "renumber")
    assert again.code == 0
    assert "all calls were read with" in again.out


def test_the_earlier_version_can_be_asked_for(callsieve: RunCommand, aged: Operator) -> None:
    callsieve(*aged.words, "lake", "renumber", "--commit")
    sql = "SELECT callee_country, count(*) AS n FROM call_history GROUP BY ALL"
    found = callsieve(*aged.words, "query", sql, "--purpose", "billing", "--json").found
    assert found["rows"] == [{"callee_country": "FR", "n": 2}]


def test_calls_of_an_unknown_source_are_named_and_stay(
    callsieve: RunCommand, aged: Operator
) -> None:
    aged.config.write_text(aged.config.read_text().replace("[sources.pbx]", "[sources.other]"))
    left = callsieve(*aged.words, "lake", "renumber", "--commit")
    assert left.code == 1
    assert "2 calls of pbx stay as they are" in left.out
