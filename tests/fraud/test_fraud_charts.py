"""Pictures of suspicion say what the frames say."""

from __future__ import annotations

import polars as pl

from fraud.charts import waterfall


def test_each_part_begins_where_the_one_before_ended() -> None:
    parts = pl.DataFrame(
        {"what": ["the device", "the name", "mail differs"], "bits": [6.0, 2.5, -0.5]}
    )
    drawn = pl.DataFrame(waterfall(parts, label="what", value="bits", title="bits").data)
    assert drawn["start"].to_list() == [0.0, 6.0, 8.5]
    assert drawn["end"].to_list() == [6.0, 8.5, 8.0]
