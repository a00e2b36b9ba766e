"""The features: signals as of midnights, out of the partial sums of days.

Here: the statement that computes them, made from the registry. Not here:
what the signals are, who asks (:mod:`fraud.features.midnight`), or the reduction
of days (:mod:`fraud.features.account_days`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from cdr.query import Query
from fraud.features.account_days import DAY_SUMS
from fraud.features.registry import Relation, Signal
from fraud.features.statements import relation, statement, text_of
from fraud.features.traces import SIGHTINGS
from fraud.features.zones import zones_sql

_SHARED = (*SIGHTINGS, "left_behind", "blocks", "links", "shared_traces")
_BUILT_ON = {
    Relation.DAYS: ("window_days",),
    Relation.CONTACTS: ("window_keys", "mass_ringers"),
    Relation.PLACES: ("window_keys",),
    Relation.HOURS: ("window_days", "window_keys", "hour_keys", "local_hours"),
    Relation.WEEK_HOURS: ("window_keys", "hour_keys"),
    Relation.EVENT_PLACES: (Relation.EVENTS,),
    Relation.EVENT_STEPS: (Relation.EVENTS,),
    Relation.ASSOCIATES: (*_SHARED, "window_days", "call_mass", "details_known"),
    Relation.SENT_TEMPLATES: (*_SHARED, Relation.MESSAGES),
}
"""Relations that others read first."""

OF_DAYS = frozenset({"window_days", "window_keys"})
"""Relations of reduced days: what is built on one grows with the days of history."""


def reads_days(source: Relation) -> bool:
    """Tell whether a relation is built on reduced days."""
    return not OF_DAYS.isdisjoint(_BUILT_ON.get(source, ()))


def window_features(
    signals: Sequence[Signal], *, scored: str = "scored_all", held: Collection[str] = ()
) -> Query:
    """Build the statement that gives one row per account and midnight; pure.

    Parameters
    ----------
    signals : sequence of Signal
        Columns wanted, in order.
    scored : str, default="scored_all"
        File of ``sql/`` that says whom to describe: every account at one
        midnight, or ``scored_pairs``.
    held : collection of str
        Relations that the session holds already, by these names.

    Returns
    -------
    Query
        Its parameters are still to be given. Columns: account_id, as_of, and each
        signal as DOUBLE, null where unknown; sorted by account and midnight.
    """
    grouped = {r: [s for s in signals if s.relation is r] for r in Relation}
    grouped = {r: of_relation for r, of_relation in grouped.items() if of_relation}
    built_on = dict.fromkeys(name for r in grouped for name in (*_BUILT_ON.get(r, ()), r))
    sources = dict.fromkeys((Relation.SUBJECTS, *built_on))
    parts = (
        *(() if "scored" in held else (scored_sql(scored),)),
        *(() if "subjects" in held else (zones_sql(),)),
        *(_relation(source) for source in sources if source not in held),
        *(_grouped(source, of_source) for source, of_source in grouped.items()),
    )
    names = "".join(f",\n    by_{s.relation}.{s.name}" for s in signals)
    joins = "".join(
        f"\nLEFT JOIN by_{r} ON by_{r}.account_id = s.account_id"
        f" AND by_{r}.as_of_date = s.as_of_date"
        for r in grouped
    )
    body = (
        f"SELECT\n    s.account_id, s.as_of{names}\nFROM scored AS s{joins}\n"
        "ORDER BY s.account_id, s.as_of"
    )
    return Query(f"window_features over {scored}", statement(parts, body))


def scored_sql(scored: str) -> str:
    """Return whom to describe as the relation `scored` of a ``WITH``; see `window_features`."""
    return f"scored AS (\n{text_of(scored)}\n)"


def _relation(source: str) -> str:
    """Return a relation of ``sql/``; that of days has each sum of theirs."""
    sums = (f"{of.of_days}({of.field.name}) AS {of.field.name}" for of in DAY_SUMS)
    return relation(source).replace("<DAY_SUMS>", ",\n    ".join(sums))


def _grouped(source: Relation, signals: Iterable[Signal]) -> str:
    columns = "".join(
        f",\n    CAST(CASE WHEN {s.count_sql} >= {s.minimum_count} THEN {s.sql} END AS DOUBLE)"
        f" AS {s.name}"
        for s in signals
    )
    return (
        f"by_{source} AS (\nSELECT\n    account_id, as_of_date{columns}\n"
        f"FROM {source}\nGROUP BY account_id, as_of_date\n)"
    )
