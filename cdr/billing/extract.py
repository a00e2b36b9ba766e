"""An extract: the files of a period and the manifest that vouches for them.

A folder is a complete extract as long as its manifest stands. Writing takes the manifest
away first and puts it back last, so that what a kill leaves is never taken for one.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from cdr.billing.bill import open_bill
from cdr.billing.files import Format, TableFile, Written, out_folder
from cdr.billing.ledger import Seal, seal_of, sealed_lines
from cdr.billing.periods import Period
from cdr.billing.totals import TOTALS, Totals
from cdr.errors import WrongUse, storage
from cdr.lake import Lake
from cdr.lake.home import write_whole
from cdr.schema import ACCOUNTS

MANIFEST = "manifest.json"
TRAILER = "trailer"
_DRAFT = ".draft"

_NOT_IN_FILES = ("period", "facts_hash", "reason")


class Billed(Protocol):
    """A bill that can be read once: pieces of lines, then totals and manifest."""

    totals: Totals

    @property
    def zone(self) -> str:
        """By whose clock the period begins and ends."""
        ...

    def pieces(self) -> Iterator[pl.DataFrame]:
        """Read the lines."""
        ...

    def manifest(self) -> dict[str, Any]:
        """Say what it was made from and what it comes to."""
        ...


class SealedBill:
    """The bill of a sealed period, from the ledger."""

    def __init__(self, lake: Lake, seal: Seal) -> None:
        self._lake = lake
        self._seal = seal
        self.zone = seal.zone
        self.totals = Totals()

    def pieces(self) -> Iterator[pl.DataFrame]:
        """Read the lines as they were sealed."""
        for piece in sealed_lines(self._lake, self._seal.period):
            self.totals.add(piece)
            yield piece

    def manifest(self) -> dict[str, Any]:
        """Say what was said when it was sealed."""
        return self._seal.manifest


@dataclass(frozen=True, slots=True)
class Extract:
    """What was written; ``manifest`` is what stands in the file of that name."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def paths(self) -> list[Path]:
        """The files, with the manifest."""
        return [
            self.folder / name for name in (*(f["name"] for f in self.manifest["files"]), MANIFEST)
        ]

    @property
    def unpriced(self) -> int:
        """How many calls came out without a price."""
        return sum(self.manifest["unpriced"].values())


def extract(
    lake: Lake,
    period: Period,
    out: Path,
    *,
    form: Format,
    now: datetime,
    accounts: Sequence[str] = (),
) -> Extract:
    """Write the lines and totals of a period to a folder.

    Parameters
    ----------
    lake : Lake
        Whose calls.
    period : Period
        A sealed one comes from the ledger; another is worked out as it would be now.
    out : Path
        The folder; made where missing. An extract that lies there is replaced.
    form : Format
        As what.
    now : datetime
        Decides whether the period is over.
    accounts : sequence of str
        Only the lines of these; empty: all.

    Raises
    ------
    WrongUse
        If the period cannot be billed yet, an account is unknown, or the folder holds an
        extract of something else.
    LakeBusy
        If another job of billing runs.
    StorageFailed
        If the disk refuses.
    """
    known_accounts(lake, accounts)
    with lake.alone("billing"), storage("writing an extract"):
        _may_replace(out, period)
        bill = begin_bill(lake, period, now=now)
        out_folder(out)
        draft = out / _DRAFT
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        written, totals = _write(bill, draft, form, accounts)
        manifest = {
            **bill.manifest(),
            "sealed": isinstance(bill, SealedBill),
            "accounts": "all" if not accounts else sorted(accounts),
            "totals": totals.of_all(),
            "files": [asdict(file) for file in written],
        }
        _put_in_place(out, draft, manifest)
    return Extract(out, manifest)


def begin_bill(lake: Lake, period: Period, *, now: datetime) -> Billed:
    """Begin to read the bill of a period: as it was sealed, or as it would be now.

    Raises
    ------
    WrongUse
        If it is not sealed and cannot be billed yet.
    """
    sealed = seal_of(lake, period)
    return SealedBill(lake, sealed) if sealed else open_bill(lake, period, now=now)


