"""A site to click through: one home with accounts, calls, a queue and people, and its clients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cdr.imports import import_accounts, import_events
from cdr.ingest import ingest
from cdr.lake import Lake, open_lake
from cdr.settings import Settings, SourceSettings
from fraud.candidates import Candidate, Reason, SimilarAccount
from fraud.days import reduce_days
from fraud.review.cases import Case
from fraud.review.database import queue_database
from fraud.review.decisions import Action, Wish
from fraud.review.facts import Facts
from fraud.review.queue import new_person, open_cases
from fraud.review.rights import Role

if TYPE_CHECKING:
    from django.test import Client

PLAIN = Candidate(
    account_id="acc-1",
    score=0.6,
    band="medium",
    rank=1,
    method="similarity",
    reasons=(
        Reason("short_call_share", 0.4, "40 % of answered calls end within 6 s", 0.7),
        Reason("off_hours_share", None, "active hours are not known", 0.3),
    ),
    similar_blocked=(SimilarAccount("acc-8", 0.9),),
    similar_good=(SimilarAccount("acc-9", 0.5),),
)

PASSWORD = "only-for-these-tests-7"
PEOPLE = {
    "ada": Role.REVIEWER,
    "bob": Role.REVIEWER,
    "lea": Role.LEAD,
    "dora": Role.DPO,
    "root": Role.ADMINISTRATOR,
    "ron": Role.READ_ONLY,
}
NIGHT = date(2026, 3, 2)
SHORT = "67 % of the answered calls lasted 6 s or less"
MORNING = datetime(2026, 3, 2, 3, tzinfo=UTC)

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e%00{{7*7}}"
QUOTED = '"' + HOSTILE.replace('"', '""') + '"'

ACCOUNTS = (
    "account_id,created_at,name,email,phone,address,country,devices,signup_ip,plan,"
    "status,status_since,status_reason\n"
    "acc-1,2026-02-20T00:00:00Z,Ada Lovelace,ada@mail.example,+4930123456,Main Road 1,DE,"
    "dev-111222333,192.0.2.7,starter,active,,\n"
    f"acc-2,2026-02-20T00:00:00Z,{QUOTED},,,,DE,,,pro,active,,\n"
    "acc-8,2026-01-01T00:00:00Z,Mallory,m@mail.example,+4930999999,Main Road 1,DE,"
    "dev-111222333,192.0.2.7,starter,blocked,2026-02-01T00:00:00Z,fraud\n"
    "acc-9,2026-01-01T00:00:00Z,Grace Hopper,g@mail.example,+4930888888,Side Road 2,DE,"
    ",198.51.100.9,pro,active,,\n"
)
CALLS = """\
record_id,account_id,caller,callee,started_at,duration_s,outcome
r1,acc-1,030 123456,030 200001,2026-02-24 10:00:00,4,answered
r2,acc-1,030 123456,030 200002,2026-02-25 10:00:00,6,answered
r3,acc-1,030 123456,030 200003,2026-02-26 22:00:00,60,answered
r4,acc-1,030 123456,+44 20 7946 0001,2026-02-26 22:05:00,0,busy
r5,acc-1,030 123456,030 200005,2026-02-01 10:00:00,5,answered
r6,acc-9,030 888888,030 200001,2026-02-26 10:00:00,30,answered
r7,acc-8,030 999999,030 200002,2026-01-20 10:00:00,30,answered
"""
EVENTS = """\
account_id,at,kind,ip,device,payment_fingerprint,amount,currency,counterpart,detail
acc-1,2026-02-21T08:00:00Z,payment,192.0.2.7,,card-485018880940,25.00,EUR,,
acc-1,2026-02-22T08:00:00Z,sign_in,192.0.2.7,dev-111222333,,,,,
"""


def site_settings(home: Path) -> Settings:
    source = SourceSettings(format="plain_csv", zone="UTC", country="DE")
    return Settings(home=home, sources={"pbx": source})


def fill_site(home: Path) -> None:
    """Lay out a home: four accounts, seven calls, two events, three cases, six people."""
    lake = open_lake(site_settings(home), create=True)
    files = home / "files"
    files.mkdir()
    for name, text in (("accounts", ACCOUNTS), ("calls", CALLS), ("events", EVENTS)):
        (files / f"{name}.csv").write_text(text, "utf-8")
    import_accounts(lake, files / "accounts.csv", now=MORNING)
    import_events(lake, files / "events.csv", now=MORNING)
    pbx = lake.settings.sources["pbx"]
    ingest(lake, [files / "calls.csv"], source_name="pbx", source=pbx, now=MORNING)
    reduce_days(lake, as_of=datetime(2026, 3, 2, tzinfo=UTC))
    high = replace(
        PLAIN, score=0.9, band="high",
        reasons=(
            Reason("short_call_share_7d", 2 / 3, SHORT, 0.7),
            Reason("outbound_calls_count_7d", 4, "4 calls made", 0.2),
            Reason("sign_ins_count_7d", 0, "no sign-ins", 0.1),
        ),
    )  # fmt: skip
    hostile = replace(
        PLAIN, account_id="acc-2", rank=2,
        reasons=(Reason("cost_usd_7d", 1, HOSTILE, 1.0),), similar_blocked=(), similar_good=(),
    )  # fmt: skip
    nine = Reason("outbound_calls_count_30d", 9, "9 calls made", 0.1)  # one of them is left
    other = replace(
        PLAIN, account_id="acc-9", rank=3, score=0.5, reasons=(*PLAIN.reasons, nine)
    )  # fmt: skip
    open_cases(
        home, [high, hostile, other], run_id="r", as_of=NIGHT, now=MORNING,
        facts={"acc-1": Facts("starter", "DE"), "acc-2": Facts("pro", "FR"),
               "acc-9": Facts("pro", "DE")},
    )  # fmt: skip
    for name, role in PEOPLE.items():
        new_person(home, name, PASSWORD, role=role, by="test", now=MORNING)


def act(
    home: Path, case_id: int, action: Action, *, at: datetime, by: str = "ada", **said: str
) -> Case:
    """Let one of the people do something with a case; none of them is limited to a country."""
    with queue_database(home):
        from fraud.review import desk, models

        staff = models.Staff(role=PEOPLE[by])
        return desk.act(case_id, staff, Wish(action, by, PEOPLE[by], at, **said))


@dataclass(frozen=True, slots=True)
class Site:
    """A home with its application, and clients that are signed in."""

    home: Path
    lake: Lake

    def client(self, name: str | None = None) -> Client:
        """Return a client over TLS, signed in where a name is given."""
        from django.contrib.auth.models import User
        from django.test import Client

        client = Client(enforce_csrf_checks=False, headers={"host": "localhost"})
        client.defaults["wsgi.url_scheme"] = "https"
        if name is not None:
            backend = "django.contrib.auth.backends.ModelBackend"
            client.force_login(User.objects.get(username=name), backend=backend)
        return client
