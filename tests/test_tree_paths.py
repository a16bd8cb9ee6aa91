from pathlib import Path

import pytest

from reprocheck.errors import SourceError
from reprocheck.model import Argv, Command, ShellLine, Step
from reprocheck.tree_paths import check_command, inside, is_inside, scripts_outside


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "src").mkdir(parents=True)
    (tree / "src/train.py").touch()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/train.py").touch()
    (tree / "outward").symlink_to("../outside")
    (tree / "train.py").symlink_to(tmp_path / "outside/train.py")
    (tree / "inward").symlink_to("src")
    return tree


@pytest.mark.parametrize("path", ["a", "a/b", "./a", ".github/x", ".gitignore", "a..b"])
def test_a_path_in_the_tree_is_inside(path: str) -> None:
    assert is_inside(path)


@pytest.mark.parametrize(
    "path",
    ["", ".", "/a", "..", "a/../b", ".git/x", "a/.Git", ".git ./x", "a\\..\\b", "~/a", "a\0"],
)
def test_a_path_that_can_lead_elsewhere_is_not(path: str) -> None:
    assert not is_inside(path)


@pytest.mark.parametrize("path", ["outward", "outward/new", "train.py", "../outside", "/etc"])
def test_what_leads_out_is_refused_also_through_a_link(tree: Path, path: str) -> None:
    with pytest.raises(SourceError, match=r"the file '.*leads out of the run's tree"):
        inside(tree, path, "the file")


def test_a_link_that_stays_inside_is_followed(tree: Path) -> None:
    assert inside(tree, "inward/train.py", "x").is_file()
    assert inside(tree, ".", "x") == tree


@pytest.mark.parametrize(
    ("step", "made"),
    [
        (Step(run=Argv(args=("python", "train.py"))), ()),
        (Step(run=Argv(args=("python", "-u", "train.py"))), ()),
        (Step(run=Argv(args=("python", "-m", "torch.run", "-n", "2", "train.py"))), ()),
        (Step(run=ShellLine(line="A=1 python -u train.py")), ()),
        (Step(run=ShellLine(line="python train.py"), cwd="outward"), ()),
        (Step(run=ShellLine(line="make"), cwd=".."), ()),
        (Step(run=ShellLine(line="make")), ("outward/model",)),
    ],
)
def test_a_command_cannot_work_or_begin_outside(
    tree: Path, step: Step, made: tuple[str, ...]
) -> None:
    with pytest.raises(SourceError, match="leads out of the run's tree"):
        check_command(Command(steps=(step,)), made, tree)


def test_other_commands_are_fine(tree: Path) -> None:
    steps = (
        Step(run=Argv(args=("python", "train.py", "--data", "../x")), cwd="inward"),
        Step(run=Argv(args=("/usr/bin/env", "python", "-m", "train"))),
    )
    check_command(Command(steps=steps), ("src/model", "new"), tree)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (Argv(args=("python", "train.py", "/data/x.py")), []),
        (Argv(args=("/usr/bin/python3", "-m", "a.b", "--out", "/data")), []),
        (Argv(args=("python", "/usr/lib/python3.11/cProfile.py", "train.py")), []),
        (Argv(args=("bash", "/opt/run.sh", "train.py")), ["/opt/run.sh"]),
        (ShellLine(line="A=1 python -u /opt/train.py | tee log"), ["/opt/train.py"]),
        (ShellLine(line="python 'unclosed"), []),
    ],
)
def test_scripts_of_elsewhere_are_told(run, expected):
    assert list(scripts_outside(Command(steps=(Step(run=run),)))) == expected
