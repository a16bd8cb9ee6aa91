"""What a repository shows of how its runs can be verified. Nothing is run, and nobody is asked."""

from __future__ import annotations

import configparser
import contextlib
import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from reprocheck import config
from reprocheck.errors import ConfigError
from reprocheck.git import Git
from reprocheck.hostile import redact

_ASKING_S = 10.0
_ENVIRONMENTS = (
    "Dockerfile",
    "uv.lock",
    "poetry.lock",
    "conda-lock.yml",
    "environment.yml",
    "environment.yaml",
    "conda.yaml",
    "requirements.txt",
    "pyproject.toml",
)
_SCRIPTS = ("train.py", "src/train.py", "scripts/train.py", "main.py")
_EXTRAS = {"s3": "s3", "gs": "gs", "azure": "azure", "ssh": "ssh", "sftp": "ssh"}


class Forge(enum.StrEnum):
    """Where the repository is hosted, by its remote."""

    GITHUB = "github"
    GITLAB = "gitlab"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What was found in a repository."""

    root: Path
    forge: Forge
    tracking_uri: str  # without a password; "": none
    tracker_from: str  # where its address was found, in words
    command_from: str  # the file that says how to train, as MLproject; "": none
    script: str  # that looks like the training, where no file says it; "": none
    environment_from: str  # the file that defines it; "": none
    remotes: tuple[str, ...]  # addresses of DVC remotes, without secrets
    has_dvc: bool

    @property
    def is_served(self) -> bool:
        """Whether a job elsewhere can reach the tracker."""
        uri = self.tracking_uri
        return uri == "databricks" or urlsplit(uri).scheme in ("http", "https", "databricks")

    @property
    def is_private(self) -> bool:
        """Whether credentials are likely to be needed: for the tracker, or for data."""
        open_schemes = ("", "http", "https", "file")
        closed = any(urlsplit(remote).scheme not in open_schemes for remote in self.remotes)
        return self.is_served or closed

    @property
    def extras(self) -> tuple[str, ...]:
        """Extras of reprocheck that the remotes need."""
        schemes = (urlsplit(remote).scheme for remote in self.remotes)
        return tuple(dict.fromkeys(_EXTRAS[each] for each in schemes if each in _EXTRAS))


def look(root: Path, env: Mapping[str, str]) -> Seen:
    """What the folder, its git and its DVC config show. Raises nothing for what is broken."""
    uri, told = _tracker(root, env)
    command = next((name for name in ("MLproject", "dvc.yaml") if (root / name).is_file()), "")
    script = next((name for name in _SCRIPTS if (root / name).is_file()), "")
    environment = next((name for name in _ENVIRONMENTS if (root / name).is_file()), "")
    return Seen(
        root=root,
        forge=_forge(root, env),
        tracking_uri=uri,
        tracker_from=told,
        command_from=command,
        script="" if command else script,
        environment_from=environment,
        remotes=tuple(dict.fromkeys(_remotes(root))),
        has_dvc=(root / ".dvc").is_dir(),
    )


def public_address(uri: str) -> str:
    """The address as a file of the repository may have it: without user and password."""
    return redact(re.sub(r"^([\w+.-]+://)[^/@]*@", r"\1", uri))


def _tracker(root: Path, env: Mapping[str, str]) -> tuple[str, str]:
    with contextlib.suppress(ConfigError):  # an earlier config is kept, and counts
        if told := config.load(root / config.FILE_NAME).tracking_uri:
            return public_address(told), config.FILE_NAME
    named = env.get("MLFLOW_TRACKING_URI", "")
    if named:
        return public_address(named), "MLFLOW_TRACKING_URI"
    if (root / "mlflow.db").is_file():
        return "sqlite:///mlflow.db", "mlflow.db"
    if any((root / "mlruns").glob("*/meta.yaml")):
        return "mlruns", "the folder mlruns"
    return "", ""


def _forge(root: Path, env: Mapping[str, str]) -> Forge:
    address = Git(root, env, timeout_s=_ASKING_S).text("remote", "get-url", "origin")
    host = urlsplit(address).hostname or address.partition("@")[2].partition(":")[0]
    if (root / ".gitlab-ci.yml").is_file() or "gitlab" in host:
        return Forge.GITLAB
    if (root / ".github").is_dir() or "github" in host or not host:
        return Forge.GITHUB
    return Forge.OTHER


def _remotes(root: Path) -> Iterator[str]:
    """Addresses in the committed DVC config; those of this machine's own config are its own."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        parser.read_string((root / ".dvc" / "config").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return
    for section in parser.sections():
        if "remote" in section and parser.has_option(section, "url"):
            yield redact(parser.get(section, "url"))
