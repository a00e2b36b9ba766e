"""Changing rows of the small tables that say what was asked, disclosed and held.

Such a table is read and written anew whole: it has a row a request, not a row a call.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cdr.lake import Batch, Lake
from cdr.schema import Table


def change(
    lake: Lake, batch: Batch, table: Table, where: pl.Expr, to: Mapping[str, pl.Expr]
) -> int:
    """Set columns of some rows, in a batch; returns how many. The caller holds the writer lock."""
    held = lake.scan(table).collect()
    where = where.fill_null(value=False)
    count = held.filter(where).height
    if count:
        changes = [pl.when(where).then(new).otherwise(name).alias(name) for name, new in to.items()]
        batch.remove(table, lake.files(table))
        batch.add(table, held.with_columns(changes))
    return count
