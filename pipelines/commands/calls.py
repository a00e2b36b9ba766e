"""Commands on call files: `formats` and `ingest`."""

from __future__ import annotations

import shlex
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from pydantic import ValidationError

from cdr import Settings, open_lake
from cdr.errors import FormatError, SettingsError, WrongUse, shown
from cdr.formats import FORMATS, by_name
from cdr.ingest import FileReport, contradiction, flagged_rows, there_already, without_account
from cdr.ingest import ingest as take_in
from cdr.normalise.calls import OFFSET_CONTRADICTED
from cdr.normalise.owners import NO_ACCOUNT
from cdr.normalise.times import TIME_NOT_UNDERSTOOD
from cdr.preview import Preview, Proposal, preview, propose, refusal
from cdr.pull import newest_rows, pull_source
from cdr.schema import ACCOUNT_NUMBERS
from cdr.settings import SourceSettings, in_words
from pipelines.set_aside import set_aside
from pipelines.terminal import FAILED, NEEDS_A_PERSON, WRONG_USE, Json, counted, show, tell

app = typer.Typer()

AUTO = "auto"
"""What `--format` takes to have a format proposed."""

_SHOWN = (
    "started_at", "account_id", "direction", "caller_number", "caller_party", "callee_number",
    "callee_party", "forwarded_to", "outcome", "duration_ms", "leg", "flags",
)  # fmt: skip
_SHOWN_CHARS = 500  # ours: a record of most switches in full


@app.command()
def formats(as_json: Json = False) -> None:
    """List the formats that can be read, with an example of each.

    Example: callsieve formats
    """
    found = {
        name: {"title": f.title, "columns": f.columns, "example": f.example}
        for name, f in sorted(FORMATS.items())
    }
    text = "\n\n".join(f"{name}: {f['title']}\n{f['example']}" for name, f in found.items())
    show(found, as_json=as_json, text=text)


@app.command()
def ingest(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None,
        # whether each can be read is said of each: one that cannot keeps no other out
        typer.Argument(help="Not needed for a source with a database.", readable=False),
    ] = None,
    source: Annotated[str | None, typer.Option(help="Name of a source in the settings.")] = None,
    format_name: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="A format, or `auto` to have one proposed.",
            autocompletion=lambda: [AUTO, *sorted(FORMATS)],
        ),
    ] = None,
    zone: Annotated[str | None, typer.Option(help="IANA zone of the switch's clock.")] = None,
    country: Annotated[str | None, typer.Option(help="ISO code of the home country.")] = None,
    account_from: Annotated[
        str, typer.Option(help="code, number, sip_user or none: how a call finds its account.")
    ] = "code",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the first rows as understood; write nothing.")
    ] = False,
    rows: Annotated[int, typer.Option(help="Rows of a file that --dry-run shows.", min=1)] = 20,
    as_json: Json = False,
) -> None:
    """Take call FILES of a source into the lake; safe to repeat.

    Example: callsieve ingest Master.csv --source pbx

    Example: callsieve ingest Master.csv --format asterisk_csv --zone Europe/Berlin --country DE

    A source with a database (`database_url_env` in the settings) needs no FILES: what is new in
    its accounting table is laid into the inbox and taken in.
    """
    files = files or []
    if format_name == AUTO:
        _propose(files, zone, country, as_json=as_json)
        raise typer.Exit(WRONG_USE)
    settings: Settings = ctx.obj()
    name, chosen = _chosen(settings, source, format_name, zone, country, account_from)
    by_name(chosen.format)
    if not files and not chosen.database_url_env:
        raise WrongUse("no files to take in")
    if dry_run:
        with nullcontext(files) if files else newest_rows(chosen) as looked_at:
            _show_first_rows(settings, looked_at, chosen, rows, as_json=as_json)
        return
    _take_in(settings, files, name, chosen, as_json=as_json)


