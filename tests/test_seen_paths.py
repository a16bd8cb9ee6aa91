"""Absolute paths of the recorded machine: refused, rewritten, told, and found by trials."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from reprocheck import command_words, seen_paths
from reprocheck.absolute_paths import checked
from reprocheck.datastores import Inputs
from reprocheck.environments.base import Shown
from reprocheck.errors import ConfigError, RestoreError
from reprocheck.model import (
    Argv,
    Command,
    Material,
    MaterialPlace,
    Origin,
    OriginKind,
    ShellLine,
    Step,
)
from reprocheck.seen_paths import SeenPaths
from tests.conftest import Repo, set_author
from tests.datastores.hub import lay
from tests.lab import ROWS, Lab, copy_of
from tests.reporters.builders import make_record

SEEN = SeenPaths(
    moved={
        "/home/me/data/train.csv": "data/train.csv",
        "/mnt/images": "images",
        "/home/me/proj": ".",
    }
)
TREE = Path("/ws/tree")
BLANK = {
    "algorithm": "md5",
    "digest": "0" * 32,
    "size": None,
    "files": None,
    "origin": Origin(kind=OriginKind.CONFIG, where="reprocheck.yaml:3"),
}


def argv(*words: str, **fields) -> Command:
    return Command(steps=(Step(run=Argv(args=words)),), **fields)


def shell(line: str) -> Command:
    return Command(steps=(Step(run=ShellLine(line=line)),))


def rewritten(word: str) -> str:
    return SEEN.in_tree(argv("python", word), TREE).steps[0].run.args[1]


@pytest.mark.parametrize(
    "place",
    [
        *("/", "/proc/1", "/sys", "/dev/shm/x", "/etc/passwd", "/usr/lib/x", "/bin", "/lib64/x"),
        *("/run", "/tmp", "/home", "/root", "/usr/src/", "//etc/x"),
        *("data/x", "/data/../etc/x", "/data/\n/x"),
    ],
)
def test_nothing_is_shown_where_it_would_break_the_sandbox(place):
    with pytest.raises(ConfigError, match=r"reprocheck\.yaml:3: an input cannot be shown"):
        checked(place, "reprocheck.yaml:3")


@pytest.mark.parametrize("place", ["/data/x.csv", "/usr/src/app/x", "/run/media/me/d/x", "/data"])
def test_anywhere_else_it_can_be_shown(place):
    assert checked(f"{place}/", "x") == place


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("/home/me/data/train.csv", "/ws/tree/data/train.csv"),
        ("--data=/home/me/data/train.csv", "--data=/ws/tree/data/train.csv"),
        ("+data.path=/mnt/images", "+data.path=/ws/tree/images"),
        ("file:///mnt/images/a.png", "file:///ws/tree/images/a.png"),
        ("/mnt/images/", "/ws/tree/images/"),
        ("/home/me/data", "/ws/tree/data"),  # a folder around it, which the tree has alike
        ("/home/me/proj/conf/a.yaml", "/ws/tree/conf/a.yaml"),
        ("/home/me/data/train.csv.bak", "/home/me/data/train.csv.bak"),
        ("/mnt", "/ws/tree"),
        ("/home", "/home"),
        ("/mnt/images/../x", "/mnt/images/../x"),
        ("see /mnt/images", "see /mnt/images"),
        ("a:/mnt/images", "a:/mnt/images"),
        ("-x/mnt/images", "-x/mnt/images"),
    ],
)
def test_an_argument_that_is_the_path_names_the_trials_own(word, expected):
    assert rewritten(word) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("python t.py --data /mnt/images && true", "python t.py --data /ws/tree/images && true"),
        ("python t.py '/mnt/images'>log", "python t.py /ws/tree/images>log"),
        ('echo "in /mnt/images" /mnt/image$X', 'echo "in /mnt/images" /mnt/image$X'),
        ("D=/mnt/images python t.py", "D=/ws/tree/images python t.py"),
    ],
)
def test_in_a_shell_line_only_whole_words_are_rewritten(line, expected):
    assert SEEN.in_tree(shell(line), TREE).steps[0].run.line == expected


def test_a_recorded_variable_is_rewritten_too():
    command = SEEN.in_tree(argv("python", "t.py", env={"DATA": "/mnt/images"}), TREE)
    assert command.env == {"DATA": "/ws/tree/images"}


def test_the_words_of_a_command_know_their_options():
    command = shell("python t.py --data /a/b -o=/c x=1 > /d; cat <'/e f'")
    found = {word.value: word.key for word in command_words.words(command)}
    assert found == {"t.py": "", "/a/b": "data", "/c": "o", "1": "x", "cat": "", "/e f": ""}


def test_the_runs_own_tree_is_told_by_its_scripts_absolute_path(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/train.py").touch()
    record = make_record(tags={"mlflow.source.name": "/home/me/proj/src/train.py"})
    assert seen_paths.recorded_roots(record, tmp_path) == (PurePosixPath("/home/me/proj"),)
    other = make_record(tags={"mlflow.source.name": "/usr/bin/train.py"})
    assert seen_paths.recorded_roots(other, tmp_path) == ()


def seen_material(**fields) -> Material:
    return Material(**{**BLANK, "path": "images", "seen_as": "/mnt/images", **fields})


def told(command: Command, *, shows: bool, roots=()) -> list[tuple[str, str]]:
    paths = seen_paths.of_trials([seen_material()], roots, shows=shows)
    found = seen_paths.findings(paths, [seen_material()], command, shows=shows)
    return [(each.code, each.message) for each in found]


def test_what_is_rewritten_or_cannot_be_shown_is_told():
    named, unnamed = argv("python", "t.py", "/mnt/images/a"), argv("python", "t.py")
    root = PurePosixPath("/home/me/proj")
    assert told(named, shows=True) == told(unnamed, shows=True, roots=[root]) == []
    assert [code for code, _ in told(named, shows=False)] == ["rewritten-path"]
    assert "copy of images" in told(named, shows=False)[0][1]
    ((code, message),) = told(unnamed, shows=False)
    assert code == "path-not-shown"
    assert "images cannot be shown to the trials as /mnt/images" in message


def test_a_path_that_cannot_be_shown_must_hold_here_what_was_restored(tmp_path):
    """Else the trials would read other data, and the verdict be about nothing."""
    there, restored = tmp_path / "there", tmp_path / "inputs/images"
    for folder in (there, restored):
        folder.mkdir(parents=True)
        (folder / "1").write_text("1")
    material = seen_material(seen_as=str(there))
    inputs = Inputs(folder=tmp_path / "inputs", materials=(material,), findings=())

    def refuse(*words: str, shows: bool = False) -> None:
        paths = seen_paths.of_trials([material], [], shows=shows)
        seen_paths.refuse_others(paths, inputs, argv("python", *words))

    refuse()
    (there / "2").write_text("2")
    refuse(shows=True)
    refuse(str(there))
    with pytest.raises(RestoreError, match="is not what was restored"):
        refuse()
    (there / "2").unlink()
    (there / "1").write_text("2")
    with pytest.raises(RestoreError, match="is not what was restored"):
        refuse()


def test_what_is_shown_in_the_runs_own_tree_is_left_as_it_is():
    root = PurePosixPath("/mnt")
    paths = seen_paths.of_trials([seen_material()], [root], shows=True)
    words = paths.in_tree(argv("python", "/mnt/images/a", "/mnt/conf"), TREE).steps[0].run.args
    assert words == ("python", "/mnt/images/a", "/ws/tree/conf")
    assert paths.named_in(argv("python", "/mnt/images")) == ()


def test_the_folders_of_what_is_shown_can_be_read_by_everybody(tmp_path):
    folder = tmp_path / "inputs"
    (folder / "images").mkdir(parents=True)
    (folder / "images/a.png").write_text("a")
    (folder / "images/a.png").chmod(0o600)
    (folder / "images").chmod(0o700)
    inputs = Inputs(folder=folder, materials=(seen_material(),), findings=())
    assert seen_paths.shown(inputs) == (Shown(source=folder / "images", target="/mnt/images"),)
    assert (folder / "images/a.png").stat().st_mode & 0o777 == 0o644
    assert (folder / "images").stat().st_mode & 0o777 == 0o755


def test_what_the_training_fetches_is_copied_into_the_trials_home(tmp_path):
    kept = tmp_path / "inputs-home/.cache/torch/x.pth"
    kept.parent.mkdir(parents=True)
    kept.write_text("weights")
    material = seen_material(path=".cache/torch/x.pth", place=MaterialPlace.HOME, seen_as=None)
    inputs = Inputs(folder=tmp_path / "inputs", materials=(material,), findings=())
    seen_paths.copy_home(inputs, tmp_path / "home")
    (tmp_path / "home/.cache/torch/x.pth").write_text("changed")
    assert kept.read_text() == "weights"


# --- end to end -----------------------------------------------------------------------------

TRAIN = """
import argparse, json, os
from pathlib import Path
import mlflow
parser = argparse.ArgumentParser()
parser.add_argument("--data")
args = parser.parse_args()
model = Path(os.environ["HF_HUB_CACHE"], "models--reprocheck-tests--tiny")
commit = (model / "refs/main").read_text()
scale = json.loads((model / "snapshots" / commit / "config.json").read_text())["scale"]
try:
    open(args.data, "a").close()
