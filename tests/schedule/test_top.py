from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reprocheck import cli, schema
from reprocheck.config import Config
from reprocheck.errors import UnknownModelError, UsageError
from reprocheck.model import Direction, MetricRule, ReportDetail, Top, Verdict
from reprocheck.report_store import ReportStore
from reprocheck.reporters import top_json, top_terminal
from reprocheck.schedule.top import top
from reprocheck.schedule.wishes import (
    ModelWish,
    TagWish,
    TopRequest,
    Wishes,
    check_limit,
    parse_model,
    parse_tag,
)
from reprocheck.subjects import subject
from reprocheck.trackers.mlflow_kept import OF
from reprocheck.trackers.mlflow_settings import client_settings
from tests.conftest import snapshot
from tests.reporters.builders import make_report
from tests.trackers.conftest import START

if TYPE_CHECKING:
    from tests.trackers.conftest import Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def choose(store: Store, *, config: Config | None = None, **wishes: Any) -> Top:
    request = TopRequest(
        tracking_uri=store.uri,
        config=config or Config(),
        wishes=Wishes(**wishes),
        reports=store.folder / "reports",
    )
    return top(request, NOW)


def ids(found: Top) -> list[str]:
    return [each.ref.run_id for each in found.chosen]


def keep(store: Store, run_id: str, verdict: Verdict, days_ago: float, **changes: Any) -> None:
    """A report of the run as it is, as `verify` would have kept it."""
    record = store.read(run_id)
    given = {
        "record": record,
        "verdict": verdict,
        "subject": subject(record),
        "created_at": NOW - timedelta(days=days_ago),
    }
    ReportStore(store.folder / "reports").keep(make_report(**{**given, **changes}))


def test_the_best_by_a_metric_finished_and_finite_and_the_earlier_of_equals(database: Store):
    best = database.log(metrics={"accuracy": [0.1, 0.9]})
    first = database.log(metrics={"accuracy": [0.8]}, start=START - 10)
    second = database.log(metrics={"accuracy": [0.8]})
    database.log(metrics={"accuracy": [0.7]})
    database.log(metrics={"accuracy": [0.99]}, status="FAILED")
    database.log(metrics={"accuracy": [math.nan]})
    database.log(metrics={"accuracy": [math.inf]})
    database.log(metrics={"loss": [0.1]})
    before = snapshot(database.folder)
    found = choose(database, metric="accuracy", best=3)
    assert ids(found) == [best, first, second]
    assert [each.why for each in found.chosen][:2] == ["best by accuracy", "no. 2 by accuracy"]
    assert found.chosen[0].value == 0.9
    assert found.notes == ("2 runs left out: accuracy is no finite number",)
    assert {**snapshot(database.folder)} == before


ODD = "val/top-1 `acc`|\"quoted' $(id)"


def test_a_metric_of_any_name_is_looked_for_by_its_exact_name(database: Store, monkeypatch):
    # MLflow's client refuses some of these, but not all its stores.
    name = "val/top-1 acc: best.of_3"
    run_id = database.log(metrics={name: [0.5]})
    database.log(metrics={"val": [0.9]})
    assert ids(choose(database, metric=name, direction=Direction.HIGHER)) == [run_id]
    with pytest.raises(UsageError, match="has the metric"):
        choose(database, metric=ODD)


@pytest.mark.parametrize(
    ("metric", "config", "wished", "lowest"),
    [
        ("loss", None, Direction.UNKNOWN, True),  # the usual one of the name
        ("loss", "higher", Direction.UNKNOWN, False),
        ("loss", "higher", Direction.LOWER, True),
        ("zeta", "lower", Direction.UNKNOWN, True),
    ],
)
def test_which_way_a_metric_is_better(
    database: Store, metric: str, config: str | None, wished: Direction, lowest: bool
):
    low, high = (database.log(metrics={metric: [value]}) for value in (0.1, 0.9))
    rules = {metric: MetricRule(metric=metric, direction=Direction(config))} if config else {}
    found = choose(database, metric=metric, best=1, direction=wished, config=Config(metrics=rules))
    assert ids(found) == [low if lowest else high]


