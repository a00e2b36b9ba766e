"""What becomes of a hit: a reason beside those of the model, or a candidate of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import polars as pl

from fraud.candidates import BANDS, Band, Candidate, Reason


def rule_candidates(hits: pl.DataFrame) -> tuple[Candidate, ...]:
    """Return one candidate for each account that rules hit, the most urgent first.

    Parameters
    ----------
    hits : DataFrame
        Rows of `rule_hits`; those that are only reported are left out.
    """
    acting = hits.filter(~pl.col("report_only"))
    found = []
    for (account,), of_account in acting.group_by("account_id", maintain_order=True):
        rows = of_account.sort("band", "rule").rows(named=True)  # `high` before `medium`
        reasons = tuple(Reason(row["signal"], row["value"], row["text"], 1.0) for row in rows)
        bands: list[Band] = [row["band"] for row in rows]
        found.append(Candidate(str(account), None, _highest(bands), 1, "rules", reasons))
    order = sorted(found, key=lambda one: (-BANDS.index(one.band), one.account_id))
    return tuple(replace(one, rank=rank) for rank, one in enumerate(order, start=1))


def with_rules(scored: Sequence[Candidate], by_rules: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return the night's candidates and those of rules, each account once.

    An account that both name keeps score, rank and neighbours; the rules' reasons come
    first, and its band is the higher one.
    """
    hit = {one.account_id: one for one in by_rules}
    both = tuple(
        replace(
            one,
            band=_highest([one.band, hit[one.account_id].band]),
            reasons=hit[one.account_id].reasons + one.reasons,
        )
        if one.account_id in hit
        else one
        for one in scored
    )
    names = {one.account_id for one in scored}
    rest = [one for one in by_rules if one.account_id not in names]
    last = max((one.rank for one in scored), default=0)
    return both + tuple(replace(one, rank=last + n) for n, one in enumerate(rest, start=1))


def _highest(bands: Iterable[Band]) -> Band:
    return max(bands, key=BANDS.index)
