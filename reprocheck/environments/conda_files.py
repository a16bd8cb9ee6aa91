"""What conda's files ask for: environment.yml, lists of packages, and conda-lock.yml."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reprocheck.environments.requirements import decode
from reprocheck.errors import RebuildError, SourceError
from reprocheck.model import EnvironmentSpec
from reprocheck.yaml_files import parse_mapping

_PLATFORMS = {
    ("Linux", "x86_64"): "linux-64",
    ("Linux", "aarch64"): "linux-aarch64",
    ("Linux", "ppc64le"): "linux-ppc64le",
    ("Darwin", "x86_64"): "osx-64",
    ("Darwin", "arm64"): "osx-arm64",
}
_DIGEST = re.compile(r"(?:md5[:=])?(?P<md5>[0-9a-f]{32})|(?:sha256[:=])?(?P<sha256>[0-9a-f]{64})")
_FILE = re.compile(r"(?P<name>[^/]+)-(?P<version>[^-/]+)-(?P<build>[^-/]+)(\.tar\.bz2|\.conda)")
_MEND = "mend the line, or name another file in reprocheck.yaml:  environment: {file: …}"
_CATEGORIES = ("main", "dev")  # of conda-lock, whose own installer takes both


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaPackage:
    """One package of a lock, by the address of its file."""

    url: str
    md5: str | None = None
    sha256: str | None = None

    @property
    def line(self) -> str:
        """Its line in an @EXPLICIT list."""
        digest = f"sha256:{self.sha256}" if self.sha256 else self.md5
        return f"{self.url}#{digest}" if digest else self.url


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaAsked:
    """What a file asks for: either specs, which are to be solved, or a lock's packages."""

    channels: tuple[str, ...] = ()  # by name or address, the most important first
    defaults: bool = False  # conda would look into its default channels too
    specs: tuple[str, ...] = ()
    packages: tuple[CondaPackage, ...] = ()
    pip: tuple[str, ...] = ()  # lines as in a requirements file
    pip_complete: bool = False  # they are a whole lock
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether a solver still has something to choose."""
        return not self.packages


def read(spec: EnvironmentSpec) -> CondaAsked:
    """What a conda file asks for.

    Raises `RebuildError` that names the line which is wrong.
    """
    text = decode(spec.content)
    if spec.file.endswith((".yml", ".yaml")):
        document = _mapping(spec)
        return _read_lock(spec, document) if "package" in document else _read_yaml(spec, document)
    return _read_list(spec.file, text)


def subdir() -> str:
    """Conda's name of this machine's platform."""
    return _PLATFORMS.get((platform.system(), platform.machine()), "unknown")


def place(spec: EnvironmentSpec, entry: str) -> str:
    """File and line of an entry, as far as it can be found again."""
    for number, line in enumerate(decode(spec.content).splitlines(), 1):
        if entry in line:
            return f"{spec.file}:{number}"
    return spec.file


# --- environment.yml ----------------------------------------------------------------------


def _read_yaml(spec: EnvironmentSpec, document: Mapping[str, Any]) -> CondaAsked:
    # `name` and `prefix` say what it was called and where it lay: neither matters here.
    channels = [str(item) for item in _list(spec, document, "channels")]
    specs: list[str] = []
    pip: list[str] = []
    for entry in _list(spec, document, "dependencies"):
        if isinstance(entry, dict):
            pip += _pip_list(spec, entry)
        elif not isinstance(entry, str):
            raise RebuildError(
                f"reading {place(spec, str(entry))}: '{entry}' is no package that conda could find",
                _MEND,
            )
        else:
            specs.append(_checked(str(entry).strip(), place(spec, str(entry))))
    named = tuple(name for name in channels if name != "nodefaults")
    variables = document.get("variables") or {}
    if not isinstance(variables, dict):
        raise RebuildError(f"reading {place(spec, 'variables')}: it is not a mapping", _MEND)
    return CondaAsked(
        channels=named,
        defaults="nodefaults" not in channels and "defaults" not in named,
        specs=tuple(text for text in specs if text != "nodefaults"),
        pip=tuple(pip),
        variables={str(key): str(value) for key, value in variables.items()},
    )


def _pip_list(spec: EnvironmentSpec, entry: Mapping[Any, Any]) -> list[str]:
    for key in entry:
        if key != "pip":
            raise RebuildError(
                f"reading {place(spec, f'{key}:')}: '{key}' is no list that conda knows; only pip "
                "is",
                _MEND,
            )
    return [str(line) for line in _list(spec, entry, "pip")]


def _checked(text: str, where: str) -> str:
    """A spec, if it may be one: the solver's lenient parser takes any words for a build."""
    bare = re.sub(r"\s*([<>=!~,|]+)\s*", r"\1", text)
    if not text or ("[" not in text and len(bare.split()) > 3):
        raise RebuildError(f"reading {where}: '{text}' is no package that conda could find", _MEND)
    return text


