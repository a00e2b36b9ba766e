"""The ways in and out: password, second factor, and what is said where there is no page."""

from __future__ import annotations

from typing import Any, cast

import segno
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_otp import login as pass_factor
from django_otp import match_token, user_has_device
from django_otp.plugins.otp_totp.models import TOTPDevice

from fraud.review.audit import note_action
from fraud.review.rights import Right
from fraud.review.web.gate import HALF, OPEN, needs
from fraud.review.web.shown import now

sign_in = needs(OPEN)(
    LoginView.as_view(template_name="review/sign_in.html", redirect_authenticated_user=True)
)


@needs(HALF)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("login")


@needs(HALF)
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Ask for the code of the second factor; who has none yet and needs one sets it up."""
    user = cast("Any", request.user)
    if user.is_verified():
        return redirect("queue")
    if not user_has_device(user):
        return redirect("set-up-factor")
    if request.method == "POST":
        device = match_token(user, request.POST.get("code", "")[:16])
        if device is not None:
            pass_factor(request, device)
            return redirect("queue")
        note_action("second_factor_refused", by=user.get_username(), at=now())
        messages.error(request, "That code is not right, or was used before. Wait for the next.")
    return render(request, "review/second_factor.html")


@needs(HALF)
@require_http_methods(["GET", "POST"])
def set_up_factor(request: HttpRequest) -> HttpResponse:
    """Pair an authenticator; who has one already must have passed it."""
    user = cast("Any", request.user)
    if user_has_device(user) and not user.is_verified():
        return redirect("second-factor")
    device, _ = TOTPDevice.objects.get_or_create(user=user, confirmed=False, name="new")
    if request.method == "POST":
        if device.verify_token(request.POST.get("code", "")[:16]):
            TOTPDevice.objects.filter(user=user, confirmed=True).delete()
            device.confirmed, device.name = True, "authenticator"
            device.save()
            pass_factor(request, device)
            note_action("second_factor_set_up", by=user.get_username(), at=now())
            messages.success(request, "The second factor is set up.")
            return redirect("queue")
        messages.error(request, "That code is not right. Is the clock of your device right?")
    picture = segno.make(device.config_url).svg_data_uri(scale=5, border=2)
    secret = device.config_url.partition("secret=")[2].partition("&")[0]
    return render(request, "review/set_up_factor.html", {"picture": picture, "secret": secret})


@needs(Right.OWN_ACCOUNT)
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; other sessions of the person end."""
    user = cast("Any", request.user)
    form = PasswordChangeForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        update_session_auth_hash(request, form.save())
        note_action("password_changed", by=user.get_username(), at=now())
        messages.success(request, "Your password is changed; other sessions have ended.")
        return redirect("me")
    return render(request, "review/password.html", {"form": form})


@needs(Right.OWN_ACCOUNT)
@require_GET
def keys(request: HttpRequest) -> HttpResponse:
    """Show the keys."""
    return render(request, "review/keys.html")


@needs(OPEN)
@require_GET
def alive(request: HttpRequest) -> HttpResponse:
    """Say that the server answers; nothing else, to whoever asks."""
    return HttpResponse("alive", content_type="text/plain")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say that the request makes no sense."""
    return _said(request, 400, "That request cannot be understood.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say that the role does not allow it."""
    return _said(request, 403, "Your role does not allow that. Ask who manages people here.")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say that there is no such page, or none for this person: which, is not told."""
    return _said(request, 404, "There is no such page, or it is not within your scope.")


def failed(request: HttpRequest) -> HttpResponse:
    """Say that it is our fault."""
    return _said(request, 500, "Something went wrong here. Nothing is half-done; try again.")


def _said(request: HttpRequest, status: int, words: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": words}, status=status)
    return render(request, "review/said.html", {"words": words}, status=status)
