from pathlib import Path

import pytest

from reprocheck import command
from reprocheck.command_templates import StepTemplate
from reprocheck.config import Config
from reprocheck.errors import SourceError
from reprocheck.model import Argv, Command, Lineage, OriginKind, RunRecord, ShellLine, Step
from tests.reporters.builders import make_code, make_record

PROJECT = """
name: wine
entry_points:
  main:
    parameters:
      alpha: {type: float, default: 0.5}
      l1_ratio: float
    command: "python train.py {alpha} {l1_ratio}"
"""
PIPELINE = """
stages:
  prepare: {cmd: python prepare.py, outs: [data/clean.csv]}
  train: {cmd: "python train.py ${lr}", deps: [data/clean.csv], outs: [model]}
  plot: {cmd: python plot.py, deps: [model]}
"""
LOCK = """
schema: '2.0'
stages:
  prepare: {cmd: python prepare.py}
  train: {cmd: python train.py 0.1}
  plot: {cmd: python plot.py}
"""


def tree(tmp_path: Path, **files: str) -> Path:
    for name, content in files.items():
        path = tmp_path / name.replace("__", "/").replace("_yaml", ".yaml")
        path = path.with_name(path.name.replace("_py", ".py").replace("_lock", ".lock"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


def run_of(script: str | None = "train.py", **changes: object) -> RunRecord:
    parameters = {"alpha": "0.3", "l1_ratio": "0.7"}
    code = make_code(
        script=script,
        entry_point=changes.pop("entry_point", None),
        subdirectory=changes.pop("subdirectory", "."),
    )
    return make_record(**{"command": None, "parameters": parameters, "code": code, **changes})


def lines(found: command.CommandFound) -> list[str]:
    return [
        step.run.line if isinstance(step.run, ShellLine) else " ".join(step.run.args)
        for step in found.command.steps
    ]


def test_recorded_arguments_come_first(tmp_path: Path) -> None:
    recorded = Command(steps=(Step(run=Argv(args=("python", "train.py", "--lr", "1"))),))
    root = tree(tmp_path, MLproject=PROJECT, train_py="")
    found = command.complete(run_of(command=recorded), Config(), root)
    assert lines(found) == ["python train.py --lr 1"]


@pytest.mark.parametrize("before", [(), ("-u",), ("/opt/v/lib/site-packages/torch/run.py", "-n2")])
def test_a_recorded_script_that_the_commit_lacks_is_not_taken_from_this_machine(
    tmp_path: Path, before: tuple[str, ...]
) -> None:
    mine = tmp_path / "mine/train.py"
    mine.parent.mkdir()
    mine.touch()
    (tmp_path / "tree/src").mkdir(parents=True)
    words = ("python", *before, str(mine))
    run = run_of(command=Command(steps=(Step(run=Argv(args=words)),)))
    with pytest.raises(SourceError, match="is not at the commit"):
        command.complete(run, Config(), tmp_path / "tree")
    written = Config(command=(StepTemplate(args=("python", "src/other.py")),))
    assert command.complete(run, written, tmp_path / "tree").origin.kind is OriginKind.CONFIG
    (tmp_path / "tree/src/train.py").touch()
    (step,) = command.complete(run, Config(), tmp_path / "tree").command.steps
    assert step.run == Argv(args=(*words[:-1], "src/train.py"))


def test_a_script_recorded_by_another_machines_path_is_found_in_the_tree(tmp_path: Path) -> None:
    recorded = Command(steps=(Step(run=Argv(args=("python", "/home/ada/proj/src/train.py"))),))
    root = tree(tmp_path, src__train_py="")
    found = command.complete(run_of(command=recorded), Config(), root)
    assert lines(found) == ["python src/train.py"]


def test_an_entry_point_is_filled_with_the_runs_parameters(tmp_path: Path) -> None:
    found = command.complete(run_of(), Config(), tree(tmp_path, MLproject=PROJECT, train_py=""))
    assert lines(found) == ["python train.py 0.3 0.7"]
    assert found.origin.kind is OriginKind.FILE
    assert not found.given


def test_mlflow_run_itself_logs_the_entry_points_parameters(tmp_path: Path) -> None:
    record = run_of(script="file:///home/ada/wine", entry_point="main")
    found = command.complete(record, Config(), tree(tmp_path, MLproject=PROJECT, train_py=""))
    assert found.given == {"alpha", "l1_ratio"}


def test_a_default_is_taken_and_said(tmp_path: Path) -> None:
    record = run_of(parameters={"l1_ratio": "0.7"})
    found = command.complete(record, Config(), tree(tmp_path, MLproject=PROJECT, train_py=""))
    assert lines(found) == ["python train.py 0.5 0.7"]
    assert [finding.code for finding in found.findings] == ["default-parameter"]
    assert found.origin.kind is OriginKind.INFERRED


def test_a_parameters_value_cannot_escape_into_the_shell(tmp_path: Path) -> None:
    record = run_of(parameters={"alpha": "$(touch x); #", "l1_ratio": "`id`"})
    found = command.complete(record, Config(), tree(tmp_path, MLproject=PROJECT, train_py=""))
    assert lines(found) == ["python train.py '$(touch x); #' '`id`'"]


@pytest.mark.parametrize("words", ["'{alpha}'", r"\"{alpha}\"", r"\"x {alpha}\""])
def test_a_value_inside_the_projects_own_quotes_is_refused(tmp_path: Path, words: str) -> None:
    project = PROJECT.replace("{alpha}", words)
    root = tree(tmp_path, MLproject=project)
    record = run_of("go.sh", entry_point="main", parameters={"alpha": "$(id)", "l1_ratio": "1"})
    with pytest.raises(SourceError, match="cannot be filled safely"):
        command.complete(record, Config(), root)


@pytest.mark.parametrize("hole", ["{alpha.real.x}", "{0}", "{alpha!x}", "{other}"])
def test_a_malformed_command_of_a_project_is_refused(tmp_path: Path, hole: str) -> None:
    root = tree(tmp_path, MLproject=PROJECT.replace("{alpha}", hole))
    with pytest.raises(SourceError, match="cannot be filled"):
        command.complete(run_of("x", entry_point="main"), Config(), root)


def test_the_template_wins_over_a_guess_but_not_over_the_runs_own_project(tmp_path: Path) -> None:
    root = tree(tmp_path, MLproject=PROJECT, dvc_yaml=PIPELINE, dvc_lock=LOCK, train_py="")
    config = Config(command=(StepTemplate(args=("python", "go.py")),))
    assert lines(command.complete(run_of(), config, root)) == ["python go.py"]
    own = command.complete(run_of("file:///x", entry_point="main"), config, root)
    assert lines(own) == ["python train.py 0.3 0.7"]


def test_a_harmless_value_inside_the_projects_own_quotes_is_filled_in(tmp_path: Path) -> None:
    root = tree(tmp_path, MLproject=PROJECT.replace("{alpha}", "'{alpha}'"))
    found = command.complete(run_of("x", entry_point="main"), Config(), root)
    assert lines(found) == ["python train.py '0.3' 0.7"]


def test_a_project_in_a_subfolder_runs_there(tmp_path: Path) -> None:
    record = run_of("file:///home/ada/repo#sub/wine", entry_point="main", subdirectory="sub/wine")
    root = tree(tmp_path, sub__wine__MLproject=PROJECT, sub__wine__train_py="")
    assert command.complete(record, Config(), root).command.steps[0].cwd == "sub/wine"


def test_an_mlproject_of_another_script_is_not_taken(tmp_path: Path) -> None:
    root = tree(tmp_path, MLproject=PROJECT.replace("train.py", "other.py"), train_py="")
    found = command.complete(run_of(), Config(), root)
    assert found.origin.kind is OriginKind.INFERRED


def test_stages_run_with_all_that_they_depend_on_and_nothing_after(tmp_path: Path) -> None:
    root = tree(tmp_path, dvc_yaml=PIPELINE, dvc_lock=LOCK, train_py="")
    assert lines(command.complete(run_of(), Config(), root)) == [
        "python prepare.py",
        "python train.py 0.1",
    ]


def test_a_stages_values_are_those_of_the_commit_not_of_a_stale_lock(tmp_path: Path) -> None:
    pipeline = PIPELINE.replace("${lr}", "${model.lr} ${fast} ${size}")
    pipeline = f"vars: [more.yaml, {{size: 3}}]\n{pipeline}"
    files = {"params_yaml": "model: {lr: 0.3}\n", "more_yaml": "fast: true\n"}
    root = tree(tmp_path, dvc_yaml=pipeline, dvc_lock=LOCK, train_py="", **files)
    found = command.complete(run_of(), Config(), root)
    assert lines(found)[1] == "python train.py 0.3 true 3"


def test_all_that_the_stages_make_is_made_anew(tmp_path: Path) -> None:
    pipeline = PIPELINE.replace(
        "outs: [model]", "outs: [model: {persist: true}, ../x], metrics: [m.json: {cache: false}]"
    )
    root = tree(tmp_path, dvc_yaml=pipeline, dvc_lock=LOCK, train_py="")
    found = command.complete(run_of(), Config(), root)
    assert found.made == {"data/clean.csv", "model", "m.json"}
    assert [finding.code for finding in found.findings] == ["persistent-output"]


def test_the_template_is_split_but_sees_no_shell(tmp_path: Path) -> None:
    template = StepTemplate(args=("python", "go.py", "--alpha={params.alpha}", "{seed}", "{x}"))
    record = run_of(script=None, seeds={"seed": "7"}, parameters={"alpha": "a b; c"})
    found = command.complete(record, Config(command=(template,)), tmp_path)
    assert found.command.steps[0].run == Argv(
        args=("python", "go.py", "--alpha=a b; c", "7", "{x}")
    )


def test_a_child_is_made_by_its_parents_command(tmp_path: Path) -> None:
    template = StepTemplate(args=("python", "search.py", "{params.trials}", "{params.l1_ratio}"))
    given = {"trials": "5", "l1_ratio": "0.1..0.9"}
    lineage = Lineage(parent="p", depth=1, place=3, parent_parameters=given)
    found = command.complete(run_of(lineage=lineage), Config(command=(template,)), tmp_path)
    assert lines(found) == ["python search.py 5 0.1..0.9"]


def test_a_template_that_names_an_unlogged_parameter_says_what_was_logged(tmp_path: Path) -> None:
    template = StepTemplate(args=("python", "go.py", "{params.lr}"))
    with pytest.raises(SourceError, match=r"params\.lr") as caught:
        command.complete(run_of(script=None), Config(command=(template,)), tmp_path)
    assert "alpha, l1_ratio" in caught.value.hint


def test_a_lone_script_is_inferred_and_said_to_be(tmp_path: Path) -> None:
    found = command.complete(run_of("/somewhere/train.py"), Config(), tree(tmp_path, train_py=""))
    assert lines(found) == ["python train.py"]
    assert [finding.code for finding in found.findings] == ["inferred-command"]
    assert not found.unproved


def test_a_command_is_unproved_without_the_parameters_that_it_takes(tmp_path: Path) -> None:
    root = tree(tmp_path, train_py="")
    found = command.complete(run_of(parameters={}), Config(), root)
    assert found.unproved == "the run logged no parameter"
    tree(tmp_path, MLproject=PROJECT)
    found = command.complete(run_of(parameters={"l1_ratio": "1"}), Config(), root)
    assert found.unproved == "the run did not log alpha"


@pytest.mark.parametrize(
    ("recorded", "line", "cwd"),
    [
        ("train.py", "python train.py", "a/b"),
        ("b/train.py", "python b/train.py", "a"),
        ("/home/ada/proj/a/b/train.py", "python a/b/train.py", "."),
        ("../b/train.py", "python a/b/train.py", "."),
    ],
)
def test_a_scripts_relative_name_tells_where_it_ran(
    tmp_path: Path, recorded: str, line: str, cwd: str
) -> None:
    found = command.complete(run_of(recorded), Config(), tree(tmp_path, a__b__train_py=""))
    assert (lines(found), found.command.steps[0].cwd) == ([line], cwd)


def test_no_command_at_all_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="missing-command") as caught:
        command.complete(run_of("gone.py"), Config(), tmp_path)
    assert "gone.py" in caught.value.message
    assert "command:" in caught.value.hint


@pytest.mark.parametrize("content", ["[", "- a", "entry_points: 3", "x: \x00", "&a [*a]", ""])
def test_a_broken_mlproject_is_one_clear_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(SourceError):
        command.complete(run_of("gone.py"), Config(), tree(tmp_path, MLproject=content))


@pytest.mark.parametrize("recorded", ["../../etc/passwd", "*", "[a", "", "/", "x/../../y"])
def test_a_recorded_path_never_leads_outside(tmp_path: Path, recorded: str) -> None:
    (tmp_path.parent / "y").write_text("")
    assert command.find_in_tree(recorded, tree(tmp_path, a="", b="")) is None
