# A parent and, in it, a run for each fold.
import random

import mlflow

mlflow.set_experiment("folds")
scores = []
with mlflow.start_run(run_name="cross-validation"):
    mlflow.log_param("folds", 3)
    for fold in range(3):
        with mlflow.start_run(nested=True):
            mlflow.log_param("fold", fold)
            scores.append(random.Random(fold).random())
            mlflow.log_metric("accuracy", scores[-1])
    mlflow.log_metric("mean_accuracy", sum(scores) / 3)
