"""Indexes that hold what the queue's filters ask, and urgency by score, money and age."""

from typing import Any

from django.db import migrations, models

from fraud.review.facts import urgency

FIELDS = ("score", "money_at_risk_usd", "opened_at")


def sort_old_cases_anew(apps: Any, schema_editor: object) -> None:
    """Give cases made before this the place that new ones get."""
    cases = apps.get_model("review", "Case").objects
    batch = []
    for case in cases.only("pk", *FIELDS).iterator(1000):
        case.urgency = urgency(case.score, case.money_at_risk_usd, since=case.opened_at)
        batch.append(case)
        if len(batch) == 1000:
            cases.bulk_update(batch, ["urgency"])
            batch = []
    cases.bulk_update(batch, ["urgency"])


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0002_desk"),
    ]

    operations = [
        migrations.RunPython(sort_old_cases_anew, migrations.RunPython.noop),
        migrations.RemoveIndex(
            model_name="case",
            name="open_by_urgency",
        ),
        migrations.RemoveIndex(
            model_name="case",
            name="case_by_urgency",
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                models.OrderBy(models.F("urgency"), descending=True),
                models.F("id"),
                models.F("status"),
                models.F("band"),
                models.F("kind"),
                models.F("plan"),
                models.F("country"),
                models.F("sampled"),
                models.F("escalated"),
                models.F("reviewer"),
                models.F("locked_until"),
                models.F("due_at"),
                models.F("opened_at"),
                condition=models.Q(
                    ("status__in", ["open", "proposed", "suspended", "taken", "waiting"])
                ),
                name="open_by_urgency",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                models.OrderBy(models.F("urgency"), descending=True),
                models.F("id"),
                models.F("status"),
                models.F("band"),
                models.F("kind"),
                models.F("plan"),
                models.F("country"),
                models.F("sampled"),
                models.F("escalated"),
                models.F("reviewer"),
                models.F("locked_until"),
                models.F("due_at"),
                models.F("opened_at"),
                name="case_by_urgency",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                models.F("reviewer"),
                models.OrderBy(models.F("urgency"), descending=True),
                models.F("id"),
                condition=models.Q(
                    ("status__in", ["open", "proposed", "suspended", "taken", "waiting"])
                ),
                name="open_by_reviewer",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(models.F("kind"), name="case_by_kind"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(models.F("plan"), name="case_by_plan"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(models.F("country"), name="case_by_country"),
        ),
    ]
