from __future__ import annotations

import polars as pl
import pytest

from cdr.formats.legs import LegCounter

ROWS = pl.DataFrame(
    [
        (1, "a", "x", 0),
        (2, "b", "x", 0),
        (3, "a", "y", 1),
        (4, None, "x", 0),
        (5, "a", "x", 0),
        (6, "a", "z", 2),
        (7, None, "y", 0),
        (13, "b", "y", 0),  # eleven lines after the last of its kind: another call
        (14, "a", "w", 3),
        (15, "b", "x", 1),
    ],
    schema=["line", "key", "part", "expected"],
    orient="row",
)


@pytest.mark.parametrize("step", [1, 2, 3, 10])
def test_legs_are_numbered_as_they_appear_whatever_the_blocks(step: int) -> None:
    counter = LegCounter(reach_rows=10)
    blocks = [counter.number(block, "key", "part") for block in ROWS.iter_slices(step)]
    assert pl.concat(blocks)["leg"].to_list() == ROWS["expected"].to_list()


def test_only_ids_in_reach_are_remembered() -> None:
    counter = LegCounter(reach_rows=10)
    for at in range(100):
        counter.number(pl.DataFrame({"line": [at], "key": [str(at)], "part": ["x"]}), "key", "part")
    assert counter._seen.height == 10
