"""Pictures say what the frames say."""

from __future__ import annotations

import polars as pl
import pytest

from cdr.charts import distribution, week_hours


def test_shares_of_a_distribution_add_up_in_each_group() -> None:
    rows = pl.DataFrame({"of": ["a", "a", "a", "b", None], "s": [0.0, 1.0, 40.0, 40.0, None]})
    drawn = pl.DataFrame(distribution(rows, value="s", title="s", by="of").data)
    assert drawn.group_by("of").agg(pl.col("share").sum()).sort("of").rows() == [
        ("a", pytest.approx(1)),
        ("b", pytest.approx(1)),
    ]


def test_no_values_draw_nothing() -> None:
    rows = pl.DataFrame({"s": [None]}, schema={"s": pl.Float64})
    assert pl.DataFrame(distribution(rows, value="s", title="s").data)["share"].sum() == 0


def test_days_of_the_week_are_named_from_monday() -> None:
    hours = pl.DataFrame({"weekday": [1, 7], "hour": [0, 23], "calls": [3, 4]})
    assert pl.DataFrame(week_hours(hours).data)["day"].to_list() == ["Mon", "Sun"]


def test_bins_of_equal_ratios_hold_what_is_above_zero() -> None:
    rows = pl.DataFrame({"s": [0.0, 1.0, 10.0, 100.0]})
    drawn = pl.DataFrame(distribution(rows, value="s", title="s", log=True).data)
    assert (drawn["from"][0], drawn["to"][-1]) == (0.0, 2.0)
    held = drawn.filter(pl.col("share") > 0)["share"].to_list()
    assert held == [pytest.approx(1 / 3)] * 3


def test_a_value_is_pointed_out_where_it_lies() -> None:
    rows = pl.DataFrame({"s": [1.0, 1000.0]})
    _, line, said = distribution(rows, value="s", title="s", log=True, mark=1000).layer
    assert pl.DataFrame(line.data)["from"].to_list() == [3.0]
    assert pl.DataFrame(said.data)["said"].to_list() == ["1,000"]
