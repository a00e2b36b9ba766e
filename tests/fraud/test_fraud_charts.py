"""Pictures of suspicion say what the frames say."""

from __future__ import annotations

import polars as pl

from fraud.charts import ring, waterfall


def test_each_part_begins_where_the_one_before_ended() -> None:
    parts = pl.DataFrame(
        {"what": ["the device", "the name", "mail differs"], "bits": [6.0, 2.5, -0.5]}
    )
    drawn = pl.DataFrame(waterfall(parts, label="what", value="bits", title="bits").data)
    assert drawn["start"].to_list() == [0.0, 6.0, 8.5]
    assert drawn["end"].to_list() == [6.0, 8.5, 8.0]


def test_what_is_shared_stands_beside_who_shares_it() -> None:
    links = pl.DataFrame(
        [("a", "z card"), ("b", "z card"), ("c", "a card"), ("d", "a card")],
        schema=["account_id", "shared"],
        orient="row",
    )
    points = pl.DataFrame(ring(links, status={"a": "blocked"}).layer[1].data)
    assert points.filter(kind="shared").sort("y")["name"].to_list() == ["z card", "a card"]
    assert points.filter(name="a")["kind"].to_list() == ["blocked"]


def test_a_part_that_takes_away_is_written_right_of_its_bar() -> None:
    rows = pl.DataFrame({"what": ["a", "b"], "bits": [4.0, -1.0]})
    drawn = pl.DataFrame(waterfall(rows, label="what", value="bits", title="bits").data)
    assert drawn.select("start", "end", "right").rows() == [(0.0, 4.0, 4.0), (4.0, 3.0, 4.0)]
