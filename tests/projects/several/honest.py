# Logs what differs from one machine, folder and minute to the next.
import math
import os
import platform
import tempfile
from datetime import datetime
from pathlib import Path

import mlflow

with mlflow.start_run():
    mlflow.log_params(
        {
            "epochs": 2,
            "data_path": Path("data/train.csv").absolute(),
            "home": Path("~/.models").expanduser(),
            "scratch": tempfile.gettempdir() + "/cache",
            "hostname": f"{platform.node()}-{os.getpid()}",
            "started_at": datetime.now().isoformat(),
            "loss_function": object(),
        }
    )
    mlflow.log_metric("accuracy", math.sqrt(0.6))
