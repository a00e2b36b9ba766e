"""A day's calls in the order of account and time, however many they are.

More than fit are dealt out first: each to one of some shares of the order, which lie on the disk,
packed. Then one share after the other is sorted in memory. Every row is read once, put aside once
and sorted once. Rows without an account are one account here, the first.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from cdr.errors import storage
from cdr.lake import DataFile, Lake
from cdr.lake.tables import portions
from cdr.schema import CALLS

ROWS_AT_ONCE = 250_000
"""Rows that are dealt out, or sorted, at a time. Ours: 100 to 150 MB, of which there may be three
copies while they are sorted."""

LARGE_ACCOUNT_ROWS = 61_440
"""Rows of a day above which an account may be split, between its minutes. Ours: a file's least."""

_ACCOUNT = pl.col("account_id").fill_null("")


@dataclass(frozen=True, slots=True)
class Places:
    """How many rows there are at each place of the order.

    A place is an account, or a minute of a ``large`` one. ``counts`` has `place` and `rows`, in
    the order; as large as there are accounts, and not as there are rows.
    """

    large: pl.Series
    counts: pl.DataFrame

    @classmethod
    def of(cls, calls: pl.LazyFrame) -> Places:
        """Count the rows of calls by place."""
        of_accounts = _counted(calls, _ACCOUNT)
        large = of_accounts.filter(pl.col("rows") > LARGE_ACCOUNT_ROWS)["place"]
        if large.is_empty():
            return cls(large, of_accounts)
        whole = of_accounts.filter(~pl.col("place").is_in(large.implode()))
        split = _counted(calls.filter(_ACCOUNT.is_in(large.implode())), _place(large))
        return cls(large, pl.concat([whole, split]).sort("place"))

    def parts(self, rows: int) -> pl.DataFrame:
        """Cut the order into parts of about so many rows, between places.

        Returns
        -------
        DataFrame
            `low`, the first place of each part, and its `rows`: at most those of one place more.
        """
        part = ((pl.col("rows").cum_sum() - pl.col("rows")) // rows).alias("part")
        return (
            self.counts.group_by(part, maintain_order=True)
            .agg(pl.col("place").first().alias("low"), pl.col("rows").sum())
            .drop("part")
        )


def in_order(
    lake: Lake, files: Sequence[DataFile], places: Places, folder: Path
) -> Iterator[pl.DataFrame]:
    """Read calls in the order of account and time, about `ROWS_AT_ONCE` at a time.

    Parameters
    ----------
    lake : Lake
        Whose calls.
    files : sequence of DataFile
        Where they are.
    places : Places
        Of these files.
    folder : Path
        Where rows are put aside, if they are more than are sorted at a time; it must be there,
        and is empty again at the end.
    """
    lows = places.parts(ROWS_AT_ONCE)["low"]
    if len(lows) <= 1:
        yield sorted_calls(lake.scan_files(CALLS, files).collect())
        return
    shares = [_Share(folder / f"{number}.arrows") for number in range(len(lows))]
    place = _place(places.large)
    for some in _read(lake, files):
        number = lows.search_sorted(some.select(place).to_series(), side="right") - 1
        dealt = some.with_columns(number.alias("share")).partition_by(
            "share", include_key=False, as_dict=True
        )
        for (share,), rows in dealt.items():
            shares[share].put(rows)
    for share in shares:
        yield sorted_calls(share.taken())


def cut(frames: Iterable[pl.DataFrame], lengths: Iterable[int]) -> Iterator[Iterator[pl.DataFrame]]:
    """Yield the same rows in runs of so many; each run is to be read before the next is asked for.

    Examples
    --------
    >>> frames = [pl.DataFrame({"n": [1, 2, 3]}), pl.DataFrame({"n": [4]})]
    >>> [[part["n"].to_list() for part in run] for run in cut(frames, [2, 2])]
    [[[1, 2]], [[3], [4]]]
    """
    coming = iter(frames)
    rest = pl.DataFrame()

    def run(rows: int) -> Iterator[pl.DataFrame]:
        nonlocal rest
        while rows:
            if rest.is_empty():
                rest = next(coming)
            part, rest = rest.head(rows), rest.slice(rows)
            rows -= part.height
            yield part

    for length in lengths:
        yield run(length)


@dataclass(slots=True)
class _Share:
    """Rows that were put aside: one file, piece after piece."""

    file: Path
    sizes: list[int] = field(default_factory=list)

    def put(self, rows: pl.DataFrame) -> None:
        piece = io.BytesIO()  # so that a full disk is the system's error, not the encoder's
        rows.write_ipc_stream(piece, compression="zstd")
        with storage("sorting a day of calls"), self.file.open("ab") as handle:
            self.sizes.append(handle.write(piece.getbuffer()))

    def taken(self) -> pl.DataFrame:
        """Return all of them, and remove the file."""
        with storage("sorting a day of calls"), self.file.open("rb") as handle:
            rows = pl.concat(pl.read_ipc_stream(handle.read(size)) for size in self.sizes)
            self.file.unlink()
        return rows


def _read(lake: Lake, files: Iterable[DataFile]) -> Iterator[pl.DataFrame]:
    """Read files of calls, at most `ROWS_AT_ONCE` rows at a time."""
    for some in portions(files, rows=ROWS_AT_ONCE):
        rows = lake.scan_files(CALLS, some)
        for begin in range(0, sum(file.rows for file in some), ROWS_AT_ONCE):
            yield rows.slice(begin, ROWS_AT_ONCE).collect()


def _counted(calls: pl.LazyFrame, place: pl.Expr) -> pl.DataFrame:
    counts = calls.select(place.alias("place")).group_by("place").len("rows")
    return counts.collect(engine="streaming").sort("place")


def _place(large: pl.Series) -> pl.Expr:
    if large.is_empty():
        return _ACCOUNT
    minute = pl.col("started_at").dt.to_string("\0%Y-%m-%dT%H:%M")
    return pl.when(_ACCOUNT.is_in(large.implode())).then(_ACCOUNT + minute).otherwise(_ACCOUNT)


def sorted_calls(calls: pl.DataFrame) -> pl.DataFrame:
    """Sort as a compacted day is: by account and time."""
    return calls.sort(_ACCOUNT, "started_at", "record_id")
