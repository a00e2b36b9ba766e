"""The commands that train, score, explain, and keep the shelf of models."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cdr import Lake, open_lake
from cdr.errors import WrongUse
from cdr.privacy.restrictions import left_alone
from pipelines.model_text import compared_text, shadow_text, trained_text
from pipelines.terminal import NEEDS_A_PERSON, Json, paced, show, tell

if TYPE_CHECKING:
    from fraud.scoring import Night
    from fraud.shadow import InShadow

AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        formats=["%Y-%m-%d"],
        help="UTC day; nothing from its first instant on is seen. Without it, today.",
    ),
]
ModelId = Annotated[
    str | None, typer.Option("--model", help="First digits of a model's id; else the champion.")
]

app = typer.Typer()
models = typer.Typer(
    help="Trained models: list, promote, challenge, compare.", no_args_is_help=True
)
app.add_typer(models, name="model")


@app.command()
def train(ctx: typer.Context, as_of: AsOf = None, as_json: Json = False) -> None:
    """Train a model on what was known at a midnight, and put it on the shelf.

    Nothing scores with it before `callsieve model promote`.

    Example: callsieve train --as-of 2026-10-01
    """
    from fraud.model.training import save
    from pipelines.model_card import write_card

    lake = open_lake(ctx.obj())
    night = _night(lake, as_of, fresh=True)
    if night.model is None:
        show({"model_id": None, "note": night.note}, as_json=as_json, text=night.note)
        raise typer.Exit(NEEDS_A_PERSON)
    card = night.model.card
    model_id = save(night.model, lake.home.models)
    _, page = write_card(lake.home.models, model_id, night.model)
    found = {
        "model_id": model_id,
        "trained_as_of": card.trained_as_of,
        "blocked_count": card.blocked_count,
        "good_count": card.good_count,
        "caught_share": card.caught_share,
        "feature_set": card.feature_set,
        "scikit_learn": card.sklearn_version,
        "calibrated_on": card.calibrated_on,
        "left_out_auc": card.left_out_auc,
        "identity_parameters": card.identity_parameters,
        "card": str(page),
    }
    show(found, as_json=as_json, text=trained_text(found))


@app.command()
def evaluate(
    ctx: typer.Context,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First midnight (UTC) to score."),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last one; without it, --wait-days ago."),
    ] = None,
    every_days: Annotated[int, typer.Option(min=1, help="Days from one to the next.")] = 1,
    wait_days: Annotated[
        int, typer.Option(min=1, help="Days after the last midnight whose outcomes count.")
    ] = 14,
    truth: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="`truth/accounts.parquet` of a simulation, or the same as CSV.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="First digits of the id of a model that scores every night."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Score past nights as they would have been scored, and compare with what came of it.

    Each night learns from what was known then; with --model that one scores all of them, so that
    champion and challenger are judged on the same nights, after both were trained. Writes a
    report; exit code 1 where a signal seems to know the future.

    Example: callsieve evaluate --from 2026-09-20 --to 2026-09-26 --wait-days 5
    """
    from fraud.backtest import backtest, midnights_between
    from fraud.model.shelf import named
    from fraud.review.queue import decisions_as_labels, has_queue
    from fraud.truth import read_truth
    from pipelines.model_card import write_evaluation

    lake = open_lake(ctx.obj())
    start, end, known_until = _judged(first, last, wait_days)
    found = backtest(
        lake,
        midnights_between(start, end, every_days=every_days),
        known_until=known_until,
        labels_before=lambda at: (
            decisions_as_labels(lake.home.root, before=at) if has_queue(lake.home.root) else None
        ),
        model_id=named(lake.home.models, model) if model else None,
        truth=read_truth(truth) if truth else None,
        tell=tell,
    )
    said = found.as_json()
    name = f"evaluation-{found.nights[-1]}"
    if found.model_id:
        name += f"-{found.model_id[:12]}"
    text_file, page = write_evaluation(lake.home.reports, name, said)
    said["report"] = str(page)
    show(said, as_json=as_json, text=text_file.read_text("utf-8"))
    if found.leaks:
        raise typer.Exit(NEEDS_A_PERSON)


