import sys
from pathlib import Path

import mlflow

lines = Path(sys.argv[1]).read_text().split()
points = [tuple(map(float, line.split(","))) for line in lines]
with mlflow.start_run():
    weight = 0.0
    for _ in range(5):
        weight -= float(sys.argv[2]) * sum(2 * (weight * x - y) * x for x, y in points) / len(points)
    mlflow.log_metric("loss", sum((weight * x - y) ** 2 for x, y in points))
