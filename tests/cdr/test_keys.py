"""Keys tell legs apart, content hashes tell what was said apart, and both stay what they are."""

from __future__ import annotations

import polars as pl

from cdr.keys import content_64, leg_16


def keys(source: str, *legs: tuple[str, int, int]) -> list[bytes]:
    rows = pl.DataFrame(legs, schema={"i": pl.String, "l": pl.Int16, "s": pl.Int64}, orient="row")
    return leg_16(source, rows["i"], rows["l"], rows["s"]).to_list()


def test_another_source_id_leg_or_start_is_another_key() -> None:
    found = keys("s", ("a", 0, 5), ("a", 1, 5), ("a", 0, 6), ("b", 0, 5), ("a", 0, 5))
    assert len({*found, *keys("t", ("a", 0, 5))}) == 5
    assert found[0] == found[4]


def test_a_key_is_the_same_in_every_version() -> None:
    assert (
        keys("pbx", ("1788256800.26", 0, 1788256800000000))[0].hex()
        == "fb30f5f12aa87920e6c39cf441ee89a5"
    )


def test_where_a_text_stands_and_that_nothing_stands_there_count() -> None:
    rows = pl.DataFrame(
        {"a": ["x", "y", "", None, "x"], "b": ["y", "x", None, "", "y"], "c": [None] * 5},
        schema={"a": pl.String, "b": pl.String, "c": pl.String},
    )
    hashes = content_64(rows, ["a", "b", "c"])
    assert hashes.n_unique() == 4
    assert hashes[0] == hashes[4]


def test_a_content_hash_is_the_same_in_every_version() -> None:
    assert content_64(pl.DataFrame({"a": ["x"], "b": ["y"]}), ["a", "b"])[0] == -2409311123993155366
