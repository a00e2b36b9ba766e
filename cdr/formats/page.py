"""The page ``docs/formats.md``, written from the table of formats so that it cannot lie.

Here: its text. What a format understands and what its quirks are stands in its module.
"""

from __future__ import annotations

import re

from cdr.formats import FORMATS
from cdr.formats.record import Clock, Format

_HEAD = """\
# Formats

Written by `python -m cdr.formats.page > docs/formats.md`; a test compares it.

A source in `callsieve.toml` names its format, the IANA zone of the switch's clock, the home
country and how a record finds its account:

```toml
[sources.pbx]
format = "asterisk_csv"
zone = "Europe/Berlin"
country = "DE"
account_from = "code"
```

`callsieve ingest FILE --format auto` proposes a format, says why, and takes in nothing;
`--dry-run` shows the first rows as they would be understood, and why others would be set aside.

What holds for every format:

- gzip and zstd files are read as they are, as a stream; memory does not depend on what they
  unpack to. UTF-16, archives, spreadsheets and other binary files are refused by name.
- Line ends may be LF, CRLF or CR; a byte order mark is left out. A line longer than 256 KiB, with
  a NUL byte, with broken quotes or another number of columns is set aside by itself and never
  shifts a column or swallows a neighbour. Bytes that are not UTF-8 matter only where they stand
  in a field that is used, or in the name of a JSON field, which may then be one that is used.
- A last line without line end that is not whole is set aside as `cut_short`; the file is taken in
  again when it is complete, and only what is new counts. Where the line ends in a bare field that
  names the record (Asterisk's `uniqueid` or `sequence`; in plain CSV the id or the start; any
  field where rows have no id), nobody can tell whether it is whole: it waits as well. A cut field
  that names nothing is corrected then. If the file is complete, end its last line and take it in
  again.
- A line of names among the rows is set aside as `header_repeated`, however it is quoted and in
  whatever case.
- In a CSV with a line of names, `NULL` and `\\N` are nothing, as databases write it.
- Legs, attempts and transfers of a call are rows with one `call_id`; calls are counted by it.
- Where a record carries a proof of its offset from UTC (an epoch second), it decides in the hour
  that comes twice, and the flag `offset_contradicted` says that it does not fit the zone.
- A length of `max_call_s` or more, and one whose end nobody saw, has the flag `suspect_duration`;
  so has, after the night, one far beyond the account's habit (see the operations page).
- An address has one form, whatever stands around it (port, brackets, zone, `udp:`, `sip:`); a v4
  address written as v6 is v4. `caller_ip_kind` says whether it is `public`, `private`,
  `carrier_nat`, `loopback`, `link_local` or `reserved`, and `caller_ip_country` which country a
  public one was given to.

## A new source without code

`plain_csv`, `plain_jsonl` and `plain_parquet` take any file with a row a call. Columns, layouts of
times, units, and words for outcomes, directions and media are declared:

```toml
[sources.carrier]
format = "plain_csv"
zone = "Europe/Madrid"
country = "ES"
bare_numbers = "international"
time_layouts = ["%d/%m/%Y %H:%M:%S"]
length_unit = "clock"                                   # 00:01:02; or s, ms, min
outcomes = { "Gespraech" = "answered", "Besetzt" = "busy" }
directions = { "MO" = "outbound", "MT" = "inbound" }

[sources.carrier.columns]
record_id = "{Vermittlung}/{Nr}"                        # several columns, and text between them
caller = "+{Landeskennzahl}{A-Nr}"
callee = "B-Nr"
started_at = "{Datum} {Zeit}"
duration_s = "Dauer"
direction = "Richtung"
outcome = "Ende"

[sources.carrier.constants]
media = "voice"                                         # what no column says
```

`header` names the columns of a file that has no line of names; `clock` says that times carry an
offset or are seconds since 1970. Where no column tells how a call ended,
`outcome_from_length = true` takes a call with a length, or without one but with an answer time, as
answered and any other as not.

## Straight from a proxy's database

A source of format `opensips_acc` or `kamailio_acc` with `database_url_env` is read from its table
in PostgreSQL, MySQL or MariaDB (`database_table`, by default `acc`). The variable holds the
address, so that no password stands in a file:

```toml
[sources.proxy]
format = "kamailio_acc"
zone = "UTC"
country = "NL"
account_from = "number"
database_url_env = "PROXY_DATABASE"
```

`callsieve ingest --source proxy`, and every night, reads the rows with a new `id` and all earlier
rows of the same calls, and lays them into the inbox as a file; a BYE that arrives after its INVITE
was taken in completes the call as a correction. `time` is the wall clock of the source's `zone`.
"""

_CLOCKS = {
    Clock.LOCAL: "local, in the source's zone",
    Clock.OFFSET: "with their offset from UTC, or UTC",
    Clock.EPOCH_S: "seconds since 1970 UTC",
    Clock.EPOCH_MS: "milliseconds since 1970 UTC",
    Clock.EPOCH_US: "microseconds since 1970 UTC",
}
_EXAMPLE_CHARS = 400  # ours: four lines on the page; `callsieve formats` prints it whole


def formats_page() -> str:
    """Return the page as Markdown."""
    names = sorted(FORMATS)
    rows = [f"| [`{name}`](#{name}) | {FORMATS[name].title} |" for name in names]
    parts = [_HEAD, "## All formats", "", "| format | what it is |", "|---|---|", *rows]
    for name in names:
        parts += ["", *_section(FORMATS[name])]
    return "\n".join(parts) + "\n"


def _section(form: Format) -> list[str]:
    return [
        f"## {form.name}",
        "",
        _as_markdown(form.notes),
        "",
        f"Times: {_CLOCKS[form.times.clock]}.",
        f"Understood: {', '.join(f'`{name}`' for name in form.columns)}.",
        "",
        "```",
        *(_shortened(line) for line in form.example.split("\n")),
        "```",
    ]


def _as_markdown(notes: str) -> str:
    """Write a docstring's references as code."""
    return re.sub(r":mod:`cdr\.formats\.(\w+)`", r"`\1`", notes.strip())


def _shortened(line: str) -> str:
    return line if len(line) <= _EXAMPLE_CHARS else f"{line[:_EXAMPLE_CHARS]} ..."


if __name__ == "__main__":
    print(formats_page(), end="")  # noqa: T201
