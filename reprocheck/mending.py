"""Lines that mend a finding, ready to paste: every value is quoted for a shell.

What comes from a run is hostile. A value that cannot be shown as it is, such as one with a line
break, gets no line at all: what is pasted must be what was read.
"""

from __future__ import annotations

import json
import shlex

from reprocheck.model import OriginKind, RunRecord

CAPTURE = "pip install reprocheck-capture"
"""From the next run on; an old run cannot be made to know what it never recorded."""

COMMIT = "git add --all && git commit --message 'Before training'"

_LONGEST = 4_000  # characters of a line; a tag's value has no more


def capture(record: RunRecord, otherwise: str = "") -> str:
    """The line that makes the next run record what this one lacks; `otherwise` where this one was
    recorded by it, too."""
    return otherwise if "reprocheck.schema" in record.tags else CAPTURE


def client(uri: str, call: str, *words: str) -> str:
    """The shell line that calls a method of MLflow's client on the tracker at `uri` ("": the one
    that the caller's environment names) with these words; "" where no line can."""
    code = f"import sys, mlflow; mlflow.MlflowClient({{}}).{call}(*sys.argv[{{}}:])"
    code = code.format("sys.argv[1]", 2) if uri else code.format("", 1)
    # What follows -c and its code is never an option of Python's, also where it begins with -.
    return shell("python", "-c", code, *([uri] if uri else []), *words)


def shell(*words: str) -> str:
    """The words as a shell line; "" where they are not what they look like, or too long."""
    return shown(shlex.join(words))


def set_tag(record: RunRecord, name: str, value: str) -> str:
    """The shell line that sets a tag of the run; "" for a run of no tracker that has tags."""
    return of_run(record, "set_tag", name, value)


def of_run(record: RunRecord, call: str, *words: str) -> str:
    """The shell line that calls a method of MLflow's client on the run."""
    if record.ref.tracker != "mlflow":
        return ""
    return client(address(record), call, record.ref.run_id, *words)


def address(record: RunRecord) -> str:
    """Where the record says that its run is kept; "" where it does not."""
    origin = record.origins.get("/metrics")
    return origin.where if origin and origin.kind is OriginKind.TRACKER else ""


def line(template: str, *values: str) -> str:
    """A line of Python or YAML with these texts, in quotes, where the template has {}; "" where
    they are not what they look like, or too long."""
    return shown(template.format(*(json.dumps(each, ensure_ascii=False) for each in values)))


def shown(text: str) -> str:
    """The text; "" where it is not what it looks like, or too long."""
    return text if text.isprintable() and len(text) <= _LONGEST else ""
