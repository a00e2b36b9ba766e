"""Lines with separators and quotes to columns of text, line by line.

A line is good when it is strict CSV (RFC 4180) with exactly the columns it should
have; good lines go to the CSV parser together. Every other line is set apart with
its fault first, so that it can neither shift a column nor swallow its neighbours.
What the columns mean is the business of the dialects.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Sequence

import polars as pl

from cdr.formats.blocks import Block, scan_lines


def split_columns(
    block: Block, columns: Sequence[str], wanted: Collection[str], *, separator: str = ","
) -> pl.DataFrame:
    r"""Split each line of a block into the columns of a dialect.

    Parameters
    ----------
    block : Block
        Lines to split.
    columns : sequence of str
        Name of each column a line has, in order; at least 2.
    wanted : collection of str
        The columns to hand over.
    separator : str, default=","
        One ASCII character between columns.

    Returns
    -------
    pl.DataFrame
        One row per line that is not empty: `line`, `raw`, `fault` (String, or null)
        and the wanted columns as text, null where they are empty and where there is
        a fault. Faults are those of `scan_lines`, `broken_quotes` (a quote that is
        not closed on its line, or stands inside an unquoted field),
        `wrong_column_count`, and `cut_short` (either of these in a last line without
        line end).

    Examples
    --------
    >>> block = Block(b'1,"2, 3"\n4,"5\n6\n', first_line=1, line_count=3)
    >>> split_columns(block, ["a", "b"], ["b"]).select("line", "fault", "b").rows()
    [(1, None, '2, 3'), (2, 'broken_quotes', None), (3, 'wrong_column_count', None)]
    """
    is_good = _is_row(separator, len(columns)) & pl.col("fault").is_null()
    lines = scan_lines(block).with_columns(good=is_good).collect(engine="streaming")
    if lines["good"].all():
        fields = _parse(lines, block, columns, wanted, separator)
        return pl.concat([lines.drop("cut", "good"), fields], how="horizontal")
    good = lines.filter("good").drop("cut", "good")
    odd = lines.filter(~pl.col("good"))
    fault = (
        pl.when("cut")
        .then(pl.lit("cut_short"))
        .when(_is_row(separator))
        .then(pl.lit("wrong_column_count"))
        .otherwise(pl.lit("broken_quotes"))
    )
    odd = odd.select("line", "raw", fault=pl.coalesce("fault", fault))
    fields = _parse(good, None, columns, wanted, separator)
    rows = [pl.concat([good, fields], how="horizontal"), odd]
    return pl.concat(rows, how="diagonal").sort("line")


def column_count(line: str, separator: str = ",") -> int | None:
    """Count the columns of one line; null where it is not strict CSV.

    Examples
    --------
    >>> column_count('a,"b,c",d'), column_count('a,"b')
    (3, None)
    """
    return len(header_of(line, separator)) if re.search(_row_pattern(separator), line) else None


def header_of(line: str, separator: str) -> list[str]:
    """Split one line of names."""
    return next(csv.reader([line], delimiter=separator), [])


def _row_pattern(separator: str, count: int | None = None) -> str:
    field = rf'(?:[^"{re.escape(separator)}]*|"(?:[^"]|"")*")'
    more = "*" if count is None else f"{{{count - 1}}}"
    return rf"^{field}(?:{re.escape(separator)}{field}){more}$"


def _is_row(separator: str, count: int | None = None) -> pl.Expr:
    return pl.col("raw").str.contains(_row_pattern(separator, count))


def _parse(
    good: pl.DataFrame,
    block: Block | None,
    columns: Sequence[str],
    wanted: Collection[str],
    separator: str,
) -> pl.DataFrame:
    """Split lines that are known to be good; `block` where it has these lines only."""
    names = [name for name in columns if name in wanted]
    if good.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    if block is not None and block.line_count == good.height:
        data = block.data
    else:
        data = "\n".join(good["raw"]).encode()
    fields = pl.read_csv(
        data,
        has_header=False,
        separator=separator,
        infer_schema=False,
        columns=[columns.index(name) for name in names],
    )
    fields.columns = names
    if fields.height != good.height:
        raise AssertionError("the CSV parser made another number of rows of good lines")
    return fields.select(pl.when(pl.col(name) != "").then(name) for name in names)
