"""Runs that are kept where only one machine can read them."""

from __future__ import annotations

import enum
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from reprocheck.hostile import cut, redact
from reprocheck.model import Finding, RunSummary, Severity
from reprocheck.numbers import counted

MOST_ROOTS = 50
"""Artifact roots that are told apart."""
MOST_FINDINGS = 5
LONGEST_SHOWN = 80

_MOUNTS = {"mnt", "media", "data", "nfs", "net", "volumes", "shared", "share", "scratch", "efs"}
_MOUNTS |= {"fsx", "gpfs", "lustre", "dbfs", "cluster", "srv", "workspace", "work", "projects"}
_PASSING = re.compile(
    r"(?i)^(/(private/)?(var/)?tmp/|/(private/)?var/folders/|/dev/shm/|/builds/|/home/runner/"
    r"|/github/|/content/|/kaggle/|[a-z]:/(temp|windows/temp)/|.*/appdata/local/temp/)"
)
_DRIVE = re.compile(r"^/?[A-Za-z]:[\\/]")
_LOCAL_HOSTS = {"localhost", "0.0.0.0", "::", "::1", "host.docker.internal", ""}  # noqa: S104
_DATABASES = {"mysql", "postgresql", "postgres", "mssql"}


class Reach(enum.Enum):
    """Who can read a place, as far as its address tells."""

    OTHERS = "others"
    UNKNOWN = "unknown"  # a folder that may be of a shared file system
    ONE_MACHINE = "one machine"
    PASSING = "passing"  # a folder of one machine that is emptied now and then


def reach(uri: str) -> Reach:
    """Who can read what an address of a store or of artifacts names; nothing is asked."""
    scheme, _, rest = uri.partition(":")
    scheme = scheme.lower().partition("+")[0]
    if uri == "databricks":
        return Reach.OTHERS
    if _DRIVE.match(uri) or not rest:
        return _reach_of_path(uri)
    if scheme in ("file", "sqlite"):
        return _reach_of_path(_path(uri))
    if scheme in ("http", "https", *_DATABASES):
        return Reach.ONE_MACHINE if _is_local(uri) else Reach.OTHERS
    return Reach.OTHERS


def _path(uri: str) -> str:
    """The path of a `file:` or `sqlite:` address; of SQLAlchemy's, three slashes are relative."""
    scheme, _, rest = uri.partition(":")
    rest = unquote(rest.partition("?")[0])
    if scheme.lower().startswith("sqlite"):
        return rest.removeprefix("///")
    host, _, path = (
        rest.removeprefix("//").partition("/") if rest.startswith("//") else ("", "", "")
    )
    if not rest.startswith("//"):
        return rest
    return f"/{path}" if host in ("", "localhost") else f"//{host}/{path}"


def _reach_of_path(path: str) -> Reach:
    path = path.replace("\\", "/")
    if _PASSING.match(path):
        return Reach.PASSING
    if path.startswith("//"):  # of another host
        return Reach.UNKNOWN
    first = path.lstrip("/").partition("/")[0].casefold()
    mounted = path.startswith("/") and first in _MOUNTS and not _DRIVE.match(path)
    return Reach.UNKNOWN if mounted else Reach.ONE_MACHINE


def _is_local(uri: str) -> bool:
    try:
        host = urlsplit(uri).hostname or ""
    except ValueError:
        return False
    return host in _LOCAL_HOSTS or host.startswith("127.") or host.endswith(".localhost")


@dataclass(kw_only=True, slots=True)
class _Root:
    runs: int = 0
    example: str = ""


