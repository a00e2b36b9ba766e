"""The lake that the pages read from: set once when the server starts."""

from __future__ import annotations

from fraud.review.account import AccountReader

_readers: list[AccountReader] = []


def use(one: AccountReader) -> None:
    """Let the pages read from this lake."""
    _readers[:] = [one]


def reader() -> AccountReader:
    """Return what was set with :func:`use`."""
    return _readers[0]
