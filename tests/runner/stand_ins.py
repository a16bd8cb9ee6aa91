"""Stand-ins for actions of others: they know the real inputs, and do locally what those do."""

from __future__ import annotations

import fnmatch
import hashlib
import io
import os
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reprocheck.process import Call, run

if TYPE_CHECKING:
    from tests.runner.jobs import JobState

COMMIT = re.compile(r"[0-9a-f]{40}")


class ActionFailedError(Exception):
    """The real action would fail its step so."""


class UnpinnedError(Exception):
    """An action of others is not named by the commit that was read."""


@dataclass(frozen=True, slots=True)
class StandIn:
    act: Callable[[Mapping[str, str], JobState], dict[str, str]]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...] = ()


def find(name: str, ref: str, pinned: Mapping[str, str]) -> StandIn:
    """The stand-in for `uses: name@ref`, which has to be the commit that is on the list."""
    if name not in STAND_INS:
        raise UnpinnedError(f"no stand-in for {name}, only: {', '.join(STAND_INS)}")
    if not COMMIT.fullmatch(ref) or pinned.get(name, ref) != ref:
        raise UnpinnedError(f"{name}@{ref} is not the commit {pinned.get(name)}")
    return STAND_INS[name]


def _checkout(given: Mapping[str, str], job: JobState) -> dict[str, str]:
    world, event = job.run.world, job.run.event
    name = given.get("repository") or world.repository
    foreign = name != world.repository
    if foreign and event.name == "workflow_run":  # the real one refuses since version 7
        raise ActionFailedError(f"refusing to check out {name}, a fork, in workflow_run")
    source = world.checkouts[name]
    ref = given.get("ref") or ("HEAD" if foreign else event.sha)
    folder = job.workspace / given.get("path", "")
    folder.mkdir(parents=True, exist_ok=True)
    git = _Git(folder)
    git("init", "--quiet")
    place = f"{world.server_url}/{name}"
    git("remote", "add", "origin", place)
    # Later fetches by the job itself, which on GitHub go over the network.
    git("config", f"url.file://{source}.insteadOf", place)
    commit = _fetched(git, source, ref, given.get("fetch-depth", "1"))
    git("checkout", "--quiet", "--force", "--detach", commit)
    if given.get("persist-credentials", "true") == "true":
        token = given.get("token") or job.token
        git("config", f"http.{world.server_url}/.extraheader", f"AUTHORIZATION: basic {token}")
    return {"ref": ref, "commit": commit}


def _fetched(git: _Git, source: Path, ref: str, depth: str) -> str:
    place = f"file://{source}"
    if depth == "0":
        heads = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
        git("fetch", "--quiet", place, *heads)
        git("fetch", "--quiet", place, ref)
    else:
        git("fetch", "--quiet", "--no-tags", f"--depth={depth}", place, ref)
    return git("rev-parse", "FETCH_HEAD")


@dataclass(frozen=True, slots=True)
class _Git:
    folder: Path

    def __call__(self, *args: str) -> str:
        # Whoever runs it: the folder is a mount, and the config of the machine is not a job's.
        env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        options = ("-c", "protocol.file.allow=always", "-c", "safe.directory=*")
        argv = ("git", *options, "-c", "advice.detachedHead=false", *args)
        done = run(Call(argv=argv, cwd=self.folder, env=env, timeout_s=60))
        if done.exit_code:
            raise ActionFailedError(f"git {args[0]}: {done.stderr.decode()}")
        return done.stdout.decode().strip()


def _setup_uv(given: Mapping[str, str], job: JobState) -> dict[str, str]:
    """The uv that the machine has: nothing is downloaded."""
    if not given.get("version"):
        raise ActionFailedError("setup-uv without a version asks the network for the newest")
    return {"uv-version": given["version"]}


def _upload(given: Mapping[str, str], job: JobState) -> dict[str, str]:
    named, shelf, run_id = given.get("name", "artifact"), job.run.world.artifacts, job.run.id
    hidden = given.get("include-hidden-files", "false") == "true"
    files = _found(given["path"], job.workspace, hidden)
    if not files:
        if given.get("if-no-files-found", "warn") == "error":
            raise ActionFailedError(f"No files were found with the provided path: {given['path']}")
        job.console.print(f"::warning::No files were found: {given['path']}")
        return {}
    if given.get("overwrite", "false") == "true":  # also of a file that is named otherwise: #769
        shelf.remove(run_id, named)
    name, content = _packed(given, named, files)
    if name in shelf.of(run_id):
        raise ActionFailedError(f"(409) Conflict: an artifact with this name exists: {name}")
    number = shelf.add(run_id, name, content)
    world = job.run.world
    place = f"{world.server_url}/{world.repository}/actions/runs/{run_id}/artifacts/{number}"
    digest = hashlib.sha256(content).hexdigest()
    return {"artifact-id": str(number), "artifact-url": place, "artifact-digest": digest}


def _packed(given: Mapping[str, str], named: str, files: Mapping[str, Path]) -> tuple[str, bytes]:
    """The artifact's name and content: a zip file, or with `archive: false` the one file itself."""
    if given.get("archive", "true") == "true":
        return named, zip_of(files)
    if len(files) > 1:
        raise ActionFailedError(
            "When 'archive' is set to false, only a single file can be uploaded"
        )
    ((_, path),) = files.items()
    return path.name, path.read_bytes()


