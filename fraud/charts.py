"""Pictures of what is suspicious, for notebooks: frames in, Altair charts out.

Readable without colour, as those of :mod:`cdr.charts`. Needs the extra `notebooks`
(Altair), so nothing in scoring imports this module.
"""

from __future__ import annotations

import json
from importlib.resources import files

import altair as alt
import polars as pl

from cdr.charts import WIDTH_PX
from fraud.candidates import Candidate

_LOOKS = {
    "candidate": ("diamond", "#4c78a8"),
    "blocked": ("cross", "#c44e52"),
    "other": ("circle", "#f2a541"),
    "shared": ("square", "#79706e"),
}
"""Shape and colour of what stands in a ring; shapes tell it apart in a print in grey, too."""


def world(countries: pl.DataFrame, *, value: str, title: str) -> alt.LayerChart:
    """Draw a world map shaded by a number for each country.

    Parameters
    ----------
    countries : DataFrame
        `country` (ISO 3166-1 alpha-2) and `value`; codes that are no country on the map,
        such as `001` for worldwide ranges, are left out.
    value : str
        Column of the shade.
    title : str
        What it is, with its unit.
    """
    shapes = files("fraud.review").joinpath("static/review/vendor/world.geo.json")
    land = alt.InlineData(values=json.loads(shapes.read_text("utf-8"))["features"])
    looked_up = alt.LookupData(data=countries, key="country", fields=[value])
    base = alt.Chart(land).mark_geoshape(fill="#eeeeee", stroke="white", strokeWidth=0.5)
    shaded = (
        alt.Chart(land)
        .mark_geoshape(stroke="white", strokeWidth=0.5)
        .transform_lookup(lookup="properties.name", from_=looked_up)
        .transform_filter(f"isValid(datum['{value}'])")
        .encode(
            color=alt.Color(f"{value}:Q", title=title, scale=alt.Scale(type="symlog")),
            tooltip=[
                alt.Tooltip("properties.label:N", title="country"),
                alt.Tooltip(f"{value}:Q", title=title),
            ],
        )
    )
    chart: alt.LayerChart = (
        (base + shaded).project("equalEarth").properties(width=WIDTH_PX, height=320)
    )
    return chart


def reasons(candidate: Candidate) -> alt.LayerChart:
    """Draw the parts that signals contributed to a candidate's score, as a waterfall.

    Parameters
    ----------
    candidate : Candidate
        One with reasons; the bars begin where the one before ended.
    """
    rows = pl.DataFrame(
        [(one.text, one.share) for one in candidate.reasons],
        schema={"reason": pl.String, "share": pl.Float64},
        orient="row",
    )
    return waterfall(rows, label="reason", value="share", title="share of the score", form="%")


def waterfall(
    rows: pl.DataFrame, *, label: str, value: str, title: str, form: str = ".1f"
) -> alt.LayerChart:
    """Draw parts that add up, each bar from where the one before ended; what takes away is red.

    Parameters
    ----------
    rows : DataFrame
        `label` (text) and `value` (a number of any sign), in the order to draw.
    label, value : str
        Names of these columns.
    title : str
        What the values are, with their unit.
    form : str, default=".1f"
        How numbers are written, as d3-format has it: `%` for shares.
    """
    placed = (
        rows.select(pl.col(label).alias("label"), pl.col(value).alias("part"))
        .with_row_index("place")
        .with_columns(end=pl.col("part").cum_sum())
        .with_columns(start=pl.col("end") - pl.col("part"))
        .with_columns(right=pl.max_horizontal("start", "end"))
    )
    base = alt.Chart(placed).encode(
        y=alt.Y("label:N", sort=alt.SortField("place"), title=None, axis=alt.Axis(labelLimit=430))
    )
    bar = base.mark_bar().encode(
        x=alt.X("start:Q", title=title, axis=alt.Axis(format=form)),
        x2="end:Q",
        color=alt.condition("datum.part < 0", alt.value("#c44e52"), alt.value("#4c78a8")),
    )
    said = ".1%" if form == "%" else form
    text = base.mark_text(align="left", dx=4).encode(
        x="right:Q", text=alt.Text("part:Q", format="+" + said)
    )
    chart: alt.LayerChart = (bar + text).properties(width=360)
    return chart


