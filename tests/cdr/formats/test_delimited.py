from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.formats.blocks import MAX_LINE_BYTES, Block
from cdr.formats.delimited import column_count, split_columns


def split(text: str, *, cut: bool = False) -> list[tuple[int, str | None, str | None, str | None]]:
    block = Block(text.encode(), 1, text.count("\n"), last_cut=cut)
    found = split_columns(block, ["a", "b", "c"], ["a", "c"])
    return found.select("line", "fault", "a", "c").rows()


def test_good_lines_are_split() -> None:
    assert split('1,2,3\n"x, ""y""",,\n\n4,"","5"\n') == [
        (1, None, "1", "3"),
        (2, None, 'x, "y"', None),
        (4, None, "4", "5"),
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("1,2", "wrong_column_count"),
        ("1,2,3,", "wrong_column_count"),
        ('1,"2,3', "broken_quotes"),
        ('1,2"x",3', "broken_quotes"),
        ('1,"2"x,3', "broken_quotes"),
        ('""Name" <1>",2,3', "broken_quotes"),
        ("1,2\0,3", "nul_byte"),
    ],
)
def test_a_bad_line_leaves_its_neighbours_alone(line: str, fault: str) -> None:
    assert split(f'7,"8",9\n{line}\n7,"8",9\n') == [
        (1, None, "7", "9"),
        (2, fault, None, None),
        (3, None, "7", "9"),
    ]


def test_a_last_line_without_end_is_good_when_it_is_whole() -> None:
    assert split("1,2,3\n4,5,6\n", cut=True)[1] == (2, None, "4", "6")


@pytest.mark.parametrize("line", ["4,5", '4,5,"6'])
def test_a_last_line_that_breaks_off_is_cut_short(line: str) -> None:
    assert split(f"1,2\n{line}\n", cut=True) == [
        (1, "wrong_column_count", None, None),
        (2, "cut_short", None, None),
    ]


def test_columns_are_counted_by_strict_rules() -> None:
    assert [column_count(line) for line in ("a", 'a,"b,c"', '"a', "")] == [1, 2, None, 0]


FIELD = st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"), max_size=8)


@given(st.lists(st.tuples(FIELD, FIELD, FIELD), min_size=1, max_size=6))
def test_what_a_csv_writer_writes_is_read_back(rows: list[tuple[str, str, str]]) -> None:
    written = "".join(
        ",".join('"' + field.replace('"', '""') + '"' for field in row) + "\n" for row in rows
    )
    assert split(written) == [
        (at, None, a or None, c or None) for at, (a, _, c) in enumerate(rows, start=1)
    ]


@given(st.lists(st.text('ab," ', min_size=1, max_size=9), min_size=1, max_size=6))
def test_each_line_is_judged_by_itself(lines: list[str]) -> None:
    alone = [split(line + "\n")[0][1:] for line in lines]
    assert [row[1:] for row in split("\n".join(lines) + "\n")] == alone
    for line, (fault, a, c) in zip(lines, alone, strict=True):
        if fault is None:
            fields = next(csv.reader([line], strict=True))
            assert (len(fields), fields[0] or None, fields[2] or None) == (3, a, c)


def test_what_one_line_lacks_another_cannot_make_up_for() -> None:
    block = Block(b"1,2,3\n4,5\n6,7,8,9\n", first_line=1, line_count=3)
    rows = split_columns(block, ["a", "b", "c"], ["a", "c"])
    assert rows.select("a", "c", "fault").rows() == [
        ("1", "3", None),
        (None, None, "wrong_column_count"),
        (None, None, "wrong_column_count"),
    ]


@pytest.mark.parametrize(
    ("lines", "faults"),
    [
        (b"1,2\n\n3,4\n", [None, None]),
        (b"1,2\n3,\x004\n", [None, "nul_byte"]),
        (b"1,2\n3," + b"4" * MAX_LINE_BYTES + b"\n5,6\n", [None, "line_too_long", None]),
        (b"1,2\n3\n,4,5\n", [None, "wrong_column_count", "wrong_column_count"]),
    ],
    ids=["empty", "nul", "long", "separators-moved"],
)
def test_lines_without_quotes_are_judged_one_by_one(lines: bytes, faults: list[str | None]) -> None:
    block = Block(lines, first_line=1, line_count=lines.count(b"\n"))
    assert split_columns(block, ["a", "b"], ["a", "b"])["fault"].to_list() == faults


def test_a_line_may_have_thousands_of_columns() -> None:
    names = [str(place) for place in range(5_000)]
    good = ['"0, ""0"""', *names[1:-1], '""']
    text = "".join(",".join(line) + "\n" for line in (good, good[1:], [*good, ""]))
    block = Block(text.encode(), 1, 3)
    found = split_columns(block, names, ["0", "4998", "4999"])
    assert found.select("fault", "0", "4998", "4999").rows() == [
        (None, '0, "0"', "4998", None),
        ("wrong_column_count", None, None, None),
        ("wrong_column_count", None, None, None),
    ]
