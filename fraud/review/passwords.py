"""Refuse passwords that are quickly guessed: breached ones and what people make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings as django_settings
from django.core.exceptions import ValidationError
from zxcvbn import zxcvbn

from cdr.errors import CdrError, storage
from fraud.review.breached import is_breached

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User

LEAST_SCORE = 4
"""Of 0 to 4: more than 10**10 guesses. Ours: at 3, more than 10**8, `Summer2026!!` passes
(the scores: Wheeler, "zxcvbn", USENIX Security 2016)."""

LOOKED_AT = 72
"""Signs of a password that are judged; zxcvbn takes no more, as its time grows with the square."""

OWN_WORDS = ("callsieve", "review", "fraud", "telephony")
"""What somebody would try first here."""


class GuessableValidator:
    """One of Django's password validators, by zxcvbn, which asks nobody over the network.

    It knows some 30,000 breached passwords, names and frequent words in English, and what people
    do to them: capitals, years, ``1`` for ``l``, rows of keys, repetition.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        """Refuse a password that a guesser soon comes to.

        Raises
        ------
        ValidationError
            Says what makes it weak; never quotes it.
        """
        if not password:  # too short, as another validator says
            return
        name = [user.get_username()] if user else []
        found = zxcvbn(password[:LOOKED_AT], user_inputs=[*OWN_WORDS, *name])
        if found["score"] < LEAST_SCORE:
            feedback = found["feedback"]
            hints = [feedback["warning"].rstrip("."), "use four or more words that do not belong "
                     "together, or a password manager"]  # fmt: skip
            text = "; ".join(hint for hint in hints if hint)
            raise ValidationError(f"This password is too easy to guess: {text}.", code="guessable")

    def get_help_text(self) -> str:
        """Return what the page says before."""
        return "Your password must not be easy to guess, such as a known one with a year added."


class BreachedValidator:
    """One of Django's password validators: the operator's own list of breached passwords.

    It refuses every password while that file is there and cannot be read.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        """Refuse a password that is in the list; without one, refuse none.

        Raises
        ------
        ValidationError
            Says why; never quotes the password.
        """
        file: Path | None = django_settings.BREACHED_PASSWORDS
        if file is None or not file.exists():
            return
        try:
            with storage("reading the list of breached passwords"):
                known = is_breached(password, file)
        except CdrError as error:
            raise ValidationError(str(error), code="unreadable") from None
        if known:
            text = "This password is known from a breach: somebody will try it. Choose another."
            raise ValidationError(text, code="breached")

    def get_help_text(self) -> str:
        """Return what the page says before."""
        return "Your password must not be known from a breach."
