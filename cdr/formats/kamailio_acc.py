"""Accounting rows of Kamailio (`acc`) as CSV with a header, in the columns it suggests.

The rows of a dialog become one record, as in :mod:`cdr.formats.opensips_acc`, where it
stands what each of them means. What differs is who called whom: `src_user` and
`src_domain`, `dst_ouser` (as dialled; else `dst_user`, as routed) and `dst_domain`, the
columns of `db_extra` in Kamailio's own examples. Where the routed user is another than
the dialled one, the call was sent on to it.
"""

from __future__ import annotations

import polars as pl

from cdr.formats.opensips_acc import CDR_COLUMNS, dialog_reader
from cdr.formats.record import ISO_LAYOUTS, Clock, Format, Times

_NEEDED = ("method", "from_tag", "to_tag", "callid", "sip_code", "time", "src_user", "dst_user")
COLUMNS = (
    *_NEEDED, "src_domain", "src_ip", "dst_ouser", "dst_domain", "dst_ip", "account", "trunk",
    "created", *CDR_COLUMNS,
)  # fmt: skip
"""Columns of the `acc` table, of `db_extra` in Kamailio's examples, and four under names
of ours: `dst_ip`, `account`, `trunk` and `created` (when the INVITE came in)."""


def _uri(user: pl.Expr, domain: str) -> pl.Expr:
    return pl.when(user.is_not_null()).then(
        pl.concat_str(pl.lit("sip:"), user, pl.format("@{}", domain), ignore_nulls=True)
    )


def _as_opensips(rows: pl.DataFrame) -> pl.DataFrame:
    """Write who called whom as the URIs that the dialog's reader expects."""
    dialled = pl.coalesce("dst_ouser", "dst_user")
    sent_on = pl.col("dst_user").ne_missing(dialled) & pl.col("dst_user").is_not_null()
    return rows.with_columns(
        from_uri=_uri(pl.col("src_user"), "src_domain"),
        to_uri=_uri(dialled, "dst_domain"),
        sent_on_to=pl.when(sent_on).then(_uri(pl.col("dst_user"), "dst_domain")),
    )


FORMAT = Format(
    name="kamailio_acc",
    title="Kamailio accounting rows (acc), CSV with a header",
    example=(
        "method,from_tag,to_tag,callid,sip_code,sip_reason,time,src_user,src_domain,src_ip,"
        "dst_ouser,dst_user,dst_domain\n"
        "INVITE,8a1,c07,f3e9@192.0.2.10,200,OK,2026-09-01 12:00:07,+4930901820,example.net,"
        "192.0.2.10,+442079460018,+442079460018,example.net\n"
        "BYE,8a1,c07,f3e9@192.0.2.10,200,OK,2026-09-01 12:01:07,+4930901820,example.net,"
        "192.0.2.10,+442079460018,+442079460018,example.net"
    ),
    times=Times(Clock.LOCAL, ISO_LAYOUTS[Clock.LOCAL]),
    columns=COLUMNS,
    notes=__doc__,
    read=dialog_reader(COLUMNS, _NEEDED, _as_opensips),
    dialogs=True,
)
