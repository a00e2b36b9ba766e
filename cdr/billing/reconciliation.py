"""What a comparison with other people's records found, and its page for people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cdr.billing.files import Format, TableFile, out_folder
from cdr.errors import storage
from cdr.html_pages import html_pages
from cdr.lake.home import write_whole

ROWS_SHOWN = 500
"""Differences on the page; the file beside it has all. Ours: a page that still opens at once."""

_PAGES = html_pages("cdr.billing")


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a comparison found.

    ``summary`` has a row per status and currency, ``differences`` every call or day that
    does not agree, ``unreadable`` the rows of the file that were not understood: `line`,
    `reasons`. ``title`` and ``basis`` say in words what was compared.
    """

    title: str
    basis: str
    summary: pl.DataFrame
    differences: pl.DataFrame
    unreadable: pl.DataFrame

    @property
    def agrees(self) -> bool:
        """Whether neither side lacks anything and every row was understood."""
        return self.differences.is_empty() and self.unreadable.is_empty()


def write_reconciliation(found: Reconciliation, out: Path) -> tuple[Path, Path]:
    """Write the page and, whole, the differences as CSV; earlier ones are replaced.

    Returns
    -------
    page, differences : Path
        What was written.
    """
    page = _PAGES.get_template("reconciliation.html.j2").render(
        found=found,
        summary=_cells(found.summary),
        differences=_cells(found.differences.head(ROWS_SHOWN)),
        unreadable=_cells(found.unreadable.head(ROWS_SHOWN)),
        shown=ROWS_SHOWN,
    )
    with storage("writing a reconciliation"):
        out_folder(out)
        file = TableFile("differences", out, Format.CSV)
        file.add(_texts(found.differences))
        differences = out / file.close().name
        write_whole(out / "reconciliation.html", page.encode())
    return out / "reconciliation.html", differences


def _texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Write instants and lengths as people read them."""
    return frame.with_columns(
        *(
            pl.col(name).dt.strftime("%Y-%m-%d %H:%M:%S%.3fZ")
            for name, dtype in frame.schema.items()
            if isinstance(dtype, pl.Datetime)
        ),
        *(
            (pl.col(name).cast(pl.Decimal(38, 3)) / pl.lit(1000).cast(pl.Decimal(38, 3)))
            for name in frame.columns
            if name.endswith("_ms")
        ),
        *(
            pl.col(name).list.join(", ")
            for name, dtype in frame.schema.items()
            if isinstance(dtype, pl.List)
        ),
    ).rename(lambda name: name.removesuffix("_ms") + "_s" if name.endswith("_ms") else name)


def _cells(frame: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    texts = _texts(frame)
    keys = [name for name, dtype in texts.schema.items() if dtype == pl.Binary]
    shown = texts.drop(keys)
    heads = [name.replace("_", " ") for name in shown.columns]
    rows = [["" if cell is None else str(cell) for cell in row] for row in shown.iter_rows()]
    return heads, rows
