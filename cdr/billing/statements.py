"""Itemised statements that a customer could be sent, as HTML and PDF.

Numbers are masked as the law of the country of the setting wants. Calls that are free of
charge do not appear, as Directive (EU) 2018/1972, annex VI, part A (a) wants: calls to
helplines are among them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
import typst

from cdr.billing.bill import CALL
from cdr.billing.currencies import exact, in_coins, written
from cdr.billing.extract import begin_bill, known_accounts
from cdr.billing.files import Format, TableFile, out_folder
from cdr.billing.periods import Period
from cdr.errors import storage
from cdr.html_pages import html_pages
from cdr.lake import Lake
from cdr.lake.home import write_whole
from cdr.schema import ACCOUNTS
from cdr.settings import BillingSettings

HIDDEN_ELSEWHERE = 4
"""Digits hidden where the country's law is not in `masking.csv`. Ours: one more than any there."""

_PAGES = html_pages("cdr.billing")


INDEX = "index"
"""Name of the file that says whose statement is which."""


class StatementFormat(StrEnum):
    """What a statement is written as."""

    HTML = "html"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class Statements:
    """What was written; ``files`` has a row per account: `account_id`, `file`."""

    folder: Path
    files: pl.DataFrame

    @property
    def paths(self) -> list[Path]:
        """The files, with the index."""
        return [self.folder / name for name in (*self.files["file"], f"{INDEX}.csv")]


def hidden_digits(country: str) -> int:
    """Return how many digits at the end of a number a statement hides."""
    text = files("cdr.billing").joinpath("masking.csv").read_bytes()
    of_country = pl.read_csv(text).filter(pl.col("country") == country)["hidden_digits"]
    return int(of_country[0]) if len(of_country) else HIDDEN_ELSEWHERE


def masked(numbers: pl.Expr, hidden: int) -> pl.Expr:
    """Replace the last digits of numbers by ``x``; null stays null."""
    return numbers.str.head(-hidden) + "x" * hidden


def write_statements(
    lake: Lake,
    period: Period,
    out: Path,
    *,
    accounts: Sequence[str] = (),
    forms: Sequence[StatementFormat] = tuple(StatementFormat),
    now: datetime,
) -> Statements:
    """Write a statement for each account that has lines with a price.

    Parameters
    ----------
    lake : Lake
        Whose calls.
    period : Period
        Sealed or over.
    out : Path
        Folder. File names are hashes of account ids; `index.csv` says whose is which.
    accounts : sequence of str
        Only these; empty: all. The lines of all of them are held in memory.
    forms : sequence of StatementFormat
        As what.
    now : datetime
        Decides whether the period is over.

    Raises
    ------
    WrongUse
        If an account is unknown or the period cannot be billed yet.
    StorageFailed
        If the disk refuses.
    """
    known_accounts(lake, accounts)
    settings = lake.settings.billing
    index = []
    with lake.alone("billing"), storage("writing statements"):
        out_folder(out)
        lines = _charged(lake, period, accounts, now=now)
        names = _names(lake, lines["account_id"].unique())
        for (account,), of_account in sorted(
            lines.partition_by("account_id", as_dict=True).items()
        ):
            statement = _statement(str(account), of_account, names, period, settings)
            stem = hashlib.sha256(str(account).encode()).hexdigest()[:16]
            for form in forms:
                content = as_html(statement) if form is StatementFormat.HTML else as_pdf(statement)
                write_whole(out / f"{stem}.{form.value}", content)
                index.append({"account_id": str(account), "file": f"{stem}.{form.value}"})
        listed = pl.DataFrame(index, schema={"account_id": pl.String, "file": pl.String})
        file = TableFile(INDEX, out, Format.CSV)
        file.add(listed)
        file.close()
    return Statements(out, listed)