# --- lists of packages --------------------------------------------------------------------


def _read_list(name: str, text: str) -> CondaAsked:
    _check_platforms(name, re.findall(r"^# platform: (\S+)", text, re.MULTILINE))
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    # conda-lock writes what pip installs as comments.
    pip = tuple(line.removeprefix("# pip ") for _, line in lines if line.startswith("# pip "))
    lines = [(number, line) for number, line in lines if line and not line.startswith(("#", "@"))]
    if re.search(r"^@EXPLICIT\b", text, re.MULTILINE):
        packages = tuple(_package(line, f"{name}:{number}") for number, line in lines)
        if packages:
            return CondaAsked(packages=packages, pip=pip, pip_complete=True)
    if not lines:
        raise RebuildError(f"reading {name}: it lists no package", _MEND)
    return _exported(name, lines)


def _package(line: str, where: str) -> CondaPackage:
    url, _, digest = line.partition("#")
    found = _DIGEST.fullmatch(digest.lower())
    if "://" not in url or not _FILE.search(url) or (digest and not found):
        raise RebuildError(
            f"reading {where}: '{line}' is not the address of a conda package, with its MD5 or "
            "SHA-256 after a '#'",
            _MEND,
        )
    if found is None:
        return CondaPackage(url=url)
    return CondaPackage(url=url, md5=found["md5"], sha256=found["sha256"])


def _exported(name: str, lines: Sequence[tuple[int, str]]) -> CondaAsked:
    """The form of `conda list --export`: name=version=build, and pypi for what pip installed."""
    specs: list[str] = []
    pip: list[str] = []
    for number, line in lines:
        parts = line.split("=")
        if len(parts) == 3 and parts[2].startswith("pypi"):
            pip.append(f"{parts[0]}=={parts[1]}")
        else:
            specs.append(_checked(line, f"{name}:{number}"))
    return CondaAsked(defaults=True, specs=tuple(specs), pip=tuple(pip), pip_complete=True)


# --- conda-lock.yml -----------------------------------------------------------------------


def _read_lock(spec: EnvironmentSpec, document: Mapping[str, Any]) -> CondaAsked:
    entries = [item for item in _list(spec, document, "package") if isinstance(item, dict)]
    _check_platforms(spec.file, sorted({str(item.get("platform")) for item in entries}))
    mine = [
        item
        for item in entries
        if item.get("platform") == subdir() and item.get("category", "main") in _CATEGORIES
    ]
    return CondaAsked(
        packages=tuple(dict.fromkeys(_locked(spec, mine))),
        pip=tuple(dict.fromkeys(_pip_locked(mine))),
        pip_complete=True,
    )


def _locked(spec: EnvironmentSpec, entries: Sequence[Mapping[str, Any]]) -> Iterator[CondaPackage]:
    for item in entries:
        if item.get("manager", "conda") == "conda":
            url = str(item.get("url"))
            found = _package(url, place(spec, url))
            md5, sha256 = _digest(item, "md5"), _digest(item, "sha256")
            yield CondaPackage(url=found.url, md5=md5, sha256=sha256)


def _pip_locked(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for item in entries:
        if item.get("manager") == "pip":
            digest = _digest(item, "sha256")
            hashed = f" --hash=sha256:{digest}" if digest else ""
            yield f"{item.get('name')} @ {item.get('url')}{hashed}"


def _digest(item: Mapping[str, Any], algorithm: str) -> str | None:
    digests = item.get("hash")
    value = digests.get(algorithm) if isinstance(digests, dict) else None
    return None if value is None else str(value).lower()


def _check_platforms(name: str, platforms: Sequence[str]) -> None:
    if platforms and subdir() not in platforms:
        raise RebuildError(
            f"{name} is a lock for {', '.join(platforms)}, and this machine is {subdir()}",
            "verify on a machine of that platform, or name the file that the lock was made from:  "
            "environment: {file: environment.yml}",
        )


def _mapping(spec: EnvironmentSpec) -> Mapping[str, Any]:
    try:
        return parse_mapping(spec.content, spec.file)
    except SourceError as error:
        raise RebuildError(error.message, error.hint) from error


def _list(spec: EnvironmentSpec, document: Mapping[Any, Any], key: str) -> list[Any]:
    entries = document.get(key) or []
    if not isinstance(entries, list):
        raise RebuildError(f"reading {place(spec, key)}: '{key}' is not a list", _MEND)
    return entries


def file_parts(url: str) -> tuple[str, str, str]:
    """Name, version and build of a package, by the address of its file."""
    found = _FILE.search(url.rpartition("/")[2])
    if found is None:
        raise ValueError(url)
    return found["name"], found["version"], found["build"]
