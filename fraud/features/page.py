"""The page ``docs/features.md``, written from the registry so that it cannot lie.

Here: its text. Not here: words for one value (:mod:`fraud.features.words`).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from fraud.features.account_days import ACCOUNT_DAY_KEYS, ACCOUNT_DAYS
from fraud.features.destination_risk import destinations
from fraud.features.registry import Direction, Signal
from fraud.features.signals import SIGNALS
from fraud.features.words import in_words

_HEAD = """\
# Signals

Written by `python -m fraud.features.page > docs/features.md`; a test compares it.

A signal is one number about one account as of a midnight in UTC. Only what began
before that midnight is seen. A value is *unknown*, not 0, below the minimum count.
Calls are counted, not legs; doubtful lengths (`suspect_duration`) are left out. Local
hours are those of the country the account gave. Compared "with before" means: with
the days between the window and 30 days before the midnight.

The name ends with the unit (`share` is 0 to 1, `s` seconds, `usd` US dollars) and the
days looked back. *Suspicious*: on which side, and from which published value. A signal
is switched off by its name in `scoring.features_off`.
"""


def features_page(signals: Iterable[Signal] = SIGNALS) -> str:
    """Return the page as Markdown."""
    parts = [_HEAD]
    for family, members in groupby(signals, key=lambda signal: signal.family):
        parts += [f"\n## {family}\n", _ROW.format(*_TITLES), _ROW.format(*["---"] * len(_TITLES))]
        parts += [_row(signal) for signal in members]
    parts += ["\n## What a day is reduced to\n"]
    for table in (ACCOUNT_DAYS, ACCOUNT_DAY_KEYS):
        parts += [f"\n`{table.name}`, one row per {table.grain}:\n"]
        parts += [f"- `{f.name}` ({f.unit}): {f.meaning}" for f in table.fields]
    parts += ["\n## Destinations\n", "| prefix | destination | risk | USD a minute | source |"]
    parts += ["|---|---|---|---|---|"]
    parts += [
        f"| {d.prefix} | {d.destination} | {d.risk} | {d.usd_per_min} | {d.source} |"
        for d in destinations()
    ]
    return "\n".join(parts) + "\n"


_ROW = "| {} | {} | {} | {} | {} |"
_TITLES = ("signal", "reads as", "at least", "suspicious", "source")


def _row(signal: Signal) -> str:
    reads = signal.meaning.format(value="…", n="…")
    return _ROW.format(
        f"`{signal.name}`", reads, signal.minimum_count, _suspicious(signal), signal.source
    )


def _suspicious(signal: Signal) -> str:
    if signal.direction is None:
        return ""
    if signal.threshold is None:
        return str(signal.direction)
    side = "above" if signal.direction is Direction.HIGHER else "below"
    return f"{side} {in_words(signal.threshold, signal.unit)}"


if __name__ == "__main__":
    print(features_page(), end="")  # noqa: T201
