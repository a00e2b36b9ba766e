"""What the queue's database keeps: cases, what they rest on, and their trail.

Columns and constraints only; which steps a case may take stands in `cases`. Text
is kept as it came and is escaped where it is shown.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.conf import settings
from django.db import models

from fraud.review.cases import UNDECIDED, Access
from fraud.review.rights import Right, Role, may

_UNDECIDED = models.Q(status__in=sorted(status.value for status in UNDECIDED))
_SORTED = (models.F("urgency").desc(), models.F("id"))
_ASKED = tuple(
    models.F(name)
    for name in (
        "status", "band", "kind", "plan", "country", "sampled", "escalated", "reviewer",
        "locked_until", "due_at", "opened_at",
    )
)  # fmt: skip
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


class CaseRows(models.QuerySet["Case"]):
    """Cases, with the questions that pages ask."""

    def in_scope(self, staff: Staff) -> CaseRows:
        """Keep those that a person's countries and plans allow; empty lists allow all."""
        rows = self
        if staff.countries:
            rows = rows.filter(country__in=staff.countries)
        if staff.plans:
            rows = rows.filter(plan__in=staff.plans)
        return rows

    def by_urgency(self) -> CaseRows:
        """Sort the most urgent first."""
        return self.order_by("-urgency", "pk")


class Case(models.Model):
    """One account under review; an account has at most one case that is not decided."""

    account_id = models.TextField(db_index=True)
    status = models.TextField()
    status_since = models.DateTimeField()
    reviewer = models.TextField(null=True)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)
    wake_at = models.DateTimeField(null=True)
    access = models.TextField(default=Access.FREE.value)
    suspended_until = models.DateTimeField(null=True)
    proposed_by = models.TextField(null=True)
    # user names between commas, which no user name contains: ",ada,bob,"
    barred = models.TextField(default="")
    escalated = models.BooleanField(default=False)
    sampled = models.BooleanField(default=False)
    # of the newest evidence, kept here so that the queue is sorted and filtered from an index
    as_of_date = models.DateField()
    score = models.FloatField(null=True)
    urgency = models.FloatField()
    band = models.TextField()
    kind = models.TextField(default="other")
    summary = models.JSONField(default=list)
    plan = models.TextField(default="")
    country = models.TextField(default="")
    money_at_risk_usd = models.DecimalField(max_digits=18, decimal_places=2, null=True)

    objects = CaseRows.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_id"], condition=_UNDECIDED, name="one_open_case_per_account"
            )
        ]
        # what filters ask stands in the index, so that a case that does not match costs no look
        # into the table: at 100,000 cases 15 ms instead of 600
        indexes = [
            models.Index(*_SORTED, *_ASKED, condition=_UNDECIDED, name="open_by_urgency"),
            models.Index(*_SORTED, *_ASKED, name="case_by_urgency"),
            models.Index(
                models.F("reviewer"), *_SORTED, condition=_UNDECIDED, name="open_by_reviewer"
            ),
            *(models.Index(name, name=f"case_by_{name}") for name in ("kind", "plan", "country")),
        ]


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
    action = models.TextField(default="")
    reason = models.TextField(default="")
    until = models.DateTimeField(null=True)
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, null=True)
    # what the case was before, so that the step can be judged and taken back
    was = models.JSONField(null=True)
    # seconds from the first look at the case, since it was taken, to the decision
    looked_s = models.FloatField(null=True)
    # when the case was due as it was decided, of decisions of people
    due_at = models.DateTimeField(null=True)

    objects = AppendOnlyRows["CaseEvent"].as_manager()

    class Meta:
        indexes = [models.Index("at", name="event_by_time")]


class AuditEntry(AppendOnly):
    """Who looked at what, or did what: personal data seen, actions, people managed."""

    at = models.DateTimeField(db_index=True)
    by = models.TextField(db_index=True)
    action = models.TextField()
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True)
    account_id = models.TextField(default="", db_index=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    why = models.TextField(default="")

    objects = AppendOnlyRows["AuditEntry"].as_manager()


class Staff(models.Model):
    """What a user is here: role, scope, and whether a second factor is required."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="staff"
    )
    role = models.TextField(choices=[(role.value, role.value) for role in Role])
    countries = models.JSONField(default=list)
    plans = models.JSONField(default=list)
    second_factor_required = models.BooleanField(default=False)

    def may(self, right: Right) -> bool:
        """Say whether the person has a right."""
        return may(Role(self.role), right)


class SavedView(models.Model):
    """A filter of the queue that a person keeps under a name."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.TextField()
    query = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="one_view_a_name")]


class OutboxMessage(models.Model):
    """One decision on its way to the operator's systems."""

    key = models.UUIDField(unique=True)
    event = models.OneToOneField(CaseEvent, on_delete=models.PROTECT)
    kind = models.TextField()
    payload = models.JSONField()
    created_at = models.DateTimeField()
    # from when on it cannot be taken back any more
    released_at = models.DateTimeField(db_index=True)
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    state = models.TextField()
    fault = models.TextField(default="")

    class Meta:
        indexes = [models.Index("state", "next_attempt_at", name="outbox_due")]


class ApiToken(models.Model):
    """A key for another system, which acts as the user it belongs to, within its scopes."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.TextField()
    digest = models.TextField(unique=True)
    scopes = models.JSONField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
