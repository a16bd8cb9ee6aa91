"""The runner's own tests: what a step is given, and what it leaves."""

import pytest

from tests.runner.command_files import CommandFileError, pairs
from tests.runner.conftest import Sample
from tests.runner.definitions import UnknownKeyError
from tests.runner.stand_ins import UnpinnedError
from tests.runner.steps import UnknownInputError
from tests.runner.syntax import ExpressionError
from tests.runner.values import UnknownNameError

HEAD = """
on: push
env: {LEVEL: workflow, TOP: workflow}
jobs:
  only:
    runs-on: ubuntu-latest
    env: {LEVEL: job}
    steps:
"""


def steps(text: str) -> str:
    return HEAD + "\n".join(f"      {line}" for line in text.splitlines())


SHELL = """
- id: tell
  shell: bash
  env: {LEVEL: step, HOSTILE: '$(touch pwn) `id`', NAME: '${{ github.repository }}'}
  run: |
    printf 'told<<END\\n%s\\n%s\\nEND\\n' "$LEVEL $TOP $NAME" "$HOSTILE" >>"$GITHUB_OUTPUT"
    echo "KEPT=${KEPT:-}later" >>"$GITHUB_ENV"
    mkdir bin && printf '#!/bin/sh\\necho ours' >bin/ours && chmod +x bin/ours
    echo "$PWD/bin" >>"$GITHUB_PATH"
    echo '# Summary' >>"$GITHUB_STEP_SUMMARY"
    test -z "${GITHUB_TOKEN+x}" && test -z "${INPUT_X+x}"
- run: |
    test "$LEVEL $KEPT $(ours)" = "job later ours" && test "$PWD" = "$GITHUB_WORKSPACE"
    test ! -e pwn && test -s "$GITHUB_EVENT_PATH"
    echo "::add-mask::geheim"; echo "this is geheim"
    echo "::stop-commands::abc"; echo "::error::not one"; echo "::abc::"
    echo "::warning file=a%2Cb,line=1,title=T::50%25%0Aof it"
"""


def test_steps_get_their_variables_and_leave_outputs_paths_and_a_summary(sample: Sample) -> None:
    ran = sample.run(steps(SHELL)).job("only")
    assert ran.result == "success", ran.console.text
    assert ran.step("tell").outputs["told"] == "step workflow team/project\n$(touch pwn) `id`"
    assert ran.summary == "# Summary\n"
    (warning,) = ran.console.annotations
    assert warning.message == "50%\nof it"
    assert warning.properties == {"file": "a,b", "line": "1", "title": "T"}
    assert "this is ***" in ran.console.text


FAILING = """
- id: tolerated
  continue-on-error: true
  shell: bash
  run: false | true
- id: broken
  if: steps.tolerated.outcome == 'failure' && steps.tolerated.conclusion == 'success'
  run: exit 3
- {id: skipped, run: exit 0}
- {id: cleanup, if: always(), run: exit 0}
- {id: told, if: failure() && steps.broken.conclusion == 'failure', run: exit 0}
"""


def test_a_failure_skips_what_does_not_ask_for_it(sample: Sample) -> None:
    ran = sample.run(steps(FAILING))
    outcomes = [step.outcome for step in ran.job("only").steps]
    assert outcomes == ["failure", "failure", "skipped", "success", "success"]
    assert ran.conclusion == "failure"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo nonsense >>$GITHUB_OUTPUT", "Invalid format"),
        ("echo 'a<<END' >>$GITHUB_OUTPUT", "delimiter not found"),
        ("echo NODE_OPTIONS=--x >>$GITHUB_ENV", "NODE_OPTIONS"),
        ("head -c 1050000 /dev/zero >>$GITHUB_STEP_SUMMARY", "1024k"),
        ("sleep 5", ""),
    ],
)
def test_what_github_refuses_fails_the_step(sample: Sample, script: str, reason: str) -> None:
    ran = sample.run(steps(f"- {{run: {script!r}, timeout-minutes: 0.01}}")).job("only")
    assert ran.result == "failure"
    assert reason in " ".join(ran.annotations("error"))


