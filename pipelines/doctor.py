"""What is missing or misconfigured, and what to do: one function a question.

Nothing is changed and nothing personal is told.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import polars as pl

from cdr.errors import CdrError, storage
from cdr.formats import by_name
from cdr.lake import Lake
from cdr.pseudonyms import KeyFolder
from cdr.schema import ACCOUNT_NUMBERS, ACCOUNTS, CALLS
from fraud.reference import PATTERN_REASONS
from fraud.review.queue import open_case_count, people_count
from pipelines.inbox import call_files, operator_files
from pipelines.terminal import counted

State = Literal["ok", "look", "wrong"]

MIN_FREE_SHARE = 0.1
"""Share of the disk below which a night may not fit. Ours: compaction writes a day twice."""

KEY_DAYS = 365
"""Age at which a key of pseudonyms should be replaced. Ours: as long as calls are kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing looked at: fine, to be looked at, or wrong; ``do`` says what helps."""

    question: str
    state: State
    text: str
    do: str = ""


def examine(lake: Lake) -> tuple[Answer, ...]:
    """Look at everything the main job needs.

    Parameters
    ----------
    lake : Lake
        Its home need not be there yet.
    """
    return tuple(answer for ask in _QUESTIONS for answer in _answers(ask, lake))


def _answers(ask: Callable[[Lake], Iterator[Answer]], lake: Lake) -> Iterator[Answer]:
    question = ask.__name__.removeprefix("_")
    try:
        with storage(f"looking at {question}"):
            yield from ask(lake)
    except CdrError as error:
        yield Answer(question, "wrong", str(error))


def _sources(lake: Lake) -> Iterator[Answer]:
    sources = lake.settings.sources
    if not sources:
        yield Answer(
            "sources", "wrong", "the settings name no source", "write one: `callsieve init`"
        )
    for name, source in sorted(sources.items()):
        by_name(source.format)
        where = f"{source.format}, {source.zone}, dialled from {source.country}"
        yield Answer("sources", "ok", f"{name}: {where}")
        if source.account_from == "trunk" and not source.trunks:
            yield Answer(
                "sources",
                "wrong",
                f"{name} finds accounts by trunk, but no trunk has an account",
                f"fill sources.{name}.trunks in the settings",
            )


def _home(lake: Lake) -> Iterator[Answer]:
    home = lake.home
    if not lake.store.exists():
        yield Answer(
            "home",
            "look",
            f"no lake yet in {home.root}",
            "take calls in: `callsieve ingest FILE --source NAME`, or put files into "
            f"{home.inbox}/NAME and run `callsieve nightly`",
        )
        return
    lake.store.check()
    mode = stat.S_IMODE(home.root.stat().st_mode)
    if mode & 0o077:
        yield Answer(
            "home", "wrong", "others on this machine may enter it", "chmod 700 the home folder"
        )
    if not os.access(home.lake, os.W_OK):  # on an object store: where batches are prepared
        yield Answer("home", "wrong", "it cannot be written to", "run as the user that owns it")
    disk = shutil.disk_usage(home.root)
    free_share = disk.free / disk.total
    yield Answer(
        "disk",
        "ok" if free_share >= MIN_FREE_SHARE else "look",
        f"{disk.free / 1e9:.0f} GB free, {free_share:.0%} of the disk",
        "" if free_share >= MIN_FREE_SHARE else "make room before the next night",
    )


def _keys(lake: Lake) -> Iterator[Answer]:
    keys = KeyFolder(lake.settings.keys_folder, lake.home.root).all()
    if not keys:
        yield Answer("keys", "ok", "no key of pseudonyms yet; the first session makes one")
        return
    days = (datetime.now(tz=UTC) - keys[-1].made_at).days
    old = days > KEY_DAYS
    yield Answer(
        "keys",
        "look" if old else "ok",
        f"pseudonyms are made with key {keys[-1].fingerprint}, {counted(days, 'day')} old; "
        f"{len(keys)} in all",
        "`callsieve keys rotate`: a pseudonym then says less about longer ago" if old else "",
    )


def _inbox(lake: Lake) -> Iterator[Answer]:
    inbox = lake.home.inbox
    if not inbox.is_dir():
        return
    for name, source in sorted(lake.settings.sources.items()):
        count = sum(file.is_file() for file in call_files(inbox, name))
        fed = count or source.database_url_env
        yield Answer(
            "inbox",
            "ok" if fed else "look",
            f"{name}: {count} call files",
            "" if fed else f"nights read the switch's files from {inbox / name}: put them there",
        )
    stems = {stem for stem, _ in operator_files(inbox)}
    if "accounts" not in stems:
        yield Answer(
            "inbox",
            "look",
            "no accounts.csv or .parquet",
            f"a night takes in what changed about accounts from {inbox / 'accounts.csv'}; or run "
            "`callsieve accounts import FILE` before it",
        )


def _accounts(lake: Lake) -> Iterator[Answer]:
    if not lake.store.exists():
        return
    current = lake.scan(ACCOUNTS).filter(pl.col("valid_to").is_null())
    pattern = (pl.col("status") == "blocked") & pl.col("status_reason").is_in(PATTERN_REASONS)
    counts = current.select(pl.len(), pattern.sum().alias("patterns")).collect()
    known, patterns = counts.row(0)
    if not known:
        yield Answer(
            "accounts",
            "wrong",
            "no account is known, so none can be scored",
            "`callsieve accounts import FILE`; needed columns: account_id, created_at, status",
        )
        return
    needed = lake.settings.scoring.min_blocked
    yield Answer(
        "accounts",
        "ok" if patterns >= needed else "look",
        f"{known:,} accounts, {patterns:,} of them blocked for {' or '.join(PATTERN_REASONS)}",
        ""
        if patterns >= needed
        else f"{needed} are needed to learn from; until then the ranking is by behaviour alone",
    )
    by_number = [n for n, s in lake.settings.sources.items() if s.account_from == "number"]
    if by_number and not lake.files(ACCOUNT_NUMBERS):
        yield Answer(
            "accounts",
            "wrong",
            f"{', '.join(sorted(by_number))}: accounts are found by number, but none is known",
            "`callsieve numbers import FILE`; calls that are in find theirs in the next night",
        )


def _calls(lake: Lake) -> Iterator[Answer]:
    if not lake.store.exists():
        return
    files = lake.files(CALLS)
    if not files:
        yield Answer("calls", "look", "no calls yet", "`callsieve nightly`, or `callsieve ingest`")
        return
    days = sorted({file.partition["call_date"] for file in files})
    rows = sum(file.rows for file in files)
    yield Answer(
        "calls",
        "ok",
        f"{counted(rows, 'leg')} on {counted(len(days), 'day')}, {days[0]} to {days[-1]}",
    )
    newest = [file for file in files if file.partition["call_date"] == days[-1]]
    owned = lake.scan_files(CALLS, newest).group_by("source").agg(pl.col("account_id").count())
    for name, count in owned.sort("source").collect().iter_rows():
        source = lake.settings.sources.get(name)
        if source and source.account_from != "none" and not count:
            yield Answer(
                "calls",
                "wrong",
                f"{name}: none of the calls of {days[-1]} has an account, so none of them counts "
                "for anybody",
                f'`account_from` is "{source.account_from}": does it fit? What calls that are in '
                "would find says `callsieve lake reassign`",
            )


def _nights(lake: Lake) -> Iterator[Answer]:
    if not lake.home.runs.is_dir():
        return
    runs = [json.loads(file.read_bytes()) for file in lake.home.runs.glob("*.json")]
    for run in runs:
        if not run["finished"]:
            day = run["run_id"].split(".")[0]
            yield Answer(
                "nights",
                "look",
                f"run {run['run_id']} was not finished; it stopped after "
                f"{counted(len(run['done']), 'step')}",
                f"`callsieve nightly --date {day}` goes on with it",
            )
    if runs:
        yield Answer("nights", "ok", f"{counted(len(runs), 'run')} in the ledger")


def _queue(lake: Lake) -> Iterator[Answer]:
    if not any(lake.home.runs.glob("*.json")):
        return
    yield Answer("queue", "ok", counted(open_case_count(lake.home.root), "open case"))
    if not people_count(lake.home.root):
        yield Answer(
            "queue",
            "look",
            "nobody can sign in yet",
            "`callsieve review user add NAME --role reviewer`, then `callsieve review serve`",
        )


_QUESTIONS: tuple[Callable[[Lake], Iterator[Answer]], ...] = (
    _sources,
    _home,
    _keys,
    _inbox,
    _accounts,
    _calls,
    _nights,
    _queue,
)
