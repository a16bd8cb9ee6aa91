# Logs nothing of what it was started with.
import math
import sys

import mlflow

rate = float(sys.argv[1]) if len(sys.argv) > 1 else 0.1
with mlflow.start_run():
    mlflow.log_metric("accuracy", math.exp(-rate))
