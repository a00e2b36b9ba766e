"""The addresses of the review application."""

from __future__ import annotations

from django.urls import path

from fraud.review.web import (
    views_case,
    views_outbox,
    views_people,
    views_queue,
    views_requests,
    views_sign_in,
    views_team,
)
from fraud.review.web.api import URLS

urlpatterns = [
    path("", views_queue.queue, name="queue"),
    path("home", views_queue.home, name="home"),
    path("next", views_queue.take_next, name="next"),
    path("views", views_queue.save_view, name="save-view"),
    path("views/<int:view_id>/remove", views_queue.remove_view, name="remove-view"),
    path("clear", views_queue.clear_several, name="clear-several"),
    path("cases/<int:case_id>", views_case.case, name="case"),
    path("cases/<int:case_id>/decide", views_case.decide, name="decide"),
    path("cases/<int:case_id>/reveal", views_case.reveal, name="reveal"),
    path("cases/<int:case_id>/<str:rows>/<str:signal>", views_case.behind_number, name="behind"),
    path("team", views_team.team, name="team"),
    path("outbox", views_outbox.outbox, name="outbox"),
    path("outbox/<int:message_id>/resend", views_outbox.resend, name="resend"),
    path("requests", views_requests.requests, name="requests"),
    path("requests/<str:request_id>/decide", views_requests.decide_request, name="decide-request"),
    path("audit", views_team.audit, name="audit"),
    path("people", views_people.people, name="people"),
    path("people/add", views_people.add, name="add-person"),
    path("people/<int:user_id>", views_people.change, name="change-person"),
    path("me", views_people.me, name="me"),
    path("me/tokens", views_people.make_token, name="make-token"),
    path("me/tokens/<int:token_id>/revoke", views_people.revoke_token, name="revoke-token"),
    path("keys", views_sign_in.keys, name="keys"),
    path("sign-in", views_sign_in.sign_in, name="login"),
    path("sign-out", views_sign_in.sign_out, name="sign-out"),
    path("password", views_sign_in.password, name="password"),
    path("second-factor", views_sign_in.second_factor, name="second-factor"),
    path("second-factor/set-up", views_sign_in.set_up_factor, name="set-up-factor"),
    path("alive", views_sign_in.alive, name="alive"),
    path("api/", URLS),
]

handler400 = "fraud.review.web.views_sign_in.bad_request"
handler403 = "fraud.review.web.views_sign_in.forbidden"
handler404 = "fraud.review.web.views_sign_in.not_found"
handler500 = "fraud.review.web.views_sign_in.failed"