@pytest.mark.parametrize(
    ("step", "error", "named"),
    [
        ("- {run: 'true', shel: bash}", UnknownKeyError, "shel"),
        ("- {run: 'true', shell: pwsh}", UnknownKeyError, "pwsh"),
        ("- {run: 'echo ${{ github.ref }}'}", UnknownKeyError, "injection"),
        ("- {run: 'true', if: unknown()}", ExpressionError, "unknown"),
        ("- {run: 'true', if: steps.nobody.outputs.x}", UnknownNameError, "nobody"),
        ("- {run: 'true', if: inputs.nothing}", UnknownNameError, "nothing"),
        ("- {run: 'true', env: {A: '${{ secret.B }}'}}", ExpressionError, "secret"),
        ("- {uses: ours/action@v1, with: {run_id: a}}", UnknownInputError, "run_id"),
        ("- {uses: ours/action@v1}", UnknownInputError, "run-id"),
        ("- {uses: actions/checkout@v7}", UnpinnedError, "checkout@v7"),
        ("- {uses: someone/else@v7}", UnpinnedError, "no stand-in"),
    ],
)
def test_a_mistake_in_a_file_fails_the_test(
    sample: Sample, step: str, error: type[Exception], named: str
) -> None:
    sample.action(ACTION)
    with pytest.raises(error, match=named):
        sample.run(steps(step))


ACTION = """
name: ours
description: Greets
inputs:
  run-id: {description: who, required: true}
  times: {description: how often, default: "2"}
outputs:
  greeting: {description: it, value: '${{ steps.greet.outputs.text }}'}
runs:
  using: composite
  steps:
    - id: greet
      shell: bash
      env: {WHO: '${{ inputs.run-id }}', TIMES: '${{ inputs.times }}'}
      run: echo "text=$TIMES $WHO $OUTER $(basename "$GITHUB_ACTION_PATH")" >>"$GITHUB_OUTPUT"
    - {shell: bash, run: 'exit 4', if: inputs.times == 4}
    - {shell: bash, run: 'exit 0', if: failure()}
"""
NESTING = """
name: nesting
description: Uses the other
inputs: {}
outputs:
  inner: {description: it, value: '${{ steps.inner.outputs.greeting }}'}
runs:
  using: composite
  steps:
    - {id: inner, uses: ours/action@v1, with: {run-id: "${{ github.actor }}"}}
    - {shell: bash, run: 'test "$(basename "$GITHUB_ACTION_PATH")" = nested'}
"""


def test_composite_actions_run_with_their_own_inputs_path_and_status(sample: Sample) -> None:
    sample.action(ACTION)
    sample.action(NESTING, "nested")
    calls = """
- {id: tell, uses: ours/action@v1, env: {OUTER: outer}, with: {run-id: me, times: 3}}
- {id: nested, uses: ours/action/nested@v1, env: {OUTER: outer}}
- {id: failing, uses: ours/action@v1, continue-on-error: true, with: {run-id: me, times: 4}}
"""
    ran = sample.run(steps(calls)).job("only")
    assert ran.result == "success", ran.console.text
    assert ran.step("tell").outputs["greeting"] == "3 me outer action"
    assert ran.step("nested").outputs["inner"] == "2 octocat outer action"
    assert (ran.step("failing").outcome, ran.step("failing").conclusion) == ("failure", "success")


UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"
AS_IT_IS = f"""
- run: echo one >a.html; echo two >b.html
- {{id: first, uses: {UPLOAD}, with: {{name: ignored, path: a.html, archive: false}}}}
- id: second
  continue-on-error: true
  uses: {UPLOAD}
  with: {{path: a.html, archive: false, overwrite: true}}
- {{id: both, continue-on-error: true, uses: {UPLOAD}, with: {{path: '*.html', archive: false}}}}
"""


def test_a_file_is_uploaded_as_it_is_alone_once_and_by_its_own_name(sample: Sample) -> None:
    ran = sample.run(steps(AS_IT_IS))
    assert sample.world.artifacts.of(ran.id) == {"a.html": b"one\n"}
    outcomes = {step.id: step.outcome for step in ran.job("only").steps}
    assert (outcomes["first"], outcomes["second"], outcomes["both"]) == (
        "success",
        "failure",  # upload-artifact#769: it looks for an artifact of another name
        "failure",
    )


def test_outputs_are_read_as_github_reads_them() -> None:
    assert pairs("a=1\nb<<E\nx=y\n\nE\nc==<<\n") == {"a": "1", "b": "x=y\n", "c": "=<<"}
    with pytest.raises(CommandFileError):
        pairs("=x")
