"""Lines with separators and quotes to columns of text, line by line.

A line is good when it is strict CSV (RFC 4180) with exactly the columns it should
have; good lines go to the CSV parser together. Every other line is set apart with
its fault first, so that it can neither shift a column nor swallow its neighbours.
What the columns mean is the business of the dialects.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

import polars as pl

from cdr.formats.assemble import when
from cdr.formats.blocks import Block, scan_lines

Mend = Callable[[pl.Expr], pl.Expr]
"""From a line as it stands in the file to the line that was meant."""

OURS = ("line", "raw", "fault")
"""Columns that every row has besides its own."""

_MOST_IN_PATTERN = 1_000
"""Columns that a pattern may count: the engine refuses one of some 4,700, for its size."""


def split_columns(
    block: Block,
    columns: Sequence[str],
    wanted: Collection[str],
    *,
    separator: str = ",",
    mend: Mend | None = None,
    keys: Collection[str] = (),
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
    mend : callable, optional
        Turns lines that are not good into what the writer meant; only where that is
        certain. `raw` stays as it stood in the file.
    keys : collection of str, optional
        Columns that name the record. Where a last line without line end ends in one of
        them, unquoted, nobody can tell whether it is whole: it is `cut_short`.

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
    quoted = b'"' in block.data
    if not quoted and not (block.last_cut and columns[-1] in keys):
        whole = _split_unquoted(block, columns, wanted, separator)
        if whole is not None:
            return whole
    good = _is_good(separator, columns, keys, quoted=quoted)
    lines = scan_lines(block).with_columns(good=good).collect(engine="streaming")
    if lines.height == block.line_count and lines["good"].all() and lines["line"].is_sorted():
        fields = _parse(block.data, lines.height, columns, wanted, separator, quoted=quoted)
        return pl.concat([lines.drop("good", "cut"), fields], how="horizontal")
    return _split(lines, columns, wanted, separator, mend, keys)


def without_headers(
    rows: pl.DataFrame, columns: Sequence[str], words: Sequence[str] = ()
) -> pl.DataFrame:
    """Set lines of names apart that stand among the rows, as `header_repeated`.

    Parameters
    ----------
    rows : pl.DataFrame
        As `split_columns` returns them.
    columns : sequence of str
        Every column of a line, in order.
    words : sequence of str, optional
        What a line of names calls them, if not the same; case and blanks around do not matter.
    """
    says = [
        pl.col(column).str.contains(rf"(?i)^\s*{pl.escape_regex(word.strip())}\s*$")
        for column, word in zip(columns, words or columns, strict=True)
        if column in rows.columns and column not in OURS
    ]
    if not says or not rows.select(says[0].any()).item():
        return rows
    return set_apart(rows, when(pl.all_horizontal(says), "header_repeated"))


def set_apart(rows: pl.DataFrame, fault: pl.Expr) -> pl.DataFrame:
    """Give the rows for which it is not null a fault, and take away what they say."""
    told = rows.select(fault).to_series()
    if told.null_count() == rows.height:
        return rows
    return rows.with_columns(
        pl.when(told.is_null()).then(pl.exclude(OURS)),
        fault=pl.coalesce(told, "fault"),
    )


def _split_unquoted(
    block: Block, columns: Sequence[str], wanted: Collection[str], separator: str
) -> pl.DataFrame | None:
    """Split a block without quotes at once; None where a line has to be looked at by itself.

    The parser refuses a line with too many separators, so where there are as many in all as
    there should be, no line has too few.
    """
    if block.has_odd_lines or block.count(separator) != block.line_count * (len(columns) - 1):
        return None
    try:
        fields = _parse(block.data, block.line_count, columns, wanted, separator, quoted=False)
    except (pl.exceptions.ComputeError, pl.exceptions.SchemaError):
        return None
    last = block.first_line + fields.height
    return pl.concat(
        [
            pl.int_range(block.first_line, last, eager=True).alias("line").to_frame(),
            pl.scan_lines(block.data, name="raw").collect(),
            pl.Series("fault", [None], dtype=pl.String).new_from_index(0, fields.height).to_frame(),
            fields,
        ],
        how="horizontal",
    )


def split_lines(
    lines: pl.DataFrame,
    columns: Sequence[str],
    wanted: Collection[str],
    *,
    separator: str = ",",
    mend: Mend | None = None,
) -> pl.DataFrame:
    """Split lines as `split_columns` does; `lines` has the columns of `scan_lines`."""
    judged = lines.with_columns(good=_is_good(separator, columns))
    return _split(judged, columns, wanted, separator, mend)


def _split(
    lines: pl.DataFrame,
    columns: Sequence[str],
    wanted: Collection[str],
    separator: str,
    mend: Mend | None,
    keys: Collection[str] = (),
) -> pl.DataFrame:
    """Split the lines that are `good`, mend others where that can be, and fault the rest.

    One that has a fault is parsed as a row of nothing, so that all keep their places.
    """
    good = lines.filter("good").select("line", "raw", "fault", text="raw")
    odd = lines.filter(~pl.col("good")).with_columns(text=pl.lit(None, pl.String))
    if mend and odd.height:
        mended = odd.with_columns(text=mend(pl.col("raw")))
        right = _is_good(separator, columns, keys, "text")
        odd = mended.with_columns(text=pl.when(right).then("text"))
    fault = (
        pl.when("cut")
        .then(pl.lit("cut_short"))
        .when(_is_row(separator))
        .then(pl.lit("wrong_column_count"))
        .otherwise(pl.lit("broken_quotes"))
    )
    odd = odd.select(
        "line",
        "raw",
        pl.when(pl.col("text").is_null()).then(pl.coalesce("fault", fault)).alias("fault"),
        pl.col("text").fill_null(separator * (len(columns) - 1)),
    )
    rows = pl.concat([good, odd]).sort("line")
    data = rows["text"].str.join("\n").cast(pl.Binary)[0]
    fields = _parse(data, rows.height, columns, wanted, separator, quoted=b'"' in data)
    return pl.concat([rows.drop("text"), fields], how="horizontal")


def layout_of(
    block: Block, layouts: Mapping[int, tuple[str, ...]], *, separator: str = ","
) -> tuple[str, ...] | None:
    """Choose among layouts by the number of columns that most lines of a block have.

    Parameters
    ----------
    block : Block
        The first lines of a file.
    layouts : mapping of int to tuple of str
        Columns by their number; of two numbers that are equally frequent the larger counts.
    separator : str, default=","
        One ASCII character between columns.

    Returns
    -------
    tuple of str or None
        None where no line has one of these numbers of columns.
    """
    lines = (line for line in block.data.decode().split("\n") if line)
    counts = Counter(column_count(line, separator) for line in lines)
    known = {
        count: rows for count, rows in counts.items() if count is not None and count in layouts
    }
    if not known:
        return None
    return layouts[max(known, key=lambda count: (known[count], count))]


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


def _is_good(
    separator: str,
    columns: Sequence[str],
    keys: Collection[str] = (),
    text: str = "raw",
    *,
    quoted: bool = True,
) -> pl.Expr:
    """Tell which lines have their columns; without quotes it is enough to count separators."""
    separators = pl.col(text).str.count_matches(separator, literal=True)
    sound = _is_row(separator, len(columns), text) if quoted else separators == len(columns) - 1
    good = sound & pl.col("fault").is_null()
    if columns[-1] not in keys:
        return good
    return good & (~pl.col("cut") | pl.col(text).str.ends_with('"'))


def _is_row(separator: str, count: int | None = None, column: str = "raw") -> pl.Expr:
    text = pl.col(column)
    if count is None or count <= _MOST_IN_PATTERN:
        return text.str.contains(_row_pattern(separator, count))
    unquoted = text.str.replace_all(r'"(?:[^"]|"")*"', "")
    separators = unquoted.str.count_matches(separator, literal=True)
    return text.str.contains(_row_pattern(separator)) & (separators == count - 1)


def _parse(
    data: bytes,
    height: int,
    columns: Sequence[str],
    wanted: Collection[str],
    separator: str,
    *,
    quoted: bool,
) -> pl.DataFrame:
    """Split lines that are known to be good, or without quotes."""
    names = [name for name in columns if name in wanted]
    if not height:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    places = [str(place) for place, name in enumerate(columns) if name in wanted]
    fields = pl.read_csv(
        data,
        has_header=False,
        separator=separator,
        quote_char='"' if quoted else None,
        schema={str(place): pl.String for place in range(len(columns))},
    ).select(places)  # told here, it would not look at the number of columns
    fields.columns = names
    if fields.height != height:
        raise AssertionError("the CSV parser made another number of rows of good lines")
    if not quoted:
        return fields  # where nothing is quoted, the parser reads nothing as null
    return fields.select(pl.when(pl.col(name) != "").then(name) for name in names)
