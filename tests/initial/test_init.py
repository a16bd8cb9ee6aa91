"""`reprocheck init` in real repositories."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from reprocheck import config, initial
from reprocheck.errors import UsageError
from reprocheck.initial import Answers, NewFile
from reprocheck.initial.looking import Forge
from tests import warm
from tests.conftest import Repo
from tests.lab import Lab, copy_of

SERVER = {"MLFLOW_TRACKING_URI": "https://ada:hunter22secret@mlflow.example"}
CALLABLE = Path(__file__).parents[2] / ".github" / "workflows"
BIN = Path(sys.executable).parent


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    repo.git("remote", "add", "origin", "git@github.com:acme/digits.git")
    return repo


def made(repo: Repo, answers: Answers | None = None, env: dict[str, str] | None = None) -> set[str]:
    seen = initial.look(repo.path, dict(os.environ) | (env or {}))
    written = initial.write(repo.path, initial.files(seen, answers or Answers()))
    return {str(file.path) for file in written.made}


def private(repo: Repo) -> Answers:
    repo.write({".dvc/config": "['remote \"store\"']\n    url = s3://acme/digits\n"})
    return Answers(tracking_uri="https://mlflow.example", metric="accuracy", margin="1%")


def test_it_sees_what_there_is(repo: Repo) -> None:
    private(repo)
    repo.write({"MLproject": "name: x\n", "train.py": "", "Dockerfile": "FROM x\n"})
    seen = initial.look(repo.path, dict(os.environ) | SERVER)
    assert seen.tracking_uri == "https://mlflow.example"
    assert (seen.command_from, seen.script, seen.environment_from) == (
        "MLproject",
        "",
        "Dockerfile",
    )
    assert (seen.forge, seen.remotes, seen.extras) == (Forge.GITHUB, ("s3://acme/digits",), ("s3",))
    assert seen.is_served
    assert seen.is_private


def test_it_sees_that_there_is_nothing(tmp_path: Path) -> None:
    seen = initial.look(tmp_path, dict(os.environ))
    assert (seen.tracking_uri, seen.remotes, seen.has_dvc) == ("", (), False)
    assert not seen.is_private


@pytest.mark.parametrize("answers", [Answers(), Answers(metric='odd "name": x', margin="0.005")])
def test_the_config_is_one(repo: Repo, answers: Answers) -> None:
    made(repo, answers)
    found = config.load(repo.path / "reprocheck.yaml")
    assert list(found.metrics) == ([answers.metric] if answers.metric else [])
    assert [each.value for each in found.fail_on or ()] == ["not-reproduced", "not-verified"]


def test_the_config_has_the_answers(repo: Repo) -> None:
    made(repo, private(repo), SERVER)
    found = config.load(repo.path / "reprocheck.yaml")
    margin = found.metrics["accuracy"].margin
    assert found.tracking_uri == "https://mlflow.example"
    assert margin is not None
    assert margin.relative is not None
    assert margin.relative.above == 0.01


def test_what_exists_is_kept(repo: Repo) -> None:
    repo.write({"reprocheck.yaml": "version: 1 # ours\n"})
    (repo.path / ".github/workflows").mkdir(parents=True)
    (repo.path / ".github/workflows/reprocheck.yml").symlink_to("/nowhere")
    assert made(repo) == {".github/workflows/reprocheck-comment.yml"}
    assert (repo.path / "reprocheck.yaml").read_text() == "version: 1 # ours\n"
    assert made(repo) == set()


def test_a_private_tracker_gets_a_job_that_fetches(repo: Repo) -> None:
    assert made(repo, private(repo), SERVER) == {
        "reprocheck.yaml",
        ".github/workflows/reprocheck.yml",
        ".github/workflows/reprocheck-comment.yml",
        ".github/workflows/reprocheck-fetch.yml",
        ".github/workflows/reprocheck-scheduled.yml",
    }
    told = (repo.path / ".github/workflows/reprocheck.yml").read_text()
    assert "fetch: true" in told
    assert "extras: s3" in told
    assert "hunter22secret" not in "".join(path.read_text() for path in repo.path.rglob("*.y*ml"))


def test_gitlab_gets_no_workflow(repo: Repo) -> None:
    repo.write({".gitlab-ci.yml": ""})
    assert made(repo) == {"reprocheck.yaml"}


def test_the_workflows_are_valid_and_safe(repo: Repo) -> None:
    made(repo, private(repo), SERVER)
    folder = repo.path / ".github/workflows"
    for argv in (
        ("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *folder.glob("*.yml")),
        ("zizmor", "--offline", "--no-progress", "--persona", "regular", repo.path),
    ):
        done = subprocess.run(
            [str(BIN / argv[0]), *map(str, argv[1:])], capture_output=True, check=False, text=True
        )
        told = done.stdout + done.stderr
        # A release's tag is what `init` can know; docs tell how to pin it.
        left = set(re.findall(r"^(?:error|warning)\[([\w-]+)\]", told, re.MULTILINE))
        assert done.returncode == 0 or left == {"unpinned-uses"}, told


def test_the_workflows_give_what_those_that_they_call_take(repo: Repo) -> None:
    made(repo, private(repo), SERVER)
    for path in (repo.path / ".github/workflows").glob("*.yml"):
        (job,) = yaml.safe_load(path.read_text())["jobs"].values()
        called = yaml.safe_load((CALLABLE / Path(job["uses"].partition("@")[0]).name).read_text())
        takes = called[True]["workflow_call"]  # YAML 1.1 reads `on` as true
        assert set(job.get("with", {})) <= set(takes.get("inputs", {})), path
        assert set(job.get("secrets", {})) <= set(takes.get("secrets", {})), path
        asked = {
            (scope, access)
            for each in called["jobs"].values()
            for scope, access in each.get("permissions", {}).items()
        }
        given = job["permissions"]
        lacking = {(s, a) for s, a in asked if given.get(s) not in (a, "write")}
        assert not lacking, path


@pytest.mark.parametrize("margin", ["x", "-1", "0", "nan", "1e999"])
def test_a_margin_that_is_none_is_refused(repo: Repo, margin: str) -> None:
    with pytest.raises(UsageError, match="positive"):
        made(repo, Answers(metric="accuracy", margin=margin))
    assert not (repo.path / "reprocheck.yaml").exists()


def test_a_place_that_cannot_be_written_is_told(repo: Repo) -> None:
    (repo.path / ".github").write_text("a file")
    with pytest.raises(UsageError, match="workflows"):
        made(repo)


def test_a_file_through_a_link_is_not_written(repo: Repo, tmp_path: Path) -> None:
    (repo.path / "reprocheck.yaml").symlink_to(tmp_path / "elsewhere")
    assert "reprocheck.yaml" not in made(repo)
    assert not (tmp_path / "elsewhere").exists()


def test_a_linked_folder_is_not_followed_out_of_the_repository(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (repo.path / ".github").symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match="link leads out"):
        made(repo)
    assert not list((tmp_path / "outside").iterdir())


def test_the_tracker_of_an_earlier_config_counts(repo: Repo) -> None:
    repo.write({"reprocheck.yaml": 'version: 1\ntracker: {uri: "https://mlflow.example"}\n'})
    seen = initial.look(repo.path, dict(os.environ))
    assert (seen.tracking_uri, seen.is_private) == ("https://mlflow.example", True)
    repo.write({"reprocheck.yaml": "version: [\n"})
    assert initial.look(repo.path, dict(os.environ)).tracking_uri == ""


def test_a_named_server_gets_its_jobs_and_no_password_is_written(repo: Repo) -> None:
    named = ("--tracking-uri", "https://ada:hunter22secret@mlflow.example", "--metric", "accuracy")
    done = warm.python("-m", "reprocheck", "init", *named, cwd=repo.path)
    told = "".join(path.read_text() for path in repo.path.rglob("*.y*ml"))
    assert done.returncode == 0, done.stderr.decode()
    assert "MLFLOW_TRACKING_PASSWORD" in done.stderr.decode()
    assert 'uri: "https://mlflow.example"' in told
    assert "fetch: true" in told
    assert "hunter22secret" not in told + done.stdout.decode() + done.stderr.decode()


def test_a_margin_needs_a_metric(repo: Repo) -> None:
    done = warm.python("-m", "reprocheck", "init", "--margin", "0.1", cwd=repo.path)
    assert done.returncode == 2
    assert "--metric" in done.stderr.decode()
    assert not (repo.path / "reprocheck.yaml").exists()


def test_the_command_looks_suggests_and_tells_what_is_next(lab: Lab, tmp_path: Path) -> None:
    lab = copy_of(lab, tmp_path)
    (lab.repo.path / "reprocheck.yaml").unlink()
    done = warm.python(
        "-m", "reprocheck", "init", "--margin", "0.01", "--tracking-uri", lab.uri,
        cwd=lab.repo.path,
    )  # fmt: skip
    told = done.stdout.decode()
    assert done.returncode == 0, done.stderr.decode()
    assert "wrote  reprocheck.yaml" in told
    assert "reprocheck plan" in told
    assert list(config.load(lab.repo.path / "reprocheck.yaml").metrics) != []


def test_files_are_of_the_repository(repo: Repo) -> None:
    files: tuple[NewFile, ...] = initial.files(initial.look(repo.path, {}), Answers())
    assert all(not file.path.is_absolute() and ".." not in file.path.parts for file in files)
