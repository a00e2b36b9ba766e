"""Pricing calls by a rate deck: ours beside what one would write instead, in one run.

    python benchmarks/billing.py [--calls 10000000] [--prefixes 36000] [--extract]

Each way runs in a process of its own, so that its peak memory is its own. Ways that are too
slow for all calls get a sample, and the table says so. All ways must agree on the sample.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

import cdr
from cdr.billing.decks import Deck, import_deck
from cdr.billing.extract import extract
from cdr.billing.files import Format
from cdr.billing.periods import Period
from cdr.billing.rating import rated
from cdr.schema import ACCOUNTS, CALLS, INGESTS

SLICE = 1_000_000
LIKE_SAMPLE = 2_000
WALK_SAMPLE = 200_000
THREADS = 2
SEED = 20_261_001
STEPS = np.array([[60, 60], [30, 6], [1, 1]])
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)


def make_deck(count: int) -> pl.DataFrame:
    """Make prefixes of 1 to 9 digits, most of 5 to 7, as wholesale decks have them."""
    rng = np.random.default_rng(SEED)
    shares = {1: 0.0002, 2: 0.002, 3: 0.01, 4: 0.08, 5: 0.22, 6: 0.3, 7: 0.25, 8: 0.1, 9: 0.05}
    drawn = [
        rng.integers(10 ** (n - 1), 10**n, size=int(count * share * 1.2) + 1)
        for n, share in shares.items()
    ]
    prefixes = np.unique(np.concatenate(drawn))
    prefixes = rng.choice(prefixes, size=min(count, len(prefixes)), replace=False)
    steps = STEPS[rng.integers(0, 3, size=len(prefixes))]
    money = pl.Decimal(18, 6)
    return pl.DataFrame(
        {
            "prefix": pl.Series(np.sort(prefixes)).cast(pl.String),
            "rate_per_min": pl.Series(rng.integers(10, 9000, len(prefixes))).cast(money) / 10_000,
            "connect_fee": pl.Series(rng.integers(0, 2, len(prefixes))).cast(money) / 20,
            "min_s": steps[:, 0],
            "increment_s": steps[:, 1],
        }
    ).with_columns(
        pl.col("rate_per_min", "connect_fee").cast(money),
        destination=pl.lit("d") + pl.col("prefix"),
        free_s=pl.lit(0, pl.Int64),
        currency=pl.lit("EUR"),
        valid_from=pl.lit(None, pl.Datetime("us", "UTC")),
        valid_to=pl.lit(None, pl.Datetime("us", "UTC")),
    )


def make_calls(deck: pl.DataFrame, count: int) -> pl.DataFrame:
    """Make calls to numbers of 11 or 12 digits below the deck's prefixes, a few to none."""
    rng = np.random.default_rng(SEED + 1)
    prefixes = deck["prefix"].gather(rng.integers(0, deck.height, count))
    rest = pl.Series(rng.integers(10**8, 10**9, count)).cast(pl.String) + "123"
    number = (prefixes + rest).str.slice(0, 12)
    return pl.DataFrame(
        {
            "number": "+" + number,
            "duration_ms": rng.lognormal(11, 1.2, count).astype(np.int64),
            "started_at": pl.Series(rng.integers(0, 31 * 86_400, count) * 1_000_000).cast(
                pl.Duration("us")
            )
            + OCTOBER,
        }
    ).with_columns(pl.col("started_at").cast(pl.Datetime("us", "UTC")))


def ours(folder: Path, rows: int) -> pl.DataFrame:
    """Price in slices, as an extract does."""
    deck = Deck("deck", pl.read_parquet(folder / "deck.parquet"))
    calls = pl.scan_parquet(folder / "calls.parquet").head(rows)
    sums = []
    for first in range(0, rows, SLICE):
        part = calls.slice(first, SLICE).collect()
        sums.append(rated(part, deck, decimals=4).select("amount_micro"))
        if rows > SLICE:
            sums[-1] = sums[-1].sum()
    return pl.concat(sums)


_PRICE = """
    round_half_up(fee * 60 + rate * (min_s + greatest(0,
        (duration_ms - min_s * 1000 + increment_s * 1000 - 1) // (increment_s * 1000)
    ) * increment_s))
"""


