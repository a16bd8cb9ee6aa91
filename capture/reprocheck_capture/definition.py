"""The experiment definition: margins are fixed before a run's result is known."""

import os
import re

from reprocheck_capture.failures import guarded, lacks

NAME = "experiment.yaml"
VARIABLE = "REPROCHECK_DEFINITION"
_LARGEST = 1000000  # more of a recorded file is not read
_KEYS = re.compile(rb"^[\"']?(version|hypothesis|metrics)[\"']?\s*:", re.MULTILINE)


@guarded("experiment definition", bytes)
def definition(root: str) -> bytes:
    """The file that REPROCHECK_DEFINITION names, else experiment.yaml of the working directory or
    of the repository's root; empty where there is none.

    A file of that name without any of a definition's keys is of something else.
    """
    named = os.environ.get(VARIABLE, "")
    for path in (named,) if named else (NAME, os.path.join(root or ".", NAME)):
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            lacks("experiment definition", "it has over 1 MB")
            return b""
        if named or _KEYS.search(content):
            return content
    if named:
        lacks("experiment definition", VARIABLE + " names no file")
    return b""
