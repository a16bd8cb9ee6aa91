"""Requirement pushed-commit: a remote has the commit, as it says itself."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from reprocheck.errors import SourceError
from reprocheck.model import Requirement
from reprocheck.recording.base import Lack, Situation, lack, listed, no_repository, not_known

KEEP = "--keep-ref"
PROBE = "refs/reprocheck/probe"


def check(situation: Situation) -> tuple[Lack, ...]:
    """A lack where no remote has the commit, and --keep-ref could not put it there."""
    foreseen = situation.foreseen
    if foreseen.root is None or not foreseen.commit:
        return no_repository(Requirement.PUSHED_COMMIT, situation)
    return (*_of_repository(situation), *_of_submodules(situation, foreseen.root))


def _of_submodules(situation: Situation, root: Path) -> Iterator[Lack]:
    """--keep-ref keeps none of their commits."""
    told = situation.git("ls-files", "--stage", "-z", trusting=True, check=False).stdout
    for entry in map(os.fsdecode, told.split(b"\0")):
        about, _, name = entry.partition("\t")
        if not about.startswith("160000 ") or not (root / name / ".git").exists():
            continue
        foreseen = replace(situation.foreseen, root=root / name, commit=about.split()[1])
        asked = replace(situation.asked, keep_ref=False)
        for each in _of_repository(replace(situation, foreseen=foreseen, asked=asked)):
            yield _in_submodule(each, name)


def _in_submodule(found: Lack, name: str) -> Lack:
    finding = found.finding
    fix = finding.fix.replace("git ", f"git -C {shlex.quote(name)} ")
    message = f"in submodule {name}: {finding.message}"
    return replace(found, finding=replace(finding, message=message, fix=fix))


def _of_repository(situation: Situation) -> tuple[Lack, ...]:
    names = remotes(situation)
    if not names:
        return (_no_remote(situation.foreseen.commit),)
    silent = []
    for name in names:
        refs = _refs(situation, name)
        if refs is None:
            silent.append(name)
        elif _has(situation, name, refs):
            return ()
    if situation.asked.keep_ref:
        return _cannot_keep(situation, names[0])
    if silent or _is_shallow(situation):
        return (_unknown(situation, silent),)
    return (_unpushed(situation, names),)


def remotes(situation: Situation) -> list[str]:
    """The remotes' names, origin first; one that looks like an option is none."""
    found = situation.git.text("remote", trusting=True).splitlines()
    plain = [name for name in found if name and not name.startswith("-")]
    return sorted(plain, key=lambda name: name != "origin")


def _refs(situation: Situation, remote: str) -> Mapping[str, str] | None:
    """What the remote has: commits by ref; None where it does not answer."""
    try:
        done = situation.git("ls-remote", "--", remote, trusting=True, check=False)
    except SourceError:
        return None
    if done.exit_code != 0 or done.timed_out:
        return None
    pairs = (line.split("\t", 1) for line in done.stdout.decode(errors="replace").splitlines())
    return {pair[1]: pair[0] for pair in pairs if len(pair) == 2}


def _has(situation: Situation, remote: str, refs: Mapping[str, str]) -> bool:
    """Whether a ref of the remote leads to the commit.

    A branch that went on to commits that are not here counts where it had the commit when it was
    last fetched.
    """
    commit = situation.foreseen.commit
    if commit in refs.values():
        return True
    here = _known_here(situation, set(refs.values()))
    if here:
        below = "".join(f"^{each}\n" for each in sorted(here)).encode()
        args = ("rev-list", "--max-count=1", commit, "--stdin")
        done = situation.git(*args, trusting=True, check=False, stdin=below)
        if done.exit_code == 0 and not done.stdout.strip():
            return True
    moved = {ref for ref, tip in refs.items() if tip not in here}
    return any(f"refs/heads/{branch}" in moved for branch in _fetched(situation, remote))


def _known_here(situation: Situation, tips: set[str]) -> set[str]:
    given = "".join(f"{tip}\n" for tip in sorted(tips)).encode()
    asked = ("cat-file", "--batch-check=%(objectname) %(objecttype)")
    told = situation.git(*asked, trusting=True, check=False, stdin=given).stdout.decode()
    kinds = (line.split() for line in told.splitlines())
    return {words[0] for words in kinds if words[1:] in (["commit"], ["tag"])}


def _fetched(situation: Situation, remote: str) -> list[str]:
    """The remote's branches that had the commit when they were last fetched."""
    place = f"refs/remotes/{remote}/"
    args = ("for-each-ref", "--format=%(refname)", "--contains", situation.foreseen.commit, place)
    found = situation.git.text(*args, trusting=True).splitlines()
    return [ref.removeprefix(place) for ref in found]


def _is_shallow(situation: Situation) -> bool:
    return situation.git.text("rev-parse", "--is-shallow-repository") == "true"


def _cannot_keep(situation: Situation, remote: str) -> tuple[Lack, ...]:
    """A lack where the remote would refuse the push, as far as it can be tried."""
    commit = situation.foreseen.commit
    args = ("push", "--dry-run", "--quiet", "--", remote, f"{commit}:{PROBE}")
    done = situation.git(*args, trusting=True, check=False)
    if done.exit_code == 0:
        return ()
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return (
        lack(
            Requirement.PUSHED_COMMIT,
            "unpushed-commit",
            f"commit {commit[:12]} is on no remote, and {KEEP} cannot push it to {remote}: "
            f"{lines[-1] if lines else 'the remote does not answer'}",
            hint="see whether you may push there",
            fix=f"git push --dry-run {shlex.quote(remote)} {commit}:{PROBE}",
        ),
    )


def _no_remote(commit: str) -> Lack:
    return lack(
        Requirement.PUSHED_COMMIT,
        "unpushed-commit",
        f"the repository has no remote, so that commit {commit[:12]} is on this machine alone",
        hint="add one that the team can read",
        fix="git remote add origin URL && git push -u origin HEAD",
    )


def _unpushed(situation: Situation, names: list[str]) -> Lack:
    commit = situation.foreseen.commit
    return lack(
        Requirement.PUSHED_COMMIT,
        "unpushed-commit",
        f"commit {commit[:12]} is on no branch of {listed(names)}",
        hint=f"push it; {KEEP} pushes it as refs/reprocheck/RUN_ID, where no squash and no "
        "deleted branch loses it",
        fix=f"git push {shlex.quote(names[0])} {_target(situation)}",
    )


def _target(situation: Situation) -> str:
    """What is pushed: the branch, or of none, as in submodules and in CI, a new one."""
    commit = situation.foreseen.commit
    if situation.git.text("symbolic-ref", "--quiet", "HEAD"):
        return "HEAD"
    return f"{commit}:refs/heads/trained-{commit[:12]}"


def _unknown(situation: Situation, silent: list[str]) -> Lack:
    commit = situation.foreseen.commit
    why = f"{listed(silent)} does not answer" if silent else "this clone is shallow"
    return not_known(
        Requirement.PUSHED_COMMIT,
        "unknown-remote",
        f"whether a remote has commit {commit[:12]} is not known: {why}",
        "look at the remote, or fetch the whole history; in CI, fetch-depth: 0",
        f"git ls-remote {shlex.quote(silent[0])}" if silent else "git fetch --unshallow",
    )
