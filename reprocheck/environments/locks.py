"""Locks of other tools, as requirements: Poetry, PDM, pylock.toml and Pipenv.

Their versions, hashes and markers are kept. What a lock gets from a place of its own (git, a URL,
a folder of the tree) is named as pip would name it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from reprocheck.environments.requirements import decode
from reprocheck.errors import RebuildError

Table = Mapping[str, Any]


def requirements(name: str, content: bytes, project: bytes, python: str) -> list[str]:
    """The lines of a requirements file that say the same as a lock does for this machine.

    `project` is the pyproject.toml beside it, b"" where there is none; `python` the version that
    the markers are judged for. Raises `RebuildError` for a lock that is malformed or unknown.
    """
    base = PurePosixPath(name).name
    try:
        if base == "Pipfile.lock":
            return list(_pipenv(json.loads(decode(content))))
        lock = tomllib.loads(decode(content))
        if base.startswith("pylock"):
            return list(_pylock(lock))
        if base in ("poetry.lock", "pdm.lock"):
            return list(_packages(lock, tomllib.loads(decode(project)), python))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RebuildError(f"reading {name}: {error}", "lock the project anew") from error
    raise RebuildError(
        f"{name} is a lock of another tool, which this version of reprocheck cannot build yet",
        "export it to a requirements file and name that:  environment: {kind: venv, file: "
        "requirements.txt}",
    )


def python_of(name: str, content: bytes) -> str | None:
    """The Python version that a lock was made for, where it says one."""
    try:
        if PurePosixPath(name).name == "Pipfile.lock":
            wanted = json.loads(decode(content)).get("_meta", {}).get("requires", {})
            found = wanted.get("python_full_version") or wanted.get("python_version")
            return str(found) if found else None
        lock = tomllib.loads(decode(content))
        metadata = lock.get("metadata", {})
        found = metadata.get("python-versions") or metadata.get("requires_python")
        found = found or lock.get("requires-python")
    except (ValueError, AttributeError):
        return None
    # Alternatives, as "3.8 || 3.9", are no specifier: the version then stays open.
    return found if isinstance(found, str) and found != "*" and "||" not in found else None


# --- Pipenv -------------------------------------------------------------------------------


def _pipenv(lock: Table) -> Iterator[str]:
    for source in lock.get("_meta", {}).get("sources", ()):
        if source.get("name") != "pypi":  # the usual one may be a mirror here
            yield f"--extra-index-url {source['url']}"
    for name, entry in lock["default"].items():
        marker = f" ; {entry['markers']}" if entry.get("markers") else ""
        yield _line(name, _extras(entry), _pipenv_place(entry), marker, entry.get("hashes", ()))


def _pipenv_place(entry: Table) -> str:
    if "git" in entry:
        return _git(entry["git"], entry.get("ref"), entry.get("subdirectory"))
    if "path" in entry:
        return ("-e " if entry.get("editable") else "") + str(entry["path"])
    return str(entry.get("file") or entry["version"])


def _line(name: str, extras: str, place: str, marker: str, hashes: Iterable[str]) -> str:
    if place.startswith("-e "):
        return f"{place}{extras}"
    if place.startswith("=="):
        sums = "".join(f" --hash={each}" for each in hashes)
        return f"{name}{extras}{place}{marker}{sums}"
    if "://" not in place and not place.startswith((".", "/")):
        place = f"./{place}"  # else it is no place in a requirements file
    return f"{name}{extras} @ {place}{marker}"


def _extras(entry: Table) -> str:
    extras = entry.get("extras") or ()
    return f"[{','.join(extras)}]" if extras else ""


def _git(address: str, revision: str | None, subdirectory: str | None) -> str:
    where = f"@{revision}" if revision else ""
    below = f"#subdirectory={subdirectory}" if subdirectory else ""
    return f"git+{address}{where}{below}"


# --- pylock.toml --------------------------------------------------------------------------


def _pylock(lock: Table) -> Iterator[str]:
    for entry in lock["packages"]:
        files = [*entry.get("wheels", ()), *([entry["sdist"]] if "sdist" in entry else ())]
        hashes = [f"sha256:{file['hashes']['sha256']}" for file in files]
        marker = f" ; {entry['marker']}" if entry.get("marker") else ""
        yield _line(entry["name"], "", _pylock_place(entry), marker, hashes)


def _pylock_place(entry: Table) -> str:
    if vcs := entry.get("vcs"):
        return _git(vcs["url"], vcs["commit-id"], vcs.get("subdirectory"))
    if folder := entry.get("directory"):
        return ("-e " if folder.get("editable") else "") + str(folder["path"])
    if archive := entry.get("archive"):
        return str(archive.get("url") or archive["path"])
    return f"=={entry['version']}"


# --- Poetry and PDM -----------------------------------------------------------------------


def _packages(lock: Table, project: Table, python: str) -> Iterator[str]:
    packages = [each for each in lock.get("package", ()) if _supports(each, python)]
    sources = [each.get("source", {}) for each in packages]
    places = [str(source["url"]) for source in sources if source.get("type") == "legacy"]
    yield from (f"--extra-index-url {place}" for place in dict.fromkeys(places))
    env = _marker_environment(python)
    wanted = _wanted(packages, project, env)
    files = lock.get("metadata", {}).get("files", {})  # before Poetry 1.5 they were there
    for package in packages:
        if canonicalize_name(package["name"]) in wanted and _holds(_marker(package), env):
            listed = package.get("files") or files.get(package["name"], ())
            hashes = [file["hash"] for file in listed if file.get("hash")]
            yield _line(package["name"], "", _place(package), "", hashes)


def _supports(package: Table, python: str) -> bool:
    text = package.get("python-versions") or package.get("requires_python") or "*"
    try:
        return text == "*" or SpecifierSet(text).contains(python)
    except InvalidSpecifier:
        return True


def _marker(package: Table) -> str:
    """Since lock 2.1 each package says when it is needed, for each group or for all."""
    marker = package.get("markers") or package.get("marker") or ""
    if isinstance(marker, dict):
        return "" if "" in marker.values() else " or ".join(f"({each})" for each in marker.values())
    return str(marker)


def _holds(marker: str, env: Mapping[str, str]) -> bool:
    if not marker:
        return True
    try:
        return Marker(marker).evaluate(dict(env))
    except InvalidMarker:
        return True


def _marker_environment(python: str) -> Mapping[str, str]:
    # Of this machine, but of the environment's Python; "extra" is never asked for.
    minor = ".".join(python.split(".")[:2])
    return {"python_full_version": python, "python_version": minor, "extra": ""}


def _wanted(packages: Sequence[Table], project: Table, env: Mapping[str, str]) -> set[str]:
    """Names of all that an installation needs: older locks have markers at the edges only."""
    edges: dict[str, dict[str, str]] = {
        canonicalize_name(each["name"]): dict(_edges(each)) for each in packages
    }
    if any("groups" in each for each in packages):
        chosen = (each for each in packages if not each.get("optional"))
        return {canonicalize_name(each["name"]) for each in chosen}
    needed = {name for found in edges.values() for name in found}
    open_ones: list[str] = [
        canonicalize_name(each["name"])
        for each in packages
        if not each.get("optional") and canonicalize_name(each["name"]) not in needed
    ]
    open_ones += [name for name, marker in _roots(project) if _holds(marker, env)]
    reached: set[str] = set()
    while open_ones:
        name = open_ones.pop()
        if name not in reached:
            reached.add(name)
            found = edges.get(name, {}).items()
            open_ones += [other for other, marker in found if _holds(marker, env)]
    return reached


def _edges(package: Table) -> Iterator[tuple[str, str]]:
    """What a package needs, and when; what only an extra of it needs is left out."""
    dependencies = package.get("dependencies", {})
    if isinstance(dependencies, list):  # PDM: as PEP 508 has it
        for text in dependencies:
            name, _, marker = text.partition(";")
            yield _bare(name), marker.strip()
        return
    for name, asked in dependencies.items():
        entries = asked if isinstance(asked, list) else [asked]
        markers = [each.get("markers", "") if isinstance(each, dict) else "" for each in entries]
        if not all(isinstance(each, dict) and each.get("optional") for each in entries):
            joined = " or ".join(f"({each})" for each in markers)
            yield canonicalize_name(name), "" if "" in markers else joined


def _roots(project: Table) -> Iterator[tuple[str, str]]:
    """What the project itself names: a direct dependency may also be another package's."""
    for text in project.get("project", {}).get("dependencies", ()):
        name, _, marker = text.partition(";")
        yield _bare(name), marker.strip()
    poetry = project.get("tool", {}).get("poetry", {})
    groups = [each.get("dependencies", {}) for each in poetry.get("group", {}).values()]
    for table in (poetry.get("dependencies", {}), poetry.get("dev-dependencies", {}), *groups):
        yield from _edges({"dependencies": {k: v for k, v in table.items() if k != "python"}})


def _bare(requirement: str) -> str:
    return canonicalize_name(re.split(r"[\s\[<>=!~(@]", requirement.strip(), maxsplit=1)[0])


def _place(package: Table) -> str:
    source = package.get("source", {})
    if package.get("git") or source.get("type") == "git":  # PDM has it at the package itself
        address = package.get("git") or source["url"]
        revision = package.get("revision") or source.get("resolved_reference")
        below = package.get("subdirectory") or source.get("subdirectory")
        return _git(address, revision, below)
    if source.get("type") == "directory":
        return ("-e " if package.get("develop") else "") + str(source["url"])
    if package.get("path"):
        return ("-e " if package.get("editable") else "") + str(package["path"])
    if source.get("type") in ("url", "file"):
        return str(source["url"])
    return str(package["url"]) if package.get("url") else f"=={package['version']}"
