"""The command `query`: one reading statement within a purpose."""

from __future__ import annotations

from typing import Annotated

import polars as pl
import polars.selectors as cs
import typer

import fraud.tables  # noqa: F401 (its tables are asked for too)
from cdr import open_lake
from cdr.errors import WrongUse
from cdr.schema import Purpose
from pipelines.terminal import Json, across, show, tell

app = typer.Typer()


@app.command()
def query(
    ctx: typer.Context,
    sql: str,
    purpose: Annotated[Purpose, typer.Option(help="Whose columns and rows.")],
    limit: Annotated[int, typer.Option(help="Rows at most.", min=1)] = 1000,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Raw values in place of pseudonyms.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why, for --reveal; is recorded.")] = None,
    as_json: Json = False,
) -> None:
    """Ask one reading statement of SQL; sees only that purpose's columns and rows.

    Example: callsieve query "SELECT outcome, count(*) FROM calls GROUP BY 1" --purpose fraud
    """
    lake = open_lake(ctx.obj())
    if limit > lake.settings.store.query_rows:
        raise WrongUse(f"--limit: store.query_rows allows {lake.settings.store.query_rows}")
    con = lake.connect(purpose, reveal=reveal, reason=reason)
    found = con.ask(sql, limit=limit)
    rows = {"columns": found.columns, "rows": found.to_dicts(), "row_count": found.height}
    show(rows, as_json=as_json, text="" if as_json else _in_words(found, across()))
    if found.height == limit:
        tell(f"stopped at {limit} rows; --limit shows more")


def _in_words(found: pl.DataFrame, width: int) -> str:
    """Draw a table; where it would be wider than ``width`` signs, write row below row."""
    found = found.with_columns(cs.binary().bin.encode("hex"))
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=-1,
        fmt_str_lengths=200,
        fmt_table_cell_list_len=10,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
    ):
        table = str(found)
    if found.is_empty() or table.index("\n") <= width:
        return table
    longest = max(map(len, found.columns))
    return "\n".join(
        f"-- row {number}\n" + "\n".join(f"{name:{longest}}  {row[name]}" for name in row)
        for number, row in enumerate(found.iter_rows(named=True), start=1)
    )
