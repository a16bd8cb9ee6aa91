from __future__ import annotations

import csv
import io
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from reprocheck import schema
from reprocheck.audit.auditing import audit
from reprocheck.audit.base import AuditRequest
from reprocheck.command_templates import StepTemplate
from reprocheck.config import Config
from reprocheck.grading import grade
from reprocheck.model import Grade
from reprocheck.progress import Silent, bar
from reprocheck.validation import Request, validate
from tests.conftest import snapshot
from tests.trackers.conftest import START
from tests.trackers.test_mlflow_search import COMMIT, log_each_kind

if TYPE_CHECKING:
    from tests.conftest import Repo
    from tests.lab import Lab
    from tests.trackers.conftest import Store

BEST_FIRST = list(Grade)


def request(store: Store, **changes: Any) -> AuditRequest:
    given: dict[str, Any] = {
        "tracking_uri": store.uri,
        "cwd": store.folder,
        "env": dict(os.environ),
        "experiments": (store.experiment,),
    }
    return AuditRequest(**{**given, **changes})


def validation_of(store: Store, run_id: str) -> Request:
    return Request(
        asked=run_id,
        file=None,
        tracking_uri=store.uri,
        config=Config(),
        root=None,
        env=dict(os.environ),
    )


def test_no_run_is_graded_better_than_it_validates(served: Store):
    runs = log_each_kind(served)
    done = audit(request(served))
    assert {run.ref.run_id for run in done.runs} == set(runs)
    for run in done.runs:
        told = validate(validation_of(served, run.ref.run_id))
        assert BEST_FIRST.index(run.grade) >= BEST_FIRST.index(told.grade), run.findings
        assert {each.code for each in told.findings} <= {each.code for each in run.findings}
        assert run.grade is grade(run.findings)


class Told(Silent):
    """Remembers what is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def update(self, doing: str) -> None:
        self.told.append(doing)


def test_a_run_is_verifiable_once_its_commit_is_pushed(database: Store, repo: Repo):
    commit = repo.commit({"train.py": "print()"})
    tags = {"mlflow.source.git.commit": commit, "reprocheck.tree": "clean"}
    tags["reprocheck.argv"] = '["python", "train.py"]'
    good = {"metrics": {"accuracy": [0.5]}, "parameters": {"seed": "7"}}
    good["artifacts"] = {"requirements.txt": "numpy==2.1.0"}
    run = database.log(tags=tags, **good)
    database.log(tags={**tags, "mlflow.source.git.commit": COMMIT}, start=START + 1, **good)
    told = Told()
    command = StepTemplate(args=("python", "train.py"))
    config = Config(command=(command,), environment_file="requirements.txt")
    asked = request(database, cwd=repo.path, config=config)
    before = audit(asked, told)
    assert [each.grade for each in before.runs] == [Grade.CAVEATS, Grade.NOT_VERIFIABLE]
    assert {cause.code for cause in before.causes} == {"unpushed-commit", "commit-unreachable"}
    assert bar(2, 2, "run") in told.told

    repo.git("clone", "--quiet", "--bare", ".", str(database.folder / "remote.git"))
    repo.git("remote", "add", "origin", str(database.folder / "remote.git"))
    after = audit(asked)
    assert after.runs[0].ref.run_id == run
    assert [each.grade for each in after.runs] == [Grade.VERIFIABLE, Grade.NOT_VERIFIABLE]


def test_the_config_names_the_experiment(database: Store):
    database.log()
    names = {"experiments": (), "config": Config(experiment="Default")}
    done = audit(request(database, **names))
    assert (done.experiments, done.runs) == (("Default",), ())
    assert audit(request(database, experiments=())).experiments == ("digits", "Default")


def test_a_bar_shows_how_much_is_done():
    assert bar(0, 4, "run") == "[........................] 0 of 4 runs"
    assert bar(1_000, 4_000, "run").startswith("[######....")
    assert bar(5, 4, "run").endswith("] 5 of 5 runs")  # runs that came meanwhile
    assert bar(1_200, None, "run") == "1,200 runs"


# --- the command --------------------------------------------------------------------------


def test_the_command_writes_each_format_and_nothing_else(lab: Lab):
    before = {place: snapshot(lab.root / place) for place in ("repo", "remote")}
    store = (lab.root / "mlflow.db").read_bytes()
    files = [lab.root / name for name in ("audit.json", "audit.html", "audit.csv")]
    options = ("--json", str(files[0]), "--html", str(files[1]), "--csv", str(files[2]))
    result = lab.reprocheck("audit", "--tracking-uri", lab.uri, *options)
    assert result.exit_code == 0, result.stderr
    assert "runs are verifiable now" in result.stdout
    document = json.loads(files[0].read_text())
    assert not schema.check(document, "audit")
    assert document["totals"]["runs"] == len(document["runs"]) == 2
    codes = {run["run_id"]: {each["code"] for each in run["findings"]} for run in document["runs"]}
    assert "unpushed-commit" in codes[lab.seeded] & codes[lab.unseeded]
    assert not {"data-unreachable", "data-only-in-cache"} & codes[lab.seeded]
    rows = list(csv.DictReader(io.StringIO(files[2].read_text())))
    assert [row["run_id"] for row in rows] == [run["run_id"] for run in document["runs"]]
    assert lab.seeded in files[1].read_text()
    assert {place: snapshot(lab.root / place) for place in before} == before
    assert (lab.root / "mlflow.db").read_bytes() == store
    assert lab.leftovers == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--experiment", "Defualt"), "Near it: Default"),
        (("--filter", "metrics.accuracy >"), "does not understand the filter"),
        (("--json", "-", "--csv", "-"), "cannot both have standard output"),
        (("--html", "/nowhere/audit.html"), "cannot be written"),
        (("--limit", "0"), "--limit"),
        (("--tracking-uri", "sqlite:////nowhere/mlflow.db"), "no MLflow store"),
    ],
)
def test_wrong_usage_is_told_and_exits_2(lab: Lab, options: tuple[str, ...], said: str):
    result = lab.reprocheck("audit", "--tracking-uri", lab.uri, "--quiet", *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_server_that_is_gone_exits_3(lab: Lab):
    result = lab.reprocheck("audit", "--tracking-uri", "http://127.0.0.1:1", "--quiet")
    assert result.exit_code == 3
    assert "cannot be reached" in result.stderr


def test_the_document_is_strict_and_holds_no_secrets(lab: Lab):
    for name, value in (("gap", "nan"), ("https://me:hunter2@host/x", "1")):
        lab.sql(
            "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) "
            "VALUES (?, 0, 0, 0, ?, ?)",
            *(name, value == "nan", lab.seeded),
        )
    result = lab.reprocheck("audit", "--tracking-uri", lab.uri, "--quiet", "--json", "-")
    document = json.loads(result.stdout, parse_constant=pytest.fail)
    assert not schema.check(document, "audit")
    (run,) = (each for each in document["runs"] if each["run_id"] == lab.seeded)
    assert run["metrics"]["gap"] == "NaN"
    assert "hunter2" not in result.stdout
