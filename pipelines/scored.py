"""The night's step that scores: the champion's scores and, in shadow, the challenger's."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from cdr.lake import Lake
from cdr.normalise.numbers import NUMBERING_VERSION
from cdr.schema import SCORES, Table
from fraud.candidates import Versions
from fraud.model.shelf import challenger_id
from fraud.model.training import save
from fraud.review.queue import decisions_as_labels, open_leanings
from fraud.score_table import score_rows
from fraud.scoring import Shadow, data_version, score_night
from fraud.shadow import shadow_rows
from fraud.tables import SHADOW_SCORES
from pipelines.model_card import write_card
from pipelines.runs import Result


def score_and_keep(lake: Lake, *, as_of: datetime, run_id: str, now: datetime) -> Result:
    """Score a midnight, write the scores and keep the model that made them.

    Parameters
    ----------
    lake : Lake
        With the days before the midnight reduced.
    as_of : datetime
        Midnight UTC.
    run_id : str
        The run that scores.
    now : datetime
        UTC instant of the run.
    """
    found = score_night(
        lake,
        as_of=as_of,
        labels=decisions_as_labels(lake.home.root, before=as_of),
        leaning=open_leanings(lake.home.root),
        challenger=challenger_id(lake.home.models),
        told_by=now,
    )
    model_id = None
    if found.model:
        model_id = save(found.model, lake.home.models)
        write_card(lake.home.models, model_id, found.model)
    versions = Versions(
        model_id=model_id,
        feature_set=found.feature_set,
        data_version=data_version(lake),
        numbering_version=NUMBERING_VERSION,
    )
    day = as_of.date()
    scores = score_rows(found, run_id=run_id, as_of=day, scored_at=now, versions=versions)
    rows: dict[Table, pl.DataFrame] = {SCORES: scores}
    if found.shadow:
        rows[SHADOW_SCORES] = shadow_rows(found.shadow, as_of=day, scored_at=now, versions=versions)
    lake.replace_days(rows, [day])
    notes = [found.note, found.shadow.note if found.shadow else None]
    return {
        "accounts_scored": scores.height,
        "candidates": len(found.candidates),
        "sampled": len(found.sampled),
        "rescored": len(found.rescored),
        "method": found.method,
        "note": found.note,
        "model_id": versions.model_id,
        "challenger": _said(found.shadow),
        "concerns": [note for note in notes if note],
    }


def _said(shadow: Shadow | None) -> dict[str, object] | None:
    """Return what the ledger keeps of a challenger."""
    if shadow is None:
        return None
    return {
        "model_id": shadow.model_id,
        "accounts_scored": shadow.scores.height,
        "note": shadow.note,
    }
