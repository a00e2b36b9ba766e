"""The commands under `billing`: rate decks, extracts, sealed periods, reconciliation."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from cdr import access, open_lake
from cdr.billing.carrier import reconcile_carrier
from cdr.billing.currencies import exact
from cdr.billing.decks import DeckReport, current_decks, import_deck, imports
from cdr.billing.extract import Extract
from cdr.billing.files import Format
from cdr.billing.periods import Period
from cdr.billing.reconciliation import write_reconciliation
from cdr.billing.release import release as release_held
from cdr.billing.sealing import seal as seal_period
from cdr.billing.statements import StatementFormat, write_statements
from cdr.billing.switch_totals import reconcile_switch
from cdr.billing.verify import Verification
from cdr.billing.verify import verify as verify_period
from cdr.errors import WrongUse
from cdr.privacy import audit
from cdr.privacy.exports import ExportKind, note_exports
from pipelines.billing_extract import write_period
from pipelines.terminal import NEEDS_A_PERSON, Json, show

app = typer.Typer()
billing = typer.Typer(help="Bill calls: rate decks, extracts, sealed periods.")
deck = typer.Typer(help="Rate decks: prices by prefix and time.")
billing.add_typer(deck, name="deck")
app.add_typer(billing, name="billing")


PeriodOption = Annotated[str, typer.Option("--period", help="Year and month, such as 2026-10.")]


@billing.command()
def extract(
    ctx: typer.Context,
    period: PeriodOption,
    out: Annotated[Path, typer.Option(help="Folder for the files; an extract in it is replaced.")],
    account: Annotated[list[str] | None, typer.Option(help="Only these accounts.")] = None,
    form: Annotated[Format, typer.Option("--format", help="Of the files.")] = Format.CSV,
    with_statements: Annotated[
        bool, typer.Option("--statements", help="Also statements, in a folder of it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the lines and totals of a period, with a manifest; safe to repeat.

    A sealed period comes out as it was sealed, another as it would be billed now.

    Example: callsieve billing extract --period 2026-09 --out september
    """
    lake, now = open_lake(ctx.obj()), datetime.now(tz=UTC)
    written = write_period(
        lake,
        Period.parse(period),
        out,
        form=form,
        accounts=account or (),
        with_statements=with_statements,
        now=now,
    )
    note_exports(lake.home, ExportKind.BILL, written.paths, at=now)
    done = written.extract
    show({"folder": str(out), **done.manifest}, as_json=as_json, text=_extract_text(done))
    if done.unpriced:
        raise typer.Exit(NEEDS_A_PERSON)


@billing.command()
def seal(ctx: typer.Context, period: PeriodOption, as_json: Json = False) -> None:
    """Fix what a period came to; what arrives later is adjusted in the next one.

    A period that is sealed already stays as it is.

    Example: callsieve billing seal --period 2026-09
    """
    lake, now = open_lake(ctx.obj()), datetime.now(tz=UTC)
    done, fresh = seal_period(lake, Period.parse(period), now=now)
    if fresh:
        audit.note(
            lake.home, "billing.seal", by=access.person(), at=now,
            after={"period": period, "lines_sha256": done.lines_sha256},
        )  # fmt: skip
    found = {
        **done.manifest,
        "state": "sealed" if fresh else "sealed before",
        "sealed_at": done.sealed_at,
        "lines_sha256": done.lines_sha256,
    }
    text = f"{period}: {found['state']}, {done.sealed_at.isoformat(timespec='seconds')}"
    show(found, as_json=as_json, text="\n".join([text, *_bill_lines(done.manifest)]))