def _found(written: str, workspace: Path, hidden: bool) -> dict[str, Path]:
    """Files by their names in the artifact: below what all of the paths share."""
    paths: list[Path] = []
    for line in filter(None, (each.strip() for each in written.splitlines())):
        pattern = Path(line)
        root = Path(pattern.anchor) if pattern.anchor else workspace
        inner = str(pattern.relative_to(pattern.anchor) if pattern.anchor else pattern)
        matches = sorted(root.glob(inner)) if "*" in inner else [root / inner]
        paths += [found for match in matches for found in _files(match)]
    roots = [Path(line.strip()) for line in written.splitlines() if line.strip()]
    if len(roots) == 1 and (only := workspace / roots[0]).is_dir():
        base = only
    else:
        base = Path(os.path.commonpath([path.parent for path in paths])) if paths else workspace
    named = {str(path.relative_to(base)): path for path in paths}
    return {
        name: path
        for name, path in named.items()
        if hidden or not any(part.startswith(".") for part in Path(name).parts)
    }


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(each for each in path.rglob("*") if each.is_file())
    return [path] if path.is_file() else []


def zip_of(files: Mapping[str, Path | bytes]) -> bytes:
    """An artifact's zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in files.items():
            archive.writestr(name, each if isinstance(each, bytes) else each.read_bytes())
    return packed.getvalue()


def _download(given: Mapping[str, str], job: JobState) -> dict[str, str]:
    world = job.run.world
    elsewhere = given.get("run-id") and given["run-id"] != str(job.run.id)
    if elsewhere and not given.get("github-token"):
        raise ActionFailedError("artifacts of another run need a github-token")
    held = world.artifacts.of(int(given.get("run-id") or job.run.id))
    name, pattern = given.get("name", ""), given.get("pattern", "") or "*"
    if name and name not in held:
        raise ActionFailedError(f"Artifact not found for name: {name}")
    chosen = [name] if name else [each for each in held if fnmatch.fnmatch(each, pattern)]
    folder = job.workspace / given.get("path", "")
    flat = bool(name) or given.get("merge-multiple", "false") == "true"
    for each in chosen:
        target = folder if flat else folder / each
        target.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(io.BytesIO(held[each])) as archive:
            archive.extractall(target)
    return {"download-path": str(folder)}


def _attest(given: Mapping[str, str], job: JobState) -> dict[str, str]:
    """Digests what would be attested."""
    subjects = _found(given["subject-path"], job.workspace, hidden=True)
    if not subjects:
        raise ActionFailedError(f"Could not find subject at path {given['subject-path']}")
    lines = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {n}" for n, p in subjects.items()]
    bundle = job.temp / "attestation.json"
    bundle.write_text("\n".join(lines))
    return {"bundle-path": str(bundle), "attestation-id": "1", "attestation-url": ""}


def _cache(given: Mapping[str, str], job: JobState) -> dict[str, str]:
    return {"cache-hit": ""}


STAND_INS = {
    "actions/checkout": StandIn(
        _checkout,
        (
            *("repository", "ref", "token", "persist-credentials", "path", "clean", "filter"),
            *("sparse-checkout", "sparse-checkout-cone-mode", "fetch-depth", "fetch-tags"),
            *("show-progress", "lfs", "submodules", "set-safe-directory", "github-server-url"),
        ),
        ("ref", "commit"),
    ),
    "astral-sh/setup-uv": StandIn(
        _setup_uv,
        (
            *("version", "version-file", "python-version", "activate-environment", "checksum"),
            *("working-directory", "github-token", "enable-cache", "cache-dependency-glob"),
            *("restore-cache", "save-cache", "cache-suffix", "cache-local-path", "prune-cache"),
            *("cache-python", "ignore-nothing-to-cache", "ignore-empty-workdir", "tool-dir"),
            *("tool-bin-dir", "manifest-file", "add-problem-matchers", "resolution-strategy"),
        ),
        ("uv-version", "uv-path", "uvx-path", "cache-hit", "venv", "python-version"),
    ),
    "actions/upload-artifact": StandIn(
        _upload,
        (
            *("name", "path", "if-no-files-found", "retention-days", "compression-level"),
            *("overwrite", "include-hidden-files", "archive"),
        ),
        ("artifact-id", "artifact-url", "artifact-digest"),
    ),
    "actions/download-artifact": StandIn(
        _download,
        (
            *("name", "artifact-ids", "path", "pattern", "merge-multiple", "github-token"),
            *("repository", "run-id", "skip-decompress", "digest-mismatch"),
        ),
        ("download-path",),
    ),
    "actions/attest": StandIn(
        _attest,
        (
            *("subject-path", "subject-digest", "subject-name", "subject-checksums"),
            *("predicate-type", "predicate", "predicate-path", "sbom-path", "push-to-registry"),
            *("create-storage-record", "show-summary", "github-token"),
        ),
        ("bundle-path", "attestation-id", "attestation-url"),
    ),
    "actions/cache": StandIn(
        _cache,
        (
            *("path", "key", "restore-keys", "upload-chunk-size", "enableCrossOsArchive"),
            *("fail-on-cache-miss", "lookup-only"),
        ),
        ("cache-hit",),
    ),
    "actions/setup-python": StandIn(
        lambda given, job: {},
        ("python-version", "python-version-file", "check-latest", "architecture", "cache", "token"),
        ("python-version", "python-path", "cache-hit"),
    ),
}
