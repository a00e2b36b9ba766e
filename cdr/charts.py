"""Pictures of call traffic, for notebooks: frames in, Altair charts out.

Readable without colour: an axis or a label says what a colour says. Needs the
extra `notebooks` (Altair), so nothing in the store imports this module.
"""

from __future__ import annotations

import math

import altair as alt
import numpy as np
import polars as pl

WIDTH_PX, HEIGHT_PX = 640, 240
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def stacked_days(days: pl.DataFrame, *, by: str, count: str, title: str) -> alt.Chart:
    """Draw stacked bars, one a day.

    Parameters
    ----------
    days : DataFrame
        `call_date` (Date), `by` (text) and `count` (a number), one row for each pair.
    by, count : str
        Names of these columns.
    title : str
        What the bars count, with its unit.
    """
    chart: alt.Chart = (
        alt.Chart(days)
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X(
                "yearmonthdate(call_date):T",
                title=None,
                axis=alt.Axis(format="%d %b", labelOverlap=True),
            ),
            y=alt.Y(f"{count}:Q", title=title),
            color=alt.Color(f"{by}:N", title=by.replace("_", " ")),
            order=alt.Order(f"{by}:N"),
            tooltip=["call_date:T", f"{by}:N", f"{count}:Q"],
        )
        .properties(width=WIDTH_PX, height=HEIGHT_PX)
    )
    return chart


def week_hours(hours: pl.DataFrame, *, count: str = "calls", title: str = "calls") -> alt.Chart:
    """Draw a heat map of the hours of the week.

    Parameters
    ----------
    hours : DataFrame
        `weekday` (1 Monday to 7 Sunday), `hour` (0..23) and `count`; hours without a row
        stay empty.
    count : str, default="calls"
        Column of the shade.
    title : str, default="calls"
        What it counts.
    """
    named = hours.with_columns(
        day=pl.col("weekday").replace_strict(dict(enumerate(WEEKDAYS, start=1)))
    )
    chart: alt.Chart = (
        alt.Chart(named)
        .mark_rect()
        .encode(
            x=alt.X("hour:O", title="hour (UTC)"),
            y=alt.Y("day:O", sort=WEEKDAYS, title=None),
            color=alt.Color(f"{count}:Q", title=title, scale=alt.Scale(scheme="blues")),
            tooltip=["day:O", "hour:O", f"{count}:Q"],
        )
        .properties(width=WIDTH_PX, height=170)
    )
    return chart


def bars(rows: pl.DataFrame, *, label: str, value: str, title: str) -> alt.LayerChart:
    """Draw horizontal bars with their values written out, the longest on top.

    Parameters
    ----------
    rows : DataFrame
        `label` (text, distinct) and `value` (a number).
    label, value : str
        Names of these columns.
    title : str
        What the value is, with its unit.
    """
    whole = rows.schema[value].is_integer()
    axis = alt.Axis(tickMinStep=1, format=",d", tickCount=8) if whole else alt.Axis(tickCount=8)
    base = alt.Chart(rows).encode(
        x=alt.X(f"{value}:Q", title=title, axis=axis), y=alt.Y(f"{label}:N", sort="-x", title=None)
    )
    said = alt.Text(f"{value}:Q", format=",d" if whole else ",.4~r")
    text = base.mark_text(align="left", dx=4).encode(text=said)
    chart: alt.LayerChart = (base.mark_bar() + text).properties(width=WIDTH_PX - 120)
    return chart


def distribution(
    rows: pl.DataFrame,
    *,
    value: str,
    title: str,
    by: str | None = None,
    log: bool = False,
    mark: float | None = None,
) -> alt.Chart | alt.LayerChart:
    """Draw how values are distributed, as shares of each group.

    Parameters
    ----------
    rows : DataFrame
        `value` (a number; nulls are left out) and, where asked for, `by` (text).
    value : str
        Column that is distributed.
    title : str
        What it is, with its unit.
    by : str, optional
        Column of groups, drawn in rows below each other on one scale.
    log : bool, default=False
        Bins of equal ratios, on an axis of powers of ten; values of 0 and less are left out.
    mark : float, optional
        A value to point out with a line, where there are no groups.
    """
    placed = pl.col(value).cast(pl.Float64)
    if log:
        rows = rows.filter(placed > 0).with_columns(placed.log10().alias(value))
    binned = _binned(rows, value, by)
    axis = alt.Axis(values=list(range(-3, 10)), labelExpr=_POWER) if log else alt.Axis()
    chart: alt.Chart = (
        alt.Chart(binned)
        .mark_bar()
        .encode(
            x=alt.X("from:Q", bin="binned", title=title, axis=axis),
            x2="to:Q",
            y=alt.Y("share:Q", title="share", axis=alt.Axis(format="%")),
        )
        .properties(width=WIDTH_PX, height=110 if by else HEIGHT_PX)
    )
    if by:
        return chart.encode(row=alt.Row(f"{by}:N", title=None))
    if mark is None:
        return chart
    at = pl.DataFrame({"from": [math.log10(mark) if log else mark], "said": [f"{mark:,.4g}"]})
    line = alt.Chart(at).mark_rule(color="black", strokeWidth=2).encode(x="from:Q")
    said = alt.Chart(at).mark_text(align="right", dx=-5, y=8).encode(x="from:Q", text="said:N")
    layered: alt.LayerChart = chart + line + said
    return layered


_POWER = "format(pow(10, datum.value), ',~r')"
"""Writes a power of ten as the number that it stands for."""

BINS = 40
"""Bars of a distribution. Ours: what a screen's width shows apart."""


def _binned(rows: pl.DataFrame, value: str, by: str | None) -> pl.DataFrame:
    """Count values in bins of one width: `from`, `to`, `share` of the group, and ``by``."""
    known = rows.filter(pl.col(value).is_finite())
    edges = np.histogram_bin_edges(known[value].to_numpy(), bins=BINS)
    groups = known.partition_by(by, as_dict=True, maintain_order=True) if by else {(None,): known}
    counted = []
    for (name,), group in groups.items():
        counts, _ = np.histogram(group[value].to_numpy(), bins=edges)
        bins = pl.DataFrame(
            {"from": edges[:-1], "to": edges[1:], "share": counts / max(group.height, 1)}
        )
        counted.append(bins.with_columns(pl.lit(name).alias(by)) if by else bins)
    return pl.concat(counted) if counted else pl.DataFrame(schema=["from", "to", "share"])
