"""Sealing: what a period came to is fixed, in one commit."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import polars as pl

from cdr.billing.bill import Bill, open_bill
from cdr.billing.extract import line_rows
from cdr.billing.files import Format, TableFile
from cdr.billing.ledger import Seal, seal_of
from cdr.billing.periods import Period
from cdr.billing.tables import LINES, SEALS
from cdr.errors import WrongUse
from cdr.lake import Lake

JOB = "billing"
"""Name of the lock under which one job of billing runs at a time."""


def seal(lake: Lake, period: Period, *, now: datetime) -> tuple[Seal, bool]:
    """Fix what a period came to; a period that is sealed stays as it is.

    Returns
    -------
    Seal
        Of this period.
    bool
        Whether it was sealed now and not before.

    Raises
    ------
    WrongUse
        If it is not over yet, or the period after the last sealed one is another.
    LakeBusy
        If another job of billing runs.
    """
    with lake.alone(JOB):
        if standing := seal_of(lake, period):
            return standing, False
        bill = open_bill(lake, period, now=now)
        if bill.sealed and bill.sealed[-1].period.next() != period:
            raise WrongUse(
                f"periods are sealed one after the other; next is {bill.sealed[-1].period.next()}"
            )
        _write(lake, bill, now)
    done = seal_of(lake, period)
    assert done is not None
    return done, True


def _write(lake: Lake, bill: Bill, now: datetime) -> None:
    zone = bill.tariff.settings.zone
    text = TableFile("lines", None, Format.CSV)
    with lake.batch() as batch:
        for piece in bill.pieces():
            if piece.height:
                batch.add(LINES, piece)
            text.add(line_rows(piece, zone))
        row = {
            "period": str(bill.period),
            "zone": zone,
            "sealed_at": now.astimezone(UTC),
            "calls_version": bill.snapshot.versions["calls"],
            "rules": bill.tariff.rules.text,
            "decks": json.dumps(bill.tariff.versions),
            "manifest": json.dumps(bill.manifest()),
            "lines_sha256": text.close().sha256,
            "ingests": bill.snapshot.ingests_of(bill.period, zone)["ingest_id"].to_list(),
        }
        batch.add(SEALS, pl.DataFrame([row], schema=SEALS.polars_schema))
        with lake.writing():
            batch.publish()
