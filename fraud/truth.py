"""The truth of a simulation: who is fraudulent, of which kind, since when."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cdr.errors import WrongUse
from cdr.schema import INSTANT

TRUTH = pl.Schema({"account_id": pl.String(), "is_fraud": pl.Boolean(), "kind": pl.String(),
                   "lookalike_kind": pl.String(), "fraud_from_at": INSTANT})  # fmt: skip
"""Columns that are looked at. `fraud_from_at` is null for good accounts, and where fraud was all
along."""


def read_truth(file: Path) -> pl.DataFrame:
    """Read who is fraudulent: Parquet as `callsieve simulate` writes it, or the same as CSV.

    Returns
    -------
    DataFrame
        One row an account, with the columns of `TRUTH`.

    Raises
    ------
    WrongUse
        If it is another file.
    """
    try:
        if file.suffix == ".parquet":
            return pl.read_parquet(file, columns=list(TRUTH)).cast(TRUTH)
        began = pl.col("fraud_from_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us")
        text = pl.read_csv(
            file, schema_overrides={**TRUTH, "fraud_from_at": pl.String}, columns=list(TRUTH)
        )
        return text.with_columns(began).cast(TRUTH)
    except pl.exceptions.PolarsError:
        raise WrongUse(
            f"{file.name} is not the truth of a simulation: it needs the columns "
            f"{', '.join(TRUTH)}, as `callsieve simulate` writes them"
        ) from None
