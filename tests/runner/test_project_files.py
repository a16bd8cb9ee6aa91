"""All of the project's own actions and workflows, read as the runner reads them."""

from pathlib import Path

import pytest

from tests.runner.definitions import Workflow, read_action, read_workflow
from tests.runner.names import unknown_in_action, unknown_in_workflow

ROOT = Path(__file__).parents[2]
ACTIONS = sorted(path.parent for path in (*ROOT.glob("action.yml"), *ROOT.glob("*/action.yml")))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("folder", ACTIONS, ids=lambda path: path.name)
def test_an_action_names_only_what_it_declares(folder: Path) -> None:
    assert unknown_in_action(read_action(folder)) == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_names_only_what_it_declares(path: Path) -> None:
    assert unknown_in_workflow(read_workflow(path)) == []


def test_there_are_actions_and_workflows() -> None:
    assert {"fetch", "report", "plan", "aggregate"} <= {folder.name for folder in ACTIONS}
    assert len(WORKFLOWS) >= 5


def read(tmp_path: Path, text: str) -> Workflow:
    (tmp_path / "sample.yml").write_text(text)
    return read_workflow(tmp_path / "sample.yml")


def test_what_is_not_declared_is_found(tmp_path: Path) -> None:
    found = unknown_in_workflow(
        read(
            tmp_path,
            """
on: {workflow_call: {inputs: {known: {type: string}}}}
jobs:
  one:
    if: needs.other.result == 'success' && inputs.known
    outputs: {x: "${{ steps.gone.outputs.x }}"}
    steps:
      - {id: here, run: a, if: "inputs.unknown && steps.here.outcome"}
      - {run: a, env: {A: "${{ guess(matrix.any) }} ${{ secret.B }}"}}
""",
        )
    )
    named = {each.partition(" in ")[0] for each in found}
    assert named == {"needs.other", "steps.gone", "function guess", "secret.B", "inputs.unknown"}
