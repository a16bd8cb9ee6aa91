"""Submodules at their recorded commits, from the user's clones of them where these have them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from reprocheck.errors import SourceError
from reprocheck.git import Git, last_lines
from reprocheck.hostile import redact
from reprocheck.source import ids

Check = Callable[[str], None]
Complete = Callable[[Git, Path | None], None]


def check_out(git: Git, local: Path | None, complete: Complete, check: Check) -> None:
    """Checks out each submodule of a clone; `local` is the user's repository that it is of.

    `check` may refuse an address by a `SourceError`; `complete` then does what is left for each.
    Raises `SourceError`.
    """
    if not (git.folder / ".gitmodules").is_file():
        return
    git("submodule", "--quiet", "init")
    listed = git.text("config", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$")
    for line in listed.splitlines():
        key, _, path = line.partition(" ")
        name = key.removeprefix("submodule.").removesuffix(".path")
        entry = git.text("ls-files", "--stage", "--", f":(literal){path}").split()
        if len(entry) < 2 or entry[0] != "160000":
            continue
        module = _module_folder(Git(local, git.env), name) if local else None
        if module and ids.resolve(Git(module, git.env), entry[1]):
            git("config", f"submodule.{name}.url", str(module))
        else:
            module = None
            _resolve_relative_url(git, name)
            check(git.text("config", "--get", f"submodule.{name}.url"))
        _update(git, path, own=local is not None)
        complete(Git(git.folder / path, git.env), module)


def _module_folder(repository: Git, name: str) -> Path | None:
    """The user's clone of a submodule, which git keeps inside the repository's own folder."""
    if ".." in PurePosixPath(name).parts or name.startswith("/"):
        return None
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


def _update(git: Git, path: str, *, own: bool) -> None:
    # Submodules of the user's own repositories have file URLs, which git refuses by default. What
    # comes from elsewhere must not name a folder of this machine.
    files = "always" if own else "never"
    options = ("-c", f"protocol.file.allow={files}", "submodule", "--quiet", "update", "--checkout")
    done = git(*options, "--", path, trusting=True, check=False)
    if done.exit_code != 0:
        raise SourceError(
            f"checking out submodule {path} failed: {redact(last_lines(done.stderr))}",
            "check the submodule's address in .gitmodules and your access to it",
        )
