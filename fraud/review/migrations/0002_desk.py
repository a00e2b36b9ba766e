"""What reviewers need: people, locks, dates, what the queue is filtered by, audit, outbox."""

import datetime
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Coalesce


def give_old_cases_their_place(apps: Any, schema_editor: object) -> None:
    """Sort cases made before this by their score, and let them be due when they were opened."""
    apps.get_model("review", "Case").objects.update(
        urgency=Coalesce(F("score"), -1.0), due_at=F("opened_at")
    )


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.TextField()),
                ("digest", models.TextField(unique=True)),
                ("scopes", models.JSONField()),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(db_index=True)),
                ("by", models.TextField(db_index=True)),
                ("action", models.TextField()),
                ("account_id", models.TextField(db_index=True, default="")),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                ("why", models.TextField(default="")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="OutboxMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(unique=True)),
                ("kind", models.TextField()),
                ("payload", models.JSONField()),
                ("created_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(db_index=True)),
                ("next_attempt_at", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("state", models.TextField()),
                ("fault", models.TextField(default="")),
            ],
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.TextField()),
                ("query", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="Staff",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.TextField(
                        choices=[
                            ("reviewer", "reviewer"),
                            ("lead", "lead"),
                            ("dpo", "dpo"),
                            ("administrator", "administrator"),
                            ("read-only", "read-only"),
                        ]
                    ),
                ),
                ("countries", models.JSONField(default=list)),
                ("plans", models.JSONField(default=list)),
                ("second_factor_required", models.BooleanField(default=False)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="case",
            name="one_open_case_per_account",
        ),
        migrations.RemoveIndex(
            model_name="case",
            name="case_by_urgency",
        ),
        migrations.AddField(
            model_name="case",
            name="access",
            field=models.TextField(default="free"),
        ),
        migrations.AddField(
            model_name="case",
            name="barred",
            field=models.TextField(default=""),
        ),
        migrations.AddField(
            model_name="case",
            name="country",
            field=models.TextField(default=""),
        ),
        migrations.AddField(
            model_name="case",
            name="due_at",
            field=models.DateTimeField(
                default=datetime.datetime(2026, 1, 1, 0, 0, tzinfo=datetime.UTC)
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="case",
            name="escalated",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="case",
            name="kind",
            field=models.TextField(default="other"),
        ),
        migrations.AddField(
            model_name="case",
            name="locked_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="case",
            name="money_at_risk_usd",
            field=models.DecimalField(decimal_places=2, max_digits=18, null=True),
        ),
        migrations.AddField(
            model_name="case",
            name="plan",
            field=models.TextField(default=""),
        ),
        migrations.AddField(
            model_name="case",
            name="proposed_by",
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name="case",
            name="sampled",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="case",
            name="summary",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="case",
            name="suspended_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="case",
            name="urgency",
            field=models.FloatField(default=-1.0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="case",
            name="wake_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="caseevent",
            name="action",
            field=models.TextField(default=""),
        ),
        migrations.AddField(
            model_name="caseevent",
            name="looked_s",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="caseevent",
            name="reason",
            field=models.TextField(default=""),
        ),
        migrations.AddField(
            model_name="caseevent",
            name="until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="caseevent",
            name="was",
            field=models.JSONField(null=True),
        ),
        migrations.RunPython(give_old_cases_their_place, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                models.OrderBy(models.F("urgency"), descending=True),
                models.F("id"),
                condition=models.Q(
                    ("status__in", ["open", "proposed", "suspended", "taken", "waiting"])
                ),
                name="open_by_urgency",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                models.F("status"),
                models.OrderBy(models.F("urgency"), descending=True),
                models.F("id"),
                name="case_by_urgency",
            ),
        ),
        migrations.AddIndex(
            model_name="caseevent",
            index=models.Index(models.F("at"), name="event_by_time"),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("status__in", ["open", "proposed", "suspended", "taken", "waiting"])
                ),
                fields=("account_id",),
                name="one_open_case_per_account",
            ),
        ),
        migrations.AddField(
            model_name="apitoken",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="case",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, to="review.case"
            ),
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="event",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, to="review.caseevent"
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="staff",
            name="user",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="staff",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="outboxmessage",
            index=models.Index(models.F("state"), models.F("next_attempt_at"), name="outbox_due"),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(fields=("user", "name"), name="one_view_a_name"),
        ),
    ]
