"""Tables for the features, with every day of theirs reduced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from feature_rows import Row, open_tables, reduce_all, trace_blocked

from cdr.query import Connection


@pytest.fixture
def tables() -> Iterator[Callable[..., Connection]]:
    """Give a function that opens literal rows with every day of theirs reduced."""
    opened: list[Connection] = []

    def _open(calls: Sequence[Row] = (), **more: Any) -> Connection:
        con = open_tables(calls, **more)
        opened.append(con)
        reduce_all(con, sorted({row["call_date"] for row in calls}))
        trace_blocked(con)
        return con

    yield _open
    for con in opened:
        con.close()
