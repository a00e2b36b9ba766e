"""Rate decks in the store: which version counts, and what it says of a call.

A version is known by the hash of its rows. Importing makes a version the one that
counts; none is ever changed or removed.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.billing.charges import MICRO
from cdr.billing.deck_file import read_deck
from cdr.billing.prefixes import NO_PREFIX, Prefixes
from cdr.billing.tables import DECKS, RATES
from cdr.errors import WrongUse, shown
from cdr.lake import Lake
from cdr.settings import BillingSettings

_EPOCHS_KEPT = 8
"""Sets of prefixes kept ready, one for each stretch of time in which no rate changes. Ours:
calls come in order of days, and each set of a large deck takes some 20 MB."""

_WRONG_SHOWN = 20


@dataclass(frozen=True, slots=True)
class DeckReport:
    """What became of a deck's file.

    ``state`` is `imported`, `known` (it is the version that counts already) or `refused`
    (see ``reasons``, how many rows have each, and ``wrong``, the first of these rows).
    ``gaps`` counts stretches of time that lie between two rows of a prefix.
    """

    deck: str
    deck_id: str
    file: str
    state: str
    rates: int
    gaps: int
    reasons: dict[str, int]
    wrong: list[dict[str, object]]
    ignored: tuple[str, ...]


class Deck:
    """One version of a rate deck, ready to price calls.

    Parameters
    ----------
    name : str
        What it is called.
    rates : DataFrame
        Columns of `cdr.billing.tables.RATES` (`deck_id` may lack); rows of one prefix do
        not overlap in time.
    """

    def __init__(self, name: str, rates: pl.DataFrame) -> None:
        self.name = name
        self.rates = rates.sort("prefix", "valid_from").with_columns(
            (pl.col("rate_per_min") * MICRO).cast(pl.Int64).alias("rate_micro"),
            (pl.col("connect_fee") * MICRO).cast(pl.Int64).alias("fee_micro"),
        )
        self.deck_id = version_of(self.rates)
        least, most = np.iinfo(np.int64).min, np.iinfo(np.int64).max
        self._since = self.rates["valid_from"].to_physical().fill_null(least).to_numpy()
        self._until = self.rates["valid_to"].to_physical().fill_null(most).to_numpy()
        changes = np.unique(np.concatenate([self._since, self._until]))
        self._changes = changes[(changes > least) & (changes < most)]
        self._ready: dict[int, tuple[NDArray[np.int64], Prefixes]] = {}

    def rate_of(self, numbers: pl.Series, at: pl.Series) -> NDArray[np.int64]:
        """Return the rate that counts for each number at an instant.

        Parameters
        ----------
        numbers : Series of String, shape (n,)
            E.164.
        at : Series of Datetime[us, UTC], shape (n,)
            When the call began.

        Returns
        -------
        ndarray of int64, shape (n,)
            Row of ``rates``: of those valid then the one of the longest prefix that the
            number begins with; -1 where there is none.
        """
        epochs = np.searchsorted(self._changes, at.to_physical().to_numpy(), side="right")
        found = np.full(len(numbers), NO_PREFIX, dtype=np.int64)
        for epoch in np.unique(epochs).tolist():
            rows, prefixes = self._epoch(epoch)
            of_epoch = np.flatnonzero(epochs == epoch)
            whole = len(of_epoch) == len(numbers)
            longest = prefixes.longest(numbers if whole else numbers.gather(of_epoch))
            found[of_epoch] = np.where(longest == NO_PREFIX, NO_PREFIX, rows[longest])
        return found

    def _epoch(self, epoch: int) -> tuple[NDArray[np.int64], Prefixes]:
        """Return the rows valid in a stretch without changes, and their prefixes."""
        if epoch not in self._ready:
            least, most = np.iinfo(np.int64).min, np.iinfo(np.int64).max
            begins = self._changes[epoch - 1] if epoch else least
            ends = self._changes[epoch] if epoch < len(self._changes) else most
            rows = np.flatnonzero((self._since <= begins) & (ends <= self._until))
            if len(self._ready) == _EPOCHS_KEPT:
                self._ready.pop(next(iter(self._ready)))
            prefixes = Prefixes(self.rates["prefix"].gather(rows))
            self._ready[epoch] = (np.append(rows, NO_PREFIX), prefixes)
        return self._ready[epoch]


def version_of(rates: pl.DataFrame) -> str:
    """Return the SHA-256 of a deck's rows; their order in the file does not matter."""
    columns = [name for name in RATES.polars_schema.names() if name != "deck_id"]
    text = io.BytesIO()
    rates.select(columns).sort("prefix", "valid_from").write_csv(text)
    return hashlib.sha256(text.getvalue()).hexdigest()


