# Makes its own client of the team's tracker, and never uses the fluent functions.
import math
from pathlib import Path

from mlflow import MlflowClient
from mlflow.tracking.context.registry import resolve_tags

client = MlflowClient(tracking_uri=Path("tracker.txt").read_text().strip())
run_id = client.create_run("0", tags=resolve_tags()).info.run_id
client.log_param(run_id, "degree", 3)
client.log_metric(run_id, "loss", math.log(3))
client.set_terminated(run_id)
