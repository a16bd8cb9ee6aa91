"""A run for a command that logged none: `python -m reprocheck_capture.created ASKED.json FILES`.

Prints the run's id, a tab, and its store.
"""

import getpass
import json
import os
import sqlite3
import sys
import time
from typing import Any, Dict

from reprocheck_capture.failures import guarded


def main(asked: str, files: str) -> None:
    """Makes the run as `asked` says, with the record's `files`. Raises what MLflow raises."""
    import mlflow
    from mlflow.tracking import MlflowClient

    with open(asked, encoding="utf-8") as file:
        given: Dict[str, Any] = json.load(file)
    uri = mlflow.get_tracking_uri()
    _refuse_other_schema(uri)
    client = MlflowClient(uri)
    tags = {"mlflow.user": _user(), "mlflow.source.type": "LOCAL", **given["tags"]}
    started = int(1000 * (time.time() - given["duration_s"]))
    run = client.create_run(_experiment(client), start_time=started, tags=tags)
    run_id = run.info.run_id
    _complete(os.path.join(files, "record.json"), run_id, given["status"])
    client.log_artifacts(run_id, files, "reprocheck")
    client.set_terminated(run_id, given["status"])
    sys.stdout.write("{}\t{}\n".format(run_id, uri))


def _refuse_other_schema(uri: str) -> None:
    """MLflow migrates a store of an older version when it opens it, which others then cannot."""
    path = uri[len("sqlite:///") :] if uri.startswith("sqlite:///") else ""
    if not path or not os.path.exists(path):
        return
    from mlflow.store.db import utils

    ours: Any = utils
    connection = sqlite3.connect(path, timeout=10)
    try:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:  # no store yet
        return
    finally:
        connection.close()
    if found and found[0] != ours._get_latest_schema_revision():
        raise SystemExit("the store is of another version of MLflow, which writing would change")


def _experiment(client: Any) -> str:  # noqa: ANN401  (MlflowClient)
    if os.environ.get("MLFLOW_EXPERIMENT_ID"):
        return os.environ["MLFLOW_EXPERIMENT_ID"]
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "Default"
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


@guarded("the user's name", lambda: "unknown")
def _user() -> str:
    return getpass.getuser()


def _complete(path: str, run_id: str, status: str) -> None:
    """The record was made before the command started, when there was no run yet."""
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    document.update(run_id=run_id, status=status.lower())
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
