"""End to end from every kind of repository: where the code is kept must not matter."""

import functools
import hashlib
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Repo, need, snapshot
from tests.lab import ROWS, Lab, Result, copy_of

REPOSITORY = "mlflow.source.git.repoURL"
COMMIT = "mlflow.source.git.commit"


@pytest.fixture
def own(lab: Lab, tmp_path: Path) -> Lab:
    """The project, for the test to change; its DVC remote has an absolute path."""
    own = copy_of(lab, tmp_path)
    own.repo.dvc("remote", "modify", "--quiet", "storage", "url", str(own.root / "remote"))
    moved(own)
    return own


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory in no repository, with the project's config."""
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


def moved(lab: Lab) -> str:
    """Commits, and lets the seeded run's record name that commit."""
    commit = lab.repo.commit()
    lab.set_tag(lab.seeded, COMMIT, commit)
    return commit


def is_identical(result: Result) -> bool:
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout + result.stderr
    return True


def config_of(lab: Lab, folder: Path) -> tuple[str, str]:
    path = folder / "reprocheck.yaml"
    shutil.copy(lab.repo.path / "reprocheck.yaml", path)
    return "--config", str(path)


def bare_clone(lab: Lab) -> Path:
    """What the team's git host has."""
    bare = lab.root / "host" / "project.git"
    lab.repo.git("clone", "--quiet", "--bare", str(lab.repo.path), str(bare))
    Repo.at(bare).git("update-server-info")
    return bare


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    """A git host: the folder over HTTP."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


# --- where the repository is --------------------------------------------------------------


@pytest.mark.parametrize("form", ["path", "file-url", "bare", "bare-file-url"])
def test_a_named_local_repository_is_used_from_anywhere(own: Lab, outside: Path, form: str) -> None:
    path = bare_clone(own) if form.startswith("bare") else own.repo.path
    before = snapshot(path)
    repo = path.as_uri() if form.endswith("url") else str(path)
    options = config_of(own, outside) if form.startswith("bare") else ()
    assert is_identical(own.verify(own.seeded, "--repo", repo, *options, cwd=outside))
    assert snapshot(path) == before


def test_a_named_remote_repository_is_cloned(own: Lab, outside: Path) -> None:
    with hosted(bare_clone(own).parent) as address:
        repo = f"{address}/project.git"
        options = config_of(own, outside)
        assert is_identical(own.verify(own.seeded, "--repo", repo, *options, cwd=outside))


def test_the_recorded_repository_is_cloned_where_there_is_none(own: Lab, outside: Path) -> None:
    with hosted(bare_clone(own).parent) as address:
        own.set_tag(own.seeded, REPOSITORY, f"{address}/project.git")
        result = own.verify(own.seeded, *config_of(own, outside), cwd=outside)
    assert is_identical(result)


def test_without_any_repository_the_checkout_says_what_to_give(own: Lab, outside: Path) -> None:
    result = own.verify(own.seeded, *config_of(own, outside), cwd=outside)
    assert (result.exit_code, result.report["failed_stage"]) == (3, "checkout")
    assert "--repo" in result.stdout


@pytest.mark.parametrize("recorded", [True, False])
def test_a_commit_and_data_that_only_the_remotes_have_are_fetched(
    own: Lab, tmp_path: Path, recorded: bool
) -> None:
    behind = tmp_path / "behind"
    own.repo.git("clone", "--quiet", str(own.repo.path), str(behind))
    own.set_data(ROWS.replace("8,16", "8,15"))
    own.seeded = own.train("--seed", "3")
    shutil.rmtree(own.repo.path / ".dvc/cache")
    with hosted(bare_clone(own).parent) as address:
        clone = Repo.at(behind)
        clone.git("remote", "set-url", "origin", f"{address}/project.git")
        if recorded:
            own.set_tag(own.seeded, REPOSITORY, f"{address}/project.git")
        before = snapshot(behind)
        result = own.verify(own.seeded, cwd=behind)
        assert snapshot(behind) == before
    assert is_identical(result)


def test_the_remotes_credentials_are_the_users_where_their_clone_lacks_the_commit(
    own: Lab, tmp_path: Path
) -> None:
    """The commit's DVC remote is elsewhere now; only the user's local config knows."""
    behind = tmp_path / "behind"
    own.repo.git("clone", "--quiet", str(own.repo.path), str(behind))
    own.repo.write({"note": "pushed after the clone"})
    moved(own)
    shutil.move(own.root / "remote", own.root / "moved")
    section = "['remote \"storage\"']"
    (behind / ".dvc/config.local").write_text(f"{section}\n    url = {own.root / 'moved'}\n")
    with hosted(bare_clone(own).parent) as address:
        Repo.at(behind).git("remote", "set-url", "origin", f"{address}/project.git")
        assert is_identical(own.verify(own.seeded, cwd=behind))


def test_a_subfolder_of_the_repository_is_in_it(own: Lab) -> None:
    assert is_identical(own.verify(own.seeded, cwd=own.repo.path / "data"))


def test_a_shallow_clone_is_enough_for_its_own_commit(own: Lab, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    own.repo.git("clone", "--quiet", "--depth=1", own.repo.path.as_uri(), str(shallow))
    before = snapshot(shallow)
    assert is_identical(own.verify(own.seeded, cwd=shallow))
    assert snapshot(shallow) == before


@pytest.mark.parametrize("recorded", [True, False])
def test_a_shallow_clone_without_the_commit_asks_its_remote(
    own: Lab, tmp_path: Path, recorded: bool
) -> None:
    own.repo.commit({"later.txt": "later"})
    shallow = tmp_path / "shallow"
    own.repo.git("clone", "--quiet", "--depth=1", own.repo.path.as_uri(), str(shallow))
    if recorded:
        own.set_tag(own.seeded, REPOSITORY, own.repo.path.as_uri())
    before = snapshot(shallow)
    assert is_identical(own.verify(own.seeded, cwd=shallow))
    assert snapshot(shallow) == before


def test_a_recorded_repository_that_is_gone_leaves_the_remotes_of_the_one_here(
    own: Lab, tmp_path: Path
) -> None:
    behind = tmp_path / "behind"
    own.repo.git("clone", "--quiet", str(own.repo.path), str(behind))
    moved(own)
    own.set_tag(own.seeded, REPOSITORY, str(tmp_path / "gone"))
    assert is_identical(own.verify(own.seeded, cwd=behind))
    own.repo.path.rename(tmp_path / "away")
    result = own.verify(own.seeded, cwd=behind)
    said = "".join(result.report["sentence"].split())
    assert (result.exit_code, result.report["failed_stage"]) == (3, "checkout")
    for place in (behind, tmp_path / "gone", own.repo.path):
        assert f"{place}(" in said


def test_a_linked_worktree_is_a_repository(own: Lab, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    own.repo.git("worktree", "add", "--quiet", "--detach", str(linked))
    before = snapshot(own.repo.path), snapshot(linked)
    assert is_identical(own.verify(own.seeded, cwd=linked))
    assert (snapshot(own.repo.path), snapshot(linked)) == before


def test_a_path_with_spaces_and_letters_of_other_scripts_is_fine(own: Lab) -> None:
    path = own.root / "Größe 实验 'x' $HOME"
    own.repo.path.rename(path)
    own.repo = Repo.at(path)
    assert is_identical(own.verify(own.seeded))
    assert is_identical(own.verify(own.seeded, "--repo", path.as_uri()))


def test_a_script_and_data_with_spaces_and_letters_of_other_scripts_are_fine(own: Lab) -> None:
    script, data = "schritt 1/trainiere größe.py", "daten/zahlen 实验.csv"
    text = (own.repo.path / "train.py").read_text().replace("data/train.csv", data)
    own.repo.write({script: text, data: (own.repo.path / "data/train.csv").read_text()})
    own.repo.dvc("add", "--quiet", data)
    own.repo.dvc("push", "--quiet")
    config = (own.repo.path / "reprocheck.yaml").read_text()
    own.repo.write({"reprocheck.yaml": config.replace("train.py", f"'{script}'")})
    (own.repo.path / "train.py").unlink()
    moved(own)
    result = own.verify(own.seeded)
    assert is_identical(result)
    assert data in json.dumps(result.report, ensure_ascii=False)


# --- what the code is ---------------------------------------------------------------------


def dirty_run(lab: Lab) -> Path:
    """A run trained with changes that were never committed; returns its artifacts' folder."""
    train = (lab.repo.path / "train.py").read_text()
    lab.repo.write({"train.py": train.replace("0.9 +", "0.7 +")})
    patch = lab.repo.git("diff", "--binary", "HEAD").encode() + b"\n"
    lab.seeded = lab.train("--seed", "3")
    lab.repo.git("checkout", "--quiet", ".")
    artifacts = lab.root / "artifacts"
    (artifacts / "reprocheck").mkdir(parents=True)
    (artifacts / "reprocheck/source.patch").write_bytes(patch)
    lab.sql("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", str(artifacts), lab.seeded)
    lab.set_tag(lab.seeded, "reprocheck.tree", "dirty")
    lab.set_tag(lab.seeded, "reprocheck.patch.sha256", hashlib.sha256(patch).hexdigest())
    return artifacts


