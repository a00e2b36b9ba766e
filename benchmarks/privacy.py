"""What the rights of one person cost in a large lake: erasure, access, a night of retention.

    python benchmarks/privacy.py --days 90 --calls-a-day 555000

The lake is drawn, compacted as a nightly leaves it, and holds one account that calls every day and
one number of nobody we know that is called now and then. Beside the seconds of an erasure stands
what it costs to write the whole of `calls` anew, which is what one does without knowing where
somebody is. `night` is the first night on which anything is over, that of one day; `retention` is
one on which 60 more days are. Printed as JSON; where the machine is shared, look at processor
seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import cdr
from cdr.lake.compact import file_rows
from cdr.privacy.requests import Person
from cdr.schema import ACCOUNT_NUMBERS, ACCOUNTS, CALLS, Table
from pipelines.access import access
from pipelines.erasure import erase
from pipelines.receipt import Receipt
from pipelines.retention import Cleared, clear_away

ACCOUNT, NUMBER = "acc000777", "+442071234567"
START = date(2026, 8, 1)
ACCOUNTS_DRAWN = 20_000
STEPS = ["access", "number", "account", "night", "retention", "anew"]


def main() -> None:
    """Draw the lake, then measure each request once."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--days", type=int, default=90)
    options.add_argument("--calls-a-day", type=int, default=555_000)
    options.add_argument("--only", choices=STEPS, nargs="*", default=STEPS)
    options.add_argument("--drawn", type=Path, help="a folder: draw the lake there, or take it")
    given = options.parse_args()
    folder = Path(tempfile.mkdtemp(dir=given.drawn and given.drawn.parent))
    drawn, home = given.drawn or folder / "drawn", folder / "home"
    try:
        if not drawn.exists():
            draw(drawn, given.days, given.calls_a_day)
        shutil.copytree(drawn, home, copy_function=os.link)
        found = measured(home, given.days, given.calls_a_day, given.only)
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    finally:
        shutil.rmtree(folder)


def draw(home: Path, days: int, calls_a_day: int) -> None:
    """Make a lake of so many days of calls."""
    lake = cdr.open_lake(cdr.load_settings(home=home), create=True)
    for number in range(days):
        _put(lake, CALLS, day_of_calls(number, calls_a_day))
    _put(lake, ACCOUNTS, accounts())
    _put(lake, ACCOUNT_NUMBERS, numbers())


