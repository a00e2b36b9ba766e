"""Work ahead: the next item is made in a thread of its own while this one is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

Item = TypeVar("Item")

_END = object()


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the same items, having begun the next one.

    One item more than without is in memory. What making an item raises is raised here, in its
    place. Nothing is begun any more once the caller stops.

    Examples
    --------
    >>> list(ahead(range(3)))
    [0, 1, 2]
    """
    source = iter(items)
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, source, cast("Item", _END))
        while (item := coming.result()) is not _END:
            coming = maker.submit(next, source, cast("Item", _END))
            yield item
