"""Call files as switches leave them: one a local day, rows in the order they were written.

A row whose instant lies beyond the simulated day waits for the next; rows still
waiting at the end belong to calls that were not over, and are not written. The
dirt of real exports is added here: lines logged twice, also across files, and
lines that cannot be taken apart.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.simulate.draws import Ints
from pipelines.simulate.hours import DAY_MS, to_local_ms
from pipelines.simulate.places import Switch
from pipelines.simulate.switch_records import LINES

LOGGED_TWICE_SHARE = 0.0005
BROKEN_SHARE = 0.0002
"""Ours: enough that a month of a small operator has some of each."""

_EPOCH = date(1970, 1, 1)


class CallFiles:
    """Writes the files of one switch, day by day.

    Parameters
    ----------
    folder : Path
        Made when the first file is.
    switch : Switch
    header : str or None
        First line of each file.
    """

    def __init__(self, folder: Path, switch: Switch, header: str | None) -> None:
        self._folder = folder
        self._switch = switch
        self._header = header
        self._waiting = pl.DataFrame(schema=LINES)
        self.files: list[Path] = []
        self.rows = 0

    def write(self, lines: pl.DataFrame, until_ms: int, rng: np.random.Generator) -> None:
        """Append what was logged before ``until_ms`` and keep the rest.

        Parameters
        ----------
        lines : pl.DataFrame
            With the schema ``LINES``, in any order.
        until_ms : int
            End of the simulated day.
        rng : numpy.random.Generator
            For the dirt.
        """
        known = pl.concat([self._waiting, lines, _logged_again(lines, rng)])
        due = pl.col("log_ms") < until_ms
        self._waiting = known.filter(~due)
        ready = _with_broken(known.filter(due), rng)
        days = to_local_ms(ready["log_ms"].to_numpy(), self._switch.zone) // DAY_MS
        for day in np.unique(days):
            self._append(int(day), ready["line"].filter(pl.Series(days == day)))

    def _append(self, day: int, lines: pl.Series) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{_EPOCH + timedelta(days=day)}.{self._switch.suffix}"
        new = path not in self.files
        with path.open("ab") as file:
            if new and self._header is not None:
                file.write(self._header.encode() + b"\n")
            lines.to_frame("line").write_csv(file, include_header=False, quote_style="never")
        if new:
            self.files.append(path)
        self.rows += len(lines)


def _chosen(count: int, share: float, rng: np.random.Generator) -> Ints:
    picked: Ints = (
        np.sort(rng.integers(0, count, rng.poisson(count * share)))
        if count
        else (np.zeros(0, dtype=np.int64))
    )
    return picked


def _logged_again(lines: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Return copies of some lines, half of them a day later and so in another file."""
    picked = _chosen(len(lines), LOGGED_TWICE_SHARE, rng)
    later = rng.integers(0, 2, len(picked)) * DAY_MS
    return lines[picked].with_columns(pl.col("log_ms") + pl.Series(later, dtype=pl.Int64))


def _with_broken(lines: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Add copies of some lines, cut short where no quote is open, and order all by instant."""
    picked = _chosen(len(lines), BROKEN_SHARE, rng)
    cut = lines[picked].with_columns(
        pl.when(pl.col("line").str.starts_with('"'))
        .then(pl.col("line").str.extract(r'^("[^"]*","[^"]*","[^"]*")'))
        .otherwise(pl.col("line").str.head(60))
    )
    return pl.concat([lines, cut]).sort("log_ms", maintain_order=True)
