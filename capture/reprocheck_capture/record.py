"""The record of this process: tags, and the artifacts below reprocheck/; made once."""

import json
import os
import threading
from typing import Any, Dict, List, NamedTuple, Optional

from reprocheck_capture import (
    __version__,
    arguments,
    container,
    definition,
    dvc,
    hub,
    locks,
    machine,
    notebook,
    packages,
    variables,
)
from reprocheck_capture.failures import MISSING, guarded, lacks
from reprocheck_capture.git import Code, code, sha256
from reprocheck_capture.notebook import Place

SCHEMA = "1"
LONGEST_TAG = 4000
LONGEST_TAGS = 8000
"""MLflow copies them into each data set that it logs, and refuses one of 64 KB."""
LONGEST_DOCUMENT = 900000
"""Of a record.json: reprocheck reads no larger one than 1 MB."""
LONGEST_MLFLOW_TAG = 500
"""Of a branch or an address: more is none."""


class Facts(NamedTuple):
    """All that is known of this process."""

    argv: List[str]
    cwd: str
    code: Code
    seeds: Dict[str, str]
    variables: Dict[str, str]
    hardware: Dict[str, str]
    container: Dict[str, str]
    data: List[Dict[str, Any]]
    environment: Dict[str, bytes]  # files by name
    locks: List[Dict[str, object]]
    python: str
    definition: bytes = b""
    notebook: Place = Place()

    @property
    def environment_sha256(self) -> str:
        """One digest of Python, packages and container image."""
        parts = {name: sha256(content) for name, content in self.environment.items()}
        parts.update(python=self.python, image=self.container.get("image", ""))
        return sha256(json.dumps(parts, sort_keys=True).encode())


_lock = threading.RLock()
_known: List[Facts] = []


def facts() -> Facts:
    """Found out at the first call; a part that cannot be is empty, and counted as missing."""
    with _lock:
        if not _known:
            _known.append(_find_out())
        return _known[0]


def renew() -> None:
    """Has the next run's facts found out anew where one process goes on for days: in notebooks."""
    if notebook.shell() is not None:
        with _lock:
            _known.clear()


def _find_out() -> Facts:
    place = notebook.place()
    found = code(os.path.dirname(place.path), place.made)
    cwd = place.cwd or os.getcwd()
    given = place.argv or (notebook.command(place) if place.path else ())
    args = arguments.argv(found.root, given, cwd)
    lines = packages.installed(found.root)
    environment, told = locks.found(found.root, lines)
    environment["freeze.txt"] = packages.freeze(lines)
    environment["python_env.yaml"] = _python_env()
    conda = packages.conda()
    if conda:
        environment["conda-explicit.txt"] = conda.encode()
    return Facts(
        argv=args,
        cwd=_cwd(found.root, cwd),
        code=found,
        seeds=arguments.seeds(args),
        variables=variables.determinism(),
        hardware=machine.hardware(),
        container=container.container(),
        data=[*dvc.inputs(found.root, found.untracked or ()), *hub.revisions()],
        environment=environment,
        locks=told,
        python=packages.python(),
        definition=definition.definition(found.root),
        notebook=place,
    )


def _python_env() -> bytes:
    return "python: {}\ndependencies:\n- -r freeze.txt\n".format(packages.python()).encode()


@guarded("working directory", lambda: ".")
def _cwd(root: str, folder: str) -> str:
    if not root:
        return "."
    cwd = os.path.relpath(os.path.realpath(folder), os.path.realpath(root))
    if cwd.startswith(".."):
        lacks("working directory", "it is outside of the repository")
    return cwd


# --- tags ---------------------------------------------------------------------------------


