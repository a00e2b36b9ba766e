"""A night's scores as rows of the table `scores`, and candidates back from them.

One row per account; a candidate has a rank and its reasons and neighbours as JSON.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime

import polars as pl

from cdr.lake import Lake
from cdr.schema import SCORES
from fraud.candidates import Candidate, Reason, SimilarAccount, Versions
from fraud.scoring import Night


def score_rows(
    night: Night, *, run_id: str, as_of: date, scored_at: datetime, versions: Versions
) -> pl.DataFrame:
    """Return the rows of `scores` of one night.

    Parameters
    ----------
    night : Night
        What scoring found.
    run_id : str
        The run that scored.
    as_of : date
        UTC day; the scores look back from the midnight that begins it.
    scored_at : datetime
        UTC instant.
    versions : Versions
        What the scores were made with; stands in every row.
    """
    described = {"candidate": night.candidates, "sample": night.sampled, "rescored": night.rescored}
    chosen = pl.DataFrame(
        [
            {
                "account_id": one.account_id,
                "rank": one.rank if kind == "candidate" else None,
                "reasons": json.dumps([asdict(reason) for reason in one.reasons]),
                "neighbours": _neighbours(one),
                "described_as": kind,
            }
            for kind, of_kind in described.items()
            for one in of_kind
        ],
        schema={
            "account_id": pl.String,
            "rank": pl.Int64,
            "reasons": pl.String,
            "neighbours": pl.String,
            "described_as": pl.String,
        },
    ).unique("account_id", keep="last", maintain_order=True)
    rows = night.scores.select("account_id", "score", "band").join(
        chosen, on="account_id", how="left"
    )
    return SCORES.conform(
        rows.with_columns(
            as_of_date=pl.lit(as_of),
            run_id=pl.lit(run_id),
            method=pl.lit(night.method),
            model_id=pl.lit(versions.model_id, dtype=pl.String),
            feature_set=pl.lit(versions.feature_set),
            data_version=pl.lit(versions.data_version),
            numbering_version=pl.lit(versions.numbering_version),
            scored_at=pl.lit(scored_at),
        )
    )


def candidates_of(lake: Lake, as_of: date) -> tuple[tuple[Candidate, ...], Versions]:
    """Return the candidates of a scored night, best first, and what they were made with."""
    rows = (
        lake.scan(SCORES, dates=[as_of]).filter(pl.col("rank").is_not_null()).sort("rank").collect()
    )
    versions = Versions()
    if not rows.is_empty():
        first = rows.select("model_id", "feature_set", "data_version", "numbering_version")
        versions = Versions(**first.row(0, named=True))
    return tuple(_candidate(row) for row in rows.iter_rows(named=True)), versions


def described_of(lake: Lake, as_of: date, kind: str, *, rank: int) -> tuple[Candidate, ...]:
    """Return accounts of a scored night that are no candidates but have reasons.

    Parameters
    ----------
    lake : Lake
        Where the scores are.
    as_of : date
        UTC day that the midnight begins.
    kind : {"sample", "rescored"}
        Why they were described.
    rank : int
        They are ranked after this one.
    """
    rows = lake.scan(SCORES, dates=[as_of]).filter(described_as=kind).sort("account_id").collect()
    return tuple(
        _candidate({**row, "rank": place})
        for place, row in enumerate(rows.iter_rows(named=True), start=rank + 1)
    )


def _neighbours(candidate: Candidate) -> str:
    near = {"blocked": candidate.similar_blocked, "good": candidate.similar_good}
    return json.dumps({kind: [asdict(one) for one in found] for kind, found in near.items()})


def _candidate(row: dict[str, object]) -> Candidate:
    near = json.loads(str(row["neighbours"]))
    return Candidate(
        account_id=row["account_id"],  # type: ignore[arg-type]
        score=row["score"],  # type: ignore[arg-type]
        band=row["band"],  # type: ignore[arg-type]
        rank=row["rank"],  # type: ignore[arg-type]
        method=row["method"],  # type: ignore[arg-type]
        reasons=tuple(Reason(**reason) for reason in json.loads(str(row["reasons"]))),
        similar_blocked=tuple(SimilarAccount(**one) for one in near["blocked"]),
        similar_good=tuple(SimilarAccount(**one) for one in near["good"]),
    )
