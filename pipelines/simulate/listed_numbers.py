"""``lists.csv``: the test numbers and link domains an operator buys from a list service.

A list knows some of the numbers that fraudsters test with, and many more that nobody
calls here; and most of the domains their texts lead to.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from pipelines.simulate.destinations import Destinations
from pipelines.simulate.draws import Ints, hashed
from pipelines.simulate.streams import Streams
from pipelines.simulate.texts import LISTED_LINKS

LISTED_SHARE = 0.6
"""Share of tested ranges that are on the list. Ours: no list is complete."""

_IDLE_RANGES_A_TESTED_ONE = 100
_LISTED_BEFORE_D = 60
_IDLE_SALT = 977


def listed_numbers(streams: Streams, destinations: Destinations, first_ms: int) -> pl.DataFrame:
    """Return the rows of ``lists.csv``: `list`, `entry`, `detail`, `valid_from`, `valid_to`.

    Parameters
    ----------
    streams : Streams
        Those that test are meant.
    destinations : Destinations
        Where their contacts lie.
    first_ms : int
        Beginning of the range; the list is older than that.
    """
    tests = np.flatnonzero(streams.tests)
    listed = tests[hashed(streams.key[tests], np.full(len(tests), 31)) % np.uint64(100)
                   < np.uint64(100 * LISTED_SHARE)]  # fmt: skip
    idle = np.repeat(tests, _IDLE_RANGES_A_TESTED_ONE)
    salts = np.tile(np.arange(_IDLE_RANGES_A_TESTED_ONE), len(tests)) + _IDLE_SALT
    key = np.concatenate([streams.key[listed], hashed(streams.key[idle], salts)])
    of = np.concatenate([listed, idle])
    rank: Ints = np.zeros(len(key), dtype=np.int64)
    numbers, _ = destinations.contacts(key, rank, streams.mix[of], streams.run[of])
    since = datetime.fromtimestamp(first_ms / 1000, tz=UTC) - timedelta(days=_LISTED_BEFORE_D)
    entries = {
        "test_numbers": "+" + pl.Series(np.unique(numbers)).cast(pl.String),
        "link_domains": pl.Series(LISTED_LINKS).str.strip_prefix("http://"),
    }
    return pl.concat(
        pl.DataFrame({"entry": of_list}).select(
            pl.lit(name).alias("list"),
            "entry",
            detail=pl.lit("simulated list service"),
            valid_from=pl.lit(since.strftime("%Y-%m-%dT%H:%M:%SZ")),
            valid_to=pl.lit(None, pl.String),
        )
        for name, of_list in entries.items()
    )
