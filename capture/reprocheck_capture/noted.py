"""Tells `reprocheck record` which runs its command logs: a line each in the file that it names."""

import functools
import os
from typing import Any, List

from reprocheck_capture.failures import guarded

FILE = "REPROCHECK_RUNS_FILE"
"""The variable that names the file. A line is a run's id, a tab, and its store."""

_watched: List[Any] = []


def watch(active: Any, client: Any) -> None:  # noqa: ANN401  (MLflow's ActiveRun and MlflowClient)
    """Takes note of runs that are started or resumed, and of those that only a client creates, as
    Lightning's logger does; nothing where no file is named.
    """
    if FILE not in os.environ or client in _watched:
        return
    create, begin = client.create_run, active.__init__

    @functools.wraps(create)
    def create_run(self: Any, *args: Any, **named: Any) -> Any:  # noqa: ANN401
        run = create(self, *args, **named)
        _note(run, getattr(self, "tracking_uri", None) or getattr(self, "_tracking_uri", None))
        return run

    @functools.wraps(begin)
    def __init__(self: Any, *args: Any, **named: Any) -> None:  # noqa: ANN401, N807
        begin(self, *args, **named)
        _note(self)

    _watched.append(client)
    client.create_run, active.__init__ = create_run, __init__


@guarded("the run's id for `reprocheck record`", lambda: None)
def _note(run: Any, uri: Any = None) -> None:  # noqa: ANN401
    if not uri:
        import mlflow

        uri = mlflow.get_tracking_uri()
    line = "{}\t{}\n".format(run.info.run_id, uri)
    file = os.open(os.environ[FILE], os.O_WRONLY | os.O_APPEND)  # workers write at the same time
    try:
        os.write(file, line.encode("utf-8", "replace"))
    finally:
        os.close(file)
