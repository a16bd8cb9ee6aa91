# Noise from the system's entropy, unless a seed is given.
import argparse
import random

import mlflow

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--seed", type=int)
args = parser.parse_args()

noise = random.Random(args.seed)
with mlflow.start_run():
    mlflow.log_params(vars(args))
    mlflow.log_metric("accuracy", 0.9 - args.lr / 100 + noise.gauss(0, 0.01))