except OSError as error:
    print(error, flush=True)
with mlflow.start_run():
    mlflow.log_params({"data": args.data, "commit": commit})
    mlflow.log_metric("rows", scale * len(Path(args.data).read_text()))
"""
CONFIG = """version: 1
command: "python train.py --data {params.data}"
data:
  - {path: data/train.csv, seen_as: "{params.data}"}
  - {hub: reprocheck-tests/tiny, revision: "{params.commit}"}
metrics: {rows: {gate: true}}
"""


@pytest.fixture(scope="module")
def trained(lab: Lab, tmp_path_factory) -> Iterator[tuple[Lab, str, Path]]:
    """A run that read its data by an absolute path that is gone, and a model of the hub."""
    folder = tmp_path_factory.mktemp("seen")
    own, data = copy_of(lab, folder), folder / "gone/rows.csv"
    lay(folder / "hub", "models--reprocheck-tests--tiny", {"config.json": b'{"scale": 2}'})
    data.parent.mkdir()
    data.write_text(ROWS)
    with pytest.MonkeyPatch.context() as patch:
        set_author(patch)
        patch.setenv("HF_HUB_CACHE", str(folder / "hub"))
        own.repo.commit({"train.py": TRAIN, "reprocheck.yaml": CONFIG})
        run_id = own.train("--data", str(data))
        data.unlink()
        yield own, run_id, data


def test_an_input_at_an_absolute_path_and_a_model_of_the_hub_are_found(trained):
    lab, run_id, data = trained
    result = lab.verify(run_id)
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout + result.stderr
    codes = {each["code"] for each in result.report["findings"]}
    assert not codes & {"path-not-shown", "unmapped-path", "unpinned-revision"}
    if shutil.which("bwrap"):
        assert "Read-only file system" in result.report["trials"][0]["log_tail"]
        assert result.report["trials"][0]["differences"] == []
    places = [(each["place"], each["seen_as"]) for each in result.report["record"]["data"]]
    assert places == [("tree", str(data)), ("hub", None)]


def test_where_nothing_can_be_mounted_the_argument_is_rewritten(trained, tmp_path, monkeypatch):
    lab, run_id, _ = trained
    programs = tmp_path / "programs"  # without bubblewrap
    programs.mkdir()
    for name in ("git", "sh", "env", "uname"):
        (programs / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(programs))
    result = lab.verify(run_id)
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout + result.stderr
    (difference,) = result.report["trials"][0]["differences"]
    assert difference["excuse"] == "the trial's own copy of an input"
    assert "rewritten-path" in {each["code"] for each in result.report["findings"]}


def test_an_unmapped_path_is_told_without_running_anything(trained):
    lab, run_id, _ = trained
    bare = CONFIG.replace(', seen_as: "{params.data}"', "")
    Repo.at(lab.repo.path).write({"reprocheck.yaml": bare})
    result = lab.verify(run_id, "--dry-run")
    (found,) = (each for each in result.report["findings"] if each["code"] == "unmapped-path")
    assert "rows.csv (the command's data, the parameter data)" in found["message"]
