"""One person in the queue's database: what is held, and taking the person out of it.

Beside `old_cases` the only place where rows that are written once are changed: the person they
name was erased. Works from the models, so that a new one is covered without a line here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import models as fields
from django.db import transaction
from django.db.models.functions import Cast

from cdr.lake.home import Home
from fraud.review.database import queue_database
from fraud.review.old_cases import overwrite_freed, remove_cases


@dataclass(slots=True)
class QueueErased:
    """What was found of a person in the queue, and what became of it."""

    cases: int = 0
    rows_removed: int = 0
    found: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)


def cases_of(home: Path, account_id: str) -> list[dict[str, Any]]:
    """Return the cases of an account with evidence and trail, as JSON keeps it."""
    with queue_database(home):
        from fraud.review import models

        return [
            {
                "case_id": case.pk,
                "status": case.status,
                "access": case.access,
                "opened_at": _plain(case.opened_at),
                "evidence": [_row(row, "case") for row in case.evidence.order_by("pk")],
                "events": [_row(row, "case", "evidence") for row in case.events.order_by("pk")],
                "seen_and_done": [
                    _row(row, "case")
                    for row in models.AuditEntry.objects.filter(case=case).order_by("pk")
                ],
            }
            for case in models.Case.objects.filter(account_id=account_id).order_by("pk")
        ]


def erase_from_queue(
    home: Path,
    account_id: str | None,
    parts: list[str],
    without: Callable[[str], str],
    *,
    now: datetime,
) -> QueueErased:
    """Remove the account's cases, and the person from whatever else names it; safe to repeat.

    Parameters
    ----------
    home : Path
        Whose queue.
    account_id : str or None
        Whose cases go; they must be decided.
    parts : list of str
        Texts that occur wherever the person is named.
    without : callable
        Gives a text without the person; the same text where it names nobody.
    now : datetime
        UTC instant at which it is noted that entries of the queue's audit log changed.
    """
    done = QueueErased()
    with queue_database(home):
        from fraud.review import models
        from fraud.review.audit_seal import sealing_again

        with transaction.atomic(), sealing_again(Home(home), now=now, why="erasure of a person"):
            if account_id is not None:
                of_account = models.Case.objects.filter(account_id=account_id)
                ids = list(of_account.values_list("pk", flat=True))
                done.cases, done.rows_removed = len(ids), remove_cases(ids) if ids else 0
            found: Counter[str] = Counter()
            for model, column, key, value in _naming(parts):
                changed = _changed(value, without)
                if changed != value:
                    found[f"{model._meta.db_table}.{column}"] += 1
                    fields.QuerySet(model).filter(pk=key).update(**{column: changed})
            done.found = dict(found)
        if done.cases or done.found:
            overwrite_freed()
        done.left = named_in_queue(parts, without)
    return done


def named_in_queue(parts: list[str], without: Callable[[str], str]) -> dict[str, int]:
    """Count cells that name the person, by table and column. Within `queue_database`."""
    left: Counter[str] = Counter()
    for model, column, _, value in _naming(parts):
        if _changed(value, without) != value:
            left[f"{model._meta.db_table}.{column}"] += 1
    return dict(left)


def _naming(parts: list[str]) -> Iterator[tuple[type[fields.Model], str, Any, Any]]:
    """Give each cell of text in which one of the parts occurs, of every table."""
    for model in apps.get_models():
        for column in model._meta.concrete_fields:
            if not isinstance(column, fields.TextField | fields.CharField | fields.JSONField):
                continue
            if column.primary_key:
                continue
            rows = fields.QuerySet(model).annotate(_text=Cast(column.attname, fields.TextField()))
            which = fields.Q()
            for part in parts:
                which |= fields.Q(_text__contains=part)
                if (escaped := json.dumps(part)[1:-1]) != part:
                    which |= fields.Q(_text__contains=escaped)
            if not parts:
                continue
            for key, value in rows.filter(which).values_list("pk", column.attname):
                yield model, column.attname, key, value


def _changed(value: Any, without: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return without(value)
    if isinstance(value, list):
        return [_changed(one, without) for one in value]
    if isinstance(value, dict):
        return {name: _changed(one, without) for name, one in value.items()}
    return value


def _row(row: fields.Model, *besides: str) -> dict[str, Any]:
    return {
        column.name: _plain(getattr(row, column.attname))
        for column in row._meta.concrete_fields
        if column.name not in besides
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
