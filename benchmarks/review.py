"""What reviewers wait for: a morning of several people on a full queue over a filled lake.

    python benchmarks/review.py --cases 100000 --calls-a-day 100000 --reviewers 20 --seconds 60

A lake is filled (an account for each case, 30 days of calls that are reduced as a night does, 90
days of events), a case is opened for each account, and `callsieve review serve` runs on it as users
run it. Then each reviewer, signed in with cookies of their own, repeats:

    the queue with a filter; next case; the case page; for about every second case the
    calls behind a reason; for every fifth another case from the list of the queue, and a search for
    an account; a decision (seven in ten clear, two suspend for a time, one asks for proof)

once the server has read ahead, with a pause before each of these. Pauses are
drawn evenly between half and one and a half `--think` seconds. Static files are not counted: a
browser keeps them. No page was asked for before, so nothing is warm but what the server warms.

Printed as JSON: answers, failures, and milliseconds at the median and the 95th percentile in all
and for each page; answers a second and cases decided; the server's processor time, the cores it
used, its processor time for each page asked for alone (which other work on the machine does not
change), and peak memory. Clients run on the same machine as the server.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any
from urllib.parse import urlencode

import numpy as np
import polars as pl
from nightly_features import LAST, accounts, calls, filled

import cdr
from cdr.schema import ACCOUNT_EVENTS, ACCOUNTS, CALLS, Table
from fraud.candidates import Candidate, Reason, SimilarAccount
from fraud.days import reduce_days
from fraud.features.signals import SIGNALS
from fraud.review.facts import Facts
from fraud.review.queue import new_person, open_cases
from fraud.review.rights import Role

COUNTRIES = ("DE", "FR", "IT", "ES", "PL")
EVENTS_A_DAY = 20_000
REASONS = 5
NEAR = 3
PASSWORD = "a-benchmark-asks-for-one-7"
STARTS_WITHIN_S = 600.0
PATIENCE_S = 60.0
ROUNDS = 20


def main() -> None:
    """Fill, serve, ask and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cases", type=int, default=100_000)
    options.add_argument("--calls-a-day", type=int, default=100_000)
    options.add_argument("--reviewers", type=int, default=20)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--think", type=float, default=3.0, help="seconds between requests")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", type=Path, help="leave the home here, or use the one there")
    given = options.parse_args()
    given.accounts = given.cases
    home = given.keep or Path(tempfile.mkdtemp())
    try:
        if not (home / "review.sqlite3").exists():
            fill_lake(home, given)
            fill_queue(home, given)
        sys.stdout.write(json.dumps(measured(home, given), indent=1) + "\n")
    finally:
        if not given.keep:
            shutil.rmtree(home)


def fill_lake(home: Path, given: argparse.Namespace) -> None:
    """Draw accounts, 30 days of calls as compaction leaves them, and 90 days of events."""
    random = np.random.default_rng(given.seed)
    lake = cdr.open_lake(cdr.load_settings(home=home), create=True)
    put(lake, ACCOUNTS, accounts(given.accounts, random))
    for back in range(30):
        day = calls(LAST - timedelta(days=back), given, random)
        put(lake, CALLS, day.sort("account_id", "started_at", "record_id"))
    for first in range(0, 90, 10):
        put(lake, ACCOUNT_EVENTS, events(first, given.accounts, random))
    reduce_days(lake, as_of=midnight())


def put(lake: cdr.Lake, table: Table, rows: pl.DataFrame) -> None:
    """Add rows to a table, as compaction leaves them."""
    with lake.batch("benchmark") as batch, lake.writing():
        batch.add(table, rows, lasting=True)
        batch.publish()


def midnight() -> datetime:
    """Return the midnight that the cases look back from."""
    return datetime(LAST.year, LAST.month, LAST.day, tzinfo=UTC) + timedelta(days=1)


