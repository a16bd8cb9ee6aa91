"""Editable projects: built once from a copy of the tree, imported by each trial from its own tree.

The wheel of the project gives its metadata, its programs and what its build makes (compiled
modules, a version file). Its modules that are files of the tree are thrown away: their folder in
the trial's tree is put on the path instead. That way it needs no editable hook of the project's
build backend, which setuptools before 2022 did not have, and holds no path of the build.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprocheck.environments import cache, local
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.local import LocalProject
from reprocheck.environments.plan import Plan
from reprocheck.environments.uv_program import Cause, Uv, UvError
from reprocheck.errors import RebuildError
from reprocheck.model import Finding, Package, Severity

BUILDER = "editable 1"
_USUAL = ("src", ".", "lib", "python")
_DEEPEST = 3  # folders below a project's that are searched for its packages


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlay:
    """An editable project, ready to be laid over trials' trees."""

    digest: str
    site: Path  # metadata, and modules that are no files of the tree
    made: Path  # what the build makes inside of the tree
    roots: tuple[str, ...]  # folders of the tree that modules are imported from
    packages: tuple[Package, ...]
    findings: tuple[Finding, ...]
    fingerprint: str

    def changed(self) -> bool:
        """Whether a trial wrote into it."""
        return cache.fingerprint(self.site) != self.fingerprint

    def lay(self, tree: Path) -> tuple[str, ...]:
        """Puts what the build makes into a trial's tree, and returns what belongs on its path."""
        carry(self.made, tree)
        return (*(str((tree / root).resolve()) for root in self.roots), str(self.site))


def carry(made: Path, tree: Path) -> None:
    """Copies files into a tree where it has none of that name."""
    for folder, folders, names in os.walk(made):
        target = tree / os.path.relpath(folder, made)
        for name in (*names, *(each for each in folders if (Path(folder) / each).is_symlink())):
            if not (target / name).exists():
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy2(Path(folder) / name, target / name, follow_symlinks=False)


@contextlib.contextmanager
def overlays(plan: Plan, env: Path, request: BuildRequest, uv: Uv) -> Iterator[tuple[Overlay, ...]]:
    """The editable projects of a plan, built or taken from the cache, for the Python in `env`.

    Raises `RebuildError` for one that cannot be built, unless it may be left out.
    """
    kept = cache.Cache(root=request.cache / "editable", progress=request.progress)
    tree = local.digest_of(request.tree) if plan.asked.projects else ""
    with contextlib.ExitStack() as stack:
        found = []
        for project in plan.asked.projects:
            digest = cache.digest(BUILDER, plan.digest, str(env), project.path, tree)
            build = _Build(project=project, plan=plan, python=env / "bin/python", uv=uv)
            entry = stack.enter_context(
                kept.entry(digest, lambda to, build=build: build(to, request.tree), _healthy)  # type: ignore[misc]
            )
            found.append(_overlay(digest, entry))
        yield tuple(found)


def _healthy(folder: Path, state: dict[str, Any]) -> bool:
    return bool(state.get("fingerprint") == cache.fingerprint(folder / "site"))


def _overlay(digest: str, entry: cache.Entry) -> Overlay:
    state = entry.state
    return Overlay(
        digest=digest,
        site=entry.folder / "site",
        made=entry.folder / "made",
        roots=tuple(state["roots"]),
        packages=tuple(Package(name=name, version=version) for name, version in state["packages"]),
        findings=tuple(_finding(code, message) for code, message in state["findings"]),
        fingerprint=state["fingerprint"],
    )