def _charged(lake: Lake, period: Period, accounts: Sequence[str], *, now: datetime) -> pl.DataFrame:
    """Collect the lines with a charge, with what a statement shows of them."""
    settings = lake.settings.billing
    wanted = pl.col("account_id").is_in(accounts) if accounts else pl.lit(value=True)
    hidden = hidden_digits(settings.country)
    shown = (
        pl.when(pl.col("account_id").is_in(settings.whole_numbers))
        .then("number")
        .otherwise(masked(pl.col("number"), hidden))
    )
    bill = begin_bill(lake, period, now=now)
    local = pl.col("started_at").dt.convert_time_zone(bill.zone)
    kind = (
        pl.when(pl.col("kind") == CALL)
        .then(pl.lit(""))
        .otherwise(pl.format(" ({} {})", "kind", pl.col("corrects").fill_null("")))
    )
    return pl.concat(
        piece.filter(wanted & (pl.col("amount") != 0)).select(
            "account_id",
            local.dt.strftime("%Y-%m-%d %H:%M:%S %:z").alias("begin"),
            shown.alias("number"),
            (pl.col("destination").fill_null("") + kind.str.replace(r" \)$", ")")).alias("to"),
            pl.format("{} s", pl.col("billed_s").fill_null(0)).alias("length"),
            "amount",
            "currency",
        )
        for piece in bill.pieces()
    )


def _names(lake: Lake, accounts: pl.Series) -> dict[str, tuple[str, str]]:
    """Map accounts to name and address as they stand."""
    rows = (
        lake.scan(ACCOUNTS)
        .filter(pl.col("valid_to").is_null() & pl.col("account_id").is_in(accounts.implode()))
        .select("account_id", pl.col("name", "address").fill_null(""))
        .collect()
    )
    return {account: (name, address) for account, name, address in rows.iter_rows()}


def _statement(
    account: str,
    lines: pl.DataFrame,
    names: dict[str, tuple[str, str]],
    period: Period,
    settings: BillingSettings,
) -> dict[str, Any]:
    since, until = period.bounds(settings.zone)
    name, address = names.get(account, ("", ""))
    lines = _with_money(lines)
    sums = lines.group_by("currency").agg(pl.col("amount").sum(), pl.len()).sort("currency")
    return {
        "title": f"Statement of calls, {period}, account {account}",
        "operator": settings.operator,
        "name": name,
        "address": address,
        "covers": f"Calls that began from {since.isoformat()} until before {until.isoformat()}; "
        f"times by the clock of {settings.zone}, with their offset from UTC.",
        "totals": [
            {"amount": _payable(amount, currency, settings.rounding), "lines": count}
            for currency, amount, count in sums.iter_rows()
        ],
        "lines": [
            list(row)
            for row in lines.select(
                "begin", pl.col("number").fill_null(""), "to", "length", "money"
            ).iter_rows()
        ],
        "note": "Calls free of charge are not listed. Taxes are not included.",
        "until": until,
    }


def _with_money(lines: pl.DataFrame) -> pl.DataFrame:
    """Add `money`, the amount in words; lines stay in their order."""
    words = pl.Series("money", [""], pl.String).new_from_index(0, lines.height)
    for currency in lines["currency"].unique():
        places = (lines["currency"] == currency).arg_true()
        words = words.scatter(places, written(lines["amount"][places], currency) + f" {currency}")
    return lines.with_columns(words)


def _payable(amount: Decimal, currency: str, rounding: str) -> str:
    """Say a sum in coins, and exactly where that is something else."""
    coins = in_coins(amount, currency, rounding)
    exactly = "" if coins == amount else f" (exactly {exact(amount, currency)})"
    return f"{coins:f} {currency}{exactly}"


def as_html(statement: dict[str, Any]) -> bytes:
    """Write a statement as a page; all text is escaped."""
    return _PAGES.get_template("statement.html.j2").render(of=statement).encode()


def as_pdf(statement: dict[str, Any]) -> bytes:
    """Write a statement as PDF; all text goes in as data, never as markup."""
    template = files("cdr.billing").joinpath("templates/statement.typ").read_bytes()
    data = {name: value for name, value in statement.items() if name != "until"}
    made: bytes = typst.compile(
        template,
        format="pdf",
        sys_inputs={"data": json.dumps(data)},
        ignore_system_fonts=True,
        timestamp=statement["until"],
    )
    return made
