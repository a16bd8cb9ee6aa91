from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from reprocheck.errors import SourceError
from reprocheck.model import Argv, Artifact, Command, Finding, ShellLine, Step
from reprocheck.named_files import named_files, put_back


def command(line: str, cwd: str = ".") -> Command:
    return Command(steps=(Step(run=Argv(args=tuple(line.split())), cwd=cwd),))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("python train.py --config configs/exp7.yaml", ["configs/exp7.yaml"]),
        ("python train.py --config=configs/exp7.yaml", ["configs/exp7.yaml"]),
        ("python train.py configs/../conf.toml", ["conf.toml"]),
        ("python train.py --args run_args.txt @more_args.txt", ["run_args.txt", "more_args.txt"]),
        ("python train.py --params p.json --out metrics.json", ["p.json"]),
        ("python train.py --save-config out.yaml --log log.yaml", []),
        ("python train.py --data data.json notes.txt results.yaml", []),
        ("python train.py --config http://x/a.yaml /etc/a.yaml", []),
        ("python train.py train.sh other.py", []),
    ],
)
def test_the_config_files_that_a_command_reads_are_known_by_its_words(
    line: str, expected: list[str]
) -> None:
    assert [named.path for named in named_files(command(line))] == expected


def test_a_shell_line_and_its_directory_count_and_what_it_writes_does_not() -> None:
    line = "python train.py --config 'my exp.yaml' > shown.yaml"
    found = named_files(Command(steps=(Step(run=ShellLine(line=line), cwd="src"),)))
    assert [named.path for named in found] == ["src/my exp.yaml"]


def put(
    tree: Path, line: str, logged: Mapping[str, str], sizes: int | None = None
) -> tuple[Finding, ...]:
    store = tree.parent / "artifacts"
    for name, content in logged.items():
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).write_text(content)

    def fetch(paths: Sequence[str], _: Path) -> Mapping[str, Path]:
        return {path: store / path for path in paths}

    artifacts = [Artifact(path=name, size=sizes or len(logged[name])) for name in logged]
    return put_back(named_files(command(line)), artifacts, tree, fetch, tree.parent / "f")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree/configs").mkdir(parents=True)
    (tmp_path / "tree/configs/old.yaml").write_text("lr: 1")
    return tmp_path / "tree"


@pytest.mark.parametrize("logged", ["configs/exp7.yaml", "config/exp7.yaml", "exp7.yaml"])
def test_a_config_that_the_commit_lacks_is_put_where_the_command_names_it(
    tree: Path, logged: str
) -> None:
    (finding,) = put(tree, "python train.py --config configs/exp7.yaml", {logged: "lr: 2"})
    assert (tree / "configs/exp7.yaml").read_text() == "lr: 2"
    assert (finding.code, logged in finding.message) == ("file-from-record", True)
    assert "is not in the commit" in finding.message


def test_a_config_that_the_commit_has_otherwise_is_the_runs(tree: Path) -> None:
    (finding,) = put(tree, "python train.py -c configs/old.yaml", {"configs/old.yaml": "lr: 3"})
    assert (tree / "configs/old.yaml").read_text() == "lr: 3"
    assert "differs from the commit's" in finding.message
    assert put(tree, "python train.py -c configs/old.yaml", {"old.yaml": "lr: 3"}) == ()


def test_several_different_ones_of_its_name_leave_the_commits(tree: Path) -> None:
    logged = {"a/old.yaml": "lr: 2", "b/old.yaml": "lr: 3"}
    (finding,) = put(tree, "python train.py -c configs/old.yaml", logged)
    assert (finding.code, (tree / "configs/old.yaml").read_text()) == ("ambiguous-file", "lr: 1")
    logged = {**logged, "configs/old.yaml": "lr: 4"}  # at its path: that one
    (finding,) = put(tree, "python train.py -c configs/old.yaml", logged)
    assert (finding.code, (tree / "configs/old.yaml").read_text()) == ("file-from-record", "lr: 4")


def test_a_file_of_a_logged_model_is_no_config_of_the_run(tree: Path) -> None:
    line = "python train.py --config configs/old.yaml"
    assert put(tree, line, {"model/MLmodel": "", "model/old.yaml": "made by the run"}) == ()
    (told,) = put(tree, line, {"model/MLmodel": "", "model/code/configs/old.yaml": "lr: 2"})
    assert told.code == "file-from-record"


def test_reprochecks_own_files_and_large_ones_are_none(tree: Path) -> None:
    line = "python train.py -c exp.yaml"
    assert put(tree, line, {"reprocheck/exp.yaml": "x", "models/m/exp.yaml": "x"}) == ()
    assert put(tree, line, {"exp.yaml": "x"}, sizes=2_000_000) == ()
    assert not (tree / "exp.yaml").exists()


@pytest.mark.parametrize("path", ["../exp.yaml", "outward/exp.yaml", ".git/exp.yaml"])
def test_a_place_outside_of_the_tree_is_refused(tree: Path, tmp_path: Path, path: str) -> None:
    (tree / "outward").symlink_to(tmp_path)
    with pytest.raises(SourceError, match="leads out of the run's tree"):
        put(tree, f"python train.py -c {path}", {"exp.yaml": "x"})
    assert not (tmp_path / "exp.yaml").exists()
