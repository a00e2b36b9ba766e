"""Working a sealed period out again, and saying what differs and why.

The rules, decks and rounding are those that it was sealed with; the calls are those of
now. Nothing is changed here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cdr.billing.bill import CALL, REVERSAL, Bill, Snapshot
from cdr.billing.decks import current_decks
from cdr.billing.extract import line_rows, read_manifest
from cdr.billing.files import Format, TableFile
from cdr.billing.ledger import Seal, last_entries, seal_of, sealed_lines, withdrawn
from cdr.billing.lines import Tariff, load_tariff, within
from cdr.billing.periods import Period
from cdr.billing.tables import LINES
from cdr.errors import WrongUse, storage
from cdr.lake import Lake
from cdr.settings import BillingSettings

LINES_SHOWN = 20

EXPLAINED = ("late", "corrected", "erased", "not_in_store")
"""Reasons that are the ordinary course of things: adjusted in a later period, or, for what
retention removed, nothing to do."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What working out again found.

    ``differences`` has, per reason and currency, how many calls, what was billed for them
    and what they come to now. ``lines`` are the first of them. ``faults`` are what no
    ordinary course of things explains; ``decks_since`` names decks imported anew since.
    """

    period: str
    compared: int
    differences: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    faults: list[str]
    decks_since: list[str]

    @property
    def agrees(self) -> bool:
        """Whether nothing is left that needs a person."""
        return not self.faults


def verify(lake: Lake, period: Period, *, folder: Path | None = None) -> Verification:
    """Work a sealed period out again and compare.

    Reasons of a difference: `late` (the call came after the seal), `corrected` (its facts
    changed since), `erased` (noted as not to be billed), `not_in_store` (its row is not in
    `calls` any more and nobody noted why: retention, if it is that old), `account` (its
    account or plan then is another now), `surroundings` (another rule holds: whose number
    it is or what kind, changed), `not_billed` (it was there and has no line), `unexplained`.

    Parameters
    ----------
    lake : Lake
        Whose ledger.
    period : Period
        A sealed one.
    folder : Path, optional
        An extract of it, whose files are compared with its manifest and with the seal.

    Raises
    ------
    WrongUse
        If the period is not sealed, or the folder holds no extract of it.
    """
    seal = seal_of(lake, period)
    if seal is None:
        raise WrongUse(f"period {period} is not sealed; `callsieve billing seal --period {period}`")
    faults = [*_altered_ledger(lake, seal), *(_altered_files(seal, folder) if folder else ())]
    compared, unequal = 0, [_EMPTY]
    for calls, found in _compared_runs(lake, seal):
        compared += calls
        unequal.append(found)
    different = pl.concat(unequal)
    for reason, count in different.group_by("why").len().sort("why").iter_rows():
        if reason not in EXPLAINED:
            faults.append(f"{count} lines differ: {reason}")
    current = current_decks(lake)
    return Verification(
        period=str(period),
        compared=compared,
        differences=_summed(different),
        lines=_shown(lake, different),
        faults=faults,
        decks_since=[name for name, deck_id in seal.decks.items() if current[name] != deck_id],
    )


def _altered_ledger(lake: Lake, seal: Seal) -> Iterator[str]:
    text = TableFile("lines", None, Format.CSV)
    text.add(line_rows(LINES.empty(), seal.zone))
    corrections = []
    for piece in sealed_lines(lake, seal.period):
        text.add(line_rows(piece, seal.zone))
        corrections.append(piece.filter(pl.col("kind") == REVERSAL))
    if text.close().sha256 != seal.lines_sha256:
        yield "the sealed lines in the ledger are not those that were sealed"
    undone = pl.concat(corrections) if corrections else LINES.empty()
    if not undone.is_empty():
        of_line = pl.format("{}/{}", "period", "line").alias("corrects")
        wrong = (
            undone.lazy()
            .join(lake.scan(LINES).select(of_line, was="amount"), on="corrects", how="left")
            .filter((pl.col("amount") != -pl.col("was")) | pl.col("was").is_null())
            .collect()
        )
        if wrong.height:
            yield f"{wrong.height} reversals do not undo the line that they name"


def _altered_files(seal: Seal, folder: Path) -> Iterator[str]:
    manifest = read_manifest(folder)
    if manifest is None or manifest.get("period") != str(seal.period):
        raise WrongUse(f"the folder holds no extract of {seal.period}")
    for file in manifest["files"]:
        name = Path(str(file["name"])).name
        try:
            with storage("reading an extract"), (folder / name).open("rb") as handle:
                sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
        except FileNotFoundError:
            yield f"{name}: missing from the folder"
            continue
        if sha256 != file["sha256"]:
            yield f"{name}: is not what its manifest says"
        elif name == "lines.csv" and manifest["accounts"] == "all" and sha256 != seal.lines_sha256:
            yield f"{name}: is not what was sealed"


_EMPTY = pl.DataFrame(
    schema={
        "record_id": pl.Binary(),
        "line": pl.Int64(),
        "why": pl.String(),
        "billed": pl.Decimal(18, 6),
        "now": pl.Decimal(18, 6),
        "currency": pl.String(),
    }
)


def _sealed_tariff(lake: Lake, seal: Seal) -> Tariff:
    """Return what decided when the period was sealed."""
    was = seal.manifest
    settings = BillingSettings(
        zone=seal.zone,
        currency=was["currency"],
        decimals=was["rounding"]["decimals"],
        rounding=was["rounding"]["mode"],
        default_deck=was["deck_of"]["default"],
        plan_decks=was["deck_of"]["plans"],
        cost_deck=was["deck_of"]["cost"],
    )
    return load_tariff(lake, seal.rules, settings, versions=seal.decks, sealed_as=str(seal.period))


def _compared_runs(lake: Lake, seal: Seal) -> Iterator[tuple[int, pl.DataFrame]]:
    """Compare the calls of some UTC days at a time: how many, and those that differ."""
    bill = Bill(lake, seal.period, Snapshot.take(lake), _sealed_tariff(lake, seal))
    gone = withdrawn(lake)
    since, until = seal.period.bounds(seal.zone)
    ledger = lake.scan(LINES).filter(
        (pl.col("period") == str(seal.period)) & (pl.col("kind") == CALL)
    )
    for days in bill.snapshot.runs(seal.period.utc_days(seal.zone)):
        legs = bill.snapshot.legs(lake, days).filter(within(since, until)).collect()
        now = bill.decided(legs, days)
        was = ledger.filter(pl.col("started_at").dt.date().is_between(days[0], days[-1])).collect()
        yield was.height, _different(was, now, seal, gone)


def _different(was: pl.DataFrame, now: pl.DataFrame, seal: Seal, gone: pl.Series) -> pl.DataFrame:
    compared = ("line", "facts_hash", "amount", "currency", "reason", "rule", "deck", "account_id")
    before = was.select("record_id", pl.col(compared).name.suffix("_was"))
    after = now.select(
        "record_id", "ingest_id", "action", "known",
        pl.col([name for name in compared if name != "line"]),
    )  # fmt: skip
    met = before.join(after, on="record_id", how="full", coalesce=True)
    has_line = pl.col("line_was").is_not_null()
    in_store = pl.col("ingest_id").is_not_null()
    billable = (pl.col("action") != "skip") | pl.col("reason").is_not_null()
    same = pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(f"{name}_was")) for name in ("amount", "currency", "reason")
    )
    knew = pl.col("ingest_id").is_in(list(seal.ingests))
    why = (
        pl.when(has_line & pl.col("record_id").is_in(gone.implode()))
        .then(pl.lit("erased"))
        .when(has_line & ~in_store)
        .then(pl.lit("not_in_store"))
        .when(has_line & (pl.col("facts_hash") != pl.col("facts_hash_was")))
        .then(pl.lit("corrected"))
        .when(has_line & same)
        .then(None)
        .when(has_line & (pl.col("deck").ne_missing(pl.col("deck_was")) | ~pl.col("known")))
        .then(pl.lit("account"))
        .when(has_line & pl.col("rule").ne_missing(pl.col("rule_was")))
        .then(pl.lit("surroundings"))
        .when(has_line)
        .then(pl.lit("unexplained"))
        .when(billable & ~knew)
        .then(pl.lit("late"))
        .when(billable)
        .then(pl.lit("not_billed"))
    )
    return (
        met.with_columns(why=why)
        .filter(pl.col("why").is_not_null())
        .select(
            "record_id",
            pl.col("line_was").alias("line"),
            "why",
            pl.col("amount_was").alias("billed"),
            pl.col("amount").alias("now"),
            pl.coalesce("currency_was", "currency").alias("currency"),
        )
    )


def _summed(different: pl.DataFrame) -> list[dict[str, Any]]:
    return (
        different.group_by("why", "currency")
        .agg(pl.len().alias("calls"), pl.col("billed").sum(), pl.col("now").sum())
        .sort("why", "currency")
        .to_dicts()
    )


def _shown(lake: Lake, different: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the first lines that differ, and where they were adjusted since."""
    first = different.sort("line", "record_id", nulls_last=True).head(LINES_SHOWN)
    standing = last_entries(lake, first["record_id"]).select(
        "record_id", pl.format("{}/{}", "period", "line").alias("stands_as")
    )
    return (
        first.join(standing, on="record_id", how="left", maintain_order="left")
        .drop("record_id")
        .to_dicts()
    )
