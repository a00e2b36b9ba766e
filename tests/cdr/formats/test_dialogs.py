from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdr.formats.dialogs import Dialogs

COLUMNS = ["line", "method", "sip_code", "callid", "from_tag", "to_tag"]
Row = tuple[int, str, str, str, str, str | None]


def grouped(rows: list[Row], step: int, reach_rows: int) -> list[tuple[int, list[int]]]:
    """First line of each dialog with the lines of it, the rows read `step` at a time."""
    frame = pl.DataFrame(
        rows, schema=dict.fromkeys(COLUMNS, pl.String) | {"line": pl.Int64}, orient="row"
    )
    dialogs = Dialogs(reach_rows)
    found = [dialogs.add(block, block["line"][-1]) for block in frame.iter_slices(step)]
    if (rest := dialogs.rest()) is not None:
        found.append(rest)
    lines = pl.concat(found).sort("line").group_by("dialog", maintain_order=True).agg("line")
    return sorted(lines.rows())


@pytest.mark.parametrize("step", [1, 3, 99])
def test_a_closed_dialog_ends_when_it_is_out_of_reach(step: int) -> None:
    rows: list[Row] = [
        (1, "INVITE", "200", "c", "f", "t"),
        (30, "BYE", "200", "c", "f", "t"),  # open until then, however long
        (33, "BYE", "200", "c", "f", "t"),
        (50, "INVITE", "200", "c", "f", "t"),  # the same ends again
        (51, "BYE", "200", "c", "t", "f"),
        (70, "BYE", "200", "c", "f", "t"),
        (71, "INVITE", "486", "d", "f", "t"),
        (90, "INVITE", "486", "d", "f", "t"),
        (91, "CANCEL", "200", "d", "f", None),
    ]
    assert grouped(rows, step, reach_rows=10) == [
        (1, [1, 30, 33]),
        (50, [50, 51]),
        (70, [70]),
        (71, [71]),
        (90, [90, 91]),
    ]


def test_only_what_may_grow_is_held() -> None:
    dialogs = Dialogs(reach_rows=10)
    schema = dict.fromkeys(COLUMNS, pl.String) | {"line": pl.Int64}
    for at in range(100):
        row = (at, "INVITE", "486", str(at), "f", "t")
        dialogs.add(pl.DataFrame([row], schema=schema, orient="row"), at)
    rest = dialogs.rest()
    assert rest is not None
    assert rest["line"].sort().to_list() == list(range(90, 100))


ROWS = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.sampled_from(["INVITE", "INVITE", "BYE", "CANCEL", "ACK"]),
        st.sampled_from(["200", "487"]),
        st.sampled_from("cd"),
        st.sampled_from("ft"),
        st.sampled_from(["f", "t", None]),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(1, 5))
def test_blocks_do_not_matter_and_no_row_is_lost(
    rows: list[tuple[int, str, str, str, str, str | None]], step: int
) -> None:
    lines = [sum(row[0] for row in rows[: at + 1]) for at in range(len(rows))]
    placed: list[Row] = [(line, *row[1:]) for line, row in zip(lines, rows, strict=True)]
    whole = grouped(placed, len(placed), reach_rows=8)
    assert sorted(line for _, of_one in whole for line in of_one) == lines
    assert grouped(placed, step, reach_rows=8) == whole
