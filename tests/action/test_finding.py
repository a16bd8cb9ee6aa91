from dataclasses import replace
from pathlib import Path

import pytest

from reprocheck.action import finding, run_ids
from reprocheck.action.finding import Place, Source
from reprocheck.action.surroundings import PullRequest
from reprocheck.git import Git
from tests.conftest import Repo
from tests.lab import Lab

ASKED = PullRequest(
    number=2,
    body="",
    head_sha="",
    head_branch="changes",
    head_repository="o/r",
    base_sha="",
    base_branch="main",
    fork=False,
)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (
            "Better.\n\nreprocheck: abc123\nReproCheck:def456  \r\n- reprocheck: `g7`",
            "abc123 def456 g7",
        ),
        ("reprocheck: a\nreprocheck: a", "a"),
        ("see reprocheck: a\nreprocheck: runs it now\nreprocheck:\n    reprocheck: code", ""),
        ("<!-- reprocheck: a\nreprocheck: b -->\nreprocheck: c", "c"),
        ("reprocheck: a\n<!-- never closed\nreprocheck: b", "a"),
        ("```\nreprocheck: a\n```\n~~~~ text\nreprocheck: b\n~~~\n~~~~\nreprocheck: c", "c"),
        ("```` open to the end\n```\nreprocheck: a", ""),
        ("reprocheck: $(id)\nreprocheck: --json=x", "$(id) --json=x"),
    ],
)
def test_lines_of_the_description_name_runs(body: str, found: str) -> None:
    assert run_ids.in_body(body) == tuple(found.split())


@pytest.mark.parametrize("good", ["3f2a91", "runs:/3f2a91", "models:/digits@champion", "a" * 200])
def test_ids_are_those_of_trackers(good: str) -> None:
    assert run_ids.is_run_id(good)


@pytest.mark.parametrize(
    "bad",
    [
        *("", "--json", "-x", "$(id)", "a b", "a;b", "`id`", "a\nb", "a" * 201, "é1", "a%0Ab"),
        *("https://evil.example/#/experiments/1/runs/2", "x://y", "runs:/../2", "../x", "a\\b"),
    ],
)
def test_other_texts_are_no_ids(bad: str) -> None:
    assert not run_ids.is_run_id(bad)


def test_what_is_no_id_is_told_without_its_tricks() -> None:
    asked = replace(ASKED, body="reprocheck: good1\nreprocheck: -x\u202e\x1b[31m")
    found = finding.find(Place(pull_request=asked))
    assert [run.run_id for run in found.runs] == ["good1"]
    (problem,) = found.problems
    assert problem.exit_code == 2
    assert problem.asked == "-x��[31m"
    assert "no run id" in problem.message


def test_given_runs_are_the_only_ones() -> None:
    asked = replace(ASKED, body="reprocheck: other")
    found = finding.find(Place(given=("a1", "a1", "b2"), pull_request=asked))
    assert [(run.run_id, run.where) for run in found.runs] == [
        ("a1", "the input run-id"),
        ("b2", "the input run-id"),
    ]


def test_one_job_verifies_twenty_runs_and_tells_of_the_rest() -> None:
    found = finding.find(Place(given=tuple(f"r{number}" for number in range(23))))
    assert len(found.runs) == 20
    (problem,) = found.problems
    assert (problem.asked, problem.exit_code) == ("3 further runs", 3)


@pytest.fixture
def branch(repo: Repo) -> tuple[Git, PullRequest]:
    """A pull request that adds two runs to a list, beside one that was there."""
    repo.commit({"reprocheck.runs": "old1\nold2\n", "a": "1"})
    repo.git("checkout", "--quiet", "-b", "changes")
    changed = {"reprocheck.runs": "old1\n# ours\nnew1 # best\n", "sub/reprocheck.runs": "new2\n"}
    repo.commit({**changed, "other.runs": "no1\n", "a": "+++ b/reprocheck.runs\n+no2\n"})
    repo.git("checkout", "--quiet", "main")
    base = repo.commit({"reprocheck.runs": "old1\nold2\nbase1\n"})
    head = repo.git("rev-parse", "changes")
    return Git(repo.path, {}), replace(ASKED, base_sha=base, head_sha=head)


def _of_files(git: Git, asked: PullRequest) -> list[str]:
    found = finding.find(Place(sources=(Source.FILES,), git=git, pull_request=asked))
    assert not found.problems
    return [run.run_id for run in found.runs]


def test_lines_that_a_pull_request_adds_name_runs(branch: tuple[Git, PullRequest]) -> None:
    assert _of_files(*branch) == ["new1", "new2"]


def test_without_a_common_ancestor_both_ends_are_compared(
    branch: tuple[Git, PullRequest], tmp_path: Path
) -> None:
    git, asked = branch
    shallow = Repo(tmp_path / "shallow")
    shallow.git("remote", "add", "origin", git.folder.as_uri())
    for sha in (asked.base_sha, asked.head_sha):
        shallow.git("fetch", "--quiet", "--depth=1", "origin", sha)
    assert _of_files(Git(shallow.path, {}), asked) == ["new1", "new2"]


def test_a_checkout_of_one_commit_has_its_whole_list_but_follows_no_link(
    branch: tuple[Git, PullRequest], tmp_path: Path
) -> None:
    git, asked = branch
    lone = Repo(tmp_path / "lone")
    lone.git("fetch", "--quiet", "--depth=1", git.folder.as_uri(), asked.head_sha)
    lone.git("checkout", "--quiet", "FETCH_HEAD")
    assert _of_files(Git(lone.path, {}), asked) == ["old1", "new1"]
    (lone.path / "reprocheck.runs").unlink()
    (lone.path / "reprocheck.runs").symlink_to("/etc/hostname")
    lone.commit()
    assert _of_files(Git(lone.path, {}), asked) == []


@pytest.fixture
def logged(lab: Lab, tmp_path: Path) -> Place:
    """A pull request of the commit at which the lab's runs were trained."""
    clone = Repo(tmp_path / "clone")
    clone.git("fetch", "--quiet", lab.repo.path.as_uri(), "HEAD")
    head = clone.git("rev-parse", "FETCH_HEAD")
    tree = clone.git("rev-parse", "FETCH_HEAD^{tree}")
    base = clone.git("commit-tree", tree, "-m", "Base")
    asked = replace(ASKED, base_sha=base, head_sha=head)
    git = Git(clone.path, {})
    return Place(sources=(Source.TRACKER,), git=git, pull_request=asked, tracking_uri=lab.uri)


def test_runs_that_were_logged_at_its_commits_are_found(lab: Lab, logged: Place) -> None:
    found = finding.find(logged)
    assert {run.run_id for run in found.runs} == {lab.seeded, lab.unseeded}
    assert found.sought == ("the tracker, for 1 commit of the pull request",)
    asked = logged.pull_request
    assert asked is not None
    nothing = replace(logged, pull_request=replace(asked, base_sha=asked.head_sha))
    assert finding.find(nothing).runs == ()


def test_a_tracker_that_does_not_answer_is_told(logged: Place, tmp_path: Path) -> None:
    found = finding.find(replace(logged, tracking_uri=f"sqlite:///{tmp_path / 'absent.db'}"))
    (problem,) = found.problems
    assert problem.exit_code == 3
    assert "looking for runs of the pull request's commits failed" in problem.message