@dataclass(kw_only=True, slots=True)
class Places:
    """Counts runs by their artifact roots.

    `artifact_roots` maps beginnings of addresses to where the artifacts are now, as in the config.
    """

    tracking_uri: str
    artifact_roots: Mapping[str, str] = field(default_factory=dict)
    _runs: int = 0
    _roots: dict[str, _Root] = field(default_factory=dict)

    def add(self, run: RunSummary) -> None:
        """Counts a run."""
        self._runs += 1
        mapped = any(old and run.artifact_uri.startswith(old) for old in self.artifact_roots)
        if not run.artifact_uri or mapped or reach(run.artifact_uri) is Reach.OTHERS:
            return
        root = _root(run)
        if root in self._roots or len(self._roots) < MOST_ROOTS:
            known = self._roots.setdefault(root, _Root(example=run.ref.run_id))
            known.runs += 1

    def findings(self) -> tuple[Finding, ...]:
        """`laptop-store`, then `laptop-artifacts` of each root, those of most runs first."""
        store = [_store(self.tracking_uri, self._runs)] if self._runs else []
        roots = sorted(self._roots.items(), key=lambda item: (-item[1].runs, item[0]))
        told = [_artifacts(root, known) for root, known in roots[:MOST_FINDINGS]]
        left = sum(known.runs for _, known in roots[MOST_FINDINGS:])
        return (*(each for each in store if each), *told, *_left(left))


def _root(run: RunSummary) -> str:
    """The part of a run's artifact address that other runs have too."""
    root = run.artifact_uri.partition(f"/{run.ref.run_id}")[0]
    return re.sub(r"/\d+$", "", root) or root


def _store(uri: str, runs: int) -> Finding | None:
    where = reach(uri)
    if where is Reach.OTHERS:
        return None
    known = where is not Reach.UNKNOWN
    shown = cut(redact(uri), LONGEST_SHOWN)
    hint, fix = _mended_store(uri)
    return Finding(
        code="laptop-store",
        severity=Severity.WARNING if known else Severity.NOTE,
        message=f"{counted(runs, 'run')} {_are(runs)} kept in {shown}, {_words(where)}",
        hint=hint,
        pointer="",
        fix=fix,
    )


def _mended_store(uri: str) -> tuple[str, str]:
    """What to do, and the command that does it."""
    scheme = uri.partition(":")[0].lower()
    if scheme in ("http", "https", *_DATABASES):
        return "run the server where the team can reach it, and set MLFLOW_TRACKING_URI to it", ""
    serving = "serve the store on a machine that the team reaches, and set MLFLOW_TRACKING_URI"
    if scheme.startswith("sqlite"):
        served = shlex.join(("mlflow", "server", f"--backend-store-uri={uri}"))
        return f"{serving} to it", f"{served} --artifacts-destination=./mlartifacts"
    source = f"--source={_path(uri) if scheme == 'file' else uri}"
    migrated = shlex.join(("mlflow", "migrate-filestore", source, "--target=sqlite:///mlflow.db"))
    return f"make a database of the folder (MLflow 3.10), then {serving} to it", migrated


def _artifacts(root: str, known: _Root) -> Finding:
    where = reach(root + "/")
    shown = cut(redact(root), LONGEST_SHOWN)
    roots = json.dumps({root: "./mlruns"}, ensure_ascii=False)
    return Finding(
        code="laptop-artifacts",
        severity=Severity.NOTE if where is Reach.UNKNOWN else Severity.WARNING,
        message=f"the artifacts of {counted(known.runs, 'run')} are in {shown}, {_words(where)} "
        f"(as {known.example})",
        hint="copy the folder from there to where the team reads it, and say so in reprocheck.yaml",
        pointer="/artifacts",
        fix=f"tracker: {{artifact_roots: {roots}}}" if redact(root) == root else "",
    )


def _words(where: Reach) -> str:
    if where is Reach.UNKNOWN:
        return "a folder that others can read only where it is of a shared file system"
    if where is Reach.PASSING:
        return "a folder of one machine that is emptied now and then"
    return "which only one machine has: nobody else can verify them, and its disk is all there is"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _left(runs: int) -> Iterator[Finding]:
    if runs:
        yield Finding(
            code="laptop-artifacts",
            severity=Severity.NOTE,
            message=f"the artifacts of {counted(runs, 'more run')} are in other such folders",
            hint="audit one experiment at a time: --experiment",
            pointer="/artifacts",
        )
