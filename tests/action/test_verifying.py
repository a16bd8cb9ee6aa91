"""The step that verifies, on real checkouts and real trainings."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reprocheck import accepted
from reprocheck.action import child, verifying
from reprocheck.action.inputs import Inputs
from reprocheck.action.rules import Rules
from reprocheck.check_reading import read_check
from reprocheck.config import Config
from reprocheck.model import (
    Check,
    DeclaredMargin,
    FailOn,
    MetricRule,
    Require,
    Verdict,
)
from tests.action import payloads
from tests.action.test_outputs import written
from tests.conftest import Repo
from tests.lab import Lab, Result, copy_of
from tests.reporters.builders import make_acceptance


@dataclass
class Step:
    """What a step left behind."""

    result: Result
    outputs: dict[str, str]
    summary: str

    @property
    def check(self) -> Check:
        return read_check(Path(self.outputs["report"]))


def verify(lab: Lab, folder: Path, event: dict[str, Any] | None = None, **inputs: str) -> Step:
    """Runs the step as a job does."""
    kind = "workflow_dispatch" if event is None else "pull_request"
    env = lab.env | payloads.variables(folder, kind, event or {})
    files = {name: folder / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    env |= {name: str(path) for name, path in files.items()} | {"RUNNER_TEMP": str(folder)}
    env |= {f"INPUT_{name.upper()}": value for name, value in inputs.items()}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        result = lab.reprocheck("action", "verify")
    return Step(result, written(files["GITHUB_OUTPUT"]), files["GITHUB_STEP_SUMMARY"].read_text())


def event_of(repo: Repo, base: str, body: str = "") -> dict[str, Any]:
    head = {"sha": repo.git("rev-parse", "HEAD")}
    return payloads.pull_request(body=body, head=head, base={"sha": base})


def accepted_by_itself(lab: Lab) -> dict[str, Any]:
    """A baseline file in which a pull request accepts another result of the seeded run."""
    asked = "SELECT value FROM latest_metrics WHERE key = 'accuracy' AND run_uuid = ?"
    ((own,),) = lab.sql(asked, lab.seeded)
    made = make_acceptance(lab.seeded, old=(own,), new=(0.5, 0.5, 0.5), by="the pull request")
    return accepted.document([made])


def test_a_pull_request_is_verified_by_the_base_branchs_rules(lab: Lab, tmp_path: Path) -> None:
    lab = copy_of(lab, tmp_path)
    base = lab.repo.git("rev-parse", "HEAD")
    config = (lab.repo.path / "reprocheck.yaml").read_text()
    # What only the base's config and workflow may say, and a module that must not become ours.
    looser = config + "require: reproduced\nfail_on: []\npass_env: [INPUT_GITHUB_TOKEN]\n"
    lab.repo.commit(
        {"reprocheck.yaml": looser, "reprocheck.runs": f"{lab.seeded}\n", "click.py": "1 / 0"}
        | {"reprocheck.baseline.json": json.dumps(accepted_by_itself(lab))}
    )
    event = event_of(lab.repo, base, f"reprocheck: {lab.seeded}\nReprocheck: 00dead\n")
    step = verify(lab, tmp_path, event, tracking_uri=lab.uri, find="body,files")
    assert step.result.exit_code == 0, step.result.stderr
    check, told = step.check, step.outputs
    assert [report.verdict for report in check.reports] == [Verdict.IDENTICAL, Verdict.NOT_VERIFIED]
    assert (told["verdict"], told["exit-code"], told["job-exit-code"]) == ("not_verified", "2", "2")
    assert json.loads(told["run-ids"]) == [lab.seeded, "00dead"]
    assert {change.key for change in check.rule_changes} == {"require", "fail_on", "pass_env"}
    assert [each.value for each in check.fail_on] == ["not-reproduced", "not-verified"]
    assert check.head_sha == event["pull_request"]["head"]["sha"]
    report = check.reports[0]
    assert report.acceptance is None
    assert report.proposed is not None
    told_as = "Proposed: a new baseline that the pull request accepted on 2026-05-03"
    assert told_as in html.unescape(step.summary)
    assert "00dead" in step.summary
    assert Path(told["markdown"]).read_text() == step.summary.removesuffix("\n")
    said = step.result.stdout
    assert f"verify {lab.seeded}, from " in said
    assert said.index("::group::rerun: ") < said.index("trial 1: ") < said.index("IDENTICAL")
    assert said.count("::group::") == said.count("::endgroup::") == 8  # one of the run not found
    assert "::error title=reprocheck%3A NOT_VERIFIED::00dead: " in said


def test_where_no_run_is_named_nothing_was_verified(lab: Lab, tmp_path: Path) -> None:
    lab = copy_of(lab, tmp_path)
    base = lab.repo.git("rev-parse", "HEAD")
    step = verify(lab, tmp_path, event_of(lab.repo, base), find="body files")
    assert "persist-credentials" not in step.result.stdout
    lab.repo.git("config", "http.https://github.com/.extraheader", "AUTHORIZATION: basic c2Vj")
    assert (step.outputs["verdict"], step.outputs["job-exit-code"]) == ("none", "0")
    assert "Nothing was verified" in step.summary.splitlines()[0]
    assert step.check.sought
    required = verify(lab, tmp_path, event_of(lab.repo, base), find="body", require_run="true")
    assert (required.outputs["verdict"], required.outputs["job-exit-code"]) == ("none", "3")
    assert "none was verified" in required.result.stdout
    assert "persist-credentials" in required.result.stdout
    assert "c2Vj" not in required.result.stdout


def test_a_job_that_cannot_begin_says_so_everywhere(lab: Lab, tmp_path: Path) -> None:
    event = event_of(lab.repo, "0" * 40, "reprocheck: 1a")
    absent = verify(lab, tmp_path, event)
    assert (absent.outputs["verdict"], absent.outputs["job-exit-code"]) == ("not_verified", "2")
    assert absent.check.problems[0].hint == "check out with fetch-depth: 0"
    assert "not in the checkout" in absent.summary
    wrong = verify(lab, tmp_path, None, run_id="1a", fail_on="never")
    assert wrong.outputs["job-exit-code"] == "2"
    assert "fail-on: 'never' is not known" in wrong.check.problems[0].message
    env = {"GITHUB_EVENT_NAME": "pull_request_target"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(payloads, "variables", lambda *_: env)
        refused = verify(lab, tmp_path, event)
    assert "pull_request_target" in refused.check.problems[0].message


def test_what_keeps_a_run_from_beginning_is_a_problem_of_it_alone(lab: Lab, tmp_path: Path) -> None:
    step = verify(lab, tmp_path, None, run_id=lab.seeded, reruns="0")
    (problem,) = step.check.problems
    assert (problem.asked, problem.exit_code) == (lab.seeded, 2)
    assert problem.message.startswith("--reruns 0: expected a number from 1 to 100")
    assert problem.hint.startswith("write for example --reruns 5")


def test_the_base_branchs_config_counts_more_than_what_the_workflow_says() -> None:
    lines = {"MARGIN": "a=1\nb=1", "SIGMA": "a=1", "GATE": "b", "REQUIRE": "consistent"}
    inputs = Inputs({f"INPUT_{name}": value for name, value in lines.items()})
    strict = MetricRule(metric="a", margin=DeclaredMargin(source="base"), gate=True)
    base = Config(metrics={"a": strict}, require=Require.REPRODUCED)
    assert child.options(inputs, None, "", base) == ("--margin=b=1", "--sigma=a=1")
    assert len(child.options(inputs, None, "", Config())) == 5
    everything = tuple(FailOn)
    assert verifying._fail_on(inputs, Rules(config=base, of_base=True)) == everything
    assert verifying._fail_on(inputs, Rules(config=base)) != everything


def test_inputs_become_options_of_one_word_each() -> None:
    inputs = Inputs(
        {
            "INPUT_MARGIN": "a b=0.1\n--json=/x\n",
            "INPUT_FROM": "-x",
            "INPUT_TRACE": "true",
            "INPUT_TRACKING_URI": "http://x",
        }
    )
    given = child.options(inputs, Path("c.yaml"), "")
    assert given == (
        *("--from=-x", "--tracking-uri=http://x", "--config=c.yaml"),
        *("--margin=a b=0.1", "--margin=--json=/x", "--trace"),
    )
    assert "--tracking-uri=http://x" not in child.options(inputs, None, "bundle")


def test_tokens_and_the_runners_files_are_kept_from_trainings() -> None:
    ours = {"PATH": "/bin", "MLFLOW_TRACKING_TOKEN": "x", "HOME": "/h"}
    theirs = dict.fromkeys(
        ("GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GH_TOKEN"), "s"
    ) | dict.fromkeys(("INPUT_GITHUB_TOKEN", "GITHUB_OUTPUT", "GITHUB_ENV", "RUNNER_TEMP"), "s")
    assert child.training_env(ours | theirs) == ours


def test_of_what_a_verification_prints_only_its_own_groups_are_commands() -> None:
    said: list[str] = []
    follower = child._Follower(said.append)
    token = follower.token
    hostile = "::error::x\n##[group]x\n::endgroup::\r::set-env name=a::b\nword::group::x\n"
    printed = f"{token}::group::read: x\n{hostile}{token}::error::x\nlast"
    for byte in printed.encode():
        follower.copy(bytes([byte]))
    follower.end()
    lines = "\n".join(said).split("\n")
    assert [line for line in lines if line.startswith("::")] == ["::group::read: x", "::endgroup::"]
    assert ": :error::x" in lines
    assert "## [group]x" in lines
    assert lines[-2:] == ["last", "::endgroup::"]
