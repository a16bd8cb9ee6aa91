"""Writes the handwritten digits that ship with scikit-learn as data/train.csv and data/test.csv."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits


def main():
    digits = load_digits()
    table = np.column_stack([digits.target, digits.data]).astype(int)
    header = ",".join(["label", *(f"p{index}" for index in range(64))])
    folder = Path(__file__).parent / "data"
    folder.mkdir(exist_ok=True)
    test = np.arange(len(table)) % 5 == 0
    for name, rows in (("train", table[~test]), ("test", table[test])):
        np.savetxt(folder / f"{name}.csv", rows, fmt="%d", delimiter=",", header=header, comments="")


if __name__ == "__main__":
    main()
