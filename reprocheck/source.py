"""Stage checkout: the run's code in a clone of our own, exactly as it was.

The user's repository is only read. Hooks, filters and smudging are off: they could run code, or
change files on their way into the tree. `git worktree` would do both, and write there too.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from reprocheck.errors import SourceError
from reprocheck.git import Git, last_lines
from reprocheck.model import CodeState, Finding, Severity, TreeState
from reprocheck.progress import Progress

LFS_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*"
    rb"oid sha256:(?P<oid>[0-9a-f]{64})\nsize (?P<size>[0-9]+)\n"
)
LFS_SETTINGS = (
    "-c",
    "filter.lfs.clean=git-lfs clean -- %f",
    "-c",
    "filter.lfs.smudge=git-lfs smudge -- %f",
    "-c",
    "filter.lfs.process=git-lfs filter-process",
    "-c",
    "filter.lfs.required=true",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckoutRequest:
    """What to check out, where to look for it, and where to put it."""

    code: CodeState
    repo: str | None  # --repo: a path or URL
    cwd: Path  # the user's
    env: Mapping[str, str]  # the user's
    tree: Path  # to be made


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkout:
    """The code of the run."""

    tree: Path
    commit: str  # in full
    repository: Path | None  # the user's local repository that it came from
    place: str  # where it came from, in words
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """A repository to look into."""

    location: str
    local: Path | None
    words: str
    home: Path | None = None  # the user's own clone of a remote one
    problem: SourceError | None = None  # why it cannot be asked


def checkout(request: CheckoutRequest, progress: Progress) -> Checkout:
    """Clones, checks out the commit, fetches LFS objects and submodules, applies the patch.

    Raises `SourceError` that names every place that was asked.
    """
    place, git, commit = _find(request, progress)
    git("checkout", "--quiet", "--detach", "--force", commit)
    progress.update("fetching LFS objects and submodules")
    _complete_tree(git, place)
    findings = [_tree_finding(request.code)]
    if request.code.patch is not None:
        _apply(git, request.code.patch.content, request.code.patch.sha256)
    _remove_remotes(git)
    return Checkout(
        tree=request.tree,
        commit=commit,
        repository=place.local or place.home,
        place=place.words,
        findings=tuple(finding for finding in findings if finding),
    )


def _remove_remotes(git: Git) -> None:
    """A trial must not be able to push to the team's repositories."""
    for remote in git.text("remote").split():
        git("remote", "remove", remote)


def repository_root(folder: Path, env: Mapping[str, str]) -> Path | None:
    """The root of the git repository around a folder, or None."""
    if not folder.is_dir():
        return None
    top = Git(folder, env)("rev-parse", "--show-toplevel", trusting=True, check=False)
    return Path(top.stdout.decode().strip()) if top.exit_code == 0 else None


def local_path(location: str) -> Path:
    """The path that a repository's location names, if it is no URL of a remote one."""
    if location.startswith("file://"):
        return Path(unquote(location.removeprefix("file://").partition("#")[0]))
    return Path(location.partition("#")[0]).expanduser()


def _find(request: CheckoutRequest, progress: Progress) -> tuple[_Place, Git, str]:
    """A clone of the first place that has the commit, and the commit in full."""
    wanted = request.code.commit
    if not re.fullmatch(r"[0-9a-fA-F]{7,64}", wanted):
        raise SourceError(f"'{wanted}' is not a commit id", "the run's record must name a commit")
    asked: list[str] = []
    failures: list[SourceError] = []
    for place in _places(request):
        if place.local and not _has_commit(Git(place.local, request.env), wanted):
            asked.append(place.words)
            continue
        progress.update(f"cloning {place.words}")
        try:
            git = _clone(place, request)
            return place, git, _resolve(git, wanted)
        except SourceError as error:
            failures.append(error)
            asked.append(error.message)
            shutil.rmtree(request.tree, ignore_errors=True)
    if len(asked) == len(failures) == 1:
        raise failures[0]
    raise SourceError(
        f"commit {wanted[:12]} was not found; looked into: "
        + ("; ".join(asked) or "no repository: there is none here, and the record names none"),
        "give a repository that has the commit with --repo PATH_OR_URL, or fetch it: "
        f"git fetch --all && git fetch origin {wanted}",
    )


def _places(request: CheckoutRequest) -> Iterator[_Place]:
    """Where to look, in order: as told; else here, the recorded address, the remotes of here."""
    here = repository_root(request.cwd, request.env)
    remotes = _remotes(here, request.env) if here else ()
    known = {_plain(url): here for url in remotes}
    if request.repo is not None:
        yield _place(request.repo, request, "--repo", known)
        return
    if here:
        yield _Place(location=str(here), local=here, words=f"{here} (here)")
    recorded = request.code.repository
    if recorded:
        yield _place(recorded, request, "recorded", known)
    for url in remotes:
        if not recorded or _plain(url) != _plain(recorded):
            yield _place(url, request, "remote of the repository here", known)


