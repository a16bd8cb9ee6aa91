"""A clone of our own that has the run's commit, from one place.

A local repository's objects are shared. A remote one is asked for the commit alone by its id; where
it refuses that, for the ref that names it; then for all branches and tags; then for what a clone
leaves out: heads of pull requests, DVC's experiments, refs/reprocheck and the like.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager

from reprocheck.errors import SourceError
from reprocheck.git import Git, last_lines
from reprocheck.hostile import redact
from reprocheck.process import Completed
from reprocheck.progress import Progress, growing
from reprocheck.source import ids
from reprocheck.source.base import CheckoutRequest, Found, NotHereError, Place

_CLONED = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
_LIKELIER = ("reprocheck", "pull", "merge-requests", "exps")
# As environments/dockerfile.py knows them; history too many costs only time.
_VERSIONED_BY_GIT = (
    r"setuptools[-_]scm|hatch[-_]vcs|versioneer|versioningit|dynamic[-_]versioning|pbr|dunamai"
    r"|git[-_]versioning|miniver|vcversioner|git (describe|log|rev-list|show|tag)|COPY .*\.git"
)
_DEFINITIONS = ("pyproject.toml", "setup.py", "setup.cfg", "*Dockerfile*")
ANSWER_S = 60.0  # how long a remote has for its first answer, before anything is fetched


def obtain(place: Place, wanted: str, request: CheckoutRequest, progress: Progress) -> Found:
    """A clone of the place in the request's tree with the commit checked out.

    Raises `NotHereError`, after which the tree is as it was: absent; and `SourceError` for an id
    that means several commits or none at all.
    """
    try:
        git, commit = _clone(place, wanted, request, progress)
        with growing(progress, request.tree, "checking out"):
            done = git("checkout", "--quiet", "--detach", "--force", commit, check=False)
        if done.exit_code != 0:  # a clone that was made with a filter, or is damaged
            said = f"{place.words} has the commit, but not all of its files: {_said(done)}"
            raise NotHereError(said, "fetch them: git fetch --refetch --no-filter", asked=False)
    except SourceError:
        shutil.rmtree(request.tree, ignore_errors=True)
        raise
    return Found(place=place, git=git, commit=commit)


def _clone(
    place: Place, wanted: str, request: CheckoutRequest, progress: Progress
) -> tuple[Git, str]:
    if place.problem is not None:
        raise NotHereError(place.problem.message, place.problem.hint, asked=False)
    request.tree.parent.mkdir(parents=True, exist_ok=True)
    if place.local is not None:
        theirs = Git(place.local, request.env)
        commit = ids.resolve(theirs, wanted)
        if commit is None:
            raise NotHereError(f"{place.words} does not have it", asked=True)
        progress.update(f"cloning {place.words}")
        return _shared(place, theirs, request), commit
    return _Remote(place, request, progress).clone(wanted)


def _shared(place: Place, theirs: Git, request: CheckoutRequest) -> Git:
    outside = Git(request.tree.parent, request.env)
    options = ("clone", "--quiet", "--no-checkout", "--template=", "--origin", "origin", "--shared")
    done = outside(*options, "--", place.location, str(request.tree), trusting=True, check=False)
    if done.exit_code != 0:
        said = f"cloning {place.words} failed: {_said(done)}"
        raise NotHereError(said, "see what git says: git fsck", asked=False)
    git = Git(request.tree, request.env)
    # The repository's own origin: LFS objects and submodules may be there.
    if url := theirs.text("config", "--get", "remote.origin.url", trusting=True):
        git("remote", "add", "upstream", url)
    return git


class _Remote:
    """A repository of elsewhere, and the clone of it in the request's tree."""

    def __init__(self, place: Place, request: CheckoutRequest, progress: Progress) -> None:
        self._place = place
        self._request = request
        self._progress = progress
        self._git = Git(request.tree, request.env)

    def clone(self, wanted: str) -> tuple[Git, str]:
        """The clone and the commit in full. Raises `NotHereError`."""
        self._progress.update(f"asking {self._place.words}")
        self._listed("HEAD", timeout_s=ANSWER_S)  # a dead one must not hold up all fetches below
        if len(wanted) in ids.LENGTHS:
            self._init(len(wanted))
            with self._told(f"commit {wanted[:12]}"):
                commit = self._fetched(wanted, [wanted], shallow=True)
            if commit:
                return self._git, commit
        refs = self._refs()
        self._init(len(next(iter(refs.values()))))
        for doing, refspecs, shallow in self._ways(refs, wanted):
            with self._told(doing):
                commit = self._fetched(wanted, refspecs, shallow=shallow)
            if commit:
                return self._git, commit
        said = f"{self._place.words} does not have it in any of its {len(refs)} refs"
        by_id = ", nor does it send it by its id" if len(wanted) in ids.LENGTHS else ""
        raise NotHereError(said + by_id, "push the commit", asked=True)

    def _told(self, what: str) -> AbstractContextManager[None]:
        """Tells what is fetched, and how much of it has come."""
        doing = f"fetching {what} of {self._place.words}"
        self._progress.update(doing)
        return growing(self._progress, self._git.folder, doing)

    def _ways(self, refs: Mapping[str, str], wanted: str) -> Iterator[tuple[str, list[str], bool]]:
        """What to fetch, in words and refspecs, and whether the last commit of it will do."""
        if self._request.ref:
            yield self._request.ref, [f"+{self._request.ref}:refs/reprocheck-found"], False
        for name, tip in refs.items():
            if tip == wanted:
                ref = name.removesuffix("^{}")
                yield ref, [f"+{ref}:refs/reprocheck-found"], True
                break
        yield "all branches and tags", list(_CLONED), False
        for namespace in _namespaces(refs):
            refspec = f"+refs/{namespace}/*:refs/reprocheck-found/{namespace}/*"
            yield f"refs/{namespace}", [refspec], False

    def _fetched(self, wanted: str, refspecs: list[str], *, shallow: bool) -> str | None:
        """The commit in full, if it is there after a fetch; what a failed one left never counts."""
        done = self._fetch(*refspecs, shallow=shallow)
        if done.exit_code == 0 and not done.timed_out:
            commit = ids.resolve(self._git, wanted)
            if commit and shallow and _is_versioned_by_git(self._git, commit):
                self._fetch(*refspecs, "refs/tags/*:refs/tags/*", shallow=False)
            return commit
        if shallow:  # as dumb HTTP, which knows no such thing
            return None
        said = f"fetching from {self._place.words} failed: {_said(done)}"
        raise NotHereError(said, "try again, or name another repository with --repo", asked=False)

    def _fetch(self, *refspecs: str, shallow: bool) -> Completed:
        deep = ("--depth=1",) if shallow else self._unshallow()
        options = ("fetch", "--quiet", "--no-tags", "--recurse-submodules=no", *deep)
        return self._git(*options, "origin", *refspecs, trusting=True, check=False)

    def _unshallow(self) -> tuple[str, ...]:
        return ("--unshallow",) if (self._git.folder / ".git/shallow").exists() else ()

    def _refs(self) -> Mapping[str, str]:
        """What the place's refs name, annotated tags also for what they point at."""
        done = self._listed()
        lines = done.stdout.decode(errors="replace").splitlines()
        refs = {name: tip for tip, _, name in (line.partition("\t") for line in lines)}
        if not refs:
            raise NotHereError(f"{self._place.words} is empty", "push to it", asked=True)
        return {name: tip for name, tip in refs.items() if name.startswith("refs/")} or refs

    def _listed(self, *refs: str, timeout_s: float = 3600.0) -> Completed:
        """What `git ls-remote` prints. Raises `NotHereError` where the place does not answer."""
        outside = Git(self._request.tree.parent, self._request.env, timeout_s)
        options = ("ls-remote", "--quiet", "--", self._place.location, *refs)
        done = outside(*options, trusting=True, check=False)
        if done.exit_code != 0 or done.timed_out:
            late = f"it did not answer within {timeout_s:.0f} s"
            said = late if done.timed_out else _said(done)
            raise NotHereError(
                f"{self._place.words} could not be asked: {said}",
                "check the address and your access to it, or give another repository with --repo",
                asked=False,
            )
        return done

    def _init(self, digits: int) -> None:
        shutil.rmtree(self._request.tree, ignore_errors=True)
        outside = Git(self._request.tree.parent, self._request.env)
        kind = "sha256" if digits == ids.LENGTHS[1] else "sha1"
        outside(
            *("init", "--quiet", "--template=", "--initial-branch=main"),
            *(f"--object-format={kind}", str(self._request.tree)),
        )
        self._git("remote", "add", "origin", self._place.location)


def _namespaces(refs: Iterable[str]) -> list[str]:
    """Kinds of refs that a clone leaves out; refs/stash is nobody's commit."""
    words = (name.split("/") for name in refs)
    found = {parts[1] for parts in words if len(parts) > 2} - {"heads", "tags", "stash"}
    safe = [name for name in sorted(found) if re.fullmatch(r"[A-Za-z0-9][\w.-]*", name)]
    return sorted(safe, key=lambda name: name not in _LIKELIER)


def _is_versioned_by_git(git: Git, commit: str) -> bool:
    """Whether the project asks git for its version: then its tags and history matter."""
    words = ("grep", "--quiet", "-i", "-E", _VERSIONED_BY_GIT, commit, "--", *_DEFINITIONS)
    return git(*words, check=False).exit_code == 0


def _said(done: Completed) -> str:
    return "git did not end in time" if done.timed_out else redact(last_lines(done.stderr))