def events(first: int, count: int, random: np.random.Generator) -> pl.DataFrame:
    """Draw ten days of sign-ins and payments, from `first` days back."""
    number = 10 * EVENTS_A_DAY
    drawn = pl.DataFrame(
        {
            "n": pl.arange(number, eager=True),
            "account": random.integers(0, count, number),
            "back": pl.Series(random.integers(first * 86_400, (first + 10) * 86_400, number)),
            "paid": random.random(number) < 0.2,
        }
    )
    at = pl.lit(midnight()) - pl.duration(seconds=pl.col("back") + 1)
    known = drawn.select(
        event_id=pl.format("{} {}", pl.lit(first), "n").cast(pl.Binary),
        account_id=pl.format("A{}", "account"),
        at=at,
        kind=pl.when("paid").then(pl.lit("payment")).otherwise(pl.lit("sign_in")),
        ip=pl.format("81.2.{}.{}", pl.col("account") // 250 % 250, pl.col("account") % 250),
        device=pl.format("device {}", pl.col("account") // 2),
        imported_at=at,
        event_date=at.dt.date(),
    )
    return filled(ACCOUNT_EVENTS, known).sort("event_date", "account_id")


def fill_queue(home: Path, given: argparse.Namespace) -> None:
    """Open a case for each account, with reasons and similar accounts, and let people sign in."""
    random = Random(given.seed)
    lake = cdr.open_lake(cdr.load_settings(home=home))
    status = lake.scan(ACCOUNTS).select("account_id", "status").collect()
    blocked = status.filter(pl.col("status") == "blocked")["account_id"].to_list()
    good = status.filter(pl.col("status") == "active")["account_id"].to_list()
    made = [one_candidate(n, random, blocked, good) for n in range(given.cases)]
    facts = {one.account_id: Facts("pro", COUNTRIES[one.rank % 5]) for one in made}
    open_cases(
        home, made, run_id="benchmark", as_of=midnight().date(), now=datetime.now(tz=UTC),
        facts=facts,
    )  # fmt: skip
    for n in range(given.reviewers):
        new_person(
            home, f"reviewer-{n}", PASSWORD, role=Role.REVIEWER, by="benchmark",
            now=datetime.now(tz=UTC),
        )  # fmt: skip


def one_candidate(number: int, random: Random, blocked: list[str], good: list[str]) -> Candidate:
    """Draw why an account is a candidate; the server works out the same signals of those near."""
    reasons = tuple(
        Reason(signal.name, random.random(), "drawn for the benchmark", 1 / REASONS)
        for signal in random.sample(SIGNALS, REASONS)
    )
    return Candidate(
        account_id=f"A{number}", score=random.random(), band="medium", rank=number + 1,
        method="similarity", reasons=reasons,
        similar_blocked=tuple(SimilarAccount(one, 0.9) for one in random.sample(blocked, NEAR)),
        similar_good=tuple(SimilarAccount(one, 0.5) for one in random.sample(good, NEAR)),
    )  # fmt: skip


class Reviewer:
    """A person with a browser's cookies, who takes note of how long each answer took."""

    def __init__(self, port: int, number: int, think_s: float) -> None:
        self.port, self.random, self.think_s = port, Random(number), think_s
        self.cookies: dict[str, str] = {}
        self.token, self.text = "", ""
        self.took_ms: list[tuple[str, float]] = []
        self.failed: list[str] = []
        self.ask("sign in", "GET", "/sign-in")
        self.ask("sign in", "POST", "/sign-in", username=f"reviewer-{number}", password=PASSWORD)
        self.took_ms.clear()

    def ask(self, page: str, method: str, path: str, **form: str) -> str:
        """Ask for a page and return where the answer leads to."""
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Origin": f"http://localhost:{self.port}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = urlencode({**form, "csrfmiddlewaretoken": self.token}) if method == "POST" else None
        began = time.perf_counter()
        connection = http.client.HTTPConnection("localhost", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except TimeoutError:
            self.failed.append(f"{page}: no answer in {PATIENCE_S:.0f} s")
            return ""
        finally:
            connection.close()
        self.took_ms.append((page, (time.perf_counter() - began) * 1000))
        self._keep(answer, text)
        if answer.status not in {200, 302}:
            self.failed.append(f"{page}: {answer.status}")
        return answer.headers.get("Location", "")

    def _keep(self, answer: http.client.HTTPResponse, text: str) -> None:
        for cookie in answer.msg.get_all("Set-Cookie", []):
            name, _, value = cookie.strip().partition(";")[0].partition("=")
            self.cookies[name] = value
        if found := re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text):
            self.token = found[1]
        self.text = text

    def think(self) -> None:
        """Pause as somebody does who reads."""
        time.sleep(self.think_s * self.random.uniform(0.5, 1.5))

    def look(self, case: str) -> str:
        """Open a case and return its page."""
        self.ask("case page", "GET", case)
        return self.text

    def work(self, until_s: float) -> int:
        """Live mornings until the time is over; return how many cases were decided."""
        decided = 0
        time.sleep(self.random.uniform(0, 5 * self.think_s))  # nobody begins at the same moment
        while time.monotonic() < until_s:
            country = COUNTRIES[self.random.randrange(5)]
            self.ask("queue", "GET", f"/?country={country}")
            listed = re.findall(r'href="(/cases/\d+)"', self.text)
            self.think()
            if self.random.random() < 0.2:
                self.look(self.random.choice(listed))
                self.think()
                self.ask("search", "GET", f"/?account=A{self.random.randrange(9)}")
                self.think()
            case = self.ask("next case", "POST", "/next", country=country)
            if not case:
                continue
            page = self.look(case)
            self.think()
            behind = re.findall(rf'href="({case}/(?:calls|events|texts|numbers|ties)/\w+)"', page)
            if behind and self.random.random() < 0.5:
                self.ask("calls behind", "GET", self.random.choice(behind))
                self.think()
            self.ask("decide", "POST", f"{case}/decide", **self.choice())
            self.think()
            decided += 1
        return decided

    def one_of_each(self) -> Iterator[str]:
        """Ask for each page once, without a pause; yields its name after the answer."""
        self.ask("queue", "GET", "/?country=DE")
        yield "queue"
        case = self.ask("next case", "POST", "/next", country="DE")
        yield "next case"
        page = self.look(case)
        yield "case page"
        if behind := re.findall(rf'href="({case}/(?:calls|events|texts|numbers|ties)/\w+)"', page):
            self.ask("calls behind", "GET", behind[0])
            yield "calls behind"
        self.ask("decide", "POST", f"{case}/decide", **self.choice())
        yield "decide"

    def choice(self) -> dict[str, str]:
        """Draw a decision."""
        until = (datetime.now(tz=UTC) + timedelta(days=7)).date().isoformat()
        return self.random.choice(
            [{"action": "clear", "reason": "coincidence"}] * 7
            + [{"action": "suspend", "reason": "traffic_pattern", "until": until}] * 2
            + [{"action": "ask_proof", "reason": "identity", "until": until}]
        )


def measured(home: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Let everybody work for the time and sum up."""
    began = time.monotonic()
    with served(home) as (port, process):
        ahead_s, ahead_processor_s = time.monotonic() - began, processor_s(process)
        people = [Reviewer(port, n, given.think) for n in range(given.reviewers)]
        before_s = processor_s(process)
        began = time.monotonic()
        with ThreadPoolExecutor(given.reviewers) as pool:
            decided = sum(pool.map(lambda one: one.work(began + given.seconds), people))
        took_s = time.monotonic() - began
        used_s = processor_s(process) - before_s
        alone = processor_ms(people[0], process)
        peak_mb = peak_of(process)
    asked = [one for person in people for one in person.took_ms]
    failed = [fault for person in people for fault in person.failed]
    by_page: dict[str, list[float]] = {}
    for page, ms in asked:
        by_page.setdefault(page, []).append(ms)
    return {
        "cases": given.cases, "calls_a_day": given.calls_a_day, "reviewers": given.reviewers,
        "think_s": given.think, "cores": os.cpu_count(), "load_before": os.getloadavg()[1],
        "answers": len(asked), "failed": len(failed), "failures": sorted(set(failed)),
        "decided": decided, "answers_a_second": round(len(asked) / took_s, 1),
        "all": spread([ms for _, ms in asked]),
        "processor_ms_one_at_a_time": alone,
        "pages": {page: spread(ms) for page, ms in sorted(by_page.items())},
        "server": {
            "until_read_ahead_s": round(ahead_s),
            "until_read_ahead_processor_s": round(ahead_processor_s),
            "processor_s": round(used_s, 1),
            "processor_ms_an_answer": round(used_s / len(asked) * 1000),
            "cores_used": round(used_s / took_s, 2), "peak_mb": peak_mb,
        },
    }  # fmt: skip


def processor_ms(person: Reviewer, process: subprocess.Popen[bytes]) -> dict[str, int]:
    """Return the server's processor time of each page, in ms, over rounds of one person alone."""
    used: dict[str, list[float]] = {}
    before_s = processor_s(process)
    for _ in range(ROUNDS):
        for page in person.one_of_each():
            after_s = processor_s(process)
            used.setdefault(page, []).append((after_s - before_s) * 1000)
            before_s = after_s
    return {page: round(sum(ms) / len(ms)) for page, ms in used.items()}


def spread(ms: list[float]) -> dict[str, float]:
    """Return how often, and milliseconds at the median, the 95th percentile and the worst."""
    if len(ms) < 2:
        return {"answers": len(ms)}
    cuts = quantiles(ms, n=20)
    return {
        "answers": len(ms), "p50_ms": round(cuts[9]), "p95_ms": round(cuts[18]),
        "worst_ms": round(max(ms)),
    }  # fmt: skip


def processor_s(process: subprocess.Popen[bytes]) -> float:
    """Return the processor time of the server so far, in s (proc(5), utime and stime)."""
    ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def peak_of(process: subprocess.Popen[bytes]) -> int:
    """Return the most memory that the server held, in MB."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
    return int(found[1]) // 1024 if found else 0


@contextmanager
def served(home: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run ``callsieve review serve`` on a free port; ends it afterwards."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    command = [str(Path(sys.executable).with_name("callsieve")), "--home", str(home)]
    log = home / "server.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*command, "review", "serve", "--port", str(port)], stdout=said, stderr=said
        )
    try:
        until = time.monotonic() + STARTS_WITHIN_S
        while b"read ahead" not in log.read_bytes():
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"the server did not start: {log.read_text()}")
            time.sleep(0.2)
        yield port, process
    finally:
        process.terminate()
        process.wait(timeout=20)


if __name__ == "__main__":
    main()
