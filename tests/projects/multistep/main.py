import os
import sys

import mlflow


def step(name, **parameters):
    manager = os.environ.get("STEPS_IN")
    run = mlflow.projects.run(".", name, parameters=parameters, env_manager=manager)
    return mlflow.get_run(run.run_id)


with mlflow.start_run():
    step("load", rows=6)
    trained = step("train", data="rows.csv", rate=sys.argv[1])
    mlflow.log_metric("best_loss", trained.data.metrics["loss"])