def test_the_runs_own_definition_says_which_way_first(database: Store):
    definition = "version: 1\nmetrics: {primary: {zeta: {direction: lower}}}\n"
    low, _ = (
        database.log(metrics={"zeta": [value]}, artifacts={"experiment.yaml": definition})
        for value in (0.1, 0.9)
    )
    rules = {"zeta": MetricRule(metric="zeta", direction=Direction.HIGHER)}
    found = choose(database, metric="zeta", best=1, config=Config(metrics=rules))
    assert ids(found) == [low]


def test_a_direction_that_nobody_knows_is_asked_for(database: Store):
    database.log(metrics={"zeta": [0.1]})
    with pytest.raises(UsageError, match="higher or lower is not known"):
        choose(database, metric="zeta")


def test_reruns_that_were_written_back_are_no_runs_to_verify(database: Store):
    run_id = database.log(metrics={"accuracy": [0.5]}, tags={"release": "1"})
    tags = {OF: run_id, "release": "1"}
    database.log(metrics={"accuracy": [0.9]}, tags=tags)
    wishes = {"metric": "accuracy", "tags": (TagWish(name="release", value=None),)}
    assert ids(choose(database, **wishes)) == [run_id]


def test_each_experiment_has_its_own_best(database: Store):
    first = database.log(metrics={"accuracy": [0.5]})
    with client_settings():
        database.experiment = database.client.create_experiment("other")
    second = database.log(metrics={"accuracy": [0.9]})
    found = choose(database, metric="accuracy", best=1)
    assert sorted(ids(found)) == sorted([first, second])
    assert {each.why for each in found.chosen} == {
        "best by accuracy in digits",
        "best by accuracy in other",
    }
    assert ids(choose(database, metric="accuracy", experiments=("other",))) == [second]


@pytest.mark.filterwarnings("ignore")  # MLflow's own, of stages
def test_models_tags_and_the_metric_give_each_run_once(database: Store):
    both = database.log(metrics={"accuracy": [0.9]}, tags={"release": "1"})
    tagged = database.log(metrics={"accuracy": [0.1]}, tags={"release": "2"})
    failed = database.log(status="FAILED", tags={"release": "3"})
    with client_settings():
        database.client.create_registered_model("net")
        for run_id in (both, failed):
            database.client.create_model_version("net", f"runs:/{run_id}/model", run_id)
        database.client.set_registered_model_alias("net", "champion", "1")
        database.client.transition_model_version_stage("net", "2", "Production")
    found = choose(
        database,
        metric="accuracy",
        best=1,
        models=(ModelWish(name="net", alias="champion"), ModelWish(name="net", stage="Production")),
        tags=(TagWish(name="release", value=None),),
    )
    whys = {each.ref.run_id: each.why for each in found.chosen}
    assert whys == {
        both: "champion of net; tagged release; best by accuracy",
        tagged: "tagged release",
    }
    assert "its run" in found.notes[0]
    assert "is failed" in found.notes[0]
    assert ids(choose(database, tags=(TagWish(name="release", value="2"),))) == [tagged]
    with pytest.raises(UnknownModelError):
        choose(database, models=(ModelWish(name="net", alias="none"),))


def test_what_was_verified_lately_as_it_is_is_left_out(database: Store):
    fresh, old, broken, changed, new = (
        database.log(metrics={"accuracy": [0.5 + i / 10]}) for i in range(5)
    )
    keep(database, fresh, Verdict.REPRODUCED, 2)
    keep(database, old, Verdict.REPRODUCED, 20)
    keep(database, broken, Verdict.NOT_VERIFIED, 2)
    keep(database, changed, Verdict.REPRODUCED, 2, subject="b" * 64)
    found = choose(database, metric="accuracy")
    assert ids(found)[:2] == [new, old]
    assert sorted(ids(found)[2:]) == sorted([broken, changed])
    assert [each.ref.run_id for each in found.recent] == [fresh]
    assert [each.verified_at for each in found.chosen[:2]] == [None, NOW - timedelta(days=20)]


