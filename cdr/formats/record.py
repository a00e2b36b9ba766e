"""What a reader hands over: records as text, with their place in the file.

A reader knows one dialect. It finds the records of a file and names their
fields; it does not convert times, numbers or addresses, and it drops nothing:
a record it cannot take apart comes out with `faults`. `cdr.normalise` makes
calls of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import polars as pl

from cdr.schema import TEXTS
from cdr.settings import SourceSettings

RECORD = pl.Schema(
    {
        # where it stands
        "line": pl.Int64(),  # first line of the record in the file, from 1
        "source_rows": pl.Int16(),  # rows of the file it was made from, at least 1
        "raw": pl.String(),  # those rows as they stood there (undecodable bytes replaced)
        "faults": TEXTS,  # why it could not be taken apart; empty where it could
        # what it says, as text; null where the dialect or the record does not say it
        "source_record_id": pl.String(),
        "call_id": pl.String(),
        "leg": pl.Int16(),
        "account_code": pl.String(),
        "trunk": pl.String(),
        "direction": pl.String(),  # outbound | inbound | internal, where the record says so
        "media": pl.String(),  # voice | video
        "caller": pl.String(),
        "callee": pl.String(),
        "caller_ip": pl.String(),
        "callee_ip": pl.String(),
        "forwarded_to": pl.String(),
        "started": pl.String(),
        "answered": pl.String(),
        "ended": pl.String(),
        "duration": pl.String(),  # answer to release, in seconds, may have decimals
        "elapsed": pl.String(),  # start to release, the same way; used where `ended` is null
        "outcome": pl.String(),  # a cdr.schema.Outcome; null: not known, so a fault follows
        "cause_code": pl.String(),
        "proof_epoch_s": pl.String(),  # an epoch second near `started` that proves the offset
        "flags": TEXTS,  # what the reader knows to be doubtful, such as `missing_bye`
    }
)
"""One row per record: a leg of a call, or something that should have been one."""


class Clock(StrEnum):
    """How a dialect writes its times."""

    LOCAL = "local"  # wall clock of the source's zone, in one of the layouts
    OFFSET = "offset"  # with an offset from UTC, in one of the layouts (%z)
    EPOCH_S = "epoch_s"  # seconds since 1970 UTC, may have decimals; 0 is never
    EPOCH_MS = "epoch_ms"
    EPOCH_US = "epoch_us"


@dataclass(frozen=True, slots=True)
class Times:
    """How a dialect writes `started`, `answered` and `ended`.

    Parameters
    ----------
    clock : Clock
        What the text counts from.
    layouts : tuple of str
        `strftime` layouts to try in turn; not used for epochs.
    """

    clock: Clock
    layouts: tuple[str, ...] = ()

    def declared_by(self, source: SourceSettings) -> Times:
        """Return how this source writes times: its own way where it declares one."""
        clock = Clock(source.clock or self.clock)
        usual = self.layouts if clock is self.clock else ISO_LAYOUTS.get(clock, ())
        return Times(clock, source.time_layouts or usual)


_DAY_AND_TIME = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f")
ISO_LAYOUTS = {
    Clock.LOCAL: _DAY_AND_TIME,
    Clock.OFFSET: tuple(f"{layout}%#z" for layout in _DAY_AND_TIME),
}
"""Layouts of ISO 8601 with a blank or a `T`, of each clock that has layouts."""


@dataclass(frozen=True, slots=True)
class Format:
    """One dialect that can be read.

    Parameters
    ----------
    name : str
        As `callsieve.toml` and `--format` give it.
    title : str
        What it is, for `callsieve formats`.
    example : str
        One record as it stands in a file; synthetic.
    times : Times
        How it writes times, where the source does not declare another way.
    columns : tuple of str
        What of a record in the file is understood, under the names of the dialect.
    notes : str
        Its quirks and what a record means; the docstring of its module.
    read : callable
        `(file, source, block_bytes)` to an iterator of frames with the columns of
        `RECORD`, each made from about `block_bytes` of the file, so that memory
        stays bounded. Raises `FormatError` where the file as a whole is not in
        this dialect (a missing column, a binary file).
    dialogs : bool, default=False
        A record is joined from rows about a SIP dialog, which may stand in several files; its id
        is `callid;from tag;to tag`.
    """

    name: str
    title: str
    example: str
    times: Times
    columns: tuple[str, ...]
    notes: str
    read: Callable[[Path, SourceSettings, int], Iterator[pl.DataFrame]]
    dialogs: bool = False
