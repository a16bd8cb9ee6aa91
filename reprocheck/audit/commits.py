"""Whether the commits of runs can be had: here, and from a remote that outlives this machine.

A place is asked once for all commits. First the repository here and its remotes; then, for what
they have not got, the addresses that the runs record.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from reprocheck import mending
from reprocheck.audit import repositories
from reprocheck.audit.base import AuditRequest, Kept
from reprocheck.audit.repositories import Answer, Remote
from reprocheck.git import Git
from reprocheck.hostile import redact
from reprocheck.model import Finding, Severity
from reprocheck.source.places import is_url, local_path, plain, remotes, repository_root

MOST_RECORDED = 32
"""Addresses of the runs' own that are asked; a tag can name any."""

_ID = re.compile(r"[0-9a-f]{7,64}")
_ASKED_AT_ONCE = 8
_OFFLINE = "not asked (--offline)"
_POINTER = "/code/commit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """Where a commit is."""

    here: bool = False  # in a clone on this machine
    remotes: tuple[str, ...] = ()  # that have it
    lacking: tuple[str, ...] = ()  # places that have not
    unasked: tuple[str, ...] = ()  # places that could not say, and why


@dataclass(frozen=True, kw_only=True, slots=True)
class Commits:
    """The answers for all commits of an audit."""

    home: Path | None  # the repository here
    push: str  # the remote to push to; "": there is none
    full: Mapping[str, str]  # ids in full of the commits that are here
    reached: Mapping[tuple[str, str], Reach]  # by commit and recorded repository

    def findings(self, kept: Kept) -> Iterator[Finding]:
        """What there is to say about a run's commits; nothing where a remote has one."""
        reached = [self.reached[each, kept.repository] for each in _ids(kept.commits)]
        if not reached or any(reach.remotes for reach in reached):
            return
        best = min(reached, key=lambda reach: not reach.here)
        commit = _ids(kept.commits)[reached.index(best)]
        if best.here:
            yield self._only_here(kept, commit, best)
        elif best.unasked or not best.lacking:
            yield _unchecked(commit, best)
        else:
            yield _unreachable(kept, commit, best)

    def _only_here(self, kept: Kept, commit: str, reach: Reach) -> Finding:
        if reach.unasked:
            return Finding(
                code="commit-unchecked",
                severity=Severity.NOTE,
                message=f"commit {commit[:12]} is on this machine; whether a remote has it "
                f"is not known: {'; '.join(reach.unasked)}",
                hint="see that the remote can be asked (git ls-remote), and audit again",
                pointer=_POINTER,
            )
        full = self.full.get(commit, commit)
        pushed = _pushed(self.push, full, kept)
        lacking = ", ".join(reach.lacking)
        said = f"no remote has it ({lacking})" if lacking else "there is no remote"
        return Finding(
            code="unpushed-commit",
            severity=Severity.WARNING,
            message=f"commit {commit[:12]} is only on this machine: {said}; nobody else can "
            "verify the run, and it is lost with this clone",
            hint="push it under a name of its own, which no squash merge or deleted branch takes "
            "away"
            if self.push
            else "give the repository a remote (git remote add origin URL), and push the commit",
            pointer=_POINTER,
            fix=pushed if self.push else "",
        )


def reach(runs: Iterable[Kept], request: AuditRequest, scratch: Path) -> Commits:
    """Asks all places for all commits, remotes side by side; none longer than a minute."""
    wanted: dict[str, set[str]] = defaultdict(set)  # commits by recorded repository
    for kept in runs:
        wanted[kept.repository].update(_ids(kept.commits))
    commits = frozenset().union(*wanted.values())
    home, urls = _own(request)
    git = Git(home, request.env) if home else None
    full = repositories.present(git, commits) if git else {}
    asking = _Asking(request=request, scratch=scratch, home=git, full=full)
    own = asking.answers(dict.fromkeys(urls, commits))
    known = frozenset().union(*(answer.has for answer in own))
    others = {url: frozenset(names - known) for url, names in wanted.items()}
    told = asking.recorded({url: others[url] for url in _recorded(wanted, home, urls, request)})
    reached = {
        (commit, url): _reach(commit, commit in full, home, (own, told.get(url)))
        for url, names in wanted.items()
        for commit in names
    }
    return Commits(home=home, push=_push(git, urls), full=full, reached=reached)


def _ids(commits: Sequence[str]) -> list[str]:
    """Those that are ids at all; what is none is told by the record's own checks."""
    return [each.lower() for each in commits if _ID.fullmatch(each.lower())]