def import_deck(
    lake: Lake, file: Path, *, name: str, settings: BillingSettings, now: datetime
) -> DeckReport:
    """Let the rows of a file be the deck of that name from now on.

    Parameters
    ----------
    lake : Lake
        Where to.
    file : Path
        See :func:`cdr.billing.deck_file.read_deck`.
    name : str
        Letters, digits, `-` and `_`.
    settings : BillingSettings
        Zone of its dates, currency where a row names none.
    now : datetime
        When we were told.

    Returns
    -------
    DeckReport
        Nothing is changed where it says `known` or `refused`.

    Raises
    ------
    WrongUse
        If the name is not one, or the file has no rates.
    FormatError, SchemaMismatch
        If the file cannot be read or lacks a required column.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name, re.ASCII):
        raise WrongUse("the name of a deck is made of letters, digits, - and _")
    read = read_deck(file, zone=settings.zone, currency=settings.currency)
    if not read.rates.height:
        raise WrongUse(f"{shown(file)}: a deck without rates prices nothing; give one with rows")
    reasons = read.wrong.explode("reasons").group_by("reasons").len().sort("reasons")
    report = DeckReport(
        deck=name,
        deck_id=version_of(read.rates),
        file=shown(file),
        state="refused",
        rates=read.rates.height,
        gaps=read.gaps,
        reasons=dict(reasons.iter_rows()),
        wrong=read.wrong.head(_WRONG_SHOWN).to_dicts(),
        ignored=read.ignored,
    )
    return report if read.wrong.height else _store(lake, report, read.rates, now)


def _store(lake: Lake, report: DeckReport, rates: pl.DataFrame, now: datetime) -> DeckReport:
    row = {"deck": report.deck, "deck_id": report.deck_id, "file": report.file,
           "rates": report.rates, "imported_at": now}  # fmt: skip
    with lake.batch() as batch, lake.writing():
        held = imports(lake)
        standing = held.filter(pl.col("deck") == report.deck)["deck_id"].tail(1)
        known = report.deck_id in standing
        if not known:
            if report.deck_id not in held["deck_id"]:
                batch.add(RATES, rates.drop("line").with_columns(deck_id=pl.lit(report.deck_id)))
            batch.add(DECKS, pl.DataFrame([row], schema=DECKS.polars_schema))
            batch.publish()
    return replace(report, state="known" if known else "imported")


def imports(lake: Lake) -> pl.DataFrame:
    """List every import of a deck, oldest first; columns of `cdr.billing.tables.DECKS`."""
    return lake.scan(DECKS).collect().sort("imported_at", "deck", "deck_id")


def current_decks(lake: Lake) -> dict[str, str]:
    """Map each deck's name to the id of the version that counts."""
    return dict(imports(lake).select("deck", "deck_id").iter_rows())


def load_deck(lake: Lake, name: str, deck_id: str | None = None) -> Deck:
    """Load a version of a deck.

    Parameters
    ----------
    lake : Lake
        Where from.
    name : str
        Which deck.
    deck_id : str, optional
        Which version; None takes the one that counts.

    Raises
    ------
    WrongUse
        If there is no such deck.
    """
    deck_id = deck_id or current_decks(lake).get(name)
    files = [f for f in lake.files(RATES) if f.partition["deck_id"] == deck_id]
    if not files:
        raise WrongUse(
            f"there is no rate deck {name!r}; `callsieve billing deck import FILE --name {name}`"
        )
    return Deck(name, lake.scan_files(RATES, files).drop("deck_id").collect())
