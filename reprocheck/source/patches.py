"""The recorded changes that were never committed, put back into the tree as they were."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from reprocheck.errors import SourceError
from reprocheck.git import Git, last_lines
from reprocheck.model import CodeState, Finding, Patch, Severity, TreeState
from reprocheck.tree_paths import outward_links

_HEADER = re.compile(rb"^diff --git (.*)$", re.MULTILINE)
_SUBMODULE = re.compile(
    rb"^diff --git \S+ (?:[a-z]/)?(?P<path>[^\n]+)\n(?:[^-+@\n][^\n]*\n)*"
    rb"--- [^\n]+\n\+\+\+ [^\n]+\n"
    rb"@@[^\n]*\n(?:-Subproject commit [^\n]*\n)?"
    rb"\+Subproject commit (?P<commit>[0-9a-f]+)(?P<dirty>-dirty)?$",
    re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A commit, and the changes to put on top of it."""

    commit: str
    patch: Patch | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Module:
    """A submodule that a patch takes to another commit."""

    path: str
    commit: str
    dirty: bool  # it had changes of its own, which the patch does not hold


def ways(code: CodeState) -> tuple[Wanted, ...]:
    """What gives the run's code, the surest first: its commit; a pushed one and all changes since.

    Without a patch for its commit, a run whose tree was dirty has only the second.
    """
    own, upstream = code.patch, code.upstream
    found = []
    if code.commit and not (upstream and own is None and code.tree is TreeState.DIRTY):
        found.append(Wanted(commit=(own and own.base) or code.commit, patch=own))
    if upstream is not None and upstream.base:
        found.append(Wanted(commit=upstream.base, patch=upstream))
    return tuple(found)


def modules(patch: Patch) -> tuple[Module, ...]:
    """The submodules that a patch takes to other commits."""
    return tuple(
        Module(
            path=match["path"].decode(errors="surrogateescape"),
            commit=match["commit"].decode(),
            dirty=match["dirty"] is not None,
        )
        for match in _SUBMODULE.finditer(patch.content)
    )


def move_modules(git: Git, patch: Patch) -> Iterator[Finding]:
    """Lets the index name the submodules' commits that the patch names; says what it does not hold.

    Raises `SourceError` for one that the commit does not have.
    """
    for module in modules(patch):
        _set_module(git, module)
        if module.dirty:
            yield Finding(
                code="dirty-submodule",
                severity=Severity.WARNING,
                message=f"the submodule {module.path} had changes of its own; git's patches "
                "do not hold them, and the reruns have its commit",
                hint="commit inside of submodules before a run, or record the patch with "
                "git diff --binary --submodule=diff HEAD",
                pointer="/code/patch",
            )


def _set_module(git: Git, module: Module) -> None:
    entry = git.text("ls-files", "--stage", "--", f":(literal){module.path}").split()
    if not entry or entry[0] != "160000":
        raise SourceError(
            f"the recorded patch adds the submodule {module.path}, which cannot be put back",
            "commit a new submodule before a run",
        )
    if not entry[1].startswith(module.commit):
        git("update-index", "--cacheinfo", f"160000,{module.commit},{module.path}")


def apply(git: Git, patch: Patch) -> None:
    """Applies a patch, whatever its line ends and white space.

    Raises `SourceError` when it is not the recorded one, does not apply, or leads out of the tree.
    """
    _check_digest(patch)
    before = set(outward_links(git.folder))
    for part in patch.parts or (patch.content,):
        _apply(git, part)
    # What reads pointers of LFS or names of files from the index sees the patched ones.
    git("add", "--all", "--force")
    made = sorted({*outward_links(git.folder)} - before)
    if made:
        raise SourceError(
            f"the recorded patch makes a symbolic link that leads out of the tree: {made[0]}",
            "commit what the run needs, or declare it as data",
        )


def _check_digest(patch: Patch) -> None:
    found = hashlib.sha256(patch.content).hexdigest()
    if patch.sha256 is not None and found != patch.sha256.lower():
        raise SourceError(
            f"the recorded patch has sha256 {found[:12]}…, the record says {patch.sha256[:12]}…",
            "the patch was changed after the run; the run's code cannot be restored from it",
        )


def _apply(git: Git, content: bytes) -> None:
    if not content.strip():
        return
    content = content if content.endswith(b"\n") else content + b"\n"  # a tag's lost its last one
    said = _tried(git, content)
    halves = _halves(content) if said else None
    if halves and not _tried(git, halves[0]):
        said = _tried(git, halves[1])
    if said:
        raise SourceError(
            f"the recorded patch does not apply to the commit: {last_lines(said)}",
            "the record's commit or patch is not the run's",
        )


def _tried(git: Git, content: bytes) -> bytes:
    """What git says against a patch, of which then nothing is applied; b"" when it is."""
    first = _HEADER.search(content)
    # `diff.noprefix` leaves out a/ and b/; then -p1 would mean other files.
    words = first[1].split(b" ") if first else []
    strip = "-p0" if len(words) == 2 and words[0] == words[1] else "-p1"
    options = ("apply", "--binary", "--whitespace=nowarn", strip, *_without_modules(content))
    done = git(*options, "-", stdin=content, check=False)
    return b"" if done.exit_code == 0 else done.stderr or b"(no output)"


def _halves(content: bytes) -> tuple[bytes, bytes] | None:
    """The staged changes, and the unstaged ones on top of them, which MLflow writes before them.

    Each is in the order of its paths, so the second begins where that order does anew.
    """
    headers = list(_HEADER.finditer(content))
    breaks = [i for i in range(1, len(headers)) if headers[i][1] <= headers[i - 1][1]]
    if len(breaks) != 1:
        return None
    cut = headers[breaks[0]].start()
    return content[cut:], content[:cut]


def _without_modules(content: bytes) -> list[str]:
    """Submodules are taken to their commits by git itself."""
    found = modules(Patch(content=content, sha256=None))
    return ["--exclude=" + re.sub(r"([*?\[\\])", r"\\\1", module.path) for module in found]


def finding(code: CodeState, wanted: Wanted) -> Finding | None:
    """What is told of the changes that the tree has."""
    patch = wanted.patch
    if patch is None or not patch.content.strip():
        return None
    if wanted.commit != code.commit and patch.base:
        message = f"the tree is that of commit {patch.base[:12]}, with the recorded patch of all "
        message += f"changes since; commit {code.commit[:12]} of the run itself is not needed"
        return _patched("upstream-patch", message, "push the commit that a run is started from")
    if code.tree is TreeState.DIRTY:
        message = "the run's tree had uncommitted changes; its recorded patch was applied"
        hint = "commit before training, so that the code can be reviewed"
        return _patched("patched-tree", message, hint)
    return None


def _patched(code: str, message: str, hint: str) -> Finding:
    return Finding(
        code=code, severity=Severity.NOTE, message=message, hint=hint, pointer="/code/patch"
    )