def _own(request: AuditRequest) -> tuple[Path | None, tuple[str, ...]]:
    """The repository here, and the addresses of its remotes; --repo may name one alone."""
    folder = request.cwd if request.repo is None else request.cwd / local_path(request.repo)
    home = repository_root(folder, request.env)
    if home is None and request.repo is not None:
        return None, (request.repo,)
    return home, remotes(home, request.env) if home else ()


def _recorded(
    wanted: Iterable[str], home: Path | None, urls: Sequence[str], request: AuditRequest
) -> list[str]:
    """The runs' own addresses that were not asked yet."""
    if request.repo is not None:
        return []
    asked = {plain(url) for url in urls} | ({str(home)} if home else set())
    return [url for url in wanted if url and plain(url) not in asked]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asking:
    request: AuditRequest
    scratch: Path
    home: Git | None
    full: Mapping[str, str]

    def answers(self, wanted: Mapping[str, frozenset[str]]) -> list[Answer]:
        """What each place answers, in order."""
        with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
            return list(pool.map(self._answer, wanted, wanted.values()))

    def recorded(self, wanted: Mapping[str, frozenset[str]]) -> dict[str, Answer]:
        """What the addresses answer that runs record, not more than a few of them."""
        chosen = {url: wanted[url] for url in list(wanted)[:MOST_RECORDED]}
        told = dict(zip(chosen, self.answers(chosen), strict=True))
        problem = f"only {MOST_RECORDED} recorded addresses are asked"
        return {url: told.get(url, Answer(words=redact(url), problem=problem)) for url in wanted}

    def _answer(self, url: str, commits: frozenset[str]) -> Answer:
        if not commits:
            return Answer(words=redact(url))
        if _is_folder(url):
            folder = self.request.cwd / local_path(url)
            if not folder.is_dir():
                return Answer(words=url, problem="this machine has no such folder")
            return repositories.in_folder(folder, url, commits, self.request.env)
        remote = Remote(url=url, env=self.request.env, scratch=self.scratch, home=self.home)
        if self.request.offline:
            return Answer(words=remote.words, problem=_OFFLINE)
        return remote.answer({each: self.full.get(each, each) for each in commits})


def _is_folder(url: str) -> bool:
    return url.startswith("file://") or not is_url(url)


def _reach(
    commit: str, here: bool, home: Path | None, answers: tuple[Sequence[Answer], Answer | None]
) -> Reach:
    """From what the remotes said, and the address that the run records."""
    own, recorded = answers
    asked = [*own, recorded] if recorded and not _is_folder(recorded.words) else list(own)
    if recorded and recorded not in asked:  # a folder of somebody's is no remote
        here = here or commit in recorded.has
    clones = [str(home)] if home else []
    clones += [recorded.words] if recorded and recorded not in asked else []
    unasked = (
        f"{answer.words}: {answer.problem or 'it does not tell'}"
        for answer in asked
        if commit not in answer.has | answer.lacks
    )
    lacking = (answer.words for answer in asked if commit in answer.lacks)
    return Reach(
        here=here,
        remotes=tuple(answer.words for answer in asked if commit in answer.has),
        lacking=(*(clones if not here else ()), *lacking),
        unasked=tuple(unasked),
    )


def _push(git: Git | None, urls: Sequence[str]) -> str:
    """The remote to push to: by its name where git has the usual one."""
    if git is None or not urls:
        return ""
    return "origin" if git.text("remote", "get-url", "origin") else redact(urls[0])


def _unchecked(commit: str, reach: Reach) -> Finding:
    said = f"could not be asked: {'; '.join(reach.unasked)}" if reach.unasked else "none is known"
    return Finding(
        code="commit-unchecked",
        severity=Severity.WARNING,
        message=f"whether commit {commit[:12]} can be had is not known; repositories: {said}",
        hint="audit from inside the repository, or name it with --repo PATH_OR_URL",
        pointer=_POINTER,
    )


def _unreachable(kept: Kept, commit: str, reach: Reach) -> Finding:
    stands_in = "; the code that was stored with the run stands in for it" if kept.stored else ""
    return Finding(
        code="commit-unreachable",
        severity=Severity.WARNING if kept.stored else Severity.ERROR,
        message=f"no place has commit {commit[:12]}; asked: {', '.join(reach.lacking)}{stands_in}",
        hint="let whoever started the run push it, from the clone in which it was made",
        pointer=_POINTER,
        fix=_pushed("origin", commit, kept),
    )


def _pushed(remote: str, commit: str, kept: Kept) -> str:
    ref = f"refs/reprocheck/{kept.run.ref.run_id}"
    return mending.shell("git", "push", remote, f"{commit}:{ref}")
