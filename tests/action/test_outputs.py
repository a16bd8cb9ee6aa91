import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from reprocheck.action import commands, outputs
from reprocheck.action.commands import Level
from reprocheck.action.inputs import Inputs
from reprocheck.errors import MachineError, UsageError
from reprocheck.model import Comparison, RuleChange, Verdict
from tests.reporters.builders import make_environment
from tests.test_checks import REPORT, check_of

JUDGED = Comparison(
    metric="acc",
    gated=True,
    verdict=Verdict.REPRODUCED,
    change=None,
    reason="equivalent",
    sentence="",
    baseline=(0.9,),
    reruns=(0.9, math.nan),
    mean=math.nan,
)


def written(path: Path) -> dict[str, str]:
    """The outputs in a file of them, as the runner reads it."""
    found, lines = {}, iter(path.read_text().split("\n"))
    for line in lines:
        if "<<" in line:
            name, _, end = line.partition("<<")
            value = []
            for inner in lines:
                if inner == end:
                    break
                value.append(inner)
            found[name] = "\n".join(value)
    return found


def test_outputs_hold_any_text(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_text("before=1\n")
    hostile = "a\nEOF\nverdict=identical\n<<x\n"
    outputs.set_outputs({"GITHUB_OUTPUT": str(path)}, {"one": hostile, "two": ""})
    outputs.set_outputs({"GITHUB_OUTPUT": str(path)}, {"three": "3"})
    assert written(path) == {"one": hostile, "two": "", "three": "3"}
    ends = re.findall(r"<<(end-\w+)", path.read_text())
    assert len(set(ends)) == 3
    with pytest.raises(MachineError, match="writing to"):
        outputs.set_outputs({"GITHUB_OUTPUT": str(tmp_path)}, {"one": "1"})
    outputs.set_outputs({}, {"one": "1"})


def test_a_summary_is_cut_by_lines_before_the_runner_drops_it(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    env = {"GITHUB_STEP_SUMMARY": str(path)}
    outputs.add_summary(env, "# Ours\n" + ("é" * 500 + "\n") * 1_000)
    text = path.read_text()
    assert 890_000 < len(text.encode()) <= 900_001
    assert text.endswith("é" * 500 + "\n")


def test_a_checks_outputs_name_runs_and_metrics() -> None:
    check = replace(check_of(), reports=(replace(REPORT, comparisons=(JUDGED,)),))
    told = outputs.of_check(check)
    assert (told["verdict"], told["exit-code"], told["job-exit-code"]) == ("reproduced", "0", "0")
    assert (json.loads(told["run-ids"]), told["checked-count"]) == (["run"], "1")
    assert json.loads(told["metrics-json"]) == {
        "run": {"acc": {"verdict": "REPRODUCED", "original": [0.9], "mean": None, "reruns": 2}}
    }
    assert (told["mismatched"], told["environment-digest"], told["cached"]) == ("[]", "{}", "")
    nothing = outputs.of_check(check_of(waiting="for x"))
    assert (nothing["verdict"], nothing["metrics-json"]) == ("none", "{}")
    assert nothing["waiting"] == "for x"


def test_outputs_tell_what_did_not_reproduce_and_what_was_built() -> None:
    built = make_environment(digest="a" * 64, cached=True)
    worse = replace(REPORT, asked="a", verdict=Verdict.NOT_REPRODUCED, environment=built)
    fresh = replace(REPORT, asked="b", environment=replace(built, digest="b" * 64, cached=False))
    told = outputs.of_check(replace(check_of(), reports=(worse, fresh, REPORT)))
    assert json.loads(told["mismatched"]) == ["a"]
    assert json.loads(told["environment-digest"]) == {"a": "a" * 64, "b": "b" * 64}
    assert told["cached"] == "false"
    assert outputs.of_check(replace(check_of(), reports=(worse, REPORT)))["cached"] == "true"


def test_metrics_that_do_not_fit_are_left_out_by_run() -> None:
    many = tuple(replace(JUDGED, metric=f"m{number}" * 20) for number in range(100))
    reports = tuple(replace(REPORT, asked=f"r{i}", comparisons=many) for i in range(9))
    text = outputs.of_check(replace(check_of(), reports=reports))["metrics-json"]
    assert len(text) <= 50_000
    assert list(json.loads(text)) == ["r0", "r1", "r2"]


def test_annotations_tell_what_failed_and_what_is_not_sure() -> None:
    check = check_of(
        *(Verdict.NOT_REPRODUCED, Verdict.CONSISTENT, Verdict.INCONCLUSIVE, Verdict.IDENTICAL),
        codes=(2,),
        rule_changes=(RuleChange(key="require", base="", head="x"),),
    )
    told = [line.partition(" ")[0] for line in outputs.annotated(check)]
    assert told == ["::error", "::error", "::warning", "::warning", "::notice"]
    assert len(list(outputs.annotated(check_of(codes=(2,) * 30)))) == 10
    (nothing,) = outputs.annotated(check_of())
    assert nothing.startswith("::notice title=reprocheck%3A nothing was verified::")


def test_an_annotation_is_one_command_whatever_it_tells() -> None:
    line = commands.annotation(Level.ERROR, "50%\r\n::set-output::\x1b[1m", "a:b,c\n::x")
    assert line == "::error title=a%3Ab%2Cc %3A%3Ax::50%25  ::set-output::�[1m"
    hidden = commands.annotation(Level.ERROR, "at https://me:secret@host/", "x")
    assert "secret" not in hidden


def test_between_two_random_words_the_runner_heeds_nothing() -> None:
    said: list[str] = []
    with pytest.raises(ZeroDivisionError), commands.unheeded(said.append):
        said.append("::error::x")
        _ = 1 / 0
    stop = re.fullmatch(r"::stop-commands::(\w{32})", said[0])
    assert stop
    assert said[1:] == ["::error::x", f"\n::{stop[1]}::"]


def test_inputs_are_read_by_their_kind() -> None:
    inputs = Inputs(
        {
            "INPUT_RUN_ID": " a\n b,c ",
            "INPUT_TRACE": "True",
            "INPUT_FAIL_ON": "criteria inconclusive",
        }
    )
    assert inputs.words("run-id") == ("a", "b", "c")
    assert inputs.lines("run-id") == ("a", "b,c")
    assert (inputs.flag("trace"), inputs.flag("other")) == (True, False)
    assert [each.value for each in inputs.fail_on() or ()] == ["criteria", "inconclusive"]


@pytest.mark.parametrize(
    ("name", "value"), [("trace", "yes"), ("fail-on", "never"), ("pull-request", "1 OR 1")]
)
def test_an_input_that_is_none_is_told(name: str, value: str) -> None:
    inputs = Inputs({f"INPUT_{name.upper().replace('-', '_')}": value})
    with pytest.raises(UsageError, match=f"input {name}"):
        _ = inputs.flag("trace"), inputs.fail_on(), inputs.number("pull-request")
