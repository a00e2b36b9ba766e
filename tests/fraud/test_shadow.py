"""Champion and challenger on the same nights: what `callsieve model compare` counts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from cdr import Settings, open_lake
from cdr.lake import Lake
from cdr.schema import SCORES
from fraud.candidates import Versions
from fraud.scoring import Shadow
from fraud.shadow import in_shadow, shadow_rows
from fraud.tables import SHADOW_SCORES

NIGHTS = (date(2026, 9, 1), date(2026, 9, 2))
NOW = datetime(2026, 9, 2, 3, tzinfo=UTC)
VERSIONS = Versions("champ", "f1", "calls=7", "9.0.43")


def scored(**scores: float | None) -> pl.DataFrame:
    return pl.DataFrame(
        {"account_id": list(scores), "score": list(scores.values()), "band": "low"},
        schema_overrides={"score": pl.Float64},
    )


def lake_of(home: Path, champion: list[pl.DataFrame], challenger: list[pl.DataFrame]) -> Lake:
    """Give a lake in which nights were scored by both, for a team that works one case a day."""
    lake = open_lake(Settings(home=home, scoring={"daily_capacity": 1}), create=True)
    for day, first, second in zip(NIGHTS, champion, challenger, strict=True):
        rows = first.with_columns(
            as_of_date=pl.lit(day), run_id=pl.lit("r"), rank=None, method=pl.lit("similarity"),
            reasons=None, neighbours=None, described_as=None, model_id=pl.lit("champ"),
            feature_set=pl.lit("f1"), data_version=pl.lit("calls=7"),
            numbering_version=pl.lit("9"), scored_at=pl.lit(NOW),
        )  # fmt: skip
        shadow = Shadow("rival", second, "f1")
        lake.replace_days(
            {
                SCORES: SCORES.conform(rows),
                SHADOW_SCORES: shadow_rows(shadow, as_of=day, scored_at=NOW, versions=VERSIONS),
            },
            [day],
        )
    return lake


def test_who_turned_out_is_counted_for_both_over_all_nights(tmp_path: Path) -> None:
    """The challenger put `b` first on both nights; the champion `a`, then `b`."""
    lake = lake_of(
        tmp_path,
        [scored(a=0.9, b=0.5, c=None), scored(a=0.1, b=0.8, c=0.2)],
        [scored(a=0.2, b=0.9, c=None), scored(a=0.1, b=0.9, c=0.3)],
    )
    found = in_shadow(lake, "rival", pl.Series(["b", "z"]))
    assert [(day, night.shared_at_capacity) for day, night in found.nights] == [
        ("2026-09-01", 0),
        ("2026-09-02", 1),
    ]
    assert (found.champion_worked.accounts, found.champion_worked.turned_out) == (2, 1)
    assert (found.challenger_worked.accounts, found.challenger_worked.turned_out) == (1, 1)
    assert found.as_json()["nights"][0]["as_of"] == "2026-09-01"


def test_a_night_that_the_challenger_did_not_score_is_not_compared(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, [scored(a=0.9)] * 2, [scored(a=0.9), pl.DataFrame()])
    assert [day for day, _ in in_shadow(lake, "rival", pl.Series([], dtype=pl.String)).nights] == [
        "2026-09-01"
    ]


def test_rows_of_the_shadow_name_the_challenger_and_what_was_read() -> None:
    rows = shadow_rows(
        Shadow("rival", scored(a=0.9), "f1"), as_of=NIGHTS[0], scored_at=NOW, versions=VERSIONS
    )
    assert rows.select("model_id", "data_version", "numbering_version").row(0) == (
        "rival", "calls=7", "9.0.43",
    )  # fmt: skip
