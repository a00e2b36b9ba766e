"""Tables for the features, with every day of theirs reduced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from feature_rows import Row, opened

from cdr.query import Connection


@pytest.fixture
def tables() -> Iterator[Callable[..., Connection]]:
    """Give a function that opens literal rows with every day of theirs reduced."""
    made: list[Connection] = []

    def _open(calls: Sequence[Row] = (), **more: Any) -> Connection:
        made.append(opened(calls, **more))
        return made[-1]

    yield _open
    for con in made:
        con.close()
