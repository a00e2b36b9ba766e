"""The dialects of switch files, one module each, and the table of them.

To add one: write a module with a `FORMAT`, put it into `FORMATS`, and a fixture
that shows its quirks into the tests.
"""

from __future__ import annotations

from cdr.errors import UnknownFormat
from cdr.formats import (
    asterisk_csv,
    asterisk_table,
    broadworks_csv,
    broadworks_xml,
    cgrates_csv,
    cisco_cucm,
    freeswitch_csv,
    freeswitch_json,
    kamailio_acc,
    opensips_acc,
    plain_csv,
    plain_jsonl,
    plain_parquet,
    ribbon_act,
    sansay,
    threecx,
)
from cdr.formats.record import Format

FORMATS: dict[str, Format] = {
    format.name: format
    for format in (
        asterisk_csv.FORMAT,
        asterisk_table.FORMAT,
        broadworks_csv.FORMAT,
        broadworks_xml.FORMAT,
        cgrates_csv.FORMAT,
        cisco_cucm.FORMAT,
        freeswitch_csv.FORMAT,
        freeswitch_json.FORMAT,
        kamailio_acc.FORMAT,
        opensips_acc.FORMAT,
        plain_csv.FORMAT,
        plain_csv.FORMAT_OFFSET,
        plain_jsonl.FORMAT,
        plain_parquet.FORMAT,
        ribbon_act.FORMAT,
        sansay.FORMAT,
        threecx.FORMAT,
    )
}
"""Every format that can be read, by its name."""


def by_name(name: str) -> Format:
    """Return the format that a source or `--format` names.

    Raises
    ------
    UnknownFormat
        If there is none of that name; the message lists those there are.
    """
    try:
        return FORMATS[name]
    except KeyError:
        raise UnknownFormat(name, FORMATS) from None
