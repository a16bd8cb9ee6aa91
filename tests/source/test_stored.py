from pathlib import Path

import pytest

from reprocheck.errors import ReadError, SourceError
from reprocheck.model import Artifact, UntrackedFile
from reprocheck.source import Kept
from tests.conftest import Repo, snapshot
from tests.source.conftest import CheckOut, codes, kept

LOST = "deadbeef" * 5


@pytest.mark.parametrize(
    ("artifacts", "expected"),
    [
        ({"code/src/train.py": "a", "code/util.py": "b"}, {"src/train.py": "a", "util.py": "b"}),
        ({"train.py": "a", "other.py": "b"}, {"src/train.py": "a"}),
        ({"src/train.py": "a", "train.py": "b"}, {"src/train.py": "a"}),
        (
            {"model/MLmodel": "", "model/code/net/a.py": "a", "train.py": "b"},
            {"net/a.py": "a", "src/train.py": "b"},
        ),
        ({"models/m/MLmodel": "", "models/m/code/a.py": "a"}, {"a.py": "a"}),
        ({"code/util.py": "a", "train.py": "b"}, {"util.py": "a", "src/train.py": "b"}),
        (
            {"code/src/train.py": "a", "code/.git/config": "b", "code/x/__pycache__/y.pyc": "c"},
            {"src/train.py": "a"},
        ),
    ],
)
def test_the_code_that_was_stored_stands_in_for_a_commit_that_nobody_has(
    check_out: CheckOut, tmp_path: Path, artifacts: dict[str, str], expected: dict[str, str]
) -> None:
    there = kept(tmp_path / "artifacts", artifacts)
    done = check_out(LOST, script="src/train.py", kept=there)
    files = {
        path.relative_to(done.tree).as_posix(): path.read_text()
        for path in done.tree.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }
    assert files == expected
    assert (done.commit, done.repository) == (LOST, None)
    assert codes(done) == ["code-from-artifacts"]
    assert Repo.at(done.tree).git("status", "--porcelain") == ""


def test_what_the_run_may_have_made_is_left_out_and_told(
    check_out: CheckOut, tmp_path: Path
) -> None:
    made = {
        *("model.pkl", "out/w.safetensors", "metrics.json", "eval_results.csv", "mlflow.db"),
        *("results/fold-1.csv", "curve.csv"),
    }
    read = {
        *("train.py", "results/__init__.py", "params.json", "data/train.csv", "labels.csv"),
        *("requirements.txt", "config/eval.yaml", "report_config.json", "weights.csv"),
    }
    alone = {"curve.csv": "1", "labels.csv": "1", "model/MLmodel": "", "model/weights.csv": ""}
    files = {f"code/{name}": name for name in (*sorted(made), *sorted(read))} | alone
    done = check_out(LOST, kept=kept(tmp_path / "artifacts", files))
    there = (path for path in done.tree.rglob("*") if path.is_file() and ".git" not in path.parts)
    assert {path.relative_to(done.tree).as_posix() for path in there} == read
    (told,) = (each for each in done.findings if each.code == "stored-results")
    assert "code/curve.csv" in told.message
    assert "and 2 more" in told.message


def test_recorded_untracked_files_are_beside_stored_code(
    check_out: CheckOut, tmp_path: Path
) -> None:
    there = kept(tmp_path / "artifacts", {"train.py": "a", "reprocheck/untracked/net.py": "b"})
    (file,) = (each.path for each in there.artifacts if each.path != "train.py")
    untracked = (UntrackedFile(path="net.py", sha256=None, artifact=file),)
    done = check_out(LOST, script="train.py", kept=there, untracked=untracked)
    assert (done.tree / "net.py").read_text() == "b"
    assert codes(done) == ["code-from-artifacts", "untracked-files"]


def test_the_finding_says_who_was_asked_and_who_could_not_be(
    repo: Repo, check_out: CheckOut, tmp_path: Path
) -> None:
    repo.commit({"a": "1"})
    before = snapshot(repo.path)
    there = kept(tmp_path / "artifacts", {"code/train.py": "x"}, whole=False)
    (asked,) = check_out(LOST, repo.path, kept=there).findings
    assert f"{repo.path} (here) does not have it" in asked.message
    assert "is not complete" in asked.message
    url = "http://ada:secret@127.0.0.1:9/gone.git"
    (unasked,) = check_out(
        LOST, repo.path, repository=url, kept=there, tree=tmp_path / "2"
    ).findings
    assert "may be where it could not be asked for: http://***@127.0.0.1:9/gone" in unasked.message
    assert f"refs/reprocheck/{'RUN_ID'}" in unasked.hint
    assert snapshot(repo.path) == before


def test_a_run_without_a_commit_has_the_code_that_it_stored(
    check_out: CheckOut, tmp_path: Path
) -> None:
    done = check_out("", kept=kept(tmp_path / "artifacts", {"code/train.py": "x"}))
    assert (done.stored, done.commit) == (("code/",), "")


def test_a_wrong_repo_option_is_mended_not_worked_around(
    check_out: CheckOut, tmp_path: Path
) -> None:
    there = kept(tmp_path / "artifacts", {"code/train.py": "x"})
    with pytest.raises(SourceError, match="does not exist"):
        check_out(LOST, repo="gone", kept=there)


@pytest.mark.parametrize("name", ["../evil", "x/../../evil", ".GIT/config", "/evil"])
def test_a_name_that_leads_out_of_the_tree_is_refused(
    check_out: CheckOut, tmp_path: Path, name: str
) -> None:
    there = Kept(artifacts=(Artifact(path=f"code/{name}", size=1),))
    with pytest.raises(SourceError, match="leads out of the run's tree"):
        check_out(LOST, kept=there)
    assert not list(tmp_path.rglob("evil"))


def test_too_much_of_it_is_not_read(check_out: CheckOut) -> None:
    there = Kept(artifacts=(Artifact(path="code/a.py", size=10**9),))
    with pytest.raises(SourceError, match="200 MB are read at most"):
        check_out(LOST, kept=there)


def test_artifacts_that_cannot_be_read_are_told(check_out: CheckOut) -> None:
    def fetch(_paths: object, _folder: object) -> dict[str, Path]:
        raise ReadError("Reading code/a.py: the server is gone", "start it")

    there = Kept(artifacts=(Artifact(path="code/a.py", size=1),), fetch=fetch)
    with pytest.raises(SourceError, match="the server is gone"):
        check_out(LOST, kept=there)
