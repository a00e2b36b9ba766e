"""People: their roles and scopes, managed by administrators; one's own tokens."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_otp import user_has_device

from fraud.review import tokens
from fraud.review.audit import note_action
from fraud.review.models import ApiToken, Staff
from fraud.review.people import add_person
from fraud.review.rights import Right, Role
from fraud.review.web.gate import needs, staff_of
from fraud.review.web.shown import now

ROLES = [(role.value, role.value) for role in Role]


def _codes(value: str) -> list[str]:
    return sorted({one.strip() for one in value.split(",") if one.strip()})


class ScopeForm(forms.Form):
    """What a person is: role, scope, second factor, active."""

    role = forms.ChoiceField(choices=ROLES)
    countries = forms.CharField(required=False, max_length=1000, help_text="Codes, such as DE, FR")
    plans = forms.CharField(required=False, max_length=1000)
    second_factor_required = forms.BooleanField(required=False)
    active = forms.BooleanField(required=False, initial=True)

    def scope(self) -> dict[str, Any]:
        """Return what is kept of a valid form."""
        return {
            "role": self.cleaned_data["role"],
            "countries": [code.upper() for code in _codes(self.cleaned_data["countries"])],
            "plans": _codes(self.cleaned_data["plans"]),
            "second_factor_required": self.cleaned_data["second_factor_required"],
        }


class NewPersonForm(ScopeForm):
    """A new person, with a first password."""

    name = forms.CharField(max_length=150, validators=[UnicodeUsernameValidator()])
    password = forms.CharField(widget=forms.PasswordInput, max_length=1000, strip=False)
    field_order = ("name", "password")

    def clean(self) -> dict[str, Any]:
        """Check the password against the name and known ones."""
        cleaned = super().clean() or {}
        if cleaned.get("password") and cleaned.get("name"):
            try:
                validate_password(cleaned["password"], User(username=cleaned["name"]))
            except ValidationError as error:
                self.add_error("password", error)
            if User.objects.filter(username=cleaned["name"]).exists():
                self.add_error("name", "That name is taken.")
        return cleaned


@needs(Right.MANAGE_PEOPLE)
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """List people."""
    listed = [
        (staff, user_has_device(staff.user))
        for staff in Staff.objects.select_related("user").order_by("user__username")
    ]
    return render(request, "review/people.html", {"people": listed})


@needs(Right.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Add a person."""
    form = NewPersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        add_person(
            form.cleaned_data["name"],
            form.cleaned_data["password"],
            by=staff_of(request).user.get_username(),
            at=now(),
            **form.scope(),
        )
        messages.success(request, "Added.")
        return redirect("people")
    return render(request, "review/person.html", {"form": form, "person": None})


@needs(Right.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, user_id: int) -> HttpResponse:
    """Change what a person is; nobody changes oneself, so that one administrator remains."""
    me = staff_of(request)
    person = get_object_or_404(Staff.objects.select_related("user"), user_id=user_id)
    before = _state(person)
    form = ScopeForm(request.POST or None, initial={
        **before, "countries": ", ".join(person.countries), "plans": ", ".join(person.plans),
    })  # fmt: skip
    if request.method == "POST" and person.user == me.user:
        messages.error(request, "Somebody else has to change your rights.")
    elif request.method == "POST" and form.is_valid():
        with transaction.atomic():
            for name, value in form.scope().items():
                setattr(person, name, value)
            person.save()
            person.user.is_active = form.cleaned_data["active"]
            person.user.save(update_fields=["is_active"])
            note_action(
                "change_person", by=me.user.get_username(), at=now(), before=before,
                after=_state(person), why=person.user.get_username(),
            )  # fmt: skip
        messages.success(request, "Changed.")
        return redirect("people")
    return render(request, "review/person.html", {"form": form, "person": person})


def _state(person: Staff) -> dict[str, Any]:
    return {
        "role": person.role,
        "countries": person.countries,
        "plans": person.plans,
        "second_factor_required": person.second_factor_required,
        "active": person.user.is_active,
    }


@needs(Right.OWN_ACCOUNT)
@require_GET
def me(request: HttpRequest) -> HttpResponse:
    """Show one's own sign-in and tokens."""
    user = staff_of(request).user
    own = ApiToken.objects.filter(user=user).order_by("-pk")
    context = {"tokens": own, "has_factor": user_has_device(user), "scopes": tokens.SCOPES}
    return render(request, "review/me.html", context)


@needs(Right.OWN_ACCOUNT)
@require_POST
def make_token(request: HttpRequest) -> HttpResponse:
    """Make a token; it is shown this once."""
    user = staff_of(request).user
    name = request.POST.get("name", "").replace("\x00", "").strip()[:100]
    scopes = [scope for scope in request.POST.getlist("scope") if scope in tokens.SCOPES]
    if not name or not scopes:
        messages.error(request, "A token needs a name and at least one scope.")
        return redirect("me")
    secret = tokens.make(user, name, scopes, now=now())
    note_action("make_token", by=user.get_username(), at=now(), why=", ".join(scopes))
    return render(request, "review/token.html", {"secret": secret, "name": name})


@needs(Right.OWN_ACCOUNT)
@require_POST
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """Let one of one's own tokens end."""
    user = staff_of(request).user
    token = get_object_or_404(ApiToken, pk=token_id, user=user, revoked_at=None)
    token.revoked_at = now()
    token.save(update_fields=["revoked_at"])
    note_action("revoke_token", by=user.get_username(), at=now(), why=token.name)
    messages.success(request, "The token has ended.")
    return redirect("me")
