"""What the page of the rows behind a number shows: one sentence, and a table, masked.

Pure. Not here: which rows these are (`rows_behind`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fraud.candidates import Candidate
from fraud.features.registry import Signal, Unit
from fraud.features.words import in_words
from fraud.review.behind import Behind, Figure, Found, Rows
from fraud.review.masking import shown
from fraud.review.ties import THROUGH

ROWS_SHOWN = 100
"""Rows of a page. Ours: what one scrolls through."""

Cells = Sequence[str]


@dataclass(frozen=True, slots=True)
class BehindPage:
    """The page.

    Parameters
    ----------
    heading, sums : str
        How many of what, and how the number comes from them.
    columns : sequence of (name, is_number)
        Heads of the table.
    rows : sequence of sequence of (str, is_number)
        Its cells.
    following : int, optional
        Rows before the next page; None on the last.
    """

    heading: str
    sums: str
    columns: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[tuple[str, bool]]]
    following: int | None


def behind_page(
    signal: Signal, kind: Rows, wanted: Behind, found: Found, *, whole: bool, skip: int
) -> BehindPage:
    """Make the page of the rows behind a signal.

    Parameters
    ----------
    signal, kind, wanted, found
        The signal, its kind of rows, which of them, and what was found.
    whole : bool
        Personal data is shown unmasked.
    skip : int
        Rows that stand on the pages before.
    """
    columns, cells = _TABLES[kind]
    rows = found.rows.slice(skip, ROWS_SHOWN)
    numbers = [is_number for _, is_number in columns]
    end = skip + rows.height
    return BehindPage(
        f"{found.count:,} {wanted.words}",
        sums(signal, wanted, found),
        columns,
        [list(zip(cells(row, whole), numbers, strict=True)) for row in rows.iter_rows(named=True)],
        end if end < found.rows.height else None,
    )


def sums(signal: Signal, wanted: Behind, found: Found) -> str:
    """Say how a number comes from its rows; empty where it is their count.

    Examples
    --------
    >>> import polars as pl
    >>> from fraud.features.signals import SIGNALS
    >>> short = next(one for one in SIGNALS if one.name == "short_call_share_7d")
    >>> wanted = Behind("short calls", pl.lit(True), Figure.SHARE, "answered calls")
    >>> sums(short, wanted, Found(pl.DataFrame(), 3, 12))
    '3 of 12 answered calls: 25 %'
    """
    value = found.value(wanted.figure)
    said = "not known" if value is None else in_words(value, signal.unit)
    match wanted.figure:
        case Figure.COUNT:
            return ""
        case Figure.THINGS:
            return f"{found.things} {wanted.thing_words}"
        case Figure.SHARE:
            return f"{found.count:,} of {found.of_count:,} {wanted.of_words}: {said}"
        case Figure.SHARE_OF_THINGS:
            return f"{found.things} of {found.of_things} {wanted.of_words}: {said}"
        case Figure.THINGS_EACH:
            return f"{found.things} {wanted.thing_words} in {found.count:,} calls: {said}"
        case Figure.SHARE_OF_TIME:
            some, all_of_it = (
                in_words((ms or 0) / 1000, Unit.SECONDS) for ms in (found.time_ms, found.of_time_ms)
            )
            return f"{some} of {all_of_it} of {wanted.of_words}: {said}"
        case Figure.RESTS_ON:
            return "The number is worked out from these."


def said_otherwise(signal: Signal, wanted: Behind, found: Found, candidate: Candidate) -> str:
    """Return the number as the case has it where the rows make another by now; else nothing.

    Late calls, corrections and erasures change what is behind a number after it was scored.
    """
    now = found.value(wanted.figure)
    said = next((one.value for one in candidate.reasons if one.signal == signal.name), None)
    if now is None or said is None:
        return ""
    words = in_words(said, signal.unit)
    return words if words != in_words(now, signal.unit) else ""


def _instant(value: Any) -> str:
    return "" if value is None else f"{value:%Y-%m-%d %H:%M:%S}"


def _seconds(ms: int | None) -> str:
    return "" if ms is None else f"{ms / 1000:.1f}"


def _words(code: str) -> str:
    return code.replace("_", " ").capitalize()


def _call(row: Mapping[str, Any], whole: bool) -> Cells:
    return (
        _instant(row["started_at"]),
        {"outbound": "Made", "inbound": "Received"}[row["direction"]],
        shown("caller", row["caller"], whole=whole),
        shown("callee", row["callee"], whole=whole),
        row["callee_country"] or "",
        shown("ip", row["caller_ip"], whole=whole),
        _words(row["outcome"] or ""),
        _seconds(row["ring_ms"]),
        _seconds(row["duration_ms"]),
    )


def _event(row: Mapping[str, Any], whole: bool) -> Cells:
    amount = "" if row["amount"] is None else f"{row['amount']:.2f} {row['currency'] or ''}".strip()
    return (
        _instant(row["at"]),
        _words(row["kind"]),
        shown("ip", row["ip"], whole=whole),
        row["ip_country"] or "",
        shown("device", row["device"], whole=whole),
        shown("payment", row["payment_fingerprint"], whole=whole),
        amount,
    )


def _text(row: Mapping[str, Any], whole: bool) -> Cells:
    listed = row["listed_link_count"]
    return (
        row["day"].isoformat(),
        row["template"][:8],
        "yes" if row["blocked"] else "",
        str(row["text_count"]),
        str(row["counterpart_count"]),
        str(row["link_count"]),
        "" if listed is None else str(listed),
    )


def _number(row: Mapping[str, Any], whole: bool) -> Cells:
    return (
        shown("number", row["number"], whole=whole),
        _instant(row["valid_from"]) or "ever",
        "yes" if row["is_new"] else "",
        "" if row["held"] else "given back",
    )


def how_tied(tie: Mapping[str, Any]) -> str:
    """Say through what an account is tied to a blocked one.

    Examples
    --------
    >>> how_tied({"kind": "number", "called": True, "calling": True, "used": False})
    'number called and called by'
    >>> how_tied({"kind": "ip", "called": False, "calling": False, "used": True})
    'IP address called from'
    """
    ways = [
        words
        for name, words in (
            ("called", "called"), ("calling", "called by"), ("used", "called from")
        )
        if tie[name]
    ]  # fmt: skip
    return " ".join([THROUGH.get(tie["kind"], tie["kind"]), " and ".join(ways)]).strip()


def _tie(row: Mapping[str, Any], whole: bool) -> Cells:
    return (
        row["blocked_id"],
        "itself" if row["hop"] == 1 else "through one other account",
        how_tied(row),
        shown("code", row["key"], whole=False),
    )


_TABLES: Mapping[
    Rows, tuple[Sequence[tuple[str, bool]], Callable[[Mapping[str, Any], bool], Cells]]
] = {
    Rows.CALLS: (
        (("Started (UTC)", False), ("Way", False), ("Caller", False), ("Callee", False),
         ("Country", False), ("From IP", False), ("Outcome", False), ("Rang, s", True),
         ("Lasted, s", True)),
        _call,
    ),
    Rows.EVENTS: (
        (("At (UTC)", False), ("What", False), ("IP", False), ("Country", False),
         ("Device", False), ("Payment means", False), ("Amount", True)),
        _event,
    ),
    Rows.TEXTS: (
        (("Day (UTC)", False), ("Text (code)", False), ("Blocked sent it", False),
         ("Texts", True), ("Numbers", True), ("With link", True), ("With listed link", True)),
        _text,
    ),
    Rows.NUMBERS: (
        (("Number", False), ("Held since (UTC)", False), ("New", False), ("Now", False)), _number
    ),
    Rows.TIES: (
        (("Blocked account", False), ("Tied", False), ("Through", False), ("Value (code)", False)),
        _tie,
    ),
}  # fmt: skip
