"""The card of a trained model, for people: Markdown, and HTML with pictures.

Everything on it comes from the model's own `card.json` and from a backtest, where one was
run; nothing names an account. Not here: what is measured (:mod:`fraud.model`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cdr.errors import storage
from cdr.html_pages import html_pages
from cdr.lake.home import write_whole
from fraud.identity.details import DETAILS
from fraud.identity.parameters import OUTSET, Parameters
from fraud.model.training import Model

SIGNALS_SHOWN = 15

_PAGES = html_pages("pipelines")
_TEXTS = _PAGES.overlay(autoescape=False)


def write_card(folder: Path, model_id: str, model: Model) -> tuple[Path, Path]:
    """Write `card.md` and `card.html` beside a model; a second call replaces them."""
    ranked = sorted(model.card.importance.items(), key=lambda pair: (-pair[1], pair[0]))
    told = {
        "model_id": model_id,
        "card": model.card,
        "ranked": ranked[:SIGNALS_SHOWN],
        "identity": model.identity,
        "weights": identity_weights(model.identity),
    }
    return _write(folder / model_id / "card", "model_card", told)


def identity_weights(
    parameters: Parameters,
) -> list[tuple[str, str, float, float, float | None, float]]:
    """Return detail, words, m as set, m, u (None: nobody had it) and matching pairs of each level.

    Examples
    --------
    >>> identity_weights(Parameters(u={"devices": 0.001}))[-5]
    ('devices', 'a device', 0.35, 0.35, 0.001, 0.0)
    """
    return [
        (
            detail.name,
            level.words,
            OUTSET[level.key],
            parameters.m[level.key],
            parameters.u.get(level.key),
            parameters.matching_pairs.get(detail.name, 0.0),
        )
        for detail in DETAILS
        for level in detail.levels
    ]


def write_evaluation(folder: Path, name: str, found: dict[str, Any]) -> tuple[Path, Path]:
    """Write an evaluation as `<name>.md` and `<name>.html`."""
    return _write(folder / name, "evaluation", {"found": found})


def calibration_points(
    bins: Sequence[tuple[float, float, int]], size: float
) -> list[tuple[float, float, float, str]]:
    """Return x, y and radius of each bin in a picture of ``size`` pixels, and its words."""
    most = max((count for _, _, count in bins), default=1)
    return [
        (
            round(score * size, 1),
            round((1 - share) * size, 1),
            round(3 + 7 * (count / most) ** 0.5, 1),
            f"score {score:.2f}, {share:.0%} of {count:,}",
        )
        for score, share, count in bins
    ]


_PAGES.filters["points"] = calibration_points
_TEXTS.filters["points"] = calibration_points


def _write(stem: Path, template: str, told: dict[str, Any]) -> tuple[Path, Path]:
    files = stem.with_name(stem.name + ".md"), stem.with_name(stem.name + ".html")
    texts = (
        _TEXTS.get_template(f"{template}.md.j2").render(told),
        _PAGES.get_template(f"{template}.html.j2").render(told),
    )
    with storage("writing a model's card"):
        for file, text in zip(files, texts, strict=True):
            write_whole(file, text.encode())
    return files
