"""The bill of a period: its lines in their order, sealed or as they would be now.

Lines come in pieces of some UTC days, sorted by day, account, start and record, so that
memory is bounded by a day and the same lake gives the same bill. Adjustments of earlier
periods come last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl

from cdr.billing.ledger import (
    Seal,
    is_next,
    last_entries,
    may_be_billed,
    seals,
    unpriced_entries,
    withdrawn,
)
from cdr.billing.lines import (
    CALL_COLUMNS,
    ROWS_AT_ONCE,
    Tariff,
    days_around,
    lines_of,
    load_tariff,
    onward_legs,
    within,
)
from cdr.billing.periods import Period
from cdr.billing.rules import load_rules
from cdr.billing.tables import LINES
from cdr.billing.totals import Totals
from cdr.lake import DataFile, Lake
from cdr.schema import ACCOUNT_NUMBERS, ACCOUNTS, CALLS, INGESTS, Table

CALL, LATE, REVERSAL, REPLACEMENT = "call", "late", "reversal", "replacement"

_OF_LEG = [
    name
    for name in LINES.polars_schema.names()
    if name not in ("period", "line", "kind", "corrects", "call_period")
]
_UNDONE = ("billed_s", "amount", "cost")
_BILLABLE = (pl.col("action") != "skip") | pl.col("reason").is_not_null()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The lake at one instant: what a bill is worked out from."""

    calls: dict[str, list[DataFile]]
    versions: dict[str, int]
    ingests: pl.DataFrame

    @classmethod
    def take(cls, lake: Lake) -> Snapshot:
        """Look at the lake while nobody writes."""
        tables: tuple[Table, ...] = (CALLS, ACCOUNTS, ACCOUNT_NUMBERS)
        with lake.writing():
            by_day: dict[str, list[DataFile]] = {}
            for file in lake.files(CALLS):
                by_day.setdefault(file.partition["call_date"], []).append(file)
            versions = {
                table.name: -1 if (found := lake.version(table)) is None else found
                for table in tables
            }
            ingests = lake.scan(INGESTS).filter(pl.col("first_started_at").is_not_null())
            return cls(by_day, versions, ingests.collect())

    def legs(self, lake: Lake, days: Sequence[date]) -> pl.LazyFrame:
        """Read what billing reads of the calls of some UTC days."""
        files = [file for day in days for file in self.calls.get(day.isoformat(), ())]
        return lake.scan_files(CALLS, files).select(CALL_COLUMNS)

    def runs(self, days: Sequence[date]) -> Iterator[list[date]]:
        """Group days that follow each other, as many as are worth working out at once."""
        run: list[date] = []
        rows = 0
        for day in days:
            of_day = sum(file.rows for file in self.calls.get(day.isoformat(), ()))
            if run and rows + of_day > ROWS_AT_ONCE:
                yield run
                run, rows = [], 0
            run.append(day)
            rows += of_day
        if run:
            yield run

    def ingests_of(self, period: Period, zone: str) -> pl.DataFrame:
        """List the files taken in that have calls of a period's time."""
        since, until = period.bounds(zone)
        return self.ingests.filter(
            (pl.col("first_started_at") < until) & (pl.col("last_started_at") >= since)
        ).select("ingest_id", "first_started_at", "last_started_at")