def test_what_does_not_reproduce_for_the_first_time_is_confirmed_first(database: Store):
    doubted = database.log(metrics={"accuracy": [0.5]})
    new = database.log(metrics={"accuracy": [0.9]})
    keep(database, doubted, Verdict.REPRODUCED, 2)
    keep(database, doubted, Verdict.NOT_REPRODUCED, 1)
    assert ids(choose(database, metric="accuracy")) == [doubted, new]


def test_a_report_that_cannot_be_read_is_told_and_counts_as_none(database: Store):
    run_id = database.log(metrics={"accuracy": [0.5]})
    keep(database, run_id, Verdict.REPRODUCED, 1)
    (file,) = (database.folder / "reports").rglob("*.json")
    file.write_text("{")
    found = choose(database, metric="accuracy")
    assert ids(found) == [run_id]
    assert "passed over a kept report" in found.notes[0]


def test_a_sensitive_run_is_named_by_its_id_alone(database: Store):
    database.log(metrics={"accuracy": [0.5]}, tags={"reprocheck.sensitive": "true"})
    text = top_json.render(choose(database, metric="accuracy"))
    assert json.loads(text)["include"][0]["name"] == ""
    database.log(metrics={"accuracy": [0.6]})
    minimal = Config(detail=ReportDetail.MINIMAL)
    told = top_json.render(choose(database, metric="accuracy", config=minimal))
    assert "a run" not in told
    assert "a run" in top_json.render(choose(database, metric="accuracy"))


def test_the_matrix_follows_its_schema_and_the_table_has_80_columns(database: Store):
    for value in (0.5, 0.75):
        database.log(metrics={"accuracy": [value]})
    found = choose(database, metric="accuracy")
    text = top_json.render(found)
    assert schema.check(json.loads(text), "top") == ()
    assert text.count("\n") == 1  # a job's output is one line
    shown = top_terminal.render(found)
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.startswith("2 runs to verify, the most urgent first")


def test_without_a_wish_the_one_gated_metric_counts(database: Store):
    run_id = database.log(metrics={"accuracy": [0.5]})
    gated = {"accuracy": MetricRule(metric="accuracy", gate=True)}
    assert ids(choose(database, config=Config(metrics=gated))) == [run_id]
    with pytest.raises(UsageError, match="nothing says which runs"):
        choose(database)


@pytest.mark.parametrize("limit", [0, 257])
def test_a_matrix_has_256_jobs_at_most(limit: int):
    with pytest.raises(UsageError, match="256"):
        check_limit(limit)


def test_wishes_are_parsed():
    assert parse_model("a@b@champion") == ModelWish(name="a@b", alias="champion")
    assert parse_model("net/Production") == ModelWish(name="net", stage="Production")
    assert parse_model("net") == ModelWish(name="net")
    assert parse_tag("a=b=c") == TagWish(name="a", value="b=c")
    assert parse_tag("a") == TagWish(name="a", value=None)
    for wrong in ("", "@x", "net@", "net/"):
        with pytest.raises(UsageError):
            parse_model(wrong)
    with pytest.raises(UsageError):
        parse_tag("=x")


def test_the_command_line(database: Store, monkeypatch, capsys, tmp_path: Path):
    run_id = database.log(metrics={"accuracy": [0.5]})
    monkeypatch.chdir(tmp_path)
    common = ["top", "--tracking-uri", database.uri, "--reports", str(tmp_path / "reports")]
    assert cli.run([*common, "--metric", "accuracy", "--json", "-"]) == 0
    out, err = capsys.readouterr()
    (entry,) = json.loads(out)["include"]
    assert entry["id"] == run_id
    assert re.fullmatch(r"a-run-[0-9a-f]{8}", entry["slug"])
    assert "1 run to verify" in err
    keep(database, run_id, Verdict.REPRODUCED, (NOW - datetime.now(UTC)).total_seconds() / 86_400)
    assert cli.run([*common, "--metric", "accuracy", "--json", "-"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"include": []}
    assert "No run is to be verified" in err
    assert cli.run([*common, "--metric", "accuracy", "--limit", "300"]) == 2
    assert "256" in capsys.readouterr().err
