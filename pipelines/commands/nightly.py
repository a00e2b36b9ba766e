"""The commands `nightly` and `demo`: the main job, on the inbox or on the samples."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cdr import Lake, open_lake
from fraud.candidates import Candidate
from pipelines.samples import SAMPLE_DAY, sample_lake, samples
from pipelines.terminal import NEEDS_A_PERSON, Json, counted, from_here, paced, show, tell, typed

if TYPE_CHECKING:
    from pipelines.hourly import HourlyOutcome
    from pipelines.nightly import Outcome

REASONS_PRINTED = 3
SAMPLE_QUESTION = "SELECT outcome, count(*) FROM calls GROUP BY ALL"
DEMO_HOME = Path(".callsieve/demo")

app = typer.Typer()


@app.command()
def nightly(
    ctx: typer.Context,
    day: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="UTC day; without it, yesterday."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take in the inbox, check, compact, score, open cases, report; safe to repeat.

    A run that was interrupted goes on with the step it was in.

    Example: callsieve nightly --date 2026-09-30
    """
    from pipelines.nightly import run_nightly

    now = datetime.now(tz=UTC)
    of_day = day.date() if day else (now - timedelta(days=1)).date()
    lake = open_lake(ctx.obj(), create=True)
    outcome = run_nightly(lake, of_day, now=now, tell=tell, progress=paced(tell))
    found = outcome.as_json()
    queue = "\n\nThe cases are in the queue: `callsieve review serve`."
    text = night_text(outcome) + (queue if found["cases_opened"] else "")
    show(found, as_json=as_json, text=text)
    if outcome.concerns:
        raise typer.Exit(NEEDS_A_PERSON)


@app.command()
def hourly(
    ctx: typer.Context,
    day: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="UTC day; without it, today."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take in the inbox and let the rules look at the newest calls; safe to repeat.

    For the hours between nights: needs no model, opens cases at once.

    Example: callsieve hourly
    """
    from pipelines.hourly import run_hourly

    now = datetime.now(tz=UTC)
    lake = open_lake(ctx.obj(), create=True)
    outcome = run_hourly(lake, day.date() if day else now.date(), now=now, tell=tell)
    show(outcome.as_json(), as_json=as_json, text=hour_text(outcome))
    if outcome.concerns:
        raise typer.Exit(NEEDS_A_PERSON)


@app.command()
def demo(ctx: typer.Context, as_json: Json = False) -> None:
    """Do the main job on the sample files; needs nothing else.

    Without --home the lake is made in .callsieve/demo.

    Example: callsieve demo
    """
    from pipelines.nightly import run_nightly

    home = ctx.obj.home or str(DEMO_HOME)
    lake = sample_lake(home)
    outcome = run_nightly(
        lake, SAMPLE_DAY, now=datetime.now(tz=UTC), tell=tell, progress=paced(tell)
    )
    text = night_text(outcome) + "\n\n" + "\n".join(_where_next(home, lake))
    show(outcome.as_json(), as_json=as_json, text=text)


def night_text(outcome: Outcome) -> str:
    """Say what a night came to, in lines for a terminal."""
    found = outcome.as_json()
    ingest, sampled = found["ingest"], found["sampled"]
    drawn = f" ({sampled} drawn at random from below the threshold)" if sampled else ""
    lines = [
        f"Night of {outcome.day.isoformat()} (UTC), run {outcome.run.run_id}",
        f"  {counted(ingest['files'], 'file')}: {ingest['read']:,} rows read = "
        f"{ingest['accepted']:,} new + {ingest['duplicate']:,} known + "
        f"{ingest['corrected']:,} corrected + {ingest['rejected']:,} set aside",
        *_found_later(found["reassigned"]),
        f"  {counted(found['accounts_scored'], 'account')} scored by {found['method']}, "
        f"{counted(len(outcome.candidates), 'candidate')}, "
        f"{counted(found['cases_opened'], 'case')} opened{drawn}",
        *_shadow_line(found["challenger"]),
        f"  {sum(outcome.run.seconds.values()):.1f} s",
    ]
    if outcome.concerns:
        lines += ["", "Needs a person:", *(f"  - {concern}" for concern in outcome.concerns)]
    lines += ["", "Candidates:" if outcome.candidates else "No candidates."]
    lines += map(candidate_text, outcome.candidates)
    return "\n".join(lines)


def _found_later(calls: int) -> Iterator[str]:
    """Say that numbers came for calls that were there without an account."""
    if calls:
        yield f"  {counted(calls, 'call')} taken in without an account found it"


def _shadow_line(challenger: dict[str, Any] | None) -> Iterator[str]:
    """Say that a challenger scored too; why one could not is among the concerns."""
    if challenger and not challenger["note"]:
        yield (
            f"  {counted(challenger['accounts_scored'], 'account')} scored in shadow by "
            f"{challenger['model_id'][:12]}: `callsieve model compare`"
        )


def hour_text(outcome: HourlyOutcome) -> str:
    """Say what an hour came to, in lines for a terminal."""
    if outcome.note:
        return outcome.note
    hits = ", ".join(f"{row['rule']} {row['accounts']}" for row in outcome.rules) or "none"
    lines = [
        f"{counted(outcome.ingest['files'], 'file')}, "
        f"{counted(outcome.ingest['accepted'], 'new row')}; "
        f"rules hit: {hits}; {counted(outcome.cases_opened, 'case')} opened, "
        f"{outcome.cases_refreshed} with new evidence"
    ]
    if outcome.concerns:
        lines += ["Needs a person:", *(f"  - {concern}" for concern in outcome.concerns)]
    return "\n".join([*lines, *map(candidate_text, outcome.candidates)])


def candidate_text(candidate: Candidate) -> str:
    """Say who a candidate is and why, behind its place in the queue, in lines for a terminal."""
    return f"{candidate.rank:4}. {account_text(candidate)}"


def account_text(candidate: Candidate) -> str:
    """Say who an account is and why it has its score, in lines for a terminal."""
    return "\n".join(_account_lines(candidate))


def _account_lines(candidate: Candidate) -> Iterator[str]:
    score = "unknown" if candidate.score is None else f"{candidate.score:.2f}"
    yield f"{candidate.account_id}  score {score}, {candidate.band}"
    for reason in candidate.reasons[:REASONS_PRINTED]:
        weight = (
            "enough by itself" if reason.share == 1 else f"{reason.share * 100:.0f} % of the score"
        )
        yield from textwrap.wrap(
            f"{reason.text} ({weight})",
            width=96,
            initial_indent="      - ",
            subsequent_indent="        ",
        )
    if candidate.similar_blocked:
        near = ", ".join(
            f"{one.account_id} ({one.similarity:.2f})" for one in candidate.similar_blocked
        )
        yield f"      most like blocked {near}"


def _where_next(home: str, lake: Lake) -> Iterator[str]:
    command = typed()
    run = f"{command} --home {shlex.quote(home)}"
    settings = from_here(samples() / "callsieve.toml")
    yield f"Lake:   {lake.where}"
    yield f"Report: {lake.home.reports / (SAMPLE_DAY.isoformat() + '.html')}"
    yield "Next:"
    yield f'  {run} query "{SAMPLE_QUESTION}" --purpose fraud'
    yield f"  {run} review user add ada --role reviewer"
    yield f"  {run} review serve        the queue, in a browser"
    yield f"  {run} --config {settings} nightly --date {SAMPLE_DAY}        the night again"
    yield f"  {command} init        settings for your own switches, in a folder of your own"
