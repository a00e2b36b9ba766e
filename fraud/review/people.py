"""People in the database: how one is added, from a page or from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from axes.utils import reset
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from cdr.errors import WrongUse
from fraud.review.audit import note_action
from fraud.review.models import Staff


@transaction.atomic
def count() -> int:
    """Count who can sign in."""
    return User.objects.filter(is_active=True).count()


def add_person(
    name: str,
    password: str,
    *,
    role: str,
    by: str,
    at: datetime,
    countries: Sequence[str] = (),
    plans: Sequence[str] = (),
    second_factor_required: bool = False,
) -> Staff:
    """Add a person with a role; there is no person before the first is added.

    Raises
    ------
    WrongUse
        If the name is taken or not allowed, or the password is too short, too common,
        only digits or like the name; says which, never the password.
    """
    user = User(username=name)
    try:
        user.clean_fields(exclude=["password"])
        validate_password(password, user)
    except ValidationError as error:
        raise WrongUse(" ".join(error.messages)) from None
    if User.objects.filter(username=name).exists():
        raise WrongUse("there is a person of that name already")
    user.set_password(password)
    user.save()
    staff = Staff.objects.create(
        user=user,
        role=role,
        countries=list(countries),
        plans=list(plans),
        second_factor_required=second_factor_required,
    )
    note_action("add_person", by=by, at=at, after={"role": role}, why=name)
    return staff


@transaction.atomic
def set_password(name: str, password: str, *, by: str, at: datetime) -> None:
    """Give a person another password; sessions signed with the old one end, so does a lock-out.

    Raises
    ------
    WrongUse
        If there is no such person, or the password will not do.
    """
    user = User.objects.filter(username=name).first()
    if user is None:
        raise WrongUse("there is no person of that name")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WrongUse(" ".join(error.messages)) from None
    user.set_password(password)
    user.save(update_fields=["password"])
    reset(username=name)
    note_action("password_set", by=by, at=at, why=name)
