"""What the fake GitHub holds: a repository in memory, and who may do what."""

from __future__ import annotations

import hashlib
import io
import itertools
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ACTIONS = "github-actions[bot]"
SCOPES = ("actions", "checks", "contents", "issues", "pull-requests", "statuses")
SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"


@dataclass(kw_only=True)
class Token:
    """Permissions are of one job: a scope that is not named is none."""

    login: str = ACTIONS
    permissions: Mapping[str, str] = field(default_factory=dict)
    is_user: bool = False  # may ask who it is
    sees_private: bool = True

    def may(self, scope: str, access: str) -> bool:
        given = self.permissions.get(scope, "none")
        return given in ("write", access)


@dataclass(kw_only=True)
class Comment:
    id: int
    number: int  # of the pull request or issue
    body: str
    author: str
    minimized: bool = False


@dataclass(kw_only=True)
class Pull:
    number: int
    head_sha: str = SHA
    head_branch: str = "better"
    head_owner: str = "octo"
    head_name: str = "demo"
    head_id: int = 1296269  # of the repository; another one is a fork
    head_gone: bool = False  # the fork was deleted
    base_branch: str = "main"
    base_sha: str = "b" * 40
    state: str = "open"
    title: str = "Train longer"
    body: str | None = ""
    author: str = "alice"
    commits: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Issue:
    number: int
    title: str
    body: str
    author: str
    labels: tuple[str, ...] = ()
    state: str = "open"
    state_reason: str | None = None


@dataclass(kw_only=True)
class Run:
    id: int
    attempt: int = 1
    file: str = "reprocheck-pr.yml"
    event: str = "pull_request"
    status: str = "completed"
    conclusion: str | None = "success"
    head_sha: str = SHA
    head_branch: str = "better"
    head_owner: str = "octo"
    head_name: str = "demo"
    path_known: bool = True
    created_at: str = "2026-11-20T03:17:00Z"


@dataclass(kw_only=True)
class Artifact:
    id: int
    run_id: int
    name: str
    content: bytes  # the zip file
    expired: bool = False
    created_at: str = "2026-11-20T03:20:00Z"
    digest: str = ""

    def __post_init__(self) -> None:
        self.digest = self.digest or f"sha256:{hashlib.sha256(self.content).hexdigest()}"


@dataclass(kw_only=True)
class Repository:
    """Everything of one repository; `add_…` fill it."""

    owner: str = "octo"
    name: str = "demo"
    id: int = 1296269
    private: bool = False
    visibility: str | None = None  # "": not told, as by old servers
    default_branch: str = "main"
    pulls: dict[int, Pull] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)
    runs: dict[int, Run] = field(default_factory=dict)
    artifacts: dict[int, Artifact] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    checks: dict[int, dict[str, Any]] = field(default_factory=dict)
    locked: set[int] = field(default_factory=set)  # numbers of pull requests and issues
    has_issues: bool = True
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    ids: itertools.count[int] = field(default_factory=lambda: itertools.count(3_000_000_001))

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    def add_pull(self, **about: Any) -> Pull:
        pull = Pull(number=about.pop("number", None) or next(self.numbers), **about)
        self.pulls[pull.number] = pull
        return pull

    def add_fork_pull(self, **about: Any) -> Pull:
        fork = {"head_owner": "mallory", "head_id": 99, "author": "mallory"}
        return self.add_pull(**(fork | about))

    def add_comment(self, number: int, body: str, author: str = "bob") -> Comment:
        comment = Comment(id=next(self.ids), number=number, body=body, author=author)
        self.comments.append(comment)
        return comment

    def add_issue(self, title: str, body: str, author: str = "bob", **about: Any) -> Issue:
        issue = Issue(number=next(self.numbers), title=title, body=body, author=author, **about)
        self.issues[issue.number] = issue
        return issue

    def add_run(self, **about: Any) -> Run:
        run = Run(id=about.pop("id", None) or next(self.ids), **about)
        self.runs[run.id] = run
        return run

    def add_artifact(
        self, run_id: int, name: str, files: Mapping[str, bytes], **about: Any
    ) -> Artifact:
        return self.add_zip(run_id, name, zipped(files), **about)

    def add_zip(self, run_id: int, name: str, content: bytes, **about: Any) -> Artifact:
        made = Artifact(id=next(self.ids), run_id=run_id, name=name, content=content, **about)
        self.artifacts[made.id] = made
        return made

    def comments_of(self, number: int) -> list[Comment]:
        return [comment for comment in self.comments if comment.number == number]

    def comment_of_id(self, comment_id: int) -> Comment | None:
        return next((c for c in self.comments if c.id == comment_id), None)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip file, as upload-artifact makes it."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()
