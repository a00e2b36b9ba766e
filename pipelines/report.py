"""The page of a night, for people: what came in, what looks wrong, whom to look at.

One HTML file without scripts or anything from elsewhere. Names of files and accounts
come from outside and are escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from cdr.errors import storage
from cdr.html_pages import html_pages
from cdr.lake import Lake
from cdr.lake.home import write_whole
from cdr.schema import CALLS
from fraud.candidates import Candidate
from pipelines.runs import Run

DAYS_SHOWN = 28
BAR_HEIGHT = 80
"""Height of the tallest bar, in pixels."""

_PAGES = html_pages("pipelines")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a picture: ``height`` in pixels, of `BAR_HEIGHT` at most."""

    label: str
    value: int
    height: float


def write_report(lake: Lake, day: date, run: Run, candidates: Sequence[Candidate]) -> Path:
    """Write the page of a night to the folder of reports; a second run replaces it.

    Returns
    -------
    Path
        The file.
    """
    done = {name: step["result"] for name, step in run.done.items()}
    concerns = [text for result in done.values() for text in result.get("concerns", [])]
    page = _PAGES.get_template("night.html.j2").render(
        day=day,
        run=run,
        ingest=done["take_in"]["ingest"],
        score=done["score"],
        cases=done["cases"],
        concerns=concerns,
        candidates=candidates,
        bar_height=BAR_HEIGHT,
        calls_by_day=_calls_by_day(lake, day),
        calls_by_hour=_calls_by_hour(lake, day),
    )
    file = lake.home.reports / f"{day.isoformat()}.html"
    with storage("writing the report"):
        write_whole(file, page.encode())
    return file


def _calls_by_day(lake: Lake, day: date) -> list[Bar]:
    days = [day - timedelta(days=back) for back in range(DAYS_SHOWN - 1, -1, -1)]
    counts = dict.fromkeys((shown.isoformat() for shown in days), 0)
    for file in lake.files(CALLS):
        if (on := file.partition["call_date"]) in counts:
            counts[on] += file.rows
    return _bars(list(counts.items()))


def _calls_by_hour(lake: Lake, day: date) -> list[Bar]:
    found = (
        lake.scan(CALLS, dates=[day])
        .group_by(pl.col("started_at").dt.hour().cast(pl.Int64).alias("hour"))
        .len()
        .collect()
    )
    counts = dict(found.iter_rows())
    return _bars([(f"{hour:02d}", counts.get(hour, 0)) for hour in range(24)])


def _bars(counts: list[tuple[str, int]]) -> list[Bar]:
    tallest = max(value for _, value in counts) or 1
    return [Bar(label, value, BAR_HEIGHT * value / tallest) for label, value in counts]
