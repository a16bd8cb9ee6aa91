"""What an image is built from: the Dockerfile, its context at the commit, its key."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprocheck.environments import dockerfile
from reprocheck.environments.base import BuildRequest
from reprocheck.git import Git
from reprocheck.model import EnvironmentSpec, Finding, Severity

BUILDER = "docker 1"  # part of every key: raise it when the same inputs build something else
FILE = ".reprocheck.Dockerfile"


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """A Dockerfile and the folder that it copies from: a folder of our own."""

    file: str  # the Dockerfile's name, for messages
    text: str  # of the Dockerfile
    args: Mapping[str, str]
    folder: Path
    paths: tuple[str, ...]
    network: bool  # whether the build may use it
    findings: tuple[Finding, ...] = ()
    history: str = ""  # commit and tags of the .git folder in it; empty: it has none

    def key(self, bases: Iterable[str], platform: str) -> str:
        """A digest of all that decides what is built; `bases` are the ids of its images."""
        digest = hashlib.sha256()
        told = [BUILDER, _normalised(self.text), platform, str(self.network), *bases]
        told += [f"{name}={self.args[name]}" for name in sorted(self.args)]
        told += [self.history] if self.history else []
        for item in told:
            digest.update(f"{len(item)} {item}\n".encode())
        for path in sorted(self.paths):
            digest.update(_entry(self.folder, path).encode(errors="surrogateescape"))
        return digest.hexdigest()

    @property
    def dockerfile(self) -> Path:
        """Where the Dockerfile is written: outside, or `COPY .` would copy it, too."""
        return self.folder.with_name(FILE)

    def write(self, text: str) -> None:
        """Writes the Dockerfile as it is to be built."""
        self.dockerfile.write_text(text)

    def archive(self) -> bytes:
        """The folder as a tar file, the same whenever and by whomever it is made."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for path in sorted(self.paths):
                if path != ".dockerignore":
                    archive.add(self.folder / path, arcname=path, recursive=False, filter=_neutral)
            if self.history:
                archive.add(self.folder / ".git", arcname=".git", filter=_neutral)
            archive.add(self.dockerfile, arcname=FILE, filter=_neutral)
            _add(archive, ".dockerignore", self._ignore())
        return packed.getvalue()

    def _ignore(self) -> bytes:
        # Makes the engine take what is only there for itself out of the context again.
        if ".dockerignore" in self.paths:
            return (self.folder / ".dockerignore").read_bytes() + f"\n{FILE}\n".encode()
        return f"{FILE}\n.dockerignore\n".encode()


def gather(request: BuildRequest, folder: Path) -> Context:
    """Copies the context of a request's Dockerfile into a new folder; a .git folder is made where
    the build reads the history, and the key holds its commit and tags: its files differ from clone
    to clone.
    """
    spec = request.spec
    text = spec.content.decode(errors="replace").replace("\r\n", "\n")
    root, findings = _root(spec, request.tree, text)
    patterns = _ignored(root, spec)
    paths = _chosen(root, patterns)
    folder.mkdir()
    for path in paths:
        _copy(root / path, folder / path)
    return Context(
        file=spec.file,
        text=text,
        args=dict(request.args),
        folder=folder,
        paths=tuple(paths),
        network=request.network,
        findings=findings,
        history=_with_history(request, root, patterns, folder),
    )


def _root(spec: EnvironmentSpec, tree: Path, text: str) -> tuple[Path, tuple[Finding, ...]]:
    """The folder that the build was most likely given: nobody records it."""
    beside = tree / (spec.directory or ".")
    if beside.resolve() == tree.resolve():
        return tree, ()
    sources = [name for name in dockerfile.sources(text) if name not in (".", "./", "/")]
    fits = [all(_exists(root, name) for name in sources) for root in (tree, beside)]
    if fits == [False, True]:
        return beside, ()
    if fits == [True, True]:
        return tree, (_ambiguous(spec),)
    return tree, ()


def _exists(root: Path, name: str) -> bool:
    pattern = name.strip("/").removeprefix("./") or "."
    if any(sign in pattern for sign in "*?["):
        return any(root.glob(pattern))
    return (root / pattern).exists()


def _ambiguous(spec: EnvironmentSpec) -> Finding:
    return Finding(
        code="ambiguous-context",
        severity=Severity.NOTE,
        message=f"{spec.directory}/{spec.file} could be built from the repository's root and from "
        f"{spec.directory}; the root is taken",
        hint="nothing to do if the build is right; else copy by names that only one of them has",
        pointer="/environment",
    )


def _ignored(root: Path, spec: EnvironmentSpec) -> list[str]:
    own = root / (spec.directory or ".") / f"{spec.file}.dockerignore"
    ignore = own if own.is_file() else root / ".dockerignore"
    patterns = ignore.read_text(errors="replace").splitlines() if ignore.is_file() else []
    lines = [line.strip() for line in patterns]
    return [line for line in lines if line and not line.startswith("#")]


def _chosen(root: Path, patterns: list[str]) -> list[str]:
    """The paths of the context, as the .dockerignore leaves them."""
    from docker.utils.build import exclude_paths

    found = exclude_paths(str(root), [*patterns, ".git"], dockerfile=FILE)
    return sorted(path for path in found if path not in (".", FILE) and (root / path).exists())


def _with_history(request: BuildRequest, root: Path, patterns: list[str], folder: Path) -> str:
    """Makes a .git folder in a context whose build reads it; returns its commit and tags."""
    from docker.utils.build import PatternMatcher

    text = request.spec.content.decode(errors="replace")
    if not (root / ".git").exists() or not dockerfile.reads_git(text, _project(root)):
        return ""
    matcher: Any = PatternMatcher(patterns)  # its stubs know no str
    if matcher.matches(".git"):
        return ""
    theirs, ours = Git(root, request.env), Git(folder, request.env)
    commit = theirs.text("rev-parse", "HEAD")
    if not commit:
        return ""
    tags = theirs.text("tag", "--merged", commit).split()
    ours("init", "--quiet")
    refs = [f"refs/tags/{tag}:refs/tags/{tag}" for tag in tags]
    ours("fetch", "--quiet", "--no-tags", str(root), "+HEAD:refs/heads/main", *refs)
    ours("symbolic-ref", "HEAD", "refs/heads/main")
    ours("reset", "--quiet", "--mixed")
    (folder / ".git/FETCH_HEAD").unlink(missing_ok=True)  # names this machine's folder
    return " ".join((commit, ours.text("show-ref", "--tags")))


def _project(root: Path) -> str:
    files = (root / name for name in ("pyproject.toml", "setup.py", "setup.cfg"))
    return "\n".join(file.read_text(errors="replace") for file in files if file.is_file())


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(source.readlink())
    elif source.is_dir():
        target.mkdir(exist_ok=True)
    else:
        shutil.copyfile(source, target)
        # As git knows it, whatever the umask of the checkout.
        target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)


def _entry(folder: Path, path: str) -> str:
    file = folder / path
    if file.is_symlink():
        return f"{path}\0link\0{file.readlink()}\n"
    if file.is_dir():
        return f"{path}\0folder\n"
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return f"{path}\0{file.stat().st_mode & 0o777:o}\0{digest}\n"


def _normalised(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o644
    archive.addfile(entry, io.BytesIO(content))


def _neutral(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    return entry
