"""Django's settings for the review queue: what is the same for every home.

Which database, is known at run time only and set by `fraud.review.database`. There
is no default secret key: nothing here signs anything yet, and Django refuses to
sign without one.
"""

from __future__ import annotations

INSTALLED_APPS = ["fraud.review"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING_CONFIG = None
"""Logging belongs to the entry point, not to a library that it loads."""

BUSY_TIMEOUT_S = 20
"""How long to wait for another writer. Ours: a night's cases are written in about a second."""

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "",
        "OPTIONS": {
            "timeout": BUSY_TIMEOUT_S,
            # the lock is taken at BEGIN, so what a transaction read still holds when it writes
            "transaction_mode": "IMMEDIATE",
        },
    }
}
