# Two runs side by side.
import math

import mlflow

for depth in (1, 2):
    with mlflow.start_run():
        mlflow.log_params({"depth": depth, "kind": "tree"})
        mlflow.log_metric("accuracy", math.exp(-1 / depth))
