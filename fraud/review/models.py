"""What the queue's database keeps: cases, what they rest on, and their trail.

Columns and constraints only; which steps a case may take stands in `cases`. Text
is kept as it came and is escaped where it is shown.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.db import models

from fraud.review.cases import UNDECIDED

_Row = TypeVar("_Row", bound=models.Model)


class AppendOnlyRows(models.QuerySet[_Row]):
    """Rows that are written once."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise TypeError(f"rows of {self.model.__name__} are never changed")

    def delete(self) -> NoReturn:
        """Refuse."""
        raise TypeError(f"rows of {self.model.__name__} are never removed")


class AppendOnly(models.Model):
    """A row that is written once."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row; refuse to write it a second time."""
        if not self._state.adding:
            raise TypeError(f"rows of {type(self).__name__} are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise TypeError(f"rows of {type(self).__name__} are never removed")


class Case(models.Model):
    """One account under review; an account has at most one case that is not decided."""

    account_id = models.TextField(db_index=True)
    status = models.TextField()
    status_since = models.DateTimeField()
    reviewer = models.TextField(null=True)
    opened_at = models.DateTimeField()
    # of the newest evidence, kept here so that the queue is sorted from an index
    as_of_date = models.DateField()
    score = models.FloatField(null=True)
    band = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_id"],
                condition=models.Q(status__in=sorted(status.value for status in UNDECIDED)),
                name="one_open_case_per_account",
            )
        ]
        indexes = [models.Index("status", models.F("score").desc(), name="case_by_urgency")]


class Evidence(AppendOnly):
    """What one night's scoring said about the account of a case."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="evidence")
    as_of_date = models.DateField()
    run_id = models.TextField()
    recorded_at = models.DateTimeField()
    score = models.FloatField(null=True)
    band = models.TextField()
    rank = models.PositiveIntegerField()
    method = models.TextField()
    reasons = models.JSONField()
    similar_blocked = models.JSONField()
    similar_good = models.JSONField()
    model_id = models.TextField(null=True)
    feature_set = models.TextField(null=True)
    data_version = models.TextField(null=True)
    numbering_version = models.TextField(null=True)

    objects = AppendOnlyRows["Evidence"].as_manager()


class CaseEvent(AppendOnly):
    """One entry of a case's trail."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    by = models.TextField()
    kind = models.TextField()
    before = models.TextField(null=True)
    after = models.TextField()
    note = models.TextField(blank=True)
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, null=True)

    objects = AppendOnlyRows["CaseEvent"].as_manager()