def _duckdb(folder: Path, rows: int) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": THREADS, "memory_limit": "3GB"})
    con.execute(f"""
        CREATE MACRO round_half_up(sixtieths) AS (sixtieths + 3000) // 6000 * 100;
        CREATE TABLE deck AS SELECT prefix, min_s, increment_s,
            CAST(rate_per_min * 1000000 AS BIGINT) AS rate,
            CAST(connect_fee * 1000000 AS BIGINT) AS fee
            FROM read_parquet('{folder}/deck.parquet');
        CREATE VIEW calls AS SELECT file_row_number AS call, number, duration_ms
            FROM read_parquet('{folder}/calls.parquet', file_row_number = true)
            WHERE file_row_number < {rows};
    """)
    return con


def naive_like(folder: Path, rows: int) -> pl.DataFrame:
    """Join with ``number LIKE prefix || '%'`` and keep the longest."""
    return _duckdb(folder, rows).sql(f"""
        SELECT arg_max({_PRICE}, length(prefix)) AS amount_micro
        FROM calls LEFT JOIN deck ON number LIKE '+' || prefix || '%'
        GROUP BY call ORDER BY call
    """).pl()  # fmt: skip


def join_each_length(folder: Path, rows: int) -> pl.DataFrame:
    """Join once for each length of prefix and take the longest that was found."""
    con = _duckdb(folder, rows)
    lengths = con.sql("SELECT DISTINCT length(prefix) FROM deck ORDER BY 1 DESC").fetchall()
    joins = "\n".join(
        f"LEFT JOIN deck d{n} ON d{n}.prefix = substr(number, 2, {n}) AND length(d{n}.prefix) = {n}"
        for (n,) in lengths
    )
    longest = {
        column: "coalesce(" + ", ".join(f"d{n}.{column}" for (n,) in lengths) + f") AS {column}"
        for column in ("rate", "fee", "min_s", "increment_s")
    }
    each = rows <= WALK_SAMPLE
    return con.sql(f"""
        WITH priced AS (
            SELECT call, duration_ms, {", ".join(longest.values())} FROM calls {joins}
        )
        SELECT {_PRICE if each else f"sum({_PRICE})"} AS amount_micro
        FROM priced {"ORDER BY call" if each else ""}
    """).pl()  # fmt: skip


