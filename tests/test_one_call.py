"""One call's way through the house, from a line of a switch file to a case. Read this first.

Each test is a stage and looks at the real rows there. The same rows stand in
``docs/walk.md``; after a change that moves them, write that page anew with

    python tests/test_one_call.py
"""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import cdr
import fraud
from cdr.formats import by_name
from cdr.ingest import ingest
from cdr.schema import SCORES
from fraud.features.account_days import ACCOUNT_DAYS
from fraud.review.queue import cases
from pipelines.nightly import run_nightly
from pipelines.samples import SAMPLE_DAY, sample_lake, samples

ROOT = Path(__file__).parents[1]
FILE = samples() / "inbox" / "softswitch" / "2026-09-30.jsonl.gz"
RECORD = "5d5a7d70-46ab-493f-84e9-e112a82070c9"
ACCOUNT = "C1000073"
MIDNIGHT = datetime(2026, 10, 1, tzinfo=UTC)
NOW = MIDNIGHT + timedelta(hours=3)
SHOWN_OF_A_CALL = (
    "source", "source_record_id", "leg", "account_id", "direction", "caller_raw", "caller_number",
    "callee_raw", "callee_number", "callee_country", "callee_number_type", "caller_ip",
    "started_at", "answered_at", "ended_at", "ring_ms", "duration_ms", "outcome", "flags",
)  # fmt: skip


def line_of_the_file() -> tuple[int, dict[str, Any]]:
    """Return the number and the content of the line that tells of the call."""
    with gzip.open(FILE, "rt") as lines:
        found = next((n, line) for n, line in enumerate(lines, start=1) if RECORD in line)
    return found[0], json.loads(found[1])


def record_read() -> dict[str, Any]:
    """Return the record as the reader hands it over: text, and its place in the file."""
    source = cdr.load_settings(samples() / "callsieve.toml").sources["softswitch"]
    frames = by_name(source.format).read(FILE, source, 1 << 20)
    records = pl.concat(frames).filter(pl.col("source_record_id") == RECORD)
    return records.drop("raw").row(0, named=True)


def call_of(lake: cdr.Lake) -> dict[str, Any]:
    """Return the call's row of `calls`."""
    rows = lake.calls().filter(pl.col("source_record_id") == RECORD).collect()
    assert rows.height == 1
    return rows.row(0, named=True)


def account_day_of(lake: cdr.Lake) -> dict[str, Any]:
    """Return what the account did on the call's day, summed up."""
    rows = lake.scan(ACCOUNT_DAYS, dates=[SAMPLE_DAY]).filter(pl.col("account_id") == ACCOUNT)
    return rows.collect().row(0, named=True)


def counted(lake: cdr.Lake, first: date) -> dict[str, Any]:
    """Count the account's outbound calls by a statement that knows nothing of the features."""
    sql = """
        SELECT count(DISTINCT call_id) AS outbound, count(DISTINCT callee_number) AS callees
        FROM calls
        WHERE account_id = $account AND direction = 'outbound'
            AND call_date >= $first AND call_date < $until
    """
    params = {"account": ACCOUNT, "first": first, "until": MIDNIGHT.date()}
    return lake.connect(purpose="fraud").sql(sql, params=params).pl().row(0, named=True)


def score_of(lake: cdr.Lake) -> dict[str, Any]:
    """Return the account's row of `scores`."""
    rows = lake.scan(SCORES, dates=[MIDNIGHT.date()]).filter(pl.col("account_id") == ACCOUNT)
    return rows.collect().row(0, named=True)


@pytest.fixture(scope="module")
def lake(sample_night: Path) -> cdr.Lake:
    settings = cdr.load_settings(samples() / "callsieve.toml", home=sample_night)
    return cdr.open_lake(settings)


def test_1_a_line_in_a_file() -> None:
    _, line = line_of_the_file()
    assert line["variables"]["uuid"] == RECORD


def test_2_is_read_as_text_with_its_place() -> None:
    number, line = line_of_the_file()
    record = record_read()
    assert (record["line"], record["source_rows"], record["faults"]) == (number, 1, [])
    assert record["callee"] in json.dumps(line)


def test_3_becomes_a_call_in_utc_and_e164_with_its_account(lake: cdr.Lake) -> None:
    record, call = record_read(), call_of(lake)
    started = datetime.fromtimestamp(int(record["started"]) / 1e6, tz=UTC)
    assert call["started_at"] == started
    assert call["callee_raw"] == record["callee"]
    assert call["callee_number"] == "+38766952780"
    assert call["callee_country"] == "BA"
    assert call["account_id"] == ACCOUNT
    assert call["answered_at"] + timedelta(milliseconds=call["duration_ms"]) == call["ended_at"]


def test_4_once_however_often_the_file_comes(tmp_path: Path) -> None:
    settings = cdr.load_settings(samples() / "callsieve.toml", home=tmp_path / "home")
    own = cdr.open_lake(settings, create=True)
    with gzip.open(FILE, "rb") as content:
        (tmp_path / "unpacked.jsonl").write_bytes(content.read())
    for file in (FILE, tmp_path / "unpacked.jsonl"):
        source = settings.sources["softswitch"]
        report = ingest(own, [file], source_name="softswitch", source=source, now=NOW)
    assert report.total("read") == report.total("duplicate") + report.total("rejected")
    assert call_of(own)["outcome"] == "answered"