def tags(of: Optional[Facts] = None) -> Dict[str, str]:
    """Small ones of what decides; what does not fit is in record.json alone, and named."""
    known = of or facts()
    state = known.code
    wanted = {
        "reprocheck.schema": SCHEMA,
        "reprocheck.argv": _json(known.argv) if known.argv else "",
        "reprocheck.cwd": known.cwd,
        "reprocheck.tree": ("dirty" if state.dirty else "clean") if state.commit else "",
        "reprocheck.patch.sha256": sha256(state.patch) if state.patch and state.whole else "",
        "reprocheck.upstream": state.base,
        "reprocheck.upstream.sha256": sha256(state.upstream) if state.base else "",
        "reprocheck.environment.sha256": known.environment_sha256,
        "reprocheck.seeds": _json(known.seeds) if known.seeds else "",
        "reprocheck.definition.sha256": sha256(known.definition) if known.definition else "",
        "reprocheck.notebook": notebook_path(known),
        "reprocheck.container.image": known.container.get("image", ""),
        "mlflow.source.git.commit": state.commit,
        "mlflow.source.git.branch": state.branch[:LONGEST_MLFLOW_TAG],
        "mlflow.source.git.repoURL": state.remote[:LONGEST_MLFLOW_TAG],
        **{"reprocheck.env." + name: text for name, text in known.variables.items()},
        "reprocheck.data": _json(known.data) if known.data else "",
    }
    return _fitting({name: text for name, text in wanted.items() if text})


def notebook_path(known: Facts) -> str:
    """The notebook's path from the repository's root; "" where there is none."""
    path = known.notebook.path
    if not path or not known.code.root:
        return os.path.basename(path)
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(known.code.root))
    return os.path.basename(path) if inside.startswith("..") else inside.replace(os.sep, "/")


def _fitting(wanted: Dict[str, str]) -> Dict[str, str]:
    kept: Dict[str, str] = {}
    room = LONGEST_TAGS
    for name, text in wanted.items():
        size = len(name) + len(text.encode("utf-8", "replace"))
        if len(text) > LONGEST_TAG or size > room:
            lacks("tag " + name, "it has {} characters".format(len(text)))
            continue
        kept[name] = text
        room -= size
    return kept


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


# --- artifacts ----------------------------------------------------------------------------


def files(known: Facts) -> Dict[str, bytes]:
    """The content of the files below reprocheck/ but record.json, by path: one for all runs."""
    state = known.code
    found = {"environment/" + name: content for name, content in known.environment.items()}
    if state.patch:
        found["source.patch" if state.whole else "partial.patch"] = state.patch
    if state.base:
        found["upstream.patch"] = state.upstream
    for path, content in (state.untracked or {}).items():
        found["untracked/" + path] = content
    if known.definition:
        found["experiment.yaml"] = known.definition
    return found


def document(
    known: Facts, run_id: str, more: Dict[str, Any], end: Optional[Dict[str, Any]] = None
) -> bytes:
    """The record.json of a run; `more` goes into its `capture`, `end` is what `seal` tells."""
    step = {"argv": known.argv, "cwd": known.cwd}
    found = {
        "schema_version": 1,
        "tracker": "mlflow",
        "run_id": run_id,
        "status": "running",
        "code": known.code.document(),
        "command": {"steps": [step], "env": known.variables} if known.argv else None,
        "parameters": {},
        "metrics": {},
        "seeds": known.seeds,
        "hardware": {**known.hardware, **known.variables},
        "data": [_material(entry) for entry in known.data],
        "capture": {
            "version": __version__,
            "python": known.python,
            "container": known.container,
            "locks": known.locks,
            "environment_sha256": known.environment_sha256,
            "missing": dict(sorted(MISSING.items())),
            **more,
        },
    }
    return completed(found, end or {})


def completed(found: Dict[str, Any], end: Dict[str, Any]) -> bytes:
    """A record.json with what is known of the run's end, as much of it as may be read again."""
    facts_of_end = {name: told for name, told in end.items() if name != "sealed"}
    capture = dict(found.get("capture") or {})
    capture.pop("sealed", None)
    sealed = {**capture, "sealed": end["sealed"]} if end else capture
    short = {name: told for name, told in facts_of_end.items() if not isinstance(told, dict)}
    for more, told in ((facts_of_end, sealed), (short, sealed), (short, capture)):
        content = json.dumps({**found, **more, "capture": told}, indent=1) + "\n"
        if len(content) <= LONGEST_DOCUMENT:
            break
    return content.encode("utf-8", "replace")


def _material(entry: Dict[str, Any]) -> Dict[str, Any]:
    if "hub" in entry:
        place = {"path": entry["hub"], "algorithm": "commit", "digest": entry["revision"]}
        return {**place, "place": "hub", "source": "hf://" + entry["hub"]}
    algorithm = "md5" if "md5" in entry else "sha256"
    return {
        "path": entry["path"],
        "algorithm": algorithm,
        "digest": entry[algorithm],
        "size": entry.get("size"),
        "files": entry.get("files"),
        "seen_as": entry.get("seen_as"),
    }
