"""Tells `reprocheck record` which runs its command logs: a line each in the file that it names."""

import functools
import os
from typing import Any

from reprocheck_capture.failures import guarded

FILE = "REPROCHECK_RUNS_FILE"
"""The variable that names the file. A line is a run's id, a tab, and its store."""

_MARK = "_reprocheck_noted"


def watch(client: Any) -> None:  # noqa: ANN401  (MLflow's class of clients)
    """Also takes note of runs that are created by a client, as those of Lightning's logger."""
    original = client.create_run
    if FILE not in os.environ or getattr(original, _MARK, False):
        return

    @functools.wraps(original)
    def create_run(self: Any, *args: Any, **named: Any) -> Any:  # noqa: ANN401
        run = original(self, *args, **named)
        note(run, getattr(self, "tracking_uri", None) or getattr(self, "_tracking_uri", None))
        return run

    setattr(create_run, _MARK, True)
    client.create_run = create_run


@guarded("the run's id for `reprocheck record`", lambda: None)
def note(run: Any, uri: Any = None) -> None:  # noqa: ANN401
    """Adds the run to the file; nothing where no file is named."""
    path = os.environ.get(FILE)
    if path:
        import mlflow

        line = "{}\t{}\n".format(run.info.run_id, uri or mlflow.get_tracking_uri())
        file = os.open(path, os.O_WRONLY | os.O_APPEND)  # workers write at the same time
        try:
            os.write(file, line.encode("utf-8", "replace"))
        finally:
            os.close(file)
