"""Retention: what is over goes, columns before rows, and what is said of it can be counted.

Finds, removes and counts by the rules of `rules`. A table is looked through in one pass that
reads only the columns its rules ask for, of days that can be due already; only files that hold
something due are written anew, some at a time, each time all of it or nothing. What was removed
is counted as gone only when no old version of a table holds it any more. Files beside the tables
are in `leftovers`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from cdr.billing.ledger import seals
from cdr.errors import DAMAGED_FILE, StorageFailed, storage
from cdr.lake import DataFile, Lake
from cdr.lake.tables import portions
from cdr.lake.versions import Old, drop_old_versions, old_versions
from cdr.privacy.exports import remove_exports
from cdr.privacy.holds import held_rows, holds_in_force
from cdr.privacy.leftovers import FileRemoval, remove_leftovers
from cdr.privacy.restrictions import kept_for_restriction
from cdr.privacy.rules import RULES, Rule, SealedPeriod, Standing, any_of
from cdr.schema import ACCOUNT_EVENTS, ACCOUNTS, CALLS, KEPT_FOR, TABLES, Table

ROWS_A_BATCH = 2_000_000
"""Rows written anew in one commit. Ours: the disk holds them twice until it ends."""

_PLACE = "file of the row"


@dataclass(slots=True)
class Removal:
    """What one rule removed, or would.

    Parameters
    ----------
    rule, table, setting, clause : str
        Which, and what it rests on.
    days : int
        The period.
    rows : int
        Rows that went.
    values : int
        Values of columns that became unknown, in rows that stay.
    files, bytes : int
        Files that held them, and their size before; a file counts with each of its rules.
    """

    rule: str
    table: str
    setting: str
    clause: str
    days: int
    rows: int = 0
    values: int = 0
    files: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Retained:
    """What a run of retention came to.

    ``left`` is what is over and still there: rows and values, by table. ``waiting`` are old
    versions that still hold what was removed; ``gone`` is what was vacuumed in this run.
    ``harmed`` counts damaged files, by table: they were left as they are, and so were the old
    versions of these tables, which may be all that is left of their rows.
    """

    dry_run: bool
    removals: list[Removal]
    files: list[FileRemoval] = field(default_factory=list)
    gone: Old = field(default_factory=Old)
    waiting: Old = field(default_factory=Old)
    waiting_until: datetime | None = None
    left: dict[str, int] = field(default_factory=dict)
    harmed: dict[str, int] = field(default_factory=dict)

    @property
    def concerns(self) -> tuple[str, ...]:
        """Say of which tables not all was looked through."""
        return tuple(
            f"retention passed over {files} of the files of {table}: {DAMAGED_FILE}"
            for table, files in self.harmed.items()
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        until = self.waiting_until
        return {**asdict(self), "waiting_until": None if until is None else until.isoformat()}


def retain(
    lake: Lake, *, now: datetime, cases: Collection[str] = (), dry_run: bool = False
) -> Retained:
    """Remove what is over, and old versions that held what was removed before.

    Parameters
    ----------
    lake : Lake
        Where everything is.
    now : datetime
        UTC instant by which periods are judged.
    cases : collection of str
        Accounts in an open case: nothing of theirs goes.
    dry_run : bool, default=False
        Count only; nothing is changed.
    """
    standing = standing_of(lake, now=now, cases=cases)
    done = Retained(dry_run, [])
    for table, rules in _by_table():
        listed = lake.files(table)
        before, removals, crowd = _survey_whole(lake, table, listed, rules, standing)
        done.removals += removals
        if harmed := len(listed) - len(before):
            done.harmed[table.name] = harmed
        if dry_run:
            continue
        for files in portions(crowd, rows=ROWS_A_BATCH):
            _rewrite(lake, table, rules, standing, files)
        # a file never changes: one that held nothing due holds nothing due
        clean = {file.path for file in listed} - {file.path for file in crowd}
        after = [file for file in lake.files(table) if file.path not in clean]
        again, _ = _survey(lake, table, after, rules, standing)
        if left := sum(one.rows + one.values for one in again):
            done.left[table.name] = left
    done.files = [
        *remove_leftovers(lake, now=now, dry_run=dry_run),
        *remove_exports(lake, now=now, dry_run=dry_run),
    ]
    days = lake.settings.retention.vacuum_days
    done.gone = Old() if dry_run else drop_old_versions(lake, hours=24 * days, spared=done.harmed)
    done.waiting = old_versions(lake)
    done.waiting_until = now + timedelta(days=days) if done.waiting.files else None
    return done


def standing_of(lake: Lake, *, now: datetime, cases: Collection[str] = ()) -> Standing:
    """Gather what rules ask for: who is held, who has ended, who is silent, what was sealed."""
    settings = lake.settings.retention
    laid_on = [hold.person for hold in holds_in_force(lake, as_of=now)]
    bare = Standing(now, settings)
    since = _silent_since(lake, bare)
    inactive = None if since is None else _inactive(lake, since)
    return Standing(
        now=now,
        days=settings,
        held=tuple(sorted(held_accounts(lake, now=now, cases=cases))),
        held_numbers=tuple(sorted({one.subject for one in laid_on if one.kind == "number"})),
        ended=_ended(lake, bare),
        inactive=inactive or (),
        silent_from=since.date() if since is not None and inactive is not None else date.max,
        sealed=tuple(
            SealedPeriod(*seal.period.bounds(seal.zone), seal.sealed_at) for seal in seals(lake)
        ),
    )


def held_accounts(lake: Lake, *, now: datetime, cases: Collection[str] = ()) -> frozenset[str]:
    """Return accounts of which nothing goes: legal hold, open case, restriction."""
    laid_on = [hold.person for hold in holds_in_force(lake, as_of=now)]
    return kept_for_restriction(lake, as_of=now).union(
        cases,
        (person.subject for person in laid_on if person.kind == "account"),
    )


def _current(lake: Lake) -> pl.LazyFrame:
    return lake.scan(ACCOUNTS).filter(pl.col("valid_to").is_null())


def _ended(lake: Lake, standing: Standing) -> tuple[str, ...]:
    """Return accounts that were closed or blocked longer ago than their period."""
    ended = pl.col("status").is_in(["closed", "blocked"])
    over = ended & standing.older("status_since", "closed_account_days")
    return tuple(_current(lake).filter(over).select("account_id").collect()["account_id"])


def _silent_since(lake: Lake, standing: Standing) -> datetime | None:
    """Return since when an account without a sign of life is inactive; None without calls.

    The period is counted back from the newest call that was taken in, where that is longer
    ago: a switch that sends nothing does not make customers silent.
    """
    newest = max((f.partition["call_date"] for f in lake.files(CALLS)), default=None)
    if newest is None:
        return None
    heard = datetime.combine(
        date.fromisoformat(newest) + timedelta(days=1), datetime.min.time(), standing.now.tzinfo
    )
    return min(standing.now, heard) - timedelta(days=standing.days.inactive_account_days)


def _inactive(lake: Lake, since: datetime) -> tuple[str, ...] | None:
    """Return open accounts without a sign of life since then; None where damage may hide one."""
    recent = [
        [f for f in lake.files(table) if f.partition[table.partition_by[0]] >= str(since.date())]
        for table in (CALLS, ACCOUNT_EVENTS)
    ]
    alive = pl.concat(
        lake.scan_files(table, files).select("account_id")
        for table, files in zip((CALLS, ACCOUNT_EVENTS), recent, strict=True)
    ).unique()
    still = pl.col("status").is_in(["active", "suspended"]) & (
        pl.max_horizontal("created_at", "status_since") < since
    )
    silent = (
        _current(lake).filter(still).select("account_id").join(alive, on="account_id", how="anti")
    )
    try:
        with storage("looking for signs of life"):
            found = silent.unique().sort("account_id").collect(engine="streaming")
    except StorageFailed as error:
        if error.kind != DAMAGED_FILE:
            raise
        return None
    return tuple(found["account_id"])


def _by_table() -> Iterator[tuple[Table, list[Rule]]]:
    """Give each table that is known here, with its rules in order."""
    for name in dict.fromkeys(rule.table for rule in RULES):
        if name in TABLES:
            yield TABLES[name], [rule for rule in RULES if rule.table == name]


def _decided(table: Table, rules: list[Rule], standing: Standing) -> list[tuple[Rule, pl.Expr]]:
    """Tell for each rule which rows are its own.

    A row goes by one rule, values of it by none; a value that stays changes by one.
    """
    schema = table.polars_schema
    free = ~held_rows(table, standing)
    rows_over: list[pl.Expr] = []
    decided = []
    for rule in (rule for rule in rules if not rule.columns):
        due = rule.due(standing, schema) & free
        decided.append((rule, due & ~any_of(rows_over)))
        rows_over.append(due)
    stays = ~any_of(rows_over)
    of_column: dict[str, pl.Expr] = {}
    for rule in (rule for rule in rules if rule.columns):
        before = any_of([of_column[name] for name in rule.columns if name in of_column])
        due = rule.due(standing, schema) & free & stays & ~before
        of_column |= dict.fromkeys(rule.columns, due | before)
        decided.append((rule, due))
    return decided


def _survey_whole(
    lake: Lake, table: Table, among: list[DataFile], rules: list[Rule], standing: Standing
) -> tuple[list[DataFile], list[Removal], list[DataFile]]:
    """Survey the files that are whole, and say which: damage keeps only its own file."""
    try:
        with storage(f"looking through {table.name}"):
            removals, crowd = _survey(lake, table, among, rules, standing)
        harmed = {file.path for file in crowd if not lake.is_whole(table, file)}
    except StorageFailed as error:
        if error.kind != DAMAGED_FILE:
            raise
        harmed = {file.path for file in among if not lake.is_whole(table, file)}
        if not harmed:
            raise
    if harmed:
        among = [file for file in among if file.path not in harmed]
        with storage(f"looking through {table.name}"):
            removals, crowd = _survey(lake, table, among, rules, standing)
    return among, removals, crowd


def _survey(
    lake: Lake, table: Table, among: list[DataFile], rules: list[Rule], standing: Standing
) -> tuple[list[Removal], list[DataFile]]:
    """Count what is due by rule in files of a table, and list those that hold it."""
    removals = [
        Removal(r.name, table.name, r.setting, r.clause, getattr(standing.days, r.setting))
        for r in rules
    ]
    young = [file for file in among if _spared(table, file, rules, standing)]
    due_not_yet = {file.path for file in young} - _marked(lake, table, young)
    files = {lake.address(table, file): file for file in among if file.path not in due_not_yet}
    if not files:
        return removals, []
    decided = _decided(table, rules, standing)
    counts = []
    for place, (rule, due) in enumerate(decided):
        values = [(due & rule.concerns(c, table.polars_schema)).sum() for c in rule.columns]
        counts.append(due.sum().cast(pl.Int64).alias(f"{place} rows"))
        counts.append(
            pl.sum_horizontal(values or [pl.lit(0)]).cast(pl.Int64).alias(f"{place} values")
        )
    found = (
        lake.scan_files(table, files.values(), place=_PLACE)
        .group_by(_PLACE)
        .agg(counts)
        .collect(engine="streaming")
    )
    by_rule = {id(rule): place for place, (rule, _) in enumerate(decided)}
    for rule, removal in zip(rules, removals, strict=True):
        place = by_rule[id(rule)]
        held = found.filter(pl.col(f"{place} rows") > 0)
        removal.rows = 0 if rule.columns else int(held[f"{place} rows"].sum())
        removal.values = int(held[f"{place} values"].sum())
        removal.files = held.height
        removal.bytes = sum(files[path].size for path in held[_PLACE])
    crowd = found.filter(pl.any_horizontal(pl.col("^.* rows$") > 0))
    return removals, [files[path] for path in sorted(crowd[_PLACE])]


def _spared(table: Table, file: DataFile, rules: list[Rule], standing: Standing) -> bool:
    if not table.partition_by or "date" not in table.partition_by[0]:
        return False
    day = date.fromisoformat(file.partition[table.partition_by[0]])
    return all(rule.spares(day, standing) for rule in rules)


def _marked(lake: Lake, table: Table, files: list[DataFile]) -> set[str]:
    """Return the paths of files with a row that is kept for one purpose, or for a hold, alone."""
    if not files or KEPT_FOR.name not in table.polars_schema:
        return set()
    paths = {lake.address(table, file): file.path for file in files}
    marked = pl.col(KEPT_FOR.name).is_not_null()
    found = lake.scan_files(table, files, place=_PLACE).filter(marked).select(_PLACE).unique()
    return {paths[place] for place in found.collect(engine="streaming")[_PLACE]}


def _rewrite(
    lake: Lake, table: Table, rules: list[Rule], standing: Standing, files: list[DataFile]
) -> None:
    """Write files anew without what is due; all of them, or none."""
    decided = _decided(table, rules, standing)
    schema = table.polars_schema
    gone = any_of([due for rule, due in decided if not rule.columns])
    cleared: dict[str, pl.Expr] = {}
    for rule, due in decided:
        for column in rule.columns:
            otherwise = cleared.get(column, pl.col(column))
            cleared[column] = pl.when(due).then(rule.becomes(column, schema)).otherwise(otherwise)
    with lake.batch("retention") as batch, lake.writing():
        there = {file.path for file in lake.files(table)}
        for file in files:
            if file.path not in there:  # compacted meanwhile; the next run meets its rows
                continue
            rows = lake.scan_files(table, [file]).with_columns(**cleared).filter(~gone)
            kept = rows.collect(engine="streaming")
            if not kept.is_empty():
                batch.add(table, kept, lasting=True)
            batch.remove(table, [file])
        batch.publish()
