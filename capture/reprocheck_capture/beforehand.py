"""What a run of a command would record, found out before it starts, by its own interpreter.

`python -m reprocheck_capture.beforehand FOLDER SCRIPT -- COMMAND…` writes the record's files below
FOLDER/reprocheck, and FOLDER/told.json.
"""

import json
import os
import sys
from typing import Dict, List, Sequence

from reprocheck_capture import record
from reprocheck_capture.failures import MISSING


def main(args: Sequence[str]) -> None:
    """Writes the files; `SCRIPT` is "" where the command names none."""
    folder, script, command = args[0], args[1], list(args[3:])
    _pretend(script, command)
    known = record.facts()
    files = {**record.files(known), "record.json": record.document(known, "", {})}
    for path, content in files.items():
        place = os.path.join(folder, "reprocheck", path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as file:
            file.write(content)
    told = {
        "root": known.code.root,
        "commit": known.code.commit,
        "dirty": known.code.dirty,
        "whole": known.code.whole,
        "kept": sorted(known.code.untracked or {}),
        "listed": list(known.code.listed),
        "tags": record.tags(),
        "seeds": known.seeds,
        "python": known.python,
        "freeze": known.environment["freeze.txt"].decode("utf-8", "replace").splitlines(),
        "from_conda": _from_conda() if "conda-explicit.txt" in known.environment else [],
        "locks": known.locks,
        "path": sys.path[1:],  # without the working directory, which -m puts there
        "missing": dict(MISSING),
    }
    with open(os.path.join(folder, "told.json"), "w", encoding="utf-8") as file:
        json.dump(told, file)


def _pretend(script: str, command: List[str]) -> None:
    """Lets this process look like the command's, in which the facts are found out later."""
    sys.orig_argv = command
    main_module = sys.modules["__main__"]
    if script:
        main_module.__file__ = script
    elif hasattr(main_module, "__file__"):
        del main_module.__file__


def _from_conda() -> List[str]:
    """Names of Python packages that conda installed; pip takes many of them for local ones."""
    from importlib.metadata import distributions

    found: Dict[str, bool] = {}
    for each in distributions():
        owner = (each.read_text("INSTALLER") or "").strip()
        found.setdefault(
            str(each.metadata["Name"] or "").lower().replace("_", "-"), owner == "conda"
        )
    return sorted(name for name, owned in found.items() if owned)


if __name__ == "__main__":
    main(sys.argv[1:])
