"""Which runs a pull request claims: given, named in its body or in its files, or logged for it."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from reprocheck.action import run_ids
from reprocheck.action.surroundings import PullRequest
from reprocheck.errors import ReprocheckError
from reprocheck.git import Git
from reprocheck.hostile import cut, printable
from reprocheck.model import Problem, RunStatus
from reprocheck.numbers import counted
from reprocheck.temporary import temporary_folder

MOST_RUNS = 20
"""Runs that one job verifies; what is named beyond them is told."""
MOST_COMMITS = 100
"""Commits of a pull request, newest first, that the tracker is asked about: a request each."""
LIST = "reprocheck.runs"
LARGEST_LIST = 1_000_000
"""Bytes of such a file, or of what a pull request adds to them."""


class Source(enum.StrEnum):
    """Where runs are looked for, in this order."""

    BODY = "body"
    FILES = "files"
    TRACKER = "tracker"


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundRun:
    """A run to verify, and where it was named."""

    run_id: str
    where: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where to look."""

    given: tuple[str, ...] = ()
    sources: tuple[Source, ...] = tuple(Source)
    pull_request: PullRequest | None = None
    git: Git | None = None  # at the root of the checkout; None: there is none
    tracking_uri: str = ""  # named by the base branch or by the workflow; "": do not ask


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """The runs that were found, what cannot be one, and where was looked, in words."""

    runs: tuple[FoundRun, ...] = ()
    problems: tuple[Problem, ...] = ()
    sought: tuple[str, ...] = ()

    def __add__(self, other: Findings) -> Findings:
        """Both, in order."""
        return Findings(
            runs=self.runs + other.runs,
            problems=self.problems + other.problems,
            sought=self.sought + other.sought,
        )


def find(place: Place) -> Findings:
    """The runs to verify, each once. Those given leave no others to look for."""
    if place.given:
        return limited(named(place.given, "the input run-id"))
    found = Findings()
    if place.pull_request and Source.BODY in place.sources:
        names = run_ids.in_body(place.pull_request.body)
        found += named(names, "the pull request's description")
    if place.pull_request and place.git and Source.FILES in place.sources:
        found += _in_files(place.git, place.pull_request)
    if place.pull_request and place.git and Source.TRACKER in place.sources and place.tracking_uri:
        found += _in_tracker(place.git, place.pull_request, place.tracking_uri)
    return limited(found)


def named(names: Iterable[str], where: str) -> Findings:
    """The runs of the names that are ids, and of the others what is wrong with them."""
    runs, problems = [], []
    for name in names:
        if run_ids.is_run_id(name):
            runs.append(FoundRun(run_id=name, where=where))
        else:
            problems.append(
                Problem(
                    asked=cut(printable(name), 80),
                    message=f"{where} names it, and it is no run id",
                    hint="write the run's id alone: letters, digits and . _ : / @ -, no address",
                    exit_code=2,
                )
            )
    return Findings(runs=tuple(runs), problems=tuple(problems), sought=(where,))


def limited(found: Findings) -> Findings:
    """Each run once and no more than a job verifies; of the rest it is told that there are more."""
    runs = {run.run_id: run for run in reversed(found.runs)}
    ordered = tuple(dict.fromkeys(runs[run.run_id] for run in found.runs))
    left = len(ordered) - MOST_RUNS
    problems = tuple(dict.fromkeys(found.problems))[:MOST_RUNS]
    if left > 0:
        more = Problem(
            asked=counted(left, "further run"),
            message=f"named, and not verified: one job verifies at most {MOST_RUNS} runs",
            hint="name the runs that matter, or verify the others on a schedule",
            exit_code=3,
        )
        problems = (*problems, more)
    return replace(found, runs=ordered[:MOST_RUNS], problems=problems)


# --- files that the pull request changes ---------------------------------------------------


def _in_files(git: Git, pull_request: PullRequest) -> Findings:
    added = _added_lines(git, pull_request)
    if added is not None:
        return named(run_ids.in_lines(added), f"what the pull request adds to {LIST}")
    if pull_request.head_sha in _out(git):
        return named(run_ids.in_lines(_whole_list(git)), f"{LIST} of the checkout")
    return Findings(sought=(f"{LIST}: the checkout lacks the pull request's commits",))


