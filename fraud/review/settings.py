"""Django's settings for the review queue."""

from __future__ import annotations

INSTALLED_APPS: list[str] = []
USE_TZ = True
