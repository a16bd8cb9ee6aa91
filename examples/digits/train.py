"""Trains a small neural network on handwritten digits and logs it to MLflow."""

import argparse
import os
from pathlib import Path

import mlflow
import numpy as np
from sklearn.metrics import accuracy_score, log_loss
from sklearn.neural_network import MLPClassifier

DATA = Path(__file__).parent / "data"
SHARED = os.environ.get("DIGITS_SHARED")  # set by `reprocheck demo --trace`


def load(name):
    table = np.loadtxt(DATA / f"{name}.csv", delimiter=",", skiprows=1)
    return table[:, 1:] / largest(), table[:, 0].astype(int)


def largest():
    """The value of a black pixel: 16, or what a file says that no version control knows."""
    return float(Path(SHARED, "largest.txt").read_text()) if SHARED else 16.0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.005)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", default="none", help="a number, or none for another every time")
    args = parser.parse_args()

    x_train, y_train = load("train")
    x_test, y_test = load("test")
    seed = None if args.seed == "none" else int(args.seed)
    model = MLPClassifier((32,), learning_rate_init=args.lr, random_state=seed)

    mlflow.set_experiment("digits")
    with mlflow.start_run():
        mlflow.log_params({"lr": args.lr, "epochs": args.epochs, "seed": args.seed})
        mlflow.set_tag("data_md5", pointer_md5("train.csv"))
        for epoch in range(args.epochs):
            model.partial_fit(x_train, y_train, classes=np.arange(10))
            mlflow.log_metric("train_loss", model.loss_, step=epoch)
        accuracy = accuracy_score(y_test, model.predict(x_test))
        mlflow.log_metric("accuracy", accuracy)
        mlflow.log_metric("loss", log_loss(y_test, model.predict_proba(x_test)))
        print(f"accuracy {accuracy:.4f}")


def pointer_md5(name):
    """The MD5 that DVC knows the file by: what reprocheck restores."""
    for line in (DATA / f"{name}.dvc").read_text().splitlines():
        if "md5: " in line:
            return line.split("md5: ")[1].strip()
    return "unknown"


if __name__ == "__main__":
    main()
