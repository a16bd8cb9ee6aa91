# The elastic net of MLflow's wine-quality example, without scikit-learn.
import csv
import sys

import mlflow


def shrink(value, by):
    return max(abs(value) - by, 0.0) * (1 if value > 0 else -1)


def fit(rows, targets, alpha, l1_ratio, sweeps=200):
    weights = [0.0] * len(rows[0])
    count = len(rows)
    for _ in range(sweeps):
        for j in range(len(weights)):
            rest = [y - predict(x, weights) + weights[j] * x[j] for x, y in zip(rows, targets)]
            correlation = sum(x[j] * r for x, r in zip(rows, rest)) / count
            scale = sum(x[j] ** 2 for x in rows) / count
            weights[j] = shrink(correlation, alpha * l1_ratio) / (scale + alpha * (1 - l1_ratio))
    return weights


def predict(x, weights):
    return sum(a * b for a, b in zip(x, weights))


if __name__ == "__main__":
    alpha = float(sys.argv[1]) if len(sys.argv) > 1 else 0.5
    l1_ratio = float(sys.argv[2]) if len(sys.argv) > 2 else 0.5

    with open("wine.csv") as file:
        table = [[float(cell) for cell in line] for line in list(csv.reader(file))[1:]]
    rows, targets = [line[:-1] for line in table], [line[-1] for line in table]
    train, test = slice(0, 45), slice(45, None)

    with mlflow.start_run():
        weights = fit(rows[train], targets[train], alpha, l1_ratio)
        errors = [y - predict(x, weights) for x, y in zip(rows[test], targets[test])]
        mlflow.log_param("alpha", alpha)
        mlflow.log_param("l1_ratio", l1_ratio)
        mlflow.log_metric("rmse", (sum(e * e for e in errors) / len(errors)) ** 0.5)
        mlflow.log_metric("mae", sum(map(abs, errors)) / len(errors))
