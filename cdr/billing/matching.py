"""Which call of ours is which of theirs: pairs by number, begin and length.

Pure: two tables in, pairs out. Where the tables come from is not known here.
"""

from __future__ import annotations

import polars as pl

MATCHED, LENGTH_DIFFERS, ONLY_OURS, ONLY_THEIRS = (
    "matched",
    "length_differs",
    "only_ours",
    "only_theirs",
)


def match_calls(
    ours: pl.DataFrame, theirs: pl.DataFrame, *, start_tolerance_s: int, length_tolerance_s: int
) -> pl.DataFrame:
    """Pair the calls of two records, each at most once.

    Parameters
    ----------
    ours, theirs : DataFrame
        `number` (E.164), `started_at` (UTC), `duration_ms`.
    start_tolerance_s : int
        How far begins may be apart, in s, 0 or more.
    length_tolerance_s : int
        How far lengths may be apart, in s.

    Returns
    -------
    DataFrame
        `ours` and `theirs` (rows, null where one side lacks it) and `status`: `matched`,
        `length_differs` (number and begin agree, the length does not), `only_ours`,
        `only_theirs`. Each row of either table is in exactly one. Of several candidates the
        nearest begin wins, then the nearest length, then the earlier row.
    """
    candidates = _candidates(ours, theirs, start_tolerance_s)
    near = candidates.filter(pl.col("length_gap") <= length_tolerance_s * 1000)
    matched = _nearest(near)
    rest = candidates.join(matched, on="ours", how="anti").join(matched, on="theirs", how="anti")
    differing = _nearest(rest)
    pairs = pl.concat(
        [
            matched.with_columns(status=pl.lit(MATCHED)),
            differing.with_columns(status=pl.lit(LENGTH_DIFFERS)),
        ]
    )
    sides = [
        frame.with_row_index(side)
        .select(pl.col(side).cast(pl.Int64))
        .join(pairs, on=side, how="anti")
        .with_columns(status=pl.lit(status))
        for side, frame, status in (("ours", ours, ONLY_OURS), ("theirs", theirs, ONLY_THEIRS))
    ]
    return pl.concat([pairs, *sides], how="diagonal").sort("ours", "theirs", nulls_last=True)


def _candidates(ours: pl.DataFrame, theirs: pl.DataFrame, tolerance_s: int) -> pl.DataFrame:
    """Pair calls to one number whose begins are near: `ours`, `theirs`, both gaps in ms."""
    bucket_ms = max(tolerance_s, 1) * 1000
    started_ms = pl.col("started_at").dt.timestamp("ms")

    def keyed(frame: pl.DataFrame, side: str) -> pl.DataFrame:
        return frame.with_row_index(side).select(
            pl.col(side).cast(pl.Int64),
            "number",
            started_ms.alias(f"{side}_ms"),
            pl.col("duration_ms").alias(f"{side}_long"),
            (started_ms // bucket_ms).alias("bucket"),
        )

    around = pl.concat(
        keyed(theirs, "theirs").with_columns(pl.col("bucket") + step) for step in (-1, 0, 1)
    )
    return (
        keyed(ours, "ours")
        .join(around, on=["number", "bucket"], how="inner")
        .select(
            "ours",
            "theirs",
            (pl.col("ours_ms") - pl.col("theirs_ms")).abs().alias("start_gap"),
            (pl.col("ours_long") - pl.col("theirs_long")).abs().alias("length_gap"),
        )
        .filter(pl.col("start_gap") <= tolerance_s * 1000)
    )


def _nearest(candidates: pl.DataFrame) -> pl.DataFrame:
    """Take pairs that are the nearest for both of their calls, until none is left."""
    rest = candidates.sort("start_gap", "length_gap", "ours", "theirs")
    taken = [rest.clear().select("ours", "theirs")]
    while rest.height:
        first = pl.int_range(pl.len())
        mutual = rest.filter((first.over("ours") == 0) & (first.over("theirs") == 0)).select(
            "ours", "theirs"
        )
        taken.append(mutual)
        rest = rest.join(mutual, on="ours", how="anti", maintain_order="left").join(
            mutual, on="theirs", how="anti", maintain_order="left"
        )
    return pl.concat(taken)