def ring(links: pl.DataFrame, *, status: dict[str, str]) -> alt.LayerChart:
    """Draw accounts and what they share as a graph in two columns.

    Parameters
    ----------
    links : DataFrame
        `account_id` and `shared` (a device, a number, as text), one row a link.
    status : dict of str to str
        `candidate`, `blocked` or `other` for each account.
    """
    accounts = links["account_id"].unique().sort().to_list()
    height = _spread(accounts)
    # a shared thing stands beside the middle of its accounts, so that few lines cross
    middle = pl.col("account_id").replace_strict(height, return_dtype=pl.Float64).mean()
    shared = links.group_by("shared").agg(middle.alias("at")).sort("at", "shared")["shared"]
    height |= _spread(shared.to_list())
    at = links.select(
        y=pl.col("account_id").replace_strict(height, return_dtype=pl.Float64),
        y2=pl.col("shared").replace_strict(height, return_dtype=pl.Float64),
        x=pl.lit(0.0),
        x2=pl.lit(1.0),
    )
    points = pl.DataFrame(
        [(0.0, height[name], name, status.get(name, "other")) for name in accounts]
        + [(1.0, height[name], name, "shared") for name in shared],
        schema=["x", "y", "name", "kind"],
        orient="row",
    )
    across = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.5, 1.6]))
    up = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, 1]))
    lines = alt.Chart(at).mark_rule(opacity=0.5).encode(x=across, x2="x2:Q", y=up, y2="y2:Q")
    kinds = [kind for kind in _LOOKS if kind in set(points["kind"])]
    shapes, colours = zip(*(_LOOKS[kind] for kind in kinds), strict=True) if kinds else ((), ())
    dots = (
        alt.Chart(points)
        .mark_point(size=110, filled=True, opacity=1)
        .encode(
            x=across,
            y="y:Q",
            shape=alt.Shape("kind:N", title=None, scale=alt.Scale(domain=kinds, range=shapes)),
            color=alt.Color("kind:N", title=None, scale=alt.Scale(domain=kinds, range=colours)),
        )
    )
    names = alt.Chart(points).mark_text().encode(x="x:Q", y="y:Q", text="name:N")
    left = names.transform_filter("datum.x < 0.5").mark_text(align="right", dx=-9)
    right = names.transform_filter("datum.x > 0.5").mark_text(align="left", dx=9)
    chart: alt.LayerChart = (lines + dots + left + right).properties(
        width=WIDTH_PX, height=max(140, 40 * max(len(accounts), len(shared)))
    )
    return chart


def _spread(names: list[str]) -> dict[str, float]:
    """Place names at even distances within 0..1."""
    return {name: (place + 0.5) / len(names) for place, name in enumerate(names)}


def calibration(bins: pl.DataFrame) -> alt.LayerChart:
    """Draw how often accounts of a score turned out to be blocked, against the score.

    Parameters
    ----------
    bins : DataFrame
        `score` (mean of the bin, 0..1), `blocked_share` (0..1), `low` and `high` (bounds of
        its interval) and `accounts` (how many).
    """
    even = alt.Chart(pl.DataFrame({"score": [0, 1], "blocked_share": [0, 1]})).mark_line(
        strokeDash=[4, 4], color="grey"
    )
    base = alt.Chart(bins).encode(
        x=alt.X("score:Q", title="score", scale=alt.Scale(domain=[0, 1])),
    )
    points = base.mark_point(filled=True).encode(
        y=alt.Y("blocked_share:Q", title="share blocked", scale=alt.Scale(domain=[0, 1])),
        size=alt.Size("accounts:Q", title="accounts", scale=alt.Scale(range=[30, 400])),
    )
    spans = base.mark_rule().encode(y="low:Q", y2="high:Q")
    lines = even.encode(x="score:Q", y="blocked_share:Q")
    chart: alt.LayerChart = (lines + spans + points).properties(width=320, height=320)
    return chart
