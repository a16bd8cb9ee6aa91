# Names the team's tracker in the code, as many scripts do.
import math
from pathlib import Path

import mlflow

mlflow.set_tracking_uri(Path("tracker.txt").read_text().strip())
with mlflow.start_run():
    mlflow.log_param("degree", 2)
    mlflow.log_metric("loss", math.log(2))