def _out(git: Git) -> str:
    """The commit that is checked out, and its parents: of a merge, the pull request's own."""
    return (
        git.text("rev-parse", "HEAD", trusting=True)
        + git.text("cat-file", "commit", "HEAD", trusting=True).partition("\nauthor ")[0]
    )


def _added_lines(git: Git, pull_request: PullRequest) -> tuple[str, ...] | None:
    """Lines that the pull request adds; None where the checkout lacks one of the commits."""
    base, head = pull_request.base_sha, pull_request.head_sha
    if not (base and has_commit(git, base) and has_commit(git, head)):
        return None
    options = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--unified=0")
    only = ("--", f":(top,glob)**/{LIST}")
    done = git("diff", *options, f"{base}...{head}", *only, trusting=True, check=False)
    if done.exit_code != 0:  # a shallow history, in which they have no common ancestor
        done = git("diff", *options, base, head, *only, trusting=True, check=False)
    text = done.stdout[:LARGEST_LIST].decode(errors="replace")
    return _pluses(text) if done.exit_code == 0 else None


def _pluses(diff: str) -> tuple[str, ...]:
    """The added lines of a diff; before its first @@, a file's part has names, not lines."""
    lines, inside = [], False
    for line in diff.split("\n"):
        if line.startswith(("diff ", "@@")):
            inside = line.startswith("@@")
        elif inside and line.startswith("+"):
            lines.append(line[1:])
    return tuple(lines)


def _whole_list(git: Git) -> tuple[str, ...]:
    """The list at the root of what is checked out, as git has it: no link is followed."""
    mode = git.text("ls-tree", "--full-tree", "HEAD", "--", LIST, trusting=True).partition(" ")[0]
    if mode not in ("100644", "100755"):
        return ()
    return tuple(git.text("show", f"HEAD:{LIST}", trusting=True)[:LARGEST_LIST].splitlines())


def has_commit(git: Git, sha: str) -> bool:
    """Whether the repository has that commit."""
    done = git("cat-file", "-e", f"{sha}^{{commit}}", trusting=True, check=False)
    return done.exit_code == 0


# --- runs that were logged at the pull request's commits -----------------------------------


def _in_tracker(git: Git, pull_request: PullRequest, uri: str) -> Findings:
    commits = _commits(git, pull_request)
    where = f"the tracker, for {counted(len(commits), 'commit')} of the pull request"
    if not commits:
        return Findings(sought=("the tracker: the checkout has no commits of the pull request",))
    try:
        logged = _logged(uri, commits)
    except ReprocheckError as error:
        problem = Problem(
            asked="runs in the tracker",
            message=f"looking for runs of the pull request's commits failed: {error.message}",
            hint=error.hint or "name the runs in the pull request, or leave tracker out of find",
            exit_code=3,
        )
        return Findings(problems=(problem,), sought=(where,))
    return named(logged, where)


def _commits(git: Git, pull_request: PullRequest) -> tuple[str, ...]:
    base, head = pull_request.base_sha, pull_request.head_sha
    if not (base and has_commit(git, base) and has_commit(git, head)):
        return ()
    most = f"--max-count={MOST_COMMITS}"
    return tuple(git.text("rev-list", most, f"{base}..{head}", "--", trusting=True).split())


def _logged(uri: str, commits: tuple[str, ...]) -> tuple[str, ...]:
    """Ids of the finished runs of the commits, the newest commit's first.

    Raises `ReadError`, `UsageError` or `MissingStoreError`.
    """
    from reprocheck import trackers
    from reprocheck.trackers.base import Search

    ids: list[str] = []
    with temporary_folder(keep=False) as scratch:
        tracker = trackers.open_tracker(uri, {}, Path(scratch))
        try:
            for commit in commits:
                asked = Search(
                    filter=f"tags.`mlflow.source.git.commit` = '{commit}'",
                    limit=MOST_RUNS + 1,
                    remote=False,
                )
                finished = RunStatus.FINISHED
                found = (each.summary for each in tracker.search(asked))
                ids += [each.ref.run_id for each in found if each.status is finished]
                if len(ids) > MOST_RUNS:
                    break
        finally:
            tracker.close()
    return tuple(ids)
