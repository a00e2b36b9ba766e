"""Argon2 at its least: slow by design otherwise, and not what most tests are about."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """What it makes, the server's own Argon2 can check."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
