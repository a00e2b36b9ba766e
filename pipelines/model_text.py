"""What the commands of models say on a terminal.

Here: words. Not here: what they are about (:mod:`pipelines.commands.model`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipelines.terminal import counted

if TYPE_CHECKING:
    from fraud.model.comparison import Comparison
    from fraud.shadow import InShadow


def trained_text(found: Mapping[str, Any]) -> str:
    """Say for a terminal what a model was trained on, and what comes next."""
    auc = found["left_out_auc"]
    lines = [
        f"{found['model_id']}  as of {found['trained_as_of']}, "
        f"{counted(found['blocked_count'], 'blocked account')}, {found['good_count']:,} good",
        "area under the curve on accounts left out: "
        + ("unknown" if auc is None else f"{auc:.3f}"),
        f"card: {found['card']}",
        f"It scores once it is the champion: callsieve model promote {found['model_id'][:8]}",
    ]
    return "\n".join(lines)


def compared_text(compared: Comparison) -> str:
    """Say how far two models agree on a midnight, and whom only one puts first."""
    of = {"the first": compared.only_champion, "the second": compared.only_challenger}
    only = [f"only by {name}: {', '.join(ids) or 'none'}" for name, ids in of.items()]
    return "\n".join([_agreement(compared), *only])


def shadow_text(found: InShadow) -> str:
    """Write nights in shadow for a terminal."""
    if not found.nights:
        return f"{found.challenger} challenges; no night has scored with it yet"
    lines = [f"{found.challenger} in shadow on {counted(len(found.nights), 'night')}"]
    lines += [f"{day}: {_agreement(night)}" for day, night in found.nights]
    for name, worked in (
        ("champion", found.champion_worked),
        ("challenger", found.challenger_worked),
    ):
        lines.append(
            f"{name}: {worked.turned_out} of {worked.accounts} accounts among its first were "
            "blocked or confirmed since"
        )
    return "\n".join(lines)


def _agreement(compared: Comparison) -> str:
    """Say how far two models agree on a midnight."""
    correlation = compared.rank_correlation
    alike = "" if correlation is None else f", rank correlation {correlation:.2f}"
    return (
        f"{compared.shared_at_capacity} of the first {compared.capacity} are the same, "
        f"{counted(compared.accounts, 'account')}{alike}"
    )
