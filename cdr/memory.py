"""What was read before: most texts of call records occur again and again.

To tell texts apart is cheap; to read one may not be. What a text means is the business of
whoever reads it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
import polars as pl

MOST = 100_000
"""Distinct texts kept by one that looks up. Ours: some 17 MB, and up to three look up at once."""

_Read = Callable[[pl.Series], pl.Series]


class Memory:
    """Read texts, each distinct one once or a few times, over any number of columns and blocks.

    The engine asks for several columns at once, and while one is read its thread may take up
    another: nobody waits here, or all might wait for each other. Whoever finds no record of what
    was read that is free begins one.

    Parameters
    ----------
    read : callable
        Reads a series of texts, each for itself; always with the same type.
    worth : int, default=1
        How often a text has to occur for looking it up to be cheaper than reading it, at least 1.

    Examples
    --------
    >>> lengths = Memory(lambda texts: texts.str.len_chars())
    >>> lengths.of(pl.Series(["ab", None, "ab", "c"])).to_list()
    [2, None, 2, 1]
    """

    def __init__(self, read: _Read, *, worth: int = 1) -> None:
        self._read_texts = read
        self._worth = worth
        self._of_null = read(pl.Series([None], dtype=pl.String))
        self._free: deque[_Known] = deque()

    def of(self, texts: pl.Series) -> pl.Series:
        """Return what each text is read as."""
        if texts.null_count() == len(texts):
            return self._of_null.new_from_index(0, len(texts)).alias(texts.name)
        try:
            known = self._free.pop()
        except IndexError:
            known = _Known(self._read_texts, self._of_null, self._worth)
        found = known.of(texts)
        self._free.append(known)  # one that failed is not used again
        return found


class _Known:
    """What was read of some texts; asked by one at a time.

    With more than `MOST` texts all is forgotten, which costs time and is never wrong. Where they
    came before each was asked for often enough, the next ones are read without.
    """

    def __init__(self, read: _Read, of_null: pl.Series, worth: int) -> None:
        self._read_texts = read
        self._of_null = of_null
        self._worth = worth
        self._without = 0  # texts that are still to be read without looking them up
        self._asked = 0
        self._read = of_null
        self._forget()

    def of(self, texts: pl.Series) -> pl.Series:
        codes = self._codes(texts) if self._is_worth_it(len(texts)) else None
        if codes is None:
            return self._read_texts(texts)
        return self._read.gather(codes).alias(texts.name)

    def _is_worth_it(self, texts: int) -> bool:
        """Tell whether so many texts are to be looked up; forgets where too many are known."""
        if len(self._read) > MOST:
            if self._asked < self._worth * MOST:
                self._without = self._worth * MOST
            self._forget()
        if self._without > 0:
            self._without -= texts
            return False
        self._asked += texts
        return True

    def _codes(self, texts: pl.Series) -> pl.Series | None:
        """Return each text's place among those read, having read the new ones.

        None where the engine numbers texts otherwise than one by one, which it never did.
        """
        codes = self._coded(texts)
        places, known = codes.to_numpy(), len(self._read)
        fresh = np.flatnonzero(places >= known)
        if len(fresh):
            at = np.zeros(int(places.max()) + 1 - known, np.int64)
            at[places[fresh] - known] = fresh
            news = texts.gather(at)
            if not np.array_equal(self._coded(news), np.arange(known, known + len(news))):
                self._forget()
                return None
            self._read = pl.concat([self._read, self._read_texts(news)], rechunk=True)
        return codes

    def _coded(self, texts: pl.Series) -> pl.Series:
        """Give each text a number, in the order in which they come; 0 stands for null."""
        code = pl.first().cast(self._none_yet.dtype).to_physical() + 1
        return texts.to_frame().select(code.fill_null(0)).to_series()

    def _forget(self) -> None:
        categories = pl.Categorical(pl.Categories.random())
        self._none_yet = pl.Series([], dtype=categories)  # while it is there, codes stay
        self._read = self._of_null
        self._asked = 0