@dataclass(slots=True)
class Bill:
    """A period that is not sealed, as it would be billed now.

    ``totals`` and the counts are whole once :meth:`pieces` was read to its end.
    """

    lake: Lake
    period: Period
    snapshot: Snapshot
    tariff: Tariff
    sealed: Sequence[Seal] = ()
    totals: Totals = field(default_factory=Totals)
    counts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    unpriced: Counter[str] = field(default_factory=Counter)
    _line: int = 0
    _gone: pl.Series = field(init=False)
    _standing: pl.DataFrame = field(init=False)
    _without_price: pl.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        self._gone = withdrawn(self.lake)

    @property
    def zone(self) -> str:
        """By whose clock the period begins and ends."""
        return self.tariff.settings.zone

    def pieces(self) -> Iterator[pl.DataFrame]:
        """Work out the lines; columns of `cdr.billing.tables.LINES`, numbered from 1."""
        zone = self.zone
        since, until = self.period.bounds(zone)
        yield self._numbered(LINES.empty())  # so that a bill without lines has its columns
        for days in self.snapshot.runs(self.period.utc_days(zone)):
            legs = self.snapshot.legs(self.lake, days).filter(within(since, until)).collect()
            legs = legs.filter(~pl.col("record_id").is_in(self._gone.implode()))
            found = self.decided(legs, days)
            self.counts["legs"] += legs.height
            for rule, count in _counted(found.filter(pl.col("action") == "skip"), "rule"):
                self.skipped[rule] += count
            yield self._numbered(
                found.filter(_BILLABLE)
                .select(
                    *_OF_LEG,
                    pl.lit(CALL).alias("kind"),
                    pl.lit(None, pl.String).alias("corrects"),
                    pl.lit(str(self.period)).alias("call_period"),
                )
                .sort(pl.col("started_at").dt.date(), "account_id", "started_at", "record_id")
            )
        if is_next(self.sealed, self.period):
            self._standing = last_entries(self.lake, self._gone)
            self._without_price = unpriced_entries(self.lake)
            for seal in self.sealed:
                yield self._numbered(self._adjustments(seal))

    def manifest(self) -> dict[str, Any]:
        """Say what the bill was made from and what it comes to."""
        settings = self.tariff.settings
        since, until = self.period.bounds(settings.zone)
        return {
            "period": str(self.period),
            "zone": settings.zone,
            "since": since.isoformat(),
            "until": until.isoformat(),
            "tables": self.snapshot.versions,
            "decks": self.tariff.versions,
            "deck_of": {
                "default": settings.default_deck,
                "plans": dict(sorted(settings.plan_decks.items())),
                "cost": settings.cost_deck,
            },
            "currency": settings.currency,
            "rules": {"name": self.tariff.rules.name, "sha256": self.tariff.rules.sha256},
            "rounding": {"at": "line", "decimals": settings.decimals, "mode": settings.rounding},
            "legs": self.counts["legs"],
            "lines": {kind: self.counts[kind] for kind in (CALL, LATE, REVERSAL, REPLACEMENT)},
            "skipped": dict(sorted(self.skipped.items())),
            "unpriced": dict(sorted(self.unpriced.items())),
            "totals": self.totals.of_all(),
        }

    def decided(
        self, legs: pl.DataFrame, days: Sequence[date], tariff: Tariff | None = None
    ) -> pl.DataFrame:
        """Work out what legs of some UTC days come to, also those that nobody pays for."""
        return lines_of(legs, tariff or self.tariff, self._onward(legs, days))

    def _onward(self, legs: pl.DataFrame, days: Sequence[date]) -> pl.Series:
        """Return the forwarded legs whose onward leg has a record of its own."""
        forwarded = legs.filter(pl.col("forwarded_to").is_not_null()).select(
            "record_id", "source", "call_id"
        )
        return onward_legs(forwarded, self.snapshot.legs(self.lake, days_around(days)))

    def _numbered(self, rows: pl.DataFrame) -> pl.DataFrame:
        numbered = rows.with_columns(
            pl.int_range(self._line + 1, self._line + rows.height + 1, dtype=pl.Int64).alias(
                "line"
            ),
            pl.lit(str(self.period)).alias("period"),
        ).select(pl.col(name).cast(dtype) for name, dtype in LINES.polars_schema.items())
        self._line += rows.height
        for kind, count in _counted(numbered.filter(pl.col("reason").is_null()), "kind"):
            self.counts[kind] += count
        for reason, count in _counted(numbered.filter(pl.col("reason").is_not_null()), "reason"):
            self.unpriced[reason] += count
        self.totals.add(numbered)
        return numbered

    def _adjustments(self, seal: Seal) -> pl.DataFrame:
        """Work out what came to light of a sealed period since: late, corrected, undone."""
        legs, days = self._changed_legs(seal)
        of_period = pl.col("call_period") == str(seal.period)
        standing = self._standing.filter(of_period)
        if legs.is_empty() and standing.is_empty():
            return LINES.empty()
        changed = last_entries(self.lake, legs["record_id"]).filter(
            of_period & ~pl.col("record_id").is_in(self._gone.implode())
        )
        held = pl.concat([changed, standing])
        now = self.decided(legs, days, self._tariff_of(seal))
        return adjusted(held, now, self._gone).with_columns(
            pl.lit(str(seal.period)).alias("call_period")
        )

    def _tariff_of(self, seal: Seal) -> Tariff:
        """Return the tariff with the rules that the calls of a sealed period are judged by."""
        if seal.rules.sha256 == self.tariff.rules.sha256:
            return self.tariff
        return load_tariff(self.lake, seal.rules, self.tariff.settings)

    def _changed_legs(self, seal: Seal) -> tuple[pl.DataFrame, list[date]]:
        """Read the calls of a sealed period that came since, and those without a price."""
        zone = self.zone
        since, until = seal.period.bounds(zone)
        came = self.snapshot.ingests_of(seal.period, zone).filter(
            ~pl.col("ingest_id").is_in(list(seal.ingests))
        )
        of_period = pl.col("call_period") == str(seal.period)
        unpriced = self._without_price.filter(of_period)["record_id"]
        days = seal.period.utc_days(zone) if came.height or len(unpriced) else []
        wanted = pl.col("ingest_id").is_in(came["ingest_id"].implode()) | pl.col("record_id").is_in(
            unpriced.implode()
        )
        legs = self.snapshot.legs(self.lake, days).filter(within(since, until) & wanted)
        return legs.collect(), days