def _take_in(
    settings: Settings, files: list[Path], name: str, source: SourceSettings, *, as_json: bool
) -> None:
    """Take files in, or what is new in the source's database, and say what became of them."""
    lake = open_lake(settings, create=True)
    files = files or pull_source(lake, name, source)
    if not files:
        show({"files": []}, as_json=as_json, text="nothing new in the database")
        return
    now = datetime.now(tz=UTC)
    report = take_in(lake, files, source_name=name, source=source, now=now)
    text = "\n".join(_in_words(file) for file in report.files)
    show({"files": [asdict(file) for file in report.files]}, as_json=as_json, text=text)
    if report.refused:
        _in_doubt(files)
    if len(report.refused) == len(report.files):
        raise typer.Exit(FAILED)
    for said in set_aside(lake, now):
        tell(said)
    for file in report.contradicted:
        tell(contradiction(file.file, file.contradicted, source.zone))
    for (_, before), count in report.elsewhere.items():
        tell(there_already(name, before, count))
    for calls in report.ownerless.values() if source.account_from != "none" else ():
        tell(without_account(name, calls, source))
    unexplained = report.total("rejected") - report.total("explained")
    if report.refused or unexplained or report.contradicted or report.elsewhere:
        raise typer.Exit(NEEDS_A_PERSON)


def _chosen(
    settings: Settings,
    source: str | None,
    format_name: str | None,
    zone: str | None,
    country: str | None,
    account_from: str,
) -> tuple[str, SourceSettings]:
    """Return the source to read as: one of the settings, or the one the options describe."""
    if (source is None) == (format_name is None):
        known = ", ".join(sorted(settings.sources)) or "none; `callsieve init` writes one"
        raise WrongUse(
            "name a source of the settings with --source, or a format with --format (`--format "
            f"auto` proposes one); sources there are: {known}"
        )
    if source is not None:
        if source not in settings.sources:
            known = ", ".join(sorted(settings.sources)) or "none"
            raise WrongUse(f"no source {source!r} in the settings; there are: {known}")
        return source, settings.sources[source]
    if zone is None or country is None:
        raise WrongUse("--format needs --zone and --country, such as Europe/Berlin and DE")
    if format_name in settings.sources:
        raise WrongUse(f"the settings have a source {format_name!r}; use --source {format_name}")
    options = {
        "format": format_name, "zone": zone, "country": country, "account_from": account_from
    }  # fmt: skip
    try:
        return str(format_name), SourceSettings.model_validate(options)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        wrong = [f"--{str(f['loc'][0]).replace('_', '-')}: {in_words(f['msg'])}" for f in faults]
        raise SettingsError("options", wrong) from None


def _in_words(file: FileReport) -> str:
    if file.state == "refused":
        return f"{file.file}: refused: {file.fault}"
    if file.state == "known":
        return f"{file.file}: taken in before, nothing to do ({counted(file.read, 'row')})"
    if not file.read:
        return f"{file.file}: is empty, nothing to take in"
    return (
        f"{file.file}: {counted(file.read, 'row')}: {file.accepted} accepted, "
        f"{file.duplicate} duplicate, {file.corrected} corrected, {file.rejected} set aside"
    )


def _in_doubt(files: list[Path]) -> None:
    """Say what helps where files were refused: most often it is the format."""
    if any(file.is_file() for file in files):
        tell("another format? `callsieve ingest FILE --format auto` proposes one")


def _show_first_rows(
    settings: Settings, files: list[Path], source: SourceSettings, rows: int, *, as_json: bool
) -> None:
    if not files:
        show({"files": []}, as_json=as_json, text="nothing in the database")
        return
    owners = _owners(settings)
    found, refused = [], 0
    for file in files:
        try:
            seen = preview(file, source, now=datetime.now(tz=UTC), owners=owners, records=rows)
        except FormatError as error:
            refused += 1
            found.append({"file": shown(file), "fault": error.fault})
            tell(f"{shown(file)}: refused: {error.fault}")
            continue
        found.append(_as_object(file, seen))
        _doubt(shown(file), seen.calls, source)
        if not as_json:
            _print_rows(file, seen)
    if as_json:
        show({"files": found}, as_json=True)
    if refused:
        _in_doubt(files)
    if refused == len(files):
        raise typer.Exit(FAILED)
    if refused or any(each.get("set_aside") for each in found):
        raise typer.Exit(NEEDS_A_PERSON)


def _doubt(file: str, calls: pl.DataFrame, source: SourceSettings) -> None:
    """Say what of the settings does not seem to fit the first calls of a file."""
    if rows := flagged_rows(calls, OFFSET_CONTRADICTED):
        tell(contradiction(file, rows, source.zone))
    rows = flagged_rows(calls, NO_ACCOUNT)
    if source.account_from != "none" and rows and rows == calls["source_rows"].sum():
        tell(without_account(file, rows, source))


