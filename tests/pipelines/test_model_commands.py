"""From training to promotion and back, as a user does it, on the sample night."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from polars.testing import assert_frame_equal

from cdr import load_settings, open_lake
from cdr.schema import SCORES
from fraud.identity.parameters import parameters_of_night
from fraud.truth import TRUTH, read_truth

if TYPE_CHECKING:
    from conftest import RunCommand

AS_OF = "2026-10-01"
CONFIG = Path(__file__).parents[2] / "data" / "samples" / "callsieve.toml"


@pytest.fixture
def run(callsieve: Callable[..., Any], sample_home: Path) -> Callable[..., Any]:
    """Run a command on the sample home, which the night has scored."""

    def command(*words: str) -> Any:
        return callsieve("--home", sample_home, "--config", CONFIG, *words, "--json")

    return command


@pytest.mark.large
def test_score_train_promote_explain_and_back(run: Callable[..., Any]) -> None:
    """A model promoted on the midnight it was trained for changes no score."""
    before = run("score", "--as-of", AS_OF).found
    model_id = run("train", "--as-of", AS_OF).found["model_id"]
    assert run("model", "promote", model_id[:8]).found["champion"] == model_id
    listed = run("model", "list").found["models"]
    assert [one["is_champion"] for one in listed if one["model_id"] == model_id] == [True]
    assert run("score", "--as-of", AS_OF).found == before
    first = before["candidates"][0]
    found = run("explain", first["account_id"], "--as-of", AS_OF).found
    assert {name: found[name] for name in ("score", "band", "reasons")} == {
        name: first[name] for name in ("score", "band", "reasons")
    }
    shadow = run("model", "compare", model_id[:8], model_id[:8], "--as-of", AS_OF).found
    assert (shadow["only_champion"], shadow["only_challenger"]) == ([], [])
    assert run("explain", "nobody", "--as-of", AS_OF).code == 2
    assert run("model", "promote", "--previous").found == {"champion": None, "skipped": []}


def test_a_night_keeps_what_it_weighed_details_with(sample_home: Path) -> None:
    """Each score names its model, and the model's card the weights that lie beside it."""
    lake = open_lake(load_settings(CONFIG, home=sample_home))
    day = date.fromisoformat(AS_OF)
    (model_id,) = lake.scan(SCORES, dates=[day]).collect()["model_id"].unique()
    card = json.loads((lake.home.models / model_id / "card.json").read_bytes())
    weights = parameters_of_night(lake, day)
    assert weights is not None
    assert card["identity_parameters"] == weights.version
    assert weights.learned_as_of == AS_OF
    assert weights.data_version.startswith("accounts=")
    assert weights.version in (lake.home.models / model_id / "card.md").read_text("utf-8")
    assert parameters_of_night(lake, date(2020, 1, 1)) is None


@pytest.mark.large
def test_past_nights_are_evaluated_with_the_truth(run: Callable[..., Any]) -> None:
    """The simulated frauds of the last week are found, and a report is written."""
    truth = CONFIG.parent / "truth" / "accounts.csv"
    ran = run("evaluate", "--from", "2026-09-26", "--to", "2026-09-26", "--wait-days", "4",
              "--truth", truth)  # fmt: skip
    found = ran.found
    assert ran.code == 0
    assert (found["nights"], found["outcomes"]) == (["2026-09-26"], "truth")
    assert found["auc"]["low"] > 0.5
    assert found["precision_at_capacity"]["value"] > 0.5
    assert {one["kind"] for one in found["kinds"]} >= {"irsf", "robocall", "wangiri"}
    page = Path(found["report"]).read_text("utf-8")
    assert "<svg" in page
    assert "C10" not in page  # no account is named
    assert "precision at 50 a day" in Path(found["report"]).with_suffix(".md").read_text("utf-8")


def test_the_truth_is_read_as_the_simulator_writes_it_and_as_csv(tmp_path: Path) -> None:
    as_csv = read_truth(CONFIG.parent / "truth" / "accounts.csv")
    assert (as_csv.schema, as_csv["is_fraud"].any()) == (TRUTH, True)
    as_csv.write_parquet(tmp_path / "accounts.parquet")
    assert_frame_equal(read_truth(tmp_path / "accounts.parquet"), as_csv)


@pytest.mark.parametrize("name", ["calls.csv", "calls.parquet"])
def test_a_file_that_is_no_truth_is_named(
    callsieve: RunCommand, sample_home: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("caller,callee\n1,2\n")
    nights = ("--from", "2026-09-26", "--to", "2026-09-26", "--wait-days", "4")
    ran = callsieve("--home", sample_home, "evaluate", *nights, "--truth", tmp_path / name)
    assert ran.code == 2
    assert f"{name} is not the truth of a simulation: it needs the columns account_id" in ran.err


@pytest.mark.large
def test_one_model_is_judged_on_nights_after_it_was_trained(run: Callable[..., Any]) -> None:
    """Champion and challenger are put to the same nights, and none to a night before it."""
    model_id = run("train", "--as-of", "2026-09-26").found["model_id"]
    nights = ("--from", "2026-09-27", "--to", "2026-09-27", "--wait-days", "3")
    ran = run("evaluate", *nights, "--model", model_id[:8])
    assert (ran.found["model_id"], ran.found["nights"]) == (model_id, ["2026-09-27"])
    assert model_id in Path(ran.found["report"]).read_text("utf-8")
    assert model_id[:12] in Path(ran.found["report"]).name
    earlier = ("--from", "2026-09-20", "--to", "2026-09-20", "--wait-days", "3")
    refused = run("evaluate", *earlier, "--model", model_id[:8])
    assert refused.code == 3
    assert "became known later" in refused.found["error"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("score", "--as-of", "2999-01-01"), "has not begun yet"),
        (("evaluate", "--from", "2026-09-20", "--to", "2026-09-01"), "must not be after"),
        (("model", "promote"), "give a model"),
        (("model", "promote", "zzz"), "no model begins"),
        (("model", "promote", "--previous"), "ever promoted"),
    ],
    ids=["the future", "backwards", "nothing", "unknown model", "nothing before"],
)
def test_wrong_use_is_said(run: Callable[..., Any], words: tuple[str, ...], said: str) -> None:
    ran = run(*words)
    assert ran.code == 2
    assert said in ran.found["error"]
