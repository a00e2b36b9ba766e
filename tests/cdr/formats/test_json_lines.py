"""What holds for every dialect of JSON: an object a line, and no lists."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from cdr.errors import FormatError
from cdr.formats import FORMATS

Read = Callable[..., pl.DataFrame]
DIALECTS = [name for name, each in FORMATS.items() if each.example.startswith("{")]


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize(
    "written",
    ["[{}]", "[{0},{0}]\n", "[\n{0},\n{0}\n]\n", "\n [ {0}\n,{0} ]", "[]\n", "[{0}]\n[{0}]\n"],
)
def test_a_list_is_refused_as_one(read: Read, name: str, written: str) -> None:
    data = written.replace("{0}", FORMATS[name].example)
    with pytest.raises(FormatError, match="is one JSON list; write each object of it on its own"):
        read(name, data.encode())


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("stray", ["[", "[1]\n"])
def test_a_stray_bracket_costs_its_own_line(read: Read, name: str, stray: str) -> None:
    found = read(name, (stray + f"{FORMATS[name].example}\n" * 2).encode())
    assert [bool(faults) for faults in found["faults"].to_list()][-2:] == [stray == "[", False]