def _remotes(repository: Path, env: Mapping[str, str]) -> tuple[str, ...]:
    """The addresses that a repository fetches from, origin's first; no relative paths."""
    listed = Git(repository, env)(
        *("config", "--get-regexp", r"^remote\..*\.url$"), trusting=True, check=False
    )
    lines = [line.partition(" ")[::2] for line in listed.stdout.decode().splitlines()]
    lines.sort(key=lambda line: line[0] != "remote.origin.url")
    return tuple(dict.fromkeys(url for _, url in lines if _is_url(url) or url.startswith("/")))


def _is_url(location: str) -> bool:
    return "://" in location or re.match(r"[\w.-]+@[\w.-]+:", location) is not None


def _plain(url: str) -> str:
    """An address by which two of the same repository can be told to be one."""
    return re.sub(r"(?<=://)[^/@\s]+@", "", url).rstrip("/").removesuffix(".git")


def _place(
    location: str, request: CheckoutRequest, why: str, known: Mapping[str, Path | None]
) -> _Place:
    path = local_path(location)
    path = path if path.is_absolute() else request.cwd / path
    place = _Place(
        location=location.partition("#")[0],
        local=None,
        words=f"{_without_login(location)} ({why})",
        home=known.get(_plain(location)),
    )
    if path.is_dir():
        root = repository_root(path, request.env)
        if root is None and (path / "objects").is_dir():  # a bare repository
            root = path
        if root is not None:
            return dataclasses.replace(place, location=str(root), local=root)
        said = "is not a git repository, or git does not trust its owner"
        return _refused(place, said, f"see what git says: git -C {path} status")
    if not _is_url(location):
        return _refused(place, "does not exist", "give an existing path or a URL to --repo")
    if location.startswith("-"):
        return _refused(place, "is not a URL", "give a path or a URL")
    return place


def _refused(place: _Place, said: str, hint: str) -> _Place:
    return dataclasses.replace(place, problem=SourceError(f"{place.words} {said}", hint))


def _without_login(location: str) -> str:
    return re.sub(r"(?<=://)[^/@\s]+@", "***@", location)


def _has_commit(git: Git, commit: str) -> bool:
    done = git(
        "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", trusting=True, check=False
    )
    return done.exit_code == 0


def _clone(place: _Place, request: CheckoutRequest) -> Git:
    if place.problem is not None:
        raise place.problem
    request.tree.parent.mkdir(parents=True, exist_ok=True)
    outside = Git(request.tree.parent, request.env)
    shared = ("--shared",) if place.local else ()
    options = ("clone", "--quiet", "--no-checkout", "--template=", "--origin", "origin", *shared)
    done = outside(*options, "--", place.location, str(request.tree), trusting=True, check=False)
    git = Git(request.tree, request.env)
    if done.exit_code != 0:
        raise SourceError(
            f"cloning {place.words} failed: {last_lines(done.stderr)}",
            "check the address and your access to it, or give another with --repo PATH_OR_URL",
        )
    if place.local is not None:
        _inherit_remote(git, place.local)
    elif not _has_commit(git, request.code.commit):
        git("fetch", "--quiet", "origin", request.code.commit, trusting=True, check=False)
    return git


def _inherit_remote(git: Git, repository: Path) -> None:
    """Names the repository's own origin as `upstream`: LFS objects and submodules may be there."""
    url = Git(repository, git.env).text("config", "--get", "remote.origin.url")
    if url:
        git("remote", "add", "upstream", url)


