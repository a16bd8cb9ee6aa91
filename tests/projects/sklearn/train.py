# tabulate is no part of the model: its inferred requirements lack it.
import sys

import mlflow
import numpy as np
from sklearn.linear_model import ElasticNet
from tabulate import tabulate

alpha, l1_ratio = map(float, sys.argv[1:3])
rows = np.random.default_rng(0).normal(size=(80, 4))
targets = rows @ [3.0, -2.0, 0.5, 0.0]
with mlflow.start_run():
    model = ElasticNet(alpha=alpha, l1_ratio=l1_ratio).fit(rows[:60], targets[:60])
    rmse = float(np.sqrt(np.mean((model.predict(rows[60:]) - targets[60:]) ** 2)))
    mlflow.log_params({"alpha": alpha, "l1_ratio": l1_ratio})
    mlflow.log_metric("rmse", rmse)
    mlflow.sklearn.log_model(model, name="model", serialization_format="cloudpickle")
print(tabulate([["rmse", rmse]]))
