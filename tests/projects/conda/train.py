"""Fits a slope with a package that only conda's channel has."""

import os

import mlflow
import slope

rate = float(os.environ["RATE"])
mlflow.set_experiment("conda")
with mlflow.start_run():
    mlflow.log_param("rate", rate)
    weight = 0.0
    for step in range(5):
        weight = slope.improved(weight, rate)
        mlflow.log_metric("train_loss", slope.loss(weight), step=step)
    mlflow.log_metric("loss", slope.loss(weight))