def open_bill(lake: Lake, period: Period, *, now: datetime) -> Bill:
    """Begin the bill of a period that is not sealed.

    Raises
    ------
    WrongUse
        If it cannot be worked out; see :func:`cdr.billing.ledger.may_be_billed`.
    """
    sealed = seals(lake)
    may_be_billed(sealed, period, zone=lake.settings.billing.zone, now=now)
    settings = lake.settings.billing
    tariff = load_tariff(lake, load_rules(settings.rules), settings)
    return Bill(lake, period, Snapshot.take(lake), tariff, sealed)


def adjusted(held: pl.DataFrame, now: pl.DataFrame, gone: pl.Series) -> pl.DataFrame:
    """Compare what stands in the ledger with what would be billed now.

    Parameters
    ----------
    held : DataFrame
        Last entries of calls; columns of `cdr.billing.tables.LINES`.
    now : DataFrame
        What calls that changed come to now: `action` and the columns that a leg decides.
    gone : Series of Binary
        Calls that are not to be billed any more.

    Returns
    -------
    DataFrame
        Lines without number: a `late` one for a call that was never billed, had no price
        or was undone; a `reversal` and a `replacement` where the facts of a call changed;
        a `reversal` alone where it is gone or nobody pays for it now.
    """
    entry = held.select(
        "record_id",
        pl.format("{}/{}", "period", "line").alias("corrects"),
        pl.col("facts_hash").alias("facts_held"),
        pl.col("reason").is_not_null().alias("open"),
        (pl.col("kind") == REVERSAL).alias("undone"),
    )
    met = now.filter(~pl.col("record_id").is_in(gone.implode())).join(
        entry, on="record_id", how="left"
    )
    billed = ~pl.col("open") & ~pl.col("undone")
    changed = met.filter(billed & (pl.col("facts_hash") != pl.col("facts_held")))
    opened = pl.col("open") & pl.col("reason").is_null()
    fresh = met.filter(pl.col("corrects").is_null() | pl.col("undone") | opened)
    wrong = entry.filter(
        billed & pl.col("record_id").is_in(pl.concat([changed["record_id"], gone]).implode())
    )
    undoing = held.join(wrong.select("record_id", corrects_held="corrects"), on="record_id")
    return pl.concat(
        [
            _kept(fresh).with_columns(kind=pl.lit(LATE)),
            _kept(changed).with_columns(kind=pl.lit(REPLACEMENT)),
            undoing.with_columns(-pl.col(_UNDONE)).select(
                *_OF_LEG, pl.col("corrects_held").alias("corrects"), kind=pl.lit(REVERSAL)
            ),
        ],
        how="diagonal_relaxed",
    ).sort("account_id", "started_at", "record_id", pl.col("kind") == REPLACEMENT)


def _kept(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.filter(_BILLABLE).select(*_OF_LEG, "corrects")


def _counted(rows: pl.DataFrame, column: str) -> list[tuple[str, int]]:
    return [(str(name), count) for name, count in rows.group_by(column).len().iter_rows()]
