"""What a notebook is told about the details of accounts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

import cdr
import fraud
from pipelines.samples import samples


@pytest.mark.large
def test_a_waterfall_names_what_agrees_strongest_first_and_no_value(sample_night: Path) -> None:
    lake = cdr.open_lake(cdr.load_settings(samples() / "callsieve.toml", home=sample_night))
    as_of = datetime(2026, 10, 1, tzinfo=UTC)
    steps = fraud.identity_waterfall(lake, as_of=as_of, accounts=["C1000037", "C1000073"])
    assert set(steps["account_id"]) == {"C1000037"}  # the other one shares nothing rare
    assert steps["blocked_id"].unique().to_list() == ["C1000090"]
    assert steps["bits"].is_sorted(descending=True)
    assert steps.filter(pl.col("bits") > 0)["words"].to_list() == [
        "the postal address that 4 accounts have"
    ]
    accounts = (samples() / "accounts.csv").read_text("utf-8")
    (row,) = [line for line in accounts.splitlines() if line.startswith("C1000037")]
    address = row.split(",")[5]
    assert address
    assert address not in steps.write_csv()