@billing.command()
def release(
    ctx: typer.Context,
    records: Annotated[
        list[str], typer.Argument(help="Keys: `record_id` in the file `unpriced` of an extract.")
    ],
    period: PeriodOption,
    reason: Annotated[str, typer.Option(help="Why they are billed although they are doubtful.")],
    as_json: Json = False,
) -> None:
    """Bill calls that a rule holds, such as a doubtful length, as they are; safe to repeat.

    Of a sealed period they become late lines of the next one.

    Example: callsieve billing release 5b0e…27 --period 2026-09 --reason "customer agrees"
    """
    lake = open_lake(ctx.obj())
    fresh = release_held(lake, Period.parse(period), records, why=reason, now=datetime.now(tz=UTC))
    text = f"{fresh:,} calls released; {len(set(records)) - fresh:,} were before"
    show({"released": fresh, "released_before": len(set(records)) - fresh}, as_json=as_json,
         text=text)  # fmt: skip


@billing.command()
def statements(
    ctx: typer.Context,
    period: PeriodOption,
    out: Annotated[Path, typer.Option(help="Folder for the statements.")],
    account: Annotated[list[str] | None, typer.Option(help="Only these accounts.")] = None,
    form: Annotated[
        list[StatementFormat] | None, typer.Option("--format", help="Without it, both.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write each account's itemised statement, with numbers masked; safe to repeat.

    Example: callsieve billing statements --period 2026-09 --account C1000073 --out mail
    """
    lake, now = open_lake(ctx.obj()), datetime.now(tz=UTC)
    done = write_statements(
        lake,
        Period.parse(period),
        out,
        accounts=account or (),
        forms=form or tuple(StatementFormat),
        now=now,
    )
    note_exports(lake.home, ExportKind.BILL, done.paths, at=now)
    text = f"{done.files.height:,} files in {out}; index.csv says whose is which"
    show({"folder": str(out), "files": done.files.to_dicts()}, as_json=as_json, text=text)


@billing.command()
def verify(
    ctx: typer.Context,
    period: PeriodOption,
    extract: Annotated[
        Path | None, typer.Option(help="Folder of an extract, to compare its files as well.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Work a sealed period out again and say what differs and why; changes nothing.

    Example: callsieve billing verify --period 2026-09 --extract september
    """
    found = verify_period(open_lake(ctx.obj()), Period.parse(period), folder=extract)
    state = "agrees" if found.agrees else "differs"
    show({"state": state, **asdict(found)}, as_json=as_json, text=_verified_text(found))
    if not found.agrees:
        raise typer.Exit(NEEDS_A_PERSON)


@billing.command()
def reconcile(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder for the page and the differences.")],
    carrier: Annotated[Path | None, typer.Option(help="Calls that a carrier charges for.")] = None,
    switch_totals: Annotated[
        Path | None, typer.Option(help="Answered calls that a switch counted, by day.")
    ] = None,
    rate_deck: Annotated[
        str | None, typer.Option("--deck", help="What the carrier should charge by.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Only our calls of this source.")] = None,
    zone: Annotated[str | None, typer.Option(help="Of times without offset in the file.")] = None,
    start_tolerance_s: Annotated[
        int, typer.Option(help="Seconds by which begins may differ.", min=0, max=3600)
    ] = 5,
    length_tolerance_s: Annotated[
        int, typer.Option(help="Seconds by which lengths may differ.", min=0, max=3600)
    ] = 1,
    as_json: Json = False,
) -> None:
    """Compare our calls with a carrier's or a switch's own records; changes nothing.

    Example: callsieve billing reconcile --carrier invoice.csv --deck wholesale --out check
    """
    settings = ctx.obj()
    lake, clock = open_lake(settings), zone or settings.billing.zone
    if (carrier is None) == (switch_totals is None):
        raise WrongUse("give either --carrier FILE or --switch-totals FILE")
    if carrier is not None:
        found = reconcile_carrier(
            lake,
            carrier,
            deck=rate_deck if rate_deck is not None else settings.billing.cost_deck,
            zone=clock,
            source=source,
            start_tolerance_s=start_tolerance_s,
            length_tolerance_s=length_tolerance_s,
        )
    else:
        assert switch_totals is not None
        found = reconcile_switch(
            lake, switch_totals, zone=clock, length_tolerance_s=length_tolerance_s
        )
    page, differences = write_reconciliation(found, out)
    note_exports(lake.home, ExportKind.BILL, (page, differences), at=datetime.now(tz=UTC))
    show(
        {
            "agrees": found.agrees,
            "page": str(page),
            "summary": found.summary.to_dicts(),
            "differences": found.differences.height,
            "unreadable": found.unreadable.to_dicts(),
        },
        as_json=as_json,
        text=f"{'They agree' if found.agrees else 'They do not agree'}; see {page}",
    )
    if not found.agrees:
        raise typer.Exit(NEEDS_A_PERSON)


@deck.command("import")
def _import_deck(
    ctx: typer.Context,
    file: Path,
    name: Annotated[str, typer.Option(help="Which deck it is from now on.")],
    as_json: Json = False,
) -> None:
    """Take a rate deck in, whole or not at all; safe to repeat.

    Example: callsieve billing deck import rates.csv --name retail
    """
    settings = ctx.obj()
    report = import_deck(
        open_lake(settings, create=True),
        file,
        name=name,
        settings=settings.billing,
        now=datetime.now(tz=UTC),
    )
    show(asdict(report), as_json=as_json, text=_deck_text(report))
    if report.state == "refused":
        raise typer.Exit(NEEDS_A_PERSON)


@deck.command("list")
def _list_decks(ctx: typer.Context, as_json: Json = False) -> None:
    """List every import of a deck, and which version counts.

    Example: callsieve billing deck list
    """
    lake = open_lake(ctx.obj())
    current = current_decks(lake)
    rows = [
        {**row, "counts": row["deck_id"] == current[row["deck"]]}
        for row in imports(lake).iter_rows(named=True)
    ]
    show({"decks": rows}, as_json=as_json)


def _extract_text(done: Extract) -> str:
    manifest = done.manifest
    state = "sealed" if manifest["sealed"] else "not sealed"
    lines = [f"{manifest['period']} ({manifest['zone']}, {state}): {done.folder}"]
    return "\n".join([*lines, *_bill_lines(manifest)])


def _bill_lines(manifest: dict[str, Any]) -> list[str]:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in manifest["lines"].items() if count)
    lines = [f"  {manifest['legs']:,} legs of calls; lines: {kinds or 'none'}"]
    lines += [
        f"  {exact(Decimal(t['amount']), t['currency'])} {t['currency']} in {t['lines']:,} lines"
        for t in manifest["totals"]
    ]
    if manifest["unpriced"]:
        lines.append("Without a price, for a person to look at (file `unpriced`):")
        lines += [f"  {count:,} {reason}" for reason, count in manifest["unpriced"].items()]
    return lines


def _verified_text(found: Verification) -> str:
    lines = [f"{found.period}: {found.compared:,} lines worked out again"]
    lines += [
        f"  {row['calls']:,} {row['why']}: billed {row['billed']}, now {row['now']} "
        f"{row['currency'] or ''}".rstrip()
        for row in found.differences
    ]
    lines += [f"  deck {name} was imported anew since" for name in found.decks_since]
    if found.faults:
        lines += ["Needs a person:", *(f"  - {fault}" for fault in found.faults)]
    else:
        lines.append("It agrees; what differs is adjusted in a later period or was removed.")
    return "\n".join(lines)


def _deck_text(report: DeckReport) -> str:
    lines = [f"{report.file}: {report.state}, {report.rates:,} rates, deck {report.deck}"]
    if report.gaps:
        lines.append(f"  {report.gaps:,} gaps in time: a prefix has no rate there")
    lines += [f"  {count:,} rows: {reason}" for reason, count in report.reasons.items()]
    for row in report.wrong:
        reasons = row["reasons"]
        assert isinstance(reasons, list)
        lines.append(f"  line {row['line']}: {', '.join(reasons)}")
    if report.state == "refused":
        lines.append("Nothing was taken in. Mend these rows and import the file again.")
    return "\n".join(lines)
