from __future__ import annotations

import polars as pl
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from cdr.formats.dialogs import Dialogs

COLUMNS = ["line", "method", "sip_code", "callid", "from_tag", "to_tag"]
OPEN = pl.lit(value=False).alias("closes")
Row = tuple[int, str, str, str, str, str | None]


def grouped(rows: list[Row], step: int, reach_rows: int) -> list[tuple[int, list[int]]]:
    """First line of each dialog with the lines of it, the rows read `step` at a time."""
    frame = pl.DataFrame(
        rows, schema=dict.fromkeys(COLUMNS, pl.String) | {"line": pl.Int64}, orient="row"
    ).with_columns(OPEN)
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
        dialogs.add(pl.DataFrame([row], schema=schema, orient="row").with_columns(OPEN), at)
    rest = dialogs.rest()
    assert rest is not None
    assert rest["line"].sort().to_list() == list(range(90, 100))


NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""Shrinking twenty-five rows takes minutes, and the rows found are few enough to read."""

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


def one_by_one(rows: list[Row], reach_rows: int) -> list[tuple[int, list[int]]]:
    """Group the rows by the rules of the module, as one would by hand."""
    groups: list[tuple[object, list[Row]]] = []
    for row in rows:
        ends = (row[3], frozenset([row[4], row[5]]))
        mine = [of_one for its_ends, of_one in groups if its_ends == ends]
        if mine and (is_open(mine[-1]) or row[0] - mine[-1][-1][0] <= reach_rows):
            mine[-1].append(row)
        else:
            groups.append((ends, [row]))
    calls, attempts = [], []
    for _, of_one in sorted(groups, key=lambda group: tried(group[1])):
        said = {kind(row) for row in of_one}
        if said & {"ok", "BYE"} or not said & {"failed", "CANCEL"}:
            calls.append(of_one)
            continue
        caller = (of_one[0][3], of_one[0][4])
        near = [
            others
            for its_caller, others in attempts
            if its_caller == caller and tried(of_one) - max(o[0] for o in others) <= reach_rows
        ]
        if near:
            near[-1].extend(of_one)
        else:
            attempts.append((caller, list(of_one)))
    found = [sorted(row[0] for row in each) for each in [*calls, *(o for _, o in attempts)]]
    return sorted((lines[0], lines) for lines in found)


def tried(rows: list[Row]) -> int:
    """Line of the first row that makes it an attempt."""
    return min((row[0] for row in rows if kind(row) in ("failed", "CANCEL")), default=0)


def kind(row: Row) -> str:
    if row[1] != "INVITE":
        return row[1]
    return "ok" if row[2].startswith("2") else "failed"


def is_open(rows: list[Row]) -> bool:
    said = {kind(row) for row in rows}
    return "ok" in said and "BYE" not in said


@settings(phases=NO_SHRINKING)
@example(
    [
        (1, "CANCEL", "200", "c", "t", "f"),
        (8, "ACK", "200", "c", "t", None),  # near the CANCEL, but no attempt until
        (1, "INVITE", "487", "c", "t", None),  # this one makes it one, out of reach
    ],
    1,
)
@given(ROWS, st.integers(1, 5))
def test_dialogs_are_those_found_by_hand_whatever_the_blocks(
    rows: list[tuple[int, str, str, str, str, str | None]], step: int
) -> None:
    lines = [sum(row[0] for row in rows[: at + 1]) for at in range(len(rows))]
    placed: list[Row] = [(line, *row[1:]) for line, row in zip(lines, rows, strict=True)]
    whole = grouped(placed, len(placed), reach_rows=8)
    assert whole == one_by_one(placed, reach_rows=8)
    assert grouped(placed, step, reach_rows=8) == whole
