"""Stage checkout: the run's code in a clone of our own, exactly as it was.

The user's repository is only read. Hooks, filters and smudging are off: they could run code, or
change files on their way into the tree. `git worktree` would do both, and write there too.

1. places.py      where to look
2. clones.py      a clone that has the commit; ids.py says which commit is meant
3. submodules.py  submodules, lfs.py LFS objects, patches.py and untracked.py what was not committed
4. stored.py      where no place has the commit: the code that was stored with the run, and said so
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reprocheck.errors import SourceError
from reprocheck.git import Git
from reprocheck.model import Finding, Severity
from reprocheck.progress import Progress, growing
from reprocheck.source import clones, ids, lfs, patches, stored, submodules, trust, untracked
from reprocheck.source.base import Checkout, CheckoutRequest, Found, Kept, NotHereError
from reprocheck.source.patches import Wanted
from reprocheck.source.places import local_path, places, repository_root
from reprocheck.tree_paths import outward_links

__all__ = ["Checkout", "CheckoutRequest", "Kept", "checkout", "local_path", "repository_root"]

_LINKS_TOLD = 5


def checkout(request: CheckoutRequest, progress: Progress) -> Checkout:
    """Clones, checks out the commit, fetches LFS objects and submodules, applies the patch.

    Where the commit cannot be had, the code that the run stored is taken, and a finding says so.
    Raises `SourceError` that names every place that was asked.
    """
    wanted: list[str] = []
    answers: list[NotHereError] = []
    for way in patches.ways(request.code):
        wanted.append(ids.check(way.commit))
        found = _find(request, wanted[-1], answers, progress)
        if found is not None:
            return _completed(request, found, way, progress)
    done = stored.check_out(request, answers, progress)
    if done is None:
        raise _not_found(request, wanted, answers)
    return done


def _find(
    request: CheckoutRequest, wanted: str, answers: list[NotHereError], progress: Progress
) -> Found | None:
    """A clone of the first place that has the commit; what the others said is kept."""
    for place in places(request):
        try:
            return clones.obtain(place, wanted, request, progress)
        except NotHereError as error:
            if place.problem is not None and request.repo is not None:
                raise  # a wrong --repo is to be mended, not worked around
            answers.append(error)
    return None


def _not_found(
    request: CheckoutRequest, wanted: list[str], answers: list[NotHereError]
) -> SourceError:
    if len(answers) == 1 and not answers[0].asked:
        return answers[0]
    said = list(dict.fromkeys(error.message for error in answers))
    return SourceError(
        f"commit {' or '.join(commit[:12] for commit in wanted)} was not found; asked: "
        + ("; ".join(said) or "no repository: there is none here, and the record names none"),
        stored.next_step(request),
    )


def _completed(request: CheckoutRequest, found: Found, way: Wanted, progress: Progress) -> Checkout:
    git, place = found.git, found.place
    findings = [] if way.patch is None else [*patches.move_modules(git, way.patch)]
    home = place.local or place.home
    doing = "fetching LFS objects and submodules"
    progress.update(doing)
    with growing(progress, request.tree, doing):
        _complete_submodules(git, place.local, request, trust.checker(home, request))
        if way.patch is not None:
            patches.apply(git, way.patch)
        trust.check_lfs(git, home, request)
        lfs.restore(git, request.objects)
    _forget_remotes(git)
    told = patches.finding(request.code, way)
    findings += [told] if told else []
    return Checkout(
        tree=request.tree,
        commit=found.commit if way.commit == request.code.commit else request.code.commit,
        repository=home,
        place=place.words,
        findings=(*findings, *untracked.put_back(request), *_links(request.tree)),
    )


def _complete_submodules(
    git: Git, local: Path | None, request: CheckoutRequest, check: submodules.Check
) -> None:
    """Submodules, their own submodules, and what each needs beside its commit."""

    def complete(git: Git, local: Path | None) -> None:
        submodules.check_out(git, local, complete, check)
        trust.check_lfs(git, local, request)
        lfs.restore(git, request.objects)
        _forget_remotes(git)

    submodules.check_out(git, local, complete, check)


def _forget_remotes(git: Git) -> None:
    """A trial must not be able to push to the team's repositories."""
    for remote in git.text("remote").split():
        git("remote", "remove", remote)
    Path(git.text("rev-parse", "--absolute-git-dir"), "FETCH_HEAD").unlink(missing_ok=True)


def _links(tree: Path) -> Iterator[Finding]:
    links = list(outward_links(tree))
    if links:
        more = f" and {len(links) - _LINKS_TOLD} more" if len(links) > _LINKS_TOLD else ""
        yield Finding(
            code="symlink-outside",
            severity=Severity.WARNING,
            message="symbolic links at the commit lead out of the repository: "
            f"{', '.join(links[:_LINKS_TOLD])}{more}; what is behind them is not restored, and "
            "need not be what the run read",
            hint="declare what the run reads there under data in reprocheck.yaml",
            pointer="/code/commit",
        )