def dictionary_walk(folder: Path, rows: int) -> pl.DataFrame:
    """Walk each number from its longest prefix down, in Python with Decimal."""
    deck = {
        row["prefix"]: (row["rate_per_min"], row["connect_fee"], row["min_s"], row["increment_s"])
        for row in pl.read_parquet(folder / "deck.parquet").iter_rows(named=True)
    }
    calls = pl.scan_parquet(folder / "calls.parquet").head(rows).collect()
    cent = Decimal("0.0001")
    amounts: list[int | None] = []
    for number, duration_ms in calls.select("number", "duration_ms").iter_rows():
        found = next((deck[number[1:n]] for n in range(10, 1, -1) if number[1:n] in deck), None)
        if found is None:
            amounts.append(None)
            continue
        rate, fee, least, step = found
        steps = -(-max(0, duration_ms - least * 1000) // (step * 1000))
        amount = fee + rate * (least + steps * step) / 60
        amounts.append(int(amount.quantize(cent, ROUND_HALF_UP) * 1_000_000))
    return pl.DataFrame({"amount_micro": pl.Series(amounts, dtype=pl.Int64)})


def whole_extract(folder: Path, rows: int) -> pl.DataFrame:
    """Write the CSV extract of a lake with these calls: rules, pricing, sums, files."""
    done = extract(
        cdr.open_lake(cdr.load_settings(home=folder / "home")),
        Period(2026, 10),
        folder / "out",
        form=Format.CSV,
        now=datetime(2027, 1, 1, tzinfo=UTC),
    )
    total = sum(Decimal(total["amount"]) for total in done.manifest["totals"])
    return pl.DataFrame({"amount_micro": [int(total * 1_000_000)]})


def fill_lake(folder: Path) -> None:
    """Put the calls into a lake: 31 days, 20,000 accounts."""
    lake = cdr.open_lake(cdr.load_settings(home=folder / "home"), create=True)
    pl.read_parquet(folder / "deck.parquet").write_csv(folder / "deck.csv")
    import_deck(lake, folder / "deck.csv", name="retail", settings=lake.settings.billing,
                now=OCTOBER)  # fmt: skip
    calls = pl.read_parquet(folder / "calls.parquet").sort("started_at")
    row = pl.int_range(pl.len())
    accounts = pl.DataFrame({"account_id": [f"a{n:05d}" for n in range(20_000)]})
    given = {"source": "s", "call_id": None, "leg": 0, "direction": "outbound", "media": "voice",
             "outcome": "answered", "source_rows": 1, "content_hash": 0, "ingest_id": "i",
             "numbering_version": "0"}  # fmt: skip
    with lake.batch() as batch, lake.writing():
        for day in range(31):
            since = OCTOBER + timedelta(days=day)
            until = since + timedelta(days=1)
            of_day = calls.filter(pl.col("started_at").is_between(since, until, closed="left"))
            numbered = of_day.with_columns(
                record_id=(pl.lit(f"{day:02d}") + row.cast(pl.String).str.zfill(14)).cast(
                    pl.Binary
                ),
                account_id=accounts["account_id"].gather(of_day["duration_ms"] % 20_000),
                callee_number="number",
                call_date=pl.lit(since.date()),
                source_record_id=row.cast(pl.String),
                ingested_at=pl.lit(OCTOBER).cast(pl.Datetime("us", "UTC")),
                flags=pl.lit([], pl.List(pl.String)),
                **{name: pl.lit(value) for name, value in given.items()},
            )
            batch.add(CALLS, numbered.select(
                pl.col(name) if name in numbered.columns else pl.lit(None, dtype).alias(name)
                for name, dtype in CALLS.polars_schema.items()
            ))  # fmt: skip
        for table, frame in ((ACCOUNTS, accounts), (INGESTS, pl.DataFrame({"ingest_id": ["i"]}))):
            batch.add(table, frame.select(
                pl.col(name) if name in frame.columns
                else (pl.lit(OCTOBER).cast(dtype) if isinstance(dtype, pl.Datetime)
                      else pl.lit(None, dtype)).alias(name)
                for name, dtype in table.polars_schema.items()
            ))  # fmt: skip
        batch.publish()


WAYS: dict[str, tuple[Callable[[Path, int], pl.DataFrame], int | None]] = {
    "ours: rated": (ours, None),
    "DuckDB, a join for each length": (join_each_length, None),
    "DuckDB, LIKE prefix || '%'": (naive_like, LIKE_SAMPLE),
    "Python, dictionary walk": (dictionary_walk, WALK_SAMPLE),
    "ours: whole CSV extract": (whole_extract, None),
}


def measure(way: str, folder: Path, rows: int) -> dict[str, float]:
    """Run a way in a process of its own."""
    command = [sys.executable, __file__, "--way", way, "--folder", str(folder), "--rows", str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def run_way(way: str, folder: Path, rows: int) -> None:
    """Time one way and print what it found."""
    began, busy = time.perf_counter(), time.process_time()
    amounts = WAYS[way][0](folder, rows)
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    status = Path("/proc/self/status").read_text()  # of this program alone, unlike ru_maxrss
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    total = int(amounts["amount_micro"].sum())
    sys.stdout.write(json.dumps({"s": seconds, "cpu": cpu, "mb": peak, "micro": total}) + "\n")


def main() -> None:
    """Make the data, measure every way, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000_000)
    parser.add_argument("--prefixes", type=int, default=36_000)
    parser.add_argument("--extract", action="store_true", help="also the whole extract")
    parser.add_argument("--way")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rows", type=int, default=0)
    given = parser.parse_args()
    if given.way:
        run_way(given.way, given.folder, given.rows)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        deck = make_deck(given.prefixes)
        deck.write_parquet(folder / "deck.parquet")
        make_calls(deck, given.calls).write_parquet(folder / "calls.parquet")
        sys.stdout.write(f"{given.calls:,} calls, {deck.height:,} prefixes, {THREADS} cores\n")
        for sample in (LIKE_SAMPLE, WALK_SAMPLE):
            sums = {
                way: measure(way, folder, sample)["micro"]
                for way, (_, limit) in WAYS.items()
                if way != "ours: whole CSV extract" and (limit is None or limit >= sample)
            }
            assert len(set(sums.values())) == 1, sums
        sys.stdout.write("All ways agree on the samples.\n")
        if given.extract:
            fill_lake(folder)
        for way, (_, limit) in WAYS.items():
            if way == "ours: whole CSV extract" and not given.extract:
                continue
            rows = min(limit or given.calls, given.calls)
            found = measure(way, folder, rows)
            sys.stdout.write(
                f"{way:32} {rows:>12,} calls {found['s']:8.1f} s {rows / found['s']:>12,.0f} /s "
                f"{found['cpu']:8.1f} s of processor"
                f"{found['mb']:7,.0f} MB\n"
            )


if __name__ == "__main__":
    main()
