"""The review queue as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    """Names the application; nothing happens when it is loaded."""

    name = "fraud.review"
    label = "review"
    default_auto_field = "django.db.models.BigAutoField"
