"""Objects of git LFS by their SHA-256: those that the user's repository has, else its remote's.

What the commit itself points to is in the tree already; these are others that a run recorded.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from reprocheck import lfs_files
from reprocheck.datastores.base import Around, Stop
from reprocheck.datastores.fetching import AbsentError, MismatchError, Wanted, fetch
from reprocheck.datastores.local import Local
from reprocheck.errors import RestoreError
from reprocheck.git import Git, last_lines
from reprocheck.hostile import redact
from reprocheck.model import Finding, Material
from reprocheck.progress import growing

_SETTINGS = re.compile(r"lfs\.(url|.*\.access|.*\.locksverify)|remote\..*\.(url|lfsurl)|url\..*")


class LfsStore:
    """Files that git LFS keeps, where the run's code uses it."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._stop = Stop(around.stop)
        self._used: bool | None = None

    def accepts(self, material: Material) -> bool:
        """Whether the digest is a SHA-256, and LFS is used at the commit or in the repository."""
        return (
            material.algorithm == "sha256"
            and re.fullmatch("[0-9a-f]{64}", material.digest) is not None
            and not (material.source or material.listing or material.weak)
            and self._is_used()
        )

    def restore(self, material: Material, target: Path) -> tuple[Finding, ...]:
        """Writes the file to `target`, its SHA-256 recomputed. Raises `RestoreError`."""
        said: list[str] = []
        for folder in self._stores():
            if self._take(folder, material, target, said):
                return ()
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".lfs-", dir=target.parent) as scratch:
            if self._download(Path(scratch), material, target, said):
                return ()
        raise RestoreError(
            f"restoring {material.path} at sha256 {material.digest} ({material.origin.where}) "
            f"from git LFS: {'; '.join(said) or 'there is no repository with such objects'}",
            "push it from a machine that has it: git lfs push --object-id origin "
            + material.digest,
        )

    def listing(self, material: Material) -> Mapping[str, str] | None:
        """None: LFS keeps single files."""

    def _is_used(self) -> bool:
        if self._used is None:
            self._used = any(folder.is_dir() for folder in self._stores()) or bool(
                lfs_files.tracked(self._around.tree, self._around.env)
            )
        return self._used

    def _stores(self) -> Iterator[Path]:
        """Folders of objects: the checkout's, and that of the user's repository."""
        for root in (self._around.tree, self._around.repository):
            if root is None:
                continue
            common = self._asked(root, "rev-parse", "--git-common-dir")
            if common:
                named = self._asked(root, "config", "--get", "lfs.storage") or "lfs"
                yield root / common / named / "objects"

    def _take(self, objects: Path, material: Material, target: Path, said: list[str]) -> bool:
        """Copies an object of a folder, if it is there and intact."""
        oid = material.digest
        wanted = Wanted(name="", algorithm="sha256", digest=oid, size=material.size)
        source = Local(objects / oid[:2] / oid[2:4] / oid, "git LFS")
        try:
            fetch(source, wanted, target, self._stop)
        except AbsentError:
            said.append(f"{objects}: not there")
        except MismatchError as error:
            said.append(f"{objects}: corrupted, {error}")
        else:
            return True
        return False

    def _download(self, scratch: Path, material: Material, target: Path, said: list[str]) -> bool:
        """Lets git-lfs fetch the object into a repository of its own, which points to nothing else.

        The user's repository and its store are not written to.
        """
        env = self._around.env
        if shutil.which("git-lfs", path=env.get("PATH", os.defpath)) is None:
            said.append("git-lfs is not installed, so no remote was asked")
            return False
        size = material.size if material.size is not None else self._size(material.digest)
        if size is None:
            said.append("no commit points to it, so its size, which git LFS asks for, is unknown")
            return False
        git = Git(scratch, env)
        git("init", "--quiet", "--template=")
        remotes = self._configure(git)
        commit = _commit(git, lfs_files.pointer_of(material.digest, size))
        for remote in remotes:
            with growing(self._around.progress, scratch, f"{material.path} by git LFS", size):
                done = git("lfs", "fetch", remote, commit, trusting=True, check=False)
            if self._take(scratch / ".git/lfs/objects", material, target, []):
                return True
            told = "" if done.exit_code == 0 else f": {redact(last_lines(done.stderr, 2))}"
            said.append(f"remote '{remote}': not had{told}")
        return False

    def _size(self, oid: str) -> int | None:
        """The size that some commit's pointer to the object tells."""
        root = self._around.repository or self._around.tree
        options = ("--all", "-1", "--patch", "--format=", "--no-color")
        inert = ("--no-ext-diff", "--no-textconv")  # they are programs
        told = self._asked(root, "log", *options, *inert, "-S", f"oid sha256:{oid}")
        sizes = re.findall(
            rf"^([-+ ])oid sha256:{oid}\n\1size ([0-9]{{1,18}})$", told, re.MULTILINE
        )
        return int(sizes[0][1]) if sizes else None

    def _asked(self, root: Path, *args: str) -> str:
        """What git says; trusting, since the user's config may say that the owner is to be."""
        done = Git(root, self._around.env)(*args, trusting=True, check=False)
        return done.stdout.decode(errors="replace").strip() if done.exit_code == 0 else ""

    def _configure(self, git: Git) -> list[str]:
        """Takes over where the user's repository finds its remotes. Their names, origin first."""
        if self._around.repository is None:
            return []
        trusted = self._around.tree if self._around.trust is None else self._around.repository
        lfsconfig = trusted / ".lfsconfig"
        if lfsconfig.is_file() and not lfsconfig.is_symlink():
            shutil.copy(lfsconfig, git.folder / ".lfsconfig")
        listed = self._asked(self._around.repository, "config", "--local", "--list", "-z")
        remotes = set()
        for entry in listed.split("\0"):
            key, _, value = entry.partition("\n")
            if _SETTINGS.fullmatch(key):
                git("config", "--add", key, _absolute(key, value, self._around.repository))
            if key.startswith("remote.") and key.endswith(".url"):
                remotes.add(key.removeprefix("remote.").removesuffix(".url"))
        names = sorted(remotes, key=lambda name: (name != "origin", name))
        return [name for name in names if not name.startswith("-")]


def _absolute(key: str, value: str, repository: Path) -> str:
    """A relative path of a remote counts from the repository that names it."""
    if key.startswith("remote.") and value.startswith(("./", "../")):
        return str(repository / value)
    return value


def _commit(git: Git, pointer: bytes) -> str:
    """A commit with nothing but a pointer."""
    blob = git("hash-object", "-w", "--stdin", stdin=pointer).stdout.decode().strip()
    listed = f"100644 blob {blob}\tobject\n".encode()
    tree = git("mktree", stdin=listed).stdout.decode().strip()
    author = ("-c", "user.name=reprocheck", "-c", "user.email=reprocheck@localhost")
    made = git(*author, "commit-tree", "-m", "An object to fetch", tree)
    return made.stdout.decode().strip()
