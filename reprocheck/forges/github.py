"""A repository on GitHub, or on a GitHub server of one's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from itertools import islice
from pathlib import Path
from urllib.parse import quote, urlsplit

from reprocheck.errors import ForgeError
from reprocheck.forges import github_reading as read
from reprocheck.forges.answers import reading
from reprocheck.forges.base import Draft, Posted
from reprocheck.forges.github_api import Address, Api
from reprocheck.forges.github_artifacts import MOST_FILES, Download, check_listed, download
from reprocheck.forges.github_checks import Checks
from reprocheck.forges.github_comments import READ, Comments
from reprocheck.forges.github_errors import Call, Json
from reprocheck.forges.github_issues import Issues
from reprocheck.forges.github_nouns import (
    Artifact,
    CheckRun,
    CommitStatus,
    IssueDraft,
    PullRequest,
    StatusState,
    Wanted,
    WorkflowRun,
)
from reprocheck.forges.markers import unmarked
from reprocheck.forges.upsert import upsert
from reprocheck.forges.waiting import Waiting

_NAME = re.compile(r"(?!\.{1,2}(/|$))[A-Za-z0-9_.-]{1,100}/(?!\.{1,2}$)[A-Za-z0-9_.-]{1,100}")
_SHA = re.compile(r"[0-9a-f]{40,64}")
_ACTIONS_READ = "actions: read"


class GitHub:
    """A `Forge`, and what a job needs to know of its repository; `token` may be empty.

    Addresses are those that GitHub gives a job (GITHUB_API_URL, GITHUB_GRAPHQL_URL), and
    `repository` is owner/name. Every method raises `ForgeError`; `missing` there is the scope that
    the token lacks.
    """

    def __init__(
        self,
        *,
        api_url: str,
        graphql_url: str,
        repository: str,
        token: str,
        say: Callable[[str], None] = lambda _: None,
        waiting: Waiting | None = None,
    ) -> None:
        if not _NAME.fullmatch(repository):
            raise ForgeError(f"{repository[:120]!r} is no repository", "name it as owner/name")
        if urlsplit(api_url).scheme not in ("http", "https") or not urlsplit(api_url).hostname:
            raise ForgeError(f"{api_url[:120]!r} is no address", "check GITHUB_API_URL")
        self._waiting = waiting or Waiting()
        address = Address(api_url=api_url, graphql_url=graphql_url, token=token)
        self._api = Api(address, self._waiting, say)
        self._say = say
        self._named = repository

    def previous(self, number: int, key: str) -> str:
        """The body of our comment of that key, without its mark; "" where there is none."""
        ours = self._comments(number).look(key).ours
        return unmarked(ours[0].body) if ours else ""

    def comment(self, number: int, draft: Draft) -> Posted:
        """Makes our comment say what the draft does, and there be but one."""
        return upsert(self._comments(number), draft)

    def pull_request(self, number: int) -> PullRequest:
        """A pull request, open or not."""
        call = self._call(f"pulls/{number}", f"read pull request {number}", READ)
        found = self._api.get(call)
        with reading(call.doing):
            return read.pull_request(found)

    def find_pull(self, head_owner: str, head_branch: str, head_sha: str) -> PullRequest | None:
        """The open pull request of a head; None where none, or more than one, is of just that.

        For a fork this is the only way: the commit's own list of pull requests is empty there, and
        a number that the fork's job wrote down may be any.
        """
        doing = f"find the pull request of {head_owner}:{head_branch}"
        head = {"head": f"{head_owner}:{head_branch}", "state": "open"}
        call = self._call("pulls", doing, READ, head)
        with reading(doing):
            pulls = [read.pull_request(found) for found in self._api.pages(call)]
        asked = head_owner.lower(), head_branch, head_sha
        mine = [
            pull
            for pull in pulls
            if (pull.head_owner.lower(), pull.head_branch, pull.head_sha) == asked
        ]
        return mine[0] if len(mine) == 1 else None

    def commits(self, number: int) -> tuple[str, ...]:
        """A pull request's commits, the oldest first; GitHub lists 250 at most."""
        call = self._call(f"pulls/{number}/commits", f"list the commits of {number}", READ)
        with reading(call.doing):
            return tuple(str(item["sha"]) for item in self._api.pages(call))

    def is_public(self) -> bool:
        """Whether anybody may read it, and what its jobs upload."""
        with reading("ask whether the repository is public"):
            visibility = self._described.get("visibility")
            return (visibility or "public") == "public" and not self._described["private"]

    def workflow_run(self, run_id: int) -> WorkflowRun:
        """A run of a workflow, ended or not."""
        call = self._call(f"actions/runs/{run_id}", f"read workflow run {run_id}", _ACTIONS_READ)
        found = self._api.get(call)
        with reading(call.doing):
            return read.workflow_run(found)

    def workflow_runs(
        self, workflow_file: str, *, branch: str = "", event: str = "", limit: int = 100
    ) -> tuple[WorkflowRun, ...]:
        """Runs of a workflow, by its file's name, the newest first."""
        named = quote(workflow_file.rpartition("/")[2], safe="")
        wanted = {"branch": branch, "event": event}
        asked = {name: value for name, value in wanted.items() if value}
        doing = f"list the runs of {workflow_file}"
        call = self._call(f"actions/workflows/{named}/runs", doing, _ACTIONS_READ, asked)
        with reading(doing):
            found = islice(self._api.pages(call, "workflow_runs"), limit)
            return tuple(read.workflow_run(item) for item in found)

    def artifacts(self, run_id: int) -> tuple[Artifact, ...]:
        """What a workflow's run uploaded; what has expired is listed, too."""
        doing = f"list the artifacts of workflow run {run_id}"
        call = self._call(f"actions/runs/{run_id}/artifacts", doing, _ACTIONS_READ)
        with reading(doing):
            return tuple(read.artifact(item) for item in self._api.pages(call, "artifacts"))

    def download(
        self, artifact: Artifact, folder: Path, most_bytes: int, most_files: int = MOST_FILES
    ) -> tuple[Path, ...]:
        """The artifact's files, in `folder`, which must be empty or absent.

        Neither the zip file nor all of its files together are larger than `most_bytes`; nothing of
        it is a link, or outside of the folder.
        """
        check_listed(artifact, most_bytes)
        path, doing = f"actions/artifacts/{artifact.id}/zip", f"download artifact {artifact.id}"
        location = self._api.location(self._call(path, doing, _ACTIONS_READ))
        what = Download(
            artifact=artifact,
            location=location,
            most_bytes=most_bytes,
            most_files=most_files,
            timeout_s=self._waiting.timeout_s,
        )
        return download(what, folder)

    def commit_status(
        self, sha: str, context: str, state: StatusState, description: str, target_url: str = ""
    ) -> None:
        """Sets a commit's status; the description is cut at 140 characters."""
        status = CommitStatus(
            sha=_sha(sha),
            context=context,
            state=state,
            description=description,
            target_url=target_url,
        )
        Checks(self._api, self._repository).status(status)

    def check_run(self, check: CheckRun) -> str:
        """Makes a finished check run, with any number of annotations; gives its page's address."""
        _sha(check.sha)
        return Checks(self._api, self._repository).check_run(check)

    def rolling_issue(
        self, *, key: str, title: str, body: str, labels: tuple[str, ...], wanted: Wanted
    ) -> Posted | None:
        """Makes our one issue of that key be as wanted; None where there is none, nor shall be.

        What a human closed stays closed until the issue is wanted closed and then open again.
        """
        issue = IssueDraft(key=key, title=title, body=body, labels=labels, wanted=wanted)
        login = self._comments(0).login
        issues = Issues(self._api, self._repository, login, self._api.pause, self._say)
        return issues.roll(issue)

    def _comments(self, number: int) -> Comments:
        return Comments(self._api, self._repository, number, self._api.pause)

    def _call(
        self, path: str, doing: str, scope: str, parameters: dict[str, str] | None = None
    ) -> Call:
        whole = f"/repos/{self._repository}/{path}"
        return Call(verb="GET", path=whole, doing=doing, scope=scope, parameters=parameters or {})

    @cached_property
    def _described(self) -> Json:
        """By this, a renamed repository is found where it is now, once for all that follows."""
        path = f"/repos/{self._named}"
        doing = f"read the repository {self._named}"
        return self._api.get(Call(verb="GET", path=path, doing=doing, scope="metadata: read"))

    @cached_property
    def _repository(self) -> str:
        with reading(f"read the repository {self._named}"):
            name = str(self._described["full_name"])
            if not _NAME.fullmatch(name):
                raise ValueError(name)
            return name


def _sha(sha: str) -> str:
    """It becomes part of an address."""
    if not _SHA.fullmatch(sha):
        raise ForgeError(f"{sha[:80]!r} is no commit", "name it by all of its hexadecimal digits")
    return sha