def _resolve(git: Git, commit: str) -> str:
    full = git.text("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    if not full:
        url = _without_login(git.text("config", "--get", "remote.origin.url"))
        raise SourceError(
            f"commit {commit[:12]} was not found in {url}, nor does it send the commit by its id",
            "push the commit, or give a repository that has it with --repo PATH_OR_URL",
        )
    return full


def _complete_tree(git: Git, place: _Place) -> None:
    _checkout_lfs(git)
    if (git.folder / ".gitmodules").is_file():
        _checkout_submodules(git, place)


def _checkout_lfs(git: Git) -> None:
    """Replaces LFS pointers by their objects and checks each object's sha256."""
    pointers = _lfs_pointers(git)
    if not pointers:
        return
    if shutil.which("git-lfs", path=git.env.get("PATH")) is None:
        raise SourceError(
            f"{len(pointers)} files are kept in git LFS, and git-lfs is not installed",
            "install git-lfs (Debian: apt-get install git-lfs)",
        )
    said = []
    for remote in ("origin", "upstream"):
        fetch = git(*LFS_SETTINGS, "lfs", "fetch", remote, "HEAD", trusting=True, check=False)
        said.append(fetch.stderr)
        git(*LFS_SETTINGS, "lfs", "checkout", trusting=True, check=False)
        missing = [name for name, oid in pointers.items() if not _is_object(git.folder / name, oid)]
        if not missing:
            return
    raise SourceError(
        f"{len(missing)} of {len(pointers)} LFS objects could not be had, among them "
        f"{missing[0]} (sha256 {pointers[missing[0]]}): {last_lines(b''.join(said))}",
        "push the objects from a machine that has them: git lfs push --all origin",
    )


def _lfs_pointers(git: Git) -> dict[str, str]:
    """The sha256 of each LFS file in the tree, by path."""
    listed = git("ls-files", "-z").stdout
    attributes = git("check-attr", "-z", "--stdin", "filter", stdin=listed).stdout
    fields = attributes.decode(errors="surrogateescape").split("\0")
    names = [name for name, value in zip(fields[::3], fields[2::3], strict=False) if value == "lfs"]
    pointers = {}
    for name in names:
        path = git.folder / name
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 1024:
            match = LFS_POINTER.match(path.read_bytes())
            if match:
                pointers[name] = match["oid"].decode()
    return pointers


def _is_object(path: Path, oid: str) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == oid


def _checkout_submodules(git: Git, place: _Place) -> None:
    """Checks out each submodule, from the user's clone of it where that has the commit."""
    git("submodule", "--quiet", "init")
    listed = git.text("config", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$")
    for line in listed.splitlines():
        key, _, path = line.partition(" ")
        name = key.removeprefix("submodule.").removesuffix(".path")
        entry = git.text("ls-tree", "HEAD", "--", path).split()
        if len(entry) < 3 or entry[1] != "commit":
            continue
        module = place.local and _module_folder(Git(place.local, git.env), name)
        if module and _has_commit(Git(module, git.env), entry[2]):
            git("config", f"submodule.{name}.url", str(module))
        else:
            _resolve_relative_url(git, name)
        _update_submodule(git, path)
        inner = Git(git.folder / path, git.env)
        _complete_tree(inner, _Place(location=str(module), local=module, words=path))
        _remove_remotes(inner)


def _module_folder(repository: Git, name: str) -> Path | None:
    """The user's clone of a submodule, which git keeps inside the repository's own folder."""
    for kind in ("--git-dir", "--git-common-dir"):  # of a linked worktree, of all of them
        found = repository("rev-parse", kind, trusting=True, check=False)
        folder = repository.folder / found.stdout.decode().strip() / "modules" / name
        if found.exit_code == 0 and folder.is_dir():
            return folder
    return None


def _resolve_relative_url(git: Git, name: str) -> None:
    """A relative URL counts from the repository's real remote, not from our shared clone's."""
    written = git.text("config", "--file", ".gitmodules", "--get", f"submodule.{name}.url")
    upstream = git.text("config", "--get", "remote.upstream.url")
    if not written.startswith(("./", "../")) or not upstream:
        return
    base = upstream.rstrip("/")
    while written.startswith(("./", "../")):
        head, _, written = written.partition("/")
        base = base.rpartition("/")[0] if head == ".." else base
    git("config", f"submodule.{name}.url", f"{base}/{written}")


def _update_submodule(git: Git, path: str) -> None:
    # Submodules of local repositories have file URLs, which git refuses by default.
    options = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--checkout")
    done = git(*options, "--", path, trusting=True, check=False)
    if done.exit_code != 0:
        raise SourceError(
            f"checking out submodule {path} failed: {last_lines(done.stderr)}",
            "check the submodule's address in .gitmodules and your access to it",
        )


def _apply(git: Git, patch: bytes, sha256: str | None) -> None:
    found = hashlib.sha256(patch).hexdigest()
    if sha256 is not None and found != sha256:
        raise SourceError(
            f"the recorded patch has sha256 {found[:12]}…, the record says {sha256[:12]}…",
            "the patch was changed after the run; the run's code cannot be restored from it",
        )
    if not patch.strip():
        return
    done = git("apply", "--binary", "--whitespace=nowarn", "-", stdin=patch, check=False)
    if done.exit_code != 0:
        raise SourceError(
            f"the recorded patch does not apply to the commit: {last_lines(done.stderr)}",
            "the record's commit or patch is not the run's",
        )


def _tree_finding(code: CodeState) -> Finding | None:
    if code.tree is TreeState.DIRTY and code.patch is not None:
        return Finding(
            code="patched-tree",
            severity=Severity.NOTE,
            message="the run's tree had uncommitted changes; its recorded patch was applied",
            hint="commit before training, so that the code can be reviewed",
            pointer="/code/patch",
        )
    return None
