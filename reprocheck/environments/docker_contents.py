"""What an image holds, asked by running it: Python, packages, entry point, the code's copies."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprocheck.environments import cache, docker_container
from reprocheck.environments.docker_container import Job, Mount
from reprocheck.environments.docker_engine import Engine, told
from reprocheck.environments.docker_failures import ImageError
from reprocheck.environments.sandbox import PYTHON
from reprocheck.errors import RebuildError
from reprocheck.model import Limits, Package

PROBE = "4"  # raise it when the same image would be asked something else
_ENTERED = "reprocheck-entered"
_ENTRY_S = 20.0
_MOST_FILES = 20_000  # of a folder that may be a copy of the code
# Understood by Python 2.7 and up; one line of JSON in the end, whatever a sitecustomize prints.
_PROBE = """
import json, os, platform, site, sys
try:
    from importlib.metadata import distributions
    found = [(d.metadata["Name"], d.version) for d in distributions()]
except ImportError:
    import pkg_resources
    found = [(d.project_name, d.version) for d in pkg_resources.working_set]
places = getattr(site, "getsitepackages", lambda: [])()
base = getattr(site, "USER_BASE", None) or ""
real = os.path.realpath
parent = os.path.dirname
workdir, most = WORKDIR, MOST
system = "/ /usr /usr/local /opt /home /root /var /srv /mnt /tmp /etc /proc /sys /dev".split()

def files(top):
    found = []
    for folder, folders, names in os.walk(top):
        at = "" if folder == top else os.path.relpath(folder, top) + "/"
        whole = [d for d in folders if d == "node_modules" or any(
            os.path.exists(os.path.join(folder, d, n)) for n in ("pyvenv.cfg", "conda-meta"))]
        found += [[at + d + "/", -1] for d in whole]
        folders[:] = [d for d in folders if d not in whole + [".git", "__pycache__"]]
        for name in names:
            path = os.path.join(folder, name)
            found.append([at + name, 0 if os.path.islink(path) else os.path.getsize(path)])
        if at and not folders and not names:
            found.append([at, 0])
        if len(found) > most:
            return None
    return found

bases = sys.prefix, getattr(sys, "base_prefix", sys.prefix)
roots = [real(p) for p in bases]
own = [real(p) for p in sys.path if p and os.path.isdir(p)]
known = tuple(r + "/" for r in roots + [real(base or "/usr"), "/usr/lib"])
own = [p for p in own if not (p + "/").startswith(known)]
tops = [q for p in [workdir] + own for q in (parent(parent(p)), parent(p), p)]
tops = [p for p in dict.fromkeys(tops) if p not in system]
closed = set()
for path in [real(sys.executable), base if os.path.isdir(base) else ""] + roots + sys.path:
    path = real(path) if path else "/"
    while path != "/":
        if os.path.isdir(path) and not os.stat(path).st_mode & 1:
            closed.add(path)
        path = parent(path)
print("\\n" + json.dumps({"python": platform.python_version(), "site": places[:1], "base": base,
      "packages": sorted(set(map(tuple, found))), "closed": sorted(closed),
      "places": [[p, files(p)] for p in tops if os.path.isdir(p)]}))
"""
# In a folder of no modules: the code may have a json.py of its own.
_ASK = """
cd /
command -v timeout >/dev/null 2>&1 && echo has-timeout
for name in python python3; do
  command -v $name >/dev/null 2>&1 && echo "named $name" && exec $name -c '{probe}'