def known_accounts(lake: Lake, accounts: Sequence[str]) -> None:
    """Refuse accounts that are not in the accounts table.

    Raises
    ------
    WrongUse
        If there are any.
    """
    have = lake.scan(ACCOUNTS).select("account_id").unique().collect()["account_id"]
    unknown = set(accounts) - set(have) if accounts else set()
    if unknown:
        raise WrongUse(
            f"{len(unknown)} of the accounts asked for are not in the accounts table; "
            "`callsieve accounts import` takes it in"
        )


def _may_replace(out: Path, period: Period) -> None:
    found = read_manifest(out)
    if found is not None and found.get("period") != str(period):
        raise WrongUse("--out holds the extract of another period; name another folder")


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Read the manifest of an extract; None where there is none.

    Raises
    ------
    WrongUse
        If it is not a manifest.
    """
    try:
        found: object = json.loads((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("files"), list):
        raise WrongUse("the manifest.json in --out is not one of an extract; name another folder")
    return found


def _write(
    bill: Billed, folder: Path, form: Format, accounts: Sequence[str]
) -> tuple[list[Written], Totals]:
    lines = TableFile("lines", folder, form)
    unpriced = TableFile("unpriced", folder, form)
    totals = Totals() if accounts else bill.totals
    for whole in bill.pieces():
        piece = whole.filter(pl.col("account_id").is_in(accounts)) if accounts else whole
        if accounts:
            totals.add(piece)
        lines.add(line_rows(piece, bill.zone))
        unpriced.add(unpriced_rows(piece, bill.zone))
    written = [lines.close(), unpriced.close()]
    for name in TOTALS:
        file = TableFile("totals" if name == "all" else f"totals_by_{name}", folder, form)
        file.add(totals.by(name))
        written.append(file.close())
    if form is Format.CSV:
        trailer = TableFile(TRAILER, folder, form)
        trailer.add(pl.DataFrame([asdict(file) for file in written]))
        written.append(trailer.close())
    return written, totals


def line_rows(lines: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Return the priced lines with the columns of the file `lines`.

    Parameters
    ----------
    lines : DataFrame
        Columns of `cdr.billing.tables.LINES`.
    zone : str
        Of `started_local`: wall-clock time with its offset, so that the hour that occurs
        twice can be told apart.
    """
    return _with_local(lines.filter(pl.col("reason").is_null()), zone).drop(_NOT_IN_FILES)


def unpriced_rows(lines: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Return the calls without a price with the columns of the file `unpriced`."""
    return _with_local(lines.filter(pl.col("reason").is_not_null()), zone).select(
        "line", "kind", "call_period", "record_id", "account_id", "direction", "caller_number",
        "number", "started_at", "started_local", "duration_ms", "rule", "deck", "reason",
    )  # fmt: skip


def _with_local(lines: pl.DataFrame, zone: str) -> pl.DataFrame:
    at = pl.col("started_at")
    columns = lines.columns
    columns.insert(columns.index("started_at") + 1, "started_local")
    local = at.dt.convert_time_zone(zone).dt.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z")
    return lines.with_columns(
        local.alias("started_local"), at.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    ).select(columns)


def _put_in_place(out: Path, draft: Path, manifest: dict[str, Any]) -> None:
    before = read_manifest(out)
    (out / MANIFEST).unlink(missing_ok=True)
    for name in _names(before["files"]) if before else ():
        (out / name).unlink(missing_ok=True)
    for file in sorted(draft.iterdir()):
        try:
            file.replace(out / file.name)
        except IsADirectoryError:
            raise WrongUse(f"--out holds a folder named {file.name}; name another") from None
    draft.rmdir()
    write_whole(out / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())


def _names(files: Iterable[dict[str, Any]]) -> list[str]:
    """Names of an extract's files; only the last part, whatever the manifest says."""
    return [Path(str(file.get("name", ""))).name for file in files]
