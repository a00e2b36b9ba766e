"""Texts are read once each, and never as another text."""

from __future__ import annotations

from threading import Event, Thread

import polars as pl
import pytest

from cdr import memory
from cdr.memory import Memory


@pytest.fixture
def asked() -> list[str | None]:
    return []


@pytest.fixture
def upper(asked: list[str | None]) -> Memory:
    def read(texts: pl.Series) -> pl.Series:
        asked.extend(texts)
        return texts.str.to_uppercase()

    return Memory(read)


def test_every_distinct_text_is_read_once(upper: Memory, asked: list[str | None]) -> None:
    first = upper.of(pl.Series("t", ["a", None, "b", "a"]))
    second = upper.of(pl.Series("t", ["b", "c", "a", None]))
    assert (first.to_list(), second.to_list()) == (["A", None, "B", "A"], ["B", "C", "A", None])
    assert sorted(asked, key=str) == [None, "a", "b", "c"]


def test_nothing_is_read_as_null_is(upper: Memory) -> None:
    assert upper.of(pl.Series("t", [None, None], dtype=pl.String)).to_list() == [None, None]


def test_beyond_its_size_it_begins_again(upper: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST", 3)
    for texts in (["a", "b", "c"], ["d", "a"], ["e", "b"], ["b", "e"]):
        assert upper.of(pl.Series("t", texts)).to_list() == [text.upper() for text in texts]


def test_where_texts_hardly_come_again_they_are_read_without_looking_them_up(
    asked: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MOST", 3)

    def read(texts: pl.Series) -> pl.Series:
        asked.extend(texts)
        return texts

    found = Memory(read, worth=2)
    for texts in (["a", "b", "c", "d"], ["x", "x", "x", "x"], ["y", "y", "y"], ["z", "z"]):
        asked.clear()
        assert found.of(pl.Series("t", texts)).to_list() == texts
    assert asked == ["z"]  # beyond six texts that were read as they came


def test_where_texts_are_not_numbered_one_by_one_each_is_read_by_itself(
    upper: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory._Known, "_coded", lambda self, texts: pl.Series([7] * len(texts)))
    assert upper.of(pl.Series("t", ["a", "b"])).to_list() == ["A", "B"]


def test_nobody_waits_while_texts_are_read() -> None:
    """The engine's thread may take up another column while it waits for a part of one."""
    asked = Event()

    def read(texts: pl.Series) -> pl.Series:
        if "outer" in texts and not asked.is_set():
            asked.set()
            assert found.of(pl.Series(["inner"])).to_list() == ["inner"]
        return texts

    found = Memory(read)
    reader = Thread(target=found.of, args=(pl.Series(["outer"]),), daemon=True)
    reader.start()
    reader.join(timeout=60)
    assert asked.is_set()
    assert not reader.is_alive()
    assert found.of(pl.Series(["inner", "outer"])).to_list() == ["inner", "outer"]