def test_5_is_part_of_its_account_day(lake: cdr.Lake) -> None:
    day = account_day_of(lake)
    assert day["outbound_count"] == counted(lake, SAMPLE_DAY)["outbound"]


def test_6_is_part_of_the_signals_as_of_midnight(lake: cdr.Lake) -> None:
    found = fraud.features(lake, as_of=MIDNIGHT, accounts=[ACCOUNT]).row(0, named=True)
    week = counted(lake, MIDNIGHT.date() - timedelta(days=7))
    assert found["outbound_calls_count_7d"] == week["outbound"]
    assert found["callees_count_7d"] == week["callees"]


def test_7_makes_its_account_score_high_with_reasons(lake: cdr.Lake) -> None:
    score = score_of(lake)
    assert score["band"] == "high"
    assert score["rank"] <= 10
    assert len(json.loads(score["reasons"])) >= 3
    assert json.loads(score["neighbours"])["blocked"]


def test_8_becomes_a_case(lake: cdr.Lake) -> None:
    (case,) = [case for case in cases(lake.home.root) if case.account_id == ACCOUNT]
    assert case.status == "open"
    assert case.score == score_of(lake)["score"]


def test_the_page_shows_these_rows(lake: cdr.Lake) -> None:
    page = (ROOT / "docs" / "walk.md").read_text("utf-8")
    assert page == walk(lake), "the rows have moved: python tests/test_one_call.py"


def walk(lake: cdr.Lake) -> str:
    """Return the page: what each stage holds of the call."""
    number, line = line_of_the_file()
    record, call, day, score = record_read(), call_of(lake), account_day_of(lake), score_of(lake)
    features = fraud.features(lake, as_of=MIDNIGHT, accounts=[ACCOUNT]).row(0, named=True)
    (case,) = [case for case in cases(lake.home.root) if case.account_id == ACCOUNT]
    reasons = [
        f"{reason['share']:.1%}  {reason['text']}" for reason in json.loads(score["reasons"])
    ]
    said = {name: value for name, value in record.items() if value not in (None, [])}
    names = [r["signal"] for r in json.loads(score["reasons"])]
    return _PAGE.format(
        file=FILE.relative_to(samples()),
        number=number,
        line=json.dumps(line, indent=1),
        record=_rows(said),
        call=_rows({name: call[name] for name in SHOWN_OF_A_CALL}),
        day=_rows({name: value for name, value in day.items() if value}),
        features=_rows({n: features[n] for n in names if n in features}),
        score=_rows(
            {"score": f"{score['score']:.3f}", "band": score["band"], "rank": score["rank"]}
        ),
        reasons="\n".join(reasons),
        case=_rows({"case_id": case.case_id, "account_id": case.account_id, "status": case.status}),
    )


def _rows(values: dict[str, Any]) -> str:
    width = max(map(len, values))
    return "\n".join(f"{name:{width}}  {_shown(value)}" for name, value in values.items())


def _shown(value: object) -> str:
    if value is None:
        return "(null)"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return f"{value:.4g}" if isinstance(value, float) else str(value)


_PAGE = """\
# One call's way through the house

Written by `python tests/test_one_call.py` from the sample files, so it is true. The test of the
same name checks each stage. All of it is synthetic.

## 1. A line of a switch file

Line {number} of `{file}`, folded for reading:

```json
{line}
```

## 2. The reader: text, with its place

`cdr/formats/freeswitch_json.py` names the fields and converts nothing. What it could not take apart
would come out with `faults`.

```text
{record}
```

## 3. The call: UTC, E.164, account

`cdr/normalise` reads times, numbers and addresses; `cdr/ingest` finds the account. A row that
cannot be understood would go to `rejects` with every reason. The raw texts are kept.

```text
{call}
```

## 4. Once

The row's key is made of source, the source's own id, leg and start. The same content again is a
duplicate; other content under the same key is a correction, and the earlier row goes to
`call_history`. All files of a source come in as one commit: a kill leaves the lake as before or as
after.

## 5. The account's day

`fraud/features/account_days.py` reduces each new day once. A night reads 30 such rows an account,
not 30 days of calls.

```text
{day}
```

## 6. Signals as of midnight

`fraud/features/midnight.py`; nothing later than 2026-10-01 00:00 UTC is seen. Those that mattered
most for this account:

```text
{features}
```

## 7. The score, with reasons

`fraud/scoring.py` compares with the accounts blocked before that midnight. The share says how much
of the score a reason carries.

```text
{score}
```

```text
{reasons}
```

## 8. The case

`fraud/review/queue.py` opens one case per account; a second run of the night adds nothing.

```text
{case}
```
"""


def _write_page() -> None:
    with tempfile.TemporaryDirectory() as folder:
        lake = sample_lake(Path(folder) / "home")
        run_nightly(lake, SAMPLE_DAY, now=NOW)
        (ROOT / "docs" / "walk.md").write_text(walk(lake), "utf-8")
        shutil.rmtree(lake.home.root)


if __name__ == "__main__":
    _write_page()