def _finding(code: str, message: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.WARNING,
        message=message,
        hint="record a freeze of the environment, and keep the project installable at the commit",
        pointer="/environment",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Build:
    """Fills the folder of an overlay."""

    project: LocalProject
    plan: Plan
    python: Path
    uv: Uv

    def __call__(self, folder: Path, tree: Path) -> dict[str, Any]:
        site, made = folder / "site", folder / "made"
        site.mkdir()
        made.mkdir()
        state: dict[str, Any] = {"roots": [], "packages": [], "findings": []}
        try:
            wheel = self._wheel(tree, folder)
        except RebuildError as error:
            if not self.project.optional:
                raise
            state["findings"] = [["project-not-installed", _not_installed(self.project, error)]]
        else:
            self._install(wheel, site)
            state |= _sorted_out(site, made, tree, self.project.path)
            state["packages"] = [list(local.version_of(wheel.name) or (wheel.name, ""))]
        return state | {"fingerprint": cache.fingerprint(site)}

    def _wheel(self, tree: Path, folder: Path) -> Path:
        copy = local.copy_of(tree, self.uv.folder) / self.project.path
        wheels = self.uv.folder / f"wheels-{folder.name}"
        arguments = ["build", "--wheel", "--out-dir", str(wheels), "--python", str(self.python)]
        doing = f"building the project in {self.project.path}"
        cutoff = self.plan.cutoff.arguments
        try:
            self.uv(*arguments, *cutoff, str(copy), doing=doing)
        except UvError as error:
            if not cutoff or error.cause not in (Cause.CUTOFF, Cause.LATER):
                raise
            self.uv(*arguments, str(copy), doing=doing)
        return next(wheels.glob("*.whl"))

    def _install(self, wheel: Path, site: Path) -> None:
        self.uv(
            *("pip", "install", "--no-deps", "--no-index", "--link-mode", "copy", "--python"),
            *(str(self.python), "--target", str(site), str(wheel)),
            doing=f"installing {wheel.name}",
        )


def _not_installed(project: LocalProject, error: RebuildError) -> str:
    return (
        f"the project in {project.path} cannot be built, so only what it depends on is installed: "
        f"{error.message.partition(chr(10))[0]}"
    )


def _sorted_out(site: Path, made: Path, tree: Path, path: str) -> dict[str, Any]:
    """Moves a wheel's modules out of `site` where the tree has them; says where that is."""
    roots: list[str] = []
    findings: list[list[str]] = []
    for module in sorted(site.iterdir()):
        if module.name == "bin" or module.name.endswith((".dist-info", ".data")):
            continue
        if module.name in (".lock", "__pycache__"):
            continue
        root = _root_of(module, tree, path)
        if root is None:
            message = f"{module.name} is imported from a copy of the commit's files: it lies "
            findings.append(["editable-copied", f"{message}elsewhere in the tree than it is named"])
            continue
        roots.append(root)
        _move_made(module, tree / root, made / root)
    return {"roots": list(dict.fromkeys(roots)), "findings": findings}


def _root_of(module: Path, tree: Path, path: str) -> str | None:
    """The folder of the tree that an installed module or package comes from."""
    sources = [module] if module.is_file() else sorted(module.rglob("*.py"))
    for folder in _folders(tree, path):
        for source in sources:
            file = tree / folder / source.relative_to(module.parent)
            if file.is_file() and file.read_bytes() == source.read_bytes():
                return folder
    return None


def _folders(tree: Path, path: str) -> Iterator[str]:
    """Folders of a project, the usual ones first."""
    for name in _USUAL:
        yield os.path.normpath(os.path.join(path, name))  # noqa: PTH118
    top = tree / path
    for folder, folders, _ in os.walk(top):
        below = Path(folder).relative_to(top)
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        if len(below.parts) >= _DEEPEST:
            folders.clear()
        yield os.path.normpath(os.path.join(path, below))  # noqa: PTH118


def _move_made(module: Path, root: Path, made: Path) -> None:
    files = [module] if module.is_file() else [each for each in module.rglob("*") if each.is_file()]
    for file in files:
        inside = file.relative_to(module.parent)
        if not (root / inside).exists() and file.suffix != ".pyc":
            (made / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(file, made / inside)
    if module.is_dir():
        shutil.rmtree(module)
    else:
        module.unlink(missing_ok=True)