def _judged(
    first: datetime | None, last: datetime | None, wait_days: int
) -> tuple[datetime, datetime, datetime]:
    """Return the first and the last midnight to score, and until when outcomes count."""
    today = datetime.now(tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    end = last.replace(tzinfo=UTC) if last else today - timedelta(days=wait_days)
    start = first.replace(tzinfo=UTC) if first else end - timedelta(days=13)
    known_until = min(end + timedelta(days=wait_days), today)
    if not start <= end < known_until:
        raise WrongUse("--from must not be after --to, and --to must be before today (UTC)")
    return start, end, known_until


@app.command()
def score(
    ctx: typer.Context, as_of: AsOf = None, model: ModelId = None, as_json: Json = False
) -> None:
    """Score every open account as of a midnight and print the candidates; writes nothing.

    Example: callsieve score --as-of 2026-10-01
    """
    from pipelines.commands.nightly import candidate_text

    lake = open_lake(ctx.obj())
    night = _night(lake, as_of, model)
    found = {**_said(lake, night), "candidates": [one.as_json() for one in night.candidates]}
    lines = [f"{night.scores.height:,} accounts scored by {night.method}"]
    lines += [night.note] if night.note else []
    lines += [candidate_text(one) for one in night.candidates]
    show(found, as_json=as_json, text="\n".join(lines))


@app.command()
def explain(
    ctx: typer.Context,
    account: str,
    as_of: AsOf = None,
    model: ModelId = None,
    as_json: Json = False,
) -> None:
    """Say why an account has the score it has, candidate or not.

    Example: callsieve explain C1000073 --as-of 2026-10-01
    """
    from pipelines.commands.nightly import account_text

    lake = open_lake(ctx.obj())
    if account in left_alone(lake, as_of=datetime.now(tz=UTC)):
        raise WrongUse(
            "not scored: its data are restricted or objected to, see `callsieve person requests`"
        )
    night = _night(lake, as_of, model, only=account)
    if night.scores.filter(night.scores["account_id"] == account).is_empty():
        raise WrongUse("no open account of that name was known then; check the name and --as-of")
    found = [one for one in night.candidates if one.account_id == account]
    if not found:
        raise WrongUse(f"the account was not among the candidates ({night.note})")
    near_good = [asdict(one) for one in found[0].similar_good]
    said = {**_said(lake, night), **found[0].as_json(), "similar_good": near_good}
    said.pop("rank")
    show(said, as_json=as_json, text=account_text(found[0]))
    if found[0].score is None:
        tell(unknown_because(lake.settings.scoring.min_calls))


def unknown_because(min_calls: int) -> str:
    """Say why nothing tells what an account is like, and what can be asked instead."""
    return (
        f"unknown: fewer than {min_calls} calls made in the 30 days before and nothing shared with "
        "a blocked account; --as-of DATE takes another midnight than the last"
    )


@models.command("list")
def list_models(ctx: typer.Context, as_json: Json = False) -> None:
    """List the models of the shelf, the newest first.

    Example: callsieve model list
    """
    from fraud.model.shelf import shelved

    found = shelved(open_lake(ctx.obj()).home.models)
    lines = [
        f"{one.model_id}  as of {one.trained_as_of}, {one.blocked_count:,} blocked, "
        f"{one.good_count:,} good{', champion' if one.is_champion else ''}"
        f"{', challenger' if one.is_challenger else ''}"
        for one in found
    ]
    show(
        {"models": [asdict(one) for one in found]},
        as_json=as_json,
        text="\n".join(lines) or "No models yet: callsieve train --as-of DATE",
    )


@models.command()
def promote(
    ctx: typer.Context,
    model: Annotated[str | None, typer.Argument(help="First digits of a model's id.")] = None,
    previous: Annotated[bool, typer.Option(help="Go back by one promotion.")] = False,
    nightly: Annotated[bool, typer.Option(help="Learn anew each night again.")] = False,
    as_json: Json = False,
) -> None:
    """Let a model score from the next night on, or go back.

    Going back passes over models that cannot be read any more.

    Example: callsieve model promote 3f9a
    """
    from fraud.model.shelf import champion_id, named, roll_back
    from fraud.model.shelf import promote as promote_model

    if (model is not None) + previous + nightly != 1:
        raise WrongUse("give a model, or --previous, or --nightly")
    folder = open_lake(ctx.obj()).home.models
    skipped: tuple[str, ...] = ()
    if previous:
        skipped = roll_back(folder)
    else:
        wanted = named(folder, model) if model else None
        promote_model(folder, wanted, now=datetime.now(tz=UTC))
    champion = champion_id(folder)
    text = f"{champion} scores from now on" if champion else "Each night learns anew"
    lines = [*(f"{one} cannot be read any more and is passed over" for one in skipped), text]
    show({"champion": champion, "skipped": skipped}, as_json=as_json, text="\n".join(lines))


@models.command()
def challenge(
    ctx: typer.Context,
    model: Annotated[str | None, typer.Argument(help="First digits of a model's id.")] = None,
    none: Annotated[bool, typer.Option("--none", help="Let no model challenge.")] = False,
    as_json: Json = False,
) -> None:
    """Let each night score with a model in shadow, beside the one that scores.

    Its scores go to `shadow_scores` and open no case; `callsieve model compare` shows both.

    Example: callsieve model challenge 81c0
    """
    from fraud.model.shelf import challenge as let_challenge
    from fraud.model.shelf import named

    if (model is not None) + none != 1:
        raise WrongUse("give a model, or --none")
    folder = open_lake(ctx.obj()).home.models
    challenger = named(folder, model) if model else None
    let_challenge(folder, challenger)
    text = f"{challenger} scores in shadow from now on" if challenger else "No model challenges"
    show({"challenger": challenger}, as_json=as_json, text=text)


@models.command()
def compare(
    ctx: typer.Context,
    champion: Annotated[str | None, typer.Argument(help="First digits of a model's id.")] = None,
    challenger: Annotated[str | None, typer.Argument(help="First digits of another's.")] = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Say how far two models agree: on one midnight, or on the nights that one challenged.

    Without models, what the challenger said in shadow is compared with what scored, night by
    night, and who of the first of each was blocked or confirmed since is counted.

    Example: callsieve model compare 3f9a 81c0 --as-of 2026-10-01
    """
    from fraud.model.comparison import compared_nights

    lake = open_lake(ctx.obj())
    if champion is None and as_of is None:
        found = _in_shadow(lake)
        show(found.as_json(), as_json=as_json, text=shadow_text(found))
        return
    if champion is None or challenger is None:
        raise WrongUse("give two models, or none for the nights that were scored in shadow")
    one, other = (_night(lake, as_of, model).scores for model in (champion, challenger))
    compared = compared_nights(one, other, capacity=lake.settings.scoring.daily_capacity)
    show(asdict(compared), as_json=as_json, text=compared_text(compared))


def _in_shadow(lake: Lake) -> InShadow:
    from fraud.model.shelf import challenger_id
    from fraud.reference import NO_LABELS, accounts_as_of, with_decisions
    from fraud.review.queue import decisions_as_labels, has_queue
    from fraud.shadow import in_shadow

    challenger = challenger_id(lake.home.models)
    if challenger is None:
        raise WrongUse("no model challenges: `callsieve model challenge MODEL`, or give two models")
    now = datetime.now(tz=UTC)
    labels = NO_LABELS
    if has_queue(lake.home.root):
        labels = decisions_as_labels(lake.home.root, before=now)
    accounts = with_decisions(accounts_as_of(lake, now), labels)
    return in_shadow(lake, challenger, accounts.filter("pattern")["account_id"])


def _night(
    lake: Lake,
    as_of: datetime | None,
    model: str | None = None,
    *,
    only: str | None = None,
    fresh: bool = False,
) -> Night:
    """Bring the days up to date and score; a midnight that is still to come is refused."""
    from fraud.days import reduce_days
    from fraud.model.shelf import named
    from fraud.review.queue import decisions_as_labels, has_queue
    from fraud.scoring import score_night

    now = datetime.now(tz=UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    midnight = as_of.replace(tzinfo=UTC) if as_of else today
    if midnight > today:
        raise WrongUse("that day has not begun yet (UTC); give one that has")
    model_id = named(lake.home.models, model) if model else None
    for concern in reduce_days(lake, as_of=midnight, progress=paced(tell)).concerns:
        tell(concern)
    labels = None
    if has_queue(lake.home.root):
        labels = decisions_as_labels(lake.home.root, before=midnight)
    return score_night(
        lake, as_of=midnight, model_id=model_id, only=only, use_shelf=not fresh, labels=labels,
        told_by=midnight if fresh else now,
    )  # fmt: skip


def _said(lake: Lake, night: Night) -> dict[str, Any]:
    """Return what stands before every answer: method and versions."""
    from cdr.normalise.numbers import NUMBERING_VERSION
    from fraud.scoring import data_version

    return {
        "method": night.method,
        "note": night.note,
        "accounts_scored": night.scores.height,
        "feature_set": night.feature_set,
        "identity_parameters": night.model.card.identity_parameters if night.model else None,
        "data_version": data_version(lake),
        "numbering_version": NUMBERING_VERSION,
    }