def measured(home: Path, days: int, calls_a_day: int, only: list[str]) -> dict[str, Any]:
    """Measure each of these requests once."""
    lake = cdr.open_lake(cdr.load_settings(home=home))
    now = datetime.combine(START + timedelta(days=days + 1), datetime.min.time(), UTC)
    size = sum(file.size for file in lake.files(CALLS))
    result: dict[str, Any] = {"calls": days * calls_a_day, "days": days, "bytes": size}
    if "access" in only:
        asked = Person("account", ACCOUNT)
        _told(result, "access", _timed(lambda: len(access(lake, asked).holdings))[1])
    for name, person in (("number", Person("number", NUMBER)),
                         ("account", Person("account", ACCOUNT))):  # fmt: skip
        if name not in only:
            continue
        receipt, took = _timed(
            lambda person=person: erase(lake, person, reason=None, by="benchmark", now=now)
        )
        _told(result, f"erase_{name}", {**took, **_figures(receipt)})
    first_over = datetime.combine(START, datetime.min.time(), UTC) + timedelta(
        days=1 + lake.settings.retention.address_days
    )
    for name, night in (("night", first_over), ("retention", first_over + timedelta(days=60))):
        if name in only:
            cleared, took = _timed(lambda night=night: clear_away(lake, now=night))
            _told(result, name, {**took, **_removed(cleared)})
    if "anew" in only:
        anew = home.parent / "anew"
        _told(result, "write_all_calls_anew", _timed(lambda: _all_anew(lake, anew))[1])
    result["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return result


def _told(result: dict[str, Any], step: str, figures: dict[str, Any]) -> None:
    """Keep the figures of a step, and say them at once: the next may take long."""
    result[step] = figures
    sys.stderr.write(f"{step}: {json.dumps(figures)}\n")


def _timed(work: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    began, worked = time.perf_counter(), time.process_time()
    found = work()
    return found, {
        "seconds": round(time.perf_counter() - began, 1),
        "processor_s": round(time.process_time() - worked, 1),
    }


def _figures(receipt: Receipt) -> dict[str, Any]:
    calls = receipt.tables["calls"]
    return {
        "complete": receipt.complete,
        "by_step": receipt.seconds,
        "rows": calls.rows,
        "files_rewritten": calls.files_rewritten,
        "files": calls.files_before,
        "bytes_rewritten": calls.bytes_rewritten,
        "bytes_searched": receipt.searched.bytes,
    }


def _removed(cleared: Cleared) -> dict[str, Any]:
    of_calls = [one for one in cleared.lake.removals if one.table == "calls"]
    return {
        "rows": sum(one.rows for one in of_calls),
        "values": sum(one.values for one in of_calls),
        "files": max(one.files for one in of_calls),
        "bytes": max(one.bytes for one in of_calls),
        "expired_left": cleared.expired_left,
    }


def _all_anew(lake: cdr.Lake, folder: Path) -> None:
    for file in lake.files(CALLS):
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        lake.scan_files(CALLS, [file]).filter(pl.col("account_id") != ACCOUNT).sink_parquet(target)


def _put(lake: cdr.Lake, table: Table, rows: pl.DataFrame) -> None:
    with lake.batch("ingest") as batch, lake.writing():
        for part in rows.iter_slices(file_rows(rows.height)):
            batch.add(table, part, lasting=True)
        batch.publish()


def day_of_calls(number: int, count: int) -> pl.DataFrame:
    """Draw a day of calls, sorted as compaction leaves them; ``number`` is the day's, from 0."""
    draw = np.random.default_rng(number)
    day = START + timedelta(days=number)
    midnight = datetime.combine(day, datetime.min.time(), UTC)
    callee = draw.integers(10**9, 10**10, count).astype(str).astype(object)
    rows = pl.DataFrame(
        {
            "account": np.sort(draw.integers(0, ACCOUNTS_DRAWN, count)),
            "us": draw.integers(0, 86_400_000_000, count),
            "callee": pl.Series(callee, dtype=pl.String),
            "ms": draw.integers(1_000, 600_000, count),
            "key": draw.integers(0, 2**62, count),
            "answered": draw.random(count) < 0.6,
        }
    ).with_columns(
        started=pl.lit(midnight) + pl.duration(microseconds="us"),
        padded=pl.col("account").cast(pl.String).str.zfill(6),
        # the number of nobody we know: once in every other day
        callee=pl.when((pl.int_range(pl.len()) == count // 2) & (number % 2 == 0))
        .then(pl.lit(NUMBER))
        .otherwise(pl.format("+1{}", "callee")),
    )
    when_answered = pl.when("answered")
    said = {
        "record_id": pl.col("key").cast(pl.String).str.zfill(16).str.head(16).cast(pl.Binary),
        "source": pl.lit("pbx"), "source_record_id": pl.format("r{}", "key"),
        "call_id": pl.format("c{}", "key"), "leg": pl.lit(0),
        "account_id": pl.format("acc{}", "padded"), "direction": pl.lit("outbound"),
        "media": pl.lit("voice"), "caller_raw": pl.format("+4930{}", "padded"),
        "caller_number": pl.format("+4930{}", "padded"),
        "caller_ip": pl.format("10.1.{}.{}", pl.col("key") % 256, pl.col("account") % 256),
        "caller_country": pl.lit("DE"), "callee_raw": pl.col("callee"),
        "callee_number": pl.col("callee"), "callee_country": pl.lit("US"),
        "started_at": pl.col("started"),
        "answered_at": when_answered.then(pl.col("started")),
        "ended_at": pl.col("started") + pl.duration(milliseconds="ms"),
        "duration_ms": when_answered.then(pl.col("ms")),
        "outcome": when_answered.then(pl.lit("answered")).otherwise(pl.lit("no_answer")),
        "flags": pl.lit([], pl.List(pl.String)), "source_rows": pl.lit(1),
        "content_hash": pl.col("key"), "ingested_at": pl.lit(midnight + timedelta(days=1)),
        "ingest_id": pl.lit("drawn"), "numbering_version": pl.lit("drawn"),
        "call_date": pl.lit(day),
    }  # fmt: skip
    rest = {f.name: pl.lit(None, f.dtype) for f in CALLS.fields if f.name not in said}
    return CALLS.conform(rows.select(**said, **rest).sort("account_id", "started_at"))


def accounts() -> pl.DataFrame:
    """Give each account of the calls its details."""
    opened = datetime(2025, 1, 1, tzinfo=UTC)
    said = {
        "account_id": pl.format("acc{}", "padded"), "created_at": pl.lit(opened),
        "name": pl.format("Customer {}", "padded"), "status": pl.lit("active"),
        "email": pl.format("c{}@customer.example", "padded"), "valid_from": pl.lit(opened),
        "imported_at": pl.lit(opened),
    }  # fmt: skip
    lists = {f.name: pl.lit([], f.dtype) for f in ACCOUNTS.fields if isinstance(f.dtype, pl.List)}
    rest = {
        f.name: pl.lit(None, f.dtype) for f in ACCOUNTS.fields if f.name not in {**said, **lists}
    }
    return ACCOUNTS.conform(_padded().select(**said, **lists, **rest))


def numbers() -> pl.DataFrame:
    """Give each account its number."""
    said = {
        "account_id": pl.format("acc{}", "padded"), "number": pl.format("+4930{}", "padded"),
        "imported_at": pl.lit(datetime(2025, 1, 1, tzinfo=UTC)),
    }  # fmt: skip
    rest = {f.name: pl.lit(None, f.dtype) for f in ACCOUNT_NUMBERS.fields if f.name not in said}
    return ACCOUNT_NUMBERS.conform(_padded().select(**said, **rest))


def _padded() -> pl.DataFrame:
    every = pl.int_range(ACCOUNTS_DRAWN, eager=True).cast(pl.String).str.zfill(6)
    return pl.DataFrame({"padded": every})


if __name__ == "__main__":
    main()
