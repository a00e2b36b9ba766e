"""The gate before every view: signed in, second factor, right, pace.

A view says with :func:`needs` what right it asks for. One that says nothing is shown
to nobody, so a forgotten line closes a page instead of opening it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar, cast

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render

from fraud.review.models import Staff
from fraud.review.rights import Right

V = TypeVar("V", bound=Callable[..., HttpResponseBase])

PACE = 240
"""Requests a minute for each person or address. Ours: four a second is more than a hand does."""

PACE_WINDOW_S = 60.0
OPEN = "open to all"
HALF = "open before the second factor"


def needs(right: Right | str) -> Callable[[V], V]:
    """Say what right a view asks for; :data:`OPEN` or :data:`HALF` for the ways in."""

    def mark(view: V) -> V:
        view.right = right  # type: ignore[attr-defined]
        return view

    return mark


class gate:  # noqa: N801 - Django names middleware like functions
    """Middleware that lets a request through to its view, or not."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.paces = Paces()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Refuse who comes too fast, pass on the rest."""
        user = request.user
        who = f"u{user.pk}" if user.is_authenticated else f"a{request.META.get('REMOTE_ADDR')}"
        if not self.paces.allow(who, time.monotonic()):
            return _too_fast(request)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Answer for the view where it must not be reached."""
        right = getattr(view, "right", None)
        if right == OPEN:
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        staff = staff_of(request)
        if right == HALF:
            return None
        if not cast("Any", request.user).is_verified() and _has_factor(request, staff):
            return redirect("second-factor")
        if not isinstance(right, Right) or not staff.may(right):
            raise PermissionDenied
        return None


def _too_fast(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        answer: HttpResponse = JsonResponse({"detail": f"at most {PACE} requests a minute"})
        answer.status_code = 429
    else:
        answer = render(request, "review/too_fast.html", status=429)
    answer.headers["Retry-After"] = f"{PACE_WINDOW_S:.0f}"
    return answer


def _has_factor(request: HttpRequest, staff: Staff) -> bool:
    from django_otp import user_has_device

    return staff.second_factor_required or user_has_device(request.user)


def staff_of(request: HttpRequest) -> Staff:
    """Return what the signed-in user is here.

    Raises
    ------
    PermissionDenied
        If nobody gave the user a role.
    """
    kept = getattr(request, "_staff", None)
    if kept is None:
        kept = Staff.objects.select_related("user").filter(user=cast("User", request.user)).first()
        if kept is None:
            raise PermissionDenied
        request._staff = kept  # type: ignore[attr-defined]
    return cast("Staff", kept)


class Paces:
    """How fast each of many comes, over the last minute; in memory of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: dict[str, deque[float]] = {}

    def allow(self, who: str, now_s: float) -> bool:
        """Count a request and say whether it is within the pace."""
        with self._lock:
            if len(self._seen) > 10_000:
                self._seen = {k: v for k, v in self._seen.items() if v[-1] > now_s - PACE_WINDOW_S}
            times = self._seen.setdefault(who, deque())
            while times and times[0] <= now_s - PACE_WINDOW_S:
                times.popleft()
            times.append(now_s)
            return len(times) <= PACE