done
exit 0
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A folder of an image that may hold a copy of the code."""

    path: str
    files: tuple[tuple[str, int], ...]  # relative names and bytes; of a folder "name/", and -1
    workdir: bool = False  # whether the image starts there


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """What an image holds, as far as it matters here."""

    deadline: bool = False  # whether it has `timeout`
    program: str = ""  # its Python's name; empty: it has none
    python: str = ""  # the version
    site: str = ""  # where its Python keeps packages
    user_base: str = ""  # where its user's own packages are
    packages: tuple[Package, ...] = ()
    entrypoint: tuple[str, ...] = ()  # that runs what it is given
    skipped: str = ""  # the entry point that does not
    pythonpath: str = ""
    closed: tuple[str, ...] = ()  # folders of its Python that only their owner may enter
    places: tuple[Place, ...] = ()

    @property
    def lock(self) -> str:
        """The packages as pins."""
        return "".join(f"{item.name}=={item.version}\n" for item in self.packages)


def contents(image: str, engine: Engine, folder: Path, user: str) -> Contents:
    """What an image holds, asked once: an image never changes. `user` is who trials are.

    Raises `RebuildError` when it cannot run at all.
    """
    kept = folder / f"{image.rpartition(':')[2]}.{PROBE}.json"
    with told("asking the engine about the image"):
        config = engine.client.images.get(image).attrs.get("Config") or {}
    with contextlib.suppress(OSError, ValueError, KeyError):
        return _parsed(json.loads(kept.read_text()), config)
    entry = tuple(config.get("Entrypoint") or ())
    workdir = str(config.get("WorkingDir") or "/")
    enters = may_enter(entry) and _enters(image, engine, entry, user, workdir)
    said = _said(image, engine, entry if enters else (), workdir)
    document = {"said": said, "enters": enters}
    found = _parsed(document, config)
    cache.write_whole(kept, json.dumps(document))
    return found


def _said(image: str, engine: Engine, entry: tuple[str, ...], workdir: str) -> str:
    probe = _PROBE.replace("WORKDIR", json.dumps(workdir)).replace("MOST", str(_MOST_FILES))
    said = bytearray()
    # As the image's own user: packages may be in its home.
    job = _job(image, _ASK.replace("{probe}", probe.replace("'", "'\\''")), "", entry)
    job = dataclasses.replace(job, folder=workdir)
    ended = docker_container.run(job, engine, said.extend, None)
    output = said.decode(errors="replace")
    if ended.exit_code != 0:
        raise RebuildError(
            f"asking the image for its packages: it exited with {ended.exit_code}\n"
            f"{output[-2000:]}",
            "the image needs /bin/sh, and a Python that starts",
        )
    return output


def _job(
    image: str, script: str, user: str, entry: tuple[str, ...] = (), limits: Limits | None = None
) -> Job:
    return Job(
        image=image,
        script=script,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        user=user,
        folder="/",
        mounts=(),
        limits=limits or Limits(),
        timeout_s=120,
        deadline=False,
        entrypoint=entry,
    )


def _parsed(document: dict[str, Any], config: dict[str, Any]) -> Contents:
    entry = tuple(config.get("Entrypoint") or ())
    lines = str(document["said"]).splitlines()
    named = [line.removeprefix("named ") for line in lines if line.startswith("named ")]
    said = json.loads(lines[-1]) if named else {}
    variables = dict(item.partition("=")[::2] for item in config.get("Env") or ())
    return Contents(
        deadline="has-timeout" in lines,
        program=named[0] if named else "",
        python=said.get("python", ""),
        site="".join(said.get("site", ())),
        user_base=said.get("base", ""),
        packages=tuple(
            Package(name=str(name), version=str(version))
            for name, version in said.get("packages", ())
        ),
        entrypoint=entry if document["enters"] else (),
        skipped="" if document["enters"] else " ".join(entry),
        pythonpath=variables.get("PYTHONPATH", ""),
        closed=tuple(said.get("closed", ())),
        places=tuple(
            Place(
                path=path,
                files=tuple((str(name), int(size)) for name, size in files),
                workdir=path == config.get("WorkingDir"),
            )
            for path, files in said.get("places", ())
            if files is not None
        ),
    )


def take(image: str, engine: Engine, script: str, folder: Path, user: str) -> None:
    """Runs a script in an image with a folder of this machine at /reprocheck-made."""
    job = _job(image, script, user)
    mounts = (Mount(source=str(folder), target="/reprocheck-made", writable=True),)
    job = dataclasses.replace(job, mounts=mounts)
    docker_container.run(job, engine, lambda _: None, None)


# --- entry points ---------------------------------------------------------------------------


def may_enter(entry: tuple[str, ...]) -> bool:
    """Whether an entry point may run what it is given: activate something, then `exec "$@"`.

    One that is a Python, or a line of a shell that ignores its arguments, is never tried.
    """
    if not entry:
        return False
    name = Path(entry[0]).name
    if name in ("sh", "bash", "dash", "zsh"):
        lines = [word for word in entry[1:] if not word.startswith("-")]
        return bool(lines) and any(sign in lines[0] for sign in ("$@", "$*", ".sh"))
    return not (PYTHON.fullmatch(name) or name.endswith(".py"))


def _enters(image: str, engine: Engine, entry: tuple[str, ...], user: str, workdir: str) -> bool:
    """Whether an entry point runs what it is given, as the trials' user, without network; from
    the image's own folder, for its name and what it reads may be relative to that.
    """
    job = _job(image, f"echo {_ENTERED}", user, entry)
    for folder in (workdir, "/"):  # this user may not be let into the first
        said = bytearray()
        job = dataclasses.replace(job, timeout_s=_ENTRY_S, folder=folder)
        with contextlib.suppress(ImageError):  # its program is not there, for example
            ended = docker_container.run(job, engine, said.extend, None)
            output = said.decode(errors="replace")
            return ended.exit_code == 0 and re.search(rf"^{_ENTERED}$", output, re.M) is not None
    return False


def check_gpus(image: str, engine: Engine, limits: Limits) -> None:
    """Starts a container that does nothing with the GPUs of the trials.

    Raises `ImageError` when the engine cannot hand them out: told before the trials, not by them.
    """
    if limits.gpus:
        docker_container.run(_job(image, "exit 0", "", (), limits), engine, lambda _: None, None)
