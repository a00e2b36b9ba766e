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