def _owners(settings: Settings) -> pl.DataFrame | None:
    """Return who holds which number, where there is a lake that knows."""
    try:
        lake = open_lake(settings)
    except WrongUse:
        return None
    return lake.scan(ACCOUNT_NUMBERS).drop("imported_at").collect()


def _as_object(file: Path, seen: Preview) -> dict[str, Any]:
    return {
        "file": shown(file),
        "records": seen.records,
        "calls": seen.calls.select(_SHOWN).to_dicts(),
        "set_aside": seen.set_aside.to_dicts(),
    }


def _print_rows(file: Path, seen: Preview) -> None:
    title = f"{shown(file)}: {seen.calls.height} of the first {seen.records} records are calls"
    calls = seen.calls.select(
        pl.col("started_at").dt.strftime("%Y-%m-%d %H:%M:%SZ"),
        "account_id",
        "direction",
        caller=pl.coalesce("caller_number", "caller_party"),
        callee=pl.coalesce("callee_number", "callee_party"),
        outcome="outcome",
        duration_s=pl.col("duration_ms") / 1000,
        flags=pl.col("flags").list.join(", "),
    )
    aside = seen.set_aside.with_columns(
        pl.col("reasons").list.join(", "), pl.col("raw").str.head(_SHOWN_CHARS)
    )
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=-1,
        fmt_str_lengths=_SHOWN_CHARS,
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
    ):
        lines = [title, str(calls)] + (["set aside:", str(aside)] if aside.height else [])
    show({}, as_json=False, text="\n".join(lines))


def _propose(files: list[Path], zone: str | None, country: str | None, *, as_json: bool) -> None:
    """Say which format each file seems to be in; take in nothing."""
    if not files:
        raise WrongUse("no files to propose a format for")
    found: dict[str, list[dict[str, Any]]] = {}
    refused: list[FormatError] = []
    place = f"--zone {shlex.quote(zone or 'ZONE')} --country {shlex.quote(country or 'CC')}"
    for file in files:
        read_as = country or "US"
        found[shown(file)] = []
        try:
            proposals = propose(file, country=read_as, now=datetime.now(tz=UTC))
        except FormatError as error:
            refused.append(error)
            continue
        found[shown(file)] = [asdict(proposal) for proposal in proposals]
        known = None if proposals else refusal(file, country=read_as)
        tell(f"{shown(file)}: {known}" if known else _proposed(file, proposals, place))
    if len(refused) == len(files):
        raise refused[0]
    for fault in refused:
        tell(str(fault))
    if as_json:
        show({"proposals": found, "exit_code": WRONG_USE}, as_json=True)


def _as_argument(file: Path) -> str:
    """Return the path as it was given; a dash in front would make an option of it."""
    return f"./{file}" if str(file).startswith("-") else str(file)


def _proposed(file: Path, proposals: list[Proposal], place: str) -> str:
    """Say which formats fit a file; ``place`` are the options for zone and country."""
    if not proposals:
        return (
            f"{shown(file)}: no format can read it as it is; `callsieve formats` shows what each "
            "looks like, and `columns`, `header` or `template` of a source in callsieve.toml say "
            "what stands where"
        )
    best, *others = proposals
    lines = [
        f"{shown(file)}: looks like {best.format} ({FORMATS[best.format].title}): "
        f"{best.understood} of its first {best.looked_at} records are understood as calls"
    ]
    if best.reasons:
        lines.append(f"  the others are not: {', '.join(best.reasons)}")
    if any(reason.endswith(TIME_NOT_UNDERSTOOD) for reason in best.reasons):
        lines.append(
            "  for times of another layout: `time_layouts` of a source in callsieve.toml, such as "
            '["%d/%m/%Y %H:%M:%S"]'
        )
    lines += [
        f"  or {p.format}: {p.understood} understood, fields found in {p.taken_apart}"
        for p in others
    ]
    lines.append(
        "  to confirm: callsieve ingest "
        f"{shlex.quote(_as_argument(file))} --format {best.format} {place} --dry-run"
    )
    return "\n".join(lines)
