"""A person's decision to bill calls that a rule holds, as they are.

The decision counts from the first period that was not sealed when it was made: a held call
of a sealed period becomes a late line of the next one. It never reaches back, so a sealed
period still works out as it was sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl

from cdr.billing.bill import Bill, Snapshot
from cdr.billing.ledger import seals
from cdr.billing.lines import load_tariff, within
from cdr.billing.periods import Period
from cdr.billing.rules import load_rules
from cdr.billing.sealing import JOB
from cdr.billing.tables import RELEASES
from cdr.errors import WrongUse
from cdr.lake import Lake

_KEY_BYTES = 16


def release(
    lake: Lake, period: Period, record_ids: Sequence[str], *, why: str, now: datetime
) -> int:
    """Let held calls of a period be billed; safe to repeat.

    Parameters
    ----------
    lake : Lake
        Whose calls.
    period : Period
        The period that the calls began in, sealed or not.
    record_ids : sequence of str
        Keys of calls in hex, as in the file `unpriced`.
    why : str
        Reason, kept with the decision; without anything personal.
    now : datetime
        When.

    Returns
    -------
    int
        How many are released now and were not before.

    Raises
    ------
    WrongUse
        If the reason is empty, a key is none, or one names no held call of the period.
    LakeBusy
        If another job of billing runs.
    """
    if not why.strip():
        raise WrongUse("say why: an auditor will ask who let a doubtful call be billed")
    wanted = _keys(record_ids)
    with lake.home.alone(JOB):
        before = lake.scan(RELEASES).select("record_id").unique().collect()["record_id"]
        held = _held(lake, period)
        if strange := len(wanted.filter(~wanted.is_in(pl.concat([held, before]).implode()))):
            raise WrongUse(
                f"{strange} of the keys name no call of {period} that a rule holds; "
                "take them from the file `unpriced` of its extract"
            )
        fresh = wanted.filter(~wanted.is_in(before.implode()))
        if len(fresh):
            sealed = seals(lake)
            rows = pl.DataFrame({"record_id": fresh}).select(
                "record_id",
                counts_from=pl.lit(str(sealed[-1].period.next()) if sealed else ""),
                why=pl.lit(why.strip()),
                released_at=pl.lit(now.astimezone(UTC)),
            )
            with lake.batch("billing_release") as batch, lake.writing():
                batch.add(RELEASES, RELEASES.conform(rows))
                batch.publish()
    return len(fresh)


def _keys(record_ids: Sequence[str]) -> pl.Series:
    try:
        keys = {bytes.fromhex(text) for text in record_ids}
    except ValueError:
        keys = set()
    if not keys or any(len(key) != _KEY_BYTES for key in keys):
        raise WrongUse("a key is 32 hex digits, as in the column `record_id` of `unpriced`")
    return pl.Series("record_id", sorted(keys), dtype=pl.Binary)


def _held(lake: Lake, period: Period) -> pl.Series:
    """Return the calls of a period that the rules in force hold."""
    settings = lake.settings.billing
    tariff = load_tariff(lake, load_rules(settings.rules), settings)
    bill = Bill(lake, period, Snapshot.take(lake), tariff)
    since, until = period.bounds(settings.zone)
    found = [pl.Series("record_id", [], dtype=pl.Binary)]
    for days in bill.snapshot.runs(period.utc_days(settings.zone)):
        legs = bill.snapshot.legs(lake, days).filter(within(since, until)).collect()
        decided = bill.decided(legs, days)
        found.append(decided.filter(pl.col("action") == "hold")["record_id"])
    return pl.concat(found)
