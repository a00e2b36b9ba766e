"""Tokens of the API: made once, shown once, kept as a hash, ended by a date or by hand."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from fraud.review.models import ApiToken

SCOPES = {
    "cases": "read cases",
    "evidence": "read evidence, masked",
    "decide": "decide cases, with your rights",
    "decisions": "read decisions",
}
PREFIX = "csv_"
"""Begins every token, so that one that leaked is found by a search."""

LASTS = timedelta(days=365)
"""Ours: a year; what is forgotten ends by itself."""


def make(user: User, name: str, scopes: Sequence[str], *, now: datetime) -> str:
    """Make a token for a user and return it; only its hash is kept."""
    secret = PREFIX + secrets.token_urlsafe(32)
    ApiToken.objects.create(
        user=user,
        name=name,
        digest=_digest(secret),
        scopes=list(scopes),
        created_at=now,
        expires_at=now + LASTS,
    )
    return secret


def find(secret: str, *, now: datetime) -> ApiToken | None:
    """Return the token that is meant, if it lives and its user may still sign in."""
    return (
        ApiToken.objects.select_related("user__staff")
        .filter(digest=_digest(secret), revoked_at=None, expires_at__gt=now, user__is_active=True)
        .first()
    )


def _digest(secret: str) -> str:
    # no slow hash: 256 random bits cannot be guessed
    return hashlib.sha256(secret.encode()).hexdigest()