def test_a_dirty_run_is_reproduced_with_its_patch(own: Lab) -> None:
    dirty_run(own)
    result = own.verify(own.seeded)
    assert is_identical(result)
    assert "patched-tree" in [finding["code"] for finding in result.report["findings"]]
    (accuracy,) = [c for c in result.report["comparisons"] if c["metric"] == "accuracy"]
    assert accuracy["baseline"][0] < 0.8


@pytest.mark.parametrize("defect", ["changed", "cut", "empty", "gone"])
def test_a_dirty_run_without_its_right_patch_is_not_verified(own: Lab, defect: str) -> None:
    path = dirty_run(own) / "reprocheck/source.patch"
    content = path.read_bytes()
    if defect == "gone":
        path.unlink()
    else:
        other = content.replace(b"0.7 +", b"0.8 +")
        path.write_bytes({"changed": other, "cut": content[:-20], "empty": b""}[defect])
    result = own.verify(own.seeded)
    assert (result.exit_code, result.verdict) == (3, "NOT_VERIFIED"), result.stdout
    assert result.report["trials"] == []


def test_training_data_in_git_lfs_is_restored(own: Lab) -> None:
    need("git-lfs")
    own.repo.git("lfs", "install", "--local")
    own.repo.git("lfs", "track", "*.csv")
    (own.repo.path / "data/train.csv.dvc").unlink()
    (own.repo.path / "data/.gitignore").unlink()
    moved(own)
    assert "git-lfs" in own.repo.git("cat-file", "blob", "HEAD:data/train.csv")
    result = own.verify(own.seeded)
    assert is_identical(result)
    assert result.report["record"]["data"] == []
    shutil.rmtree(own.repo.path / ".git/lfs/objects")
    result = own.verify(own.seeded)
    assert (result.exit_code, result.report["failed_stage"]) == (3, "checkout")


@pytest.mark.parametrize("place", ["repository", "worktree", "clone"])
def test_a_submodule_that_the_training_imports_is_checked_out(
    own: Lab, tmp_path: Path, place: str
) -> None:
    library = Repo(tmp_path / "library")
    library.commit({"slopes.py": "FACTOR = 2\n"})
    own.repo.git("submodule", "--quiet", "add", str(library.path), "vendor/slopes")
    train = (own.repo.path / "train.py").read_text()
    train = train.replace(
        "import mlflow\n",
        "import mlflow\n\nsys.path.insert(0, 'vendor/slopes')\nfrom slopes import FACTOR\n",
    )
    own.repo.write({"train.py": train.replace("2 * (weight", "FACTOR * (weight")})
    moved(own)
    cwd = own.repo.path
    if place != "repository":
        cwd = tmp_path / place
        add = (
            ("worktree", "add", "--detach")
            if place == "worktree"
            else ("clone", str(own.repo.path))
        )
        own.repo.git(*add, "--quiet", str(cwd))
    if place == "worktree":
        library.path.rename(tmp_path / "away")  # only the user's clone of it is left
    assert is_identical(own.verify(own.seeded, cwd=cwd))
