"""Keep with a decision when its case was due, which a contest changes afterwards."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("review", "0003_queue_indexes")]

    operations = [
        migrations.AddField(
            model_name="caseevent", name="due_at", field=models.DateTimeField(null=True)
        ),
    ]
