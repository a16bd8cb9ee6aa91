"""End to end: what a run left in its artifacts, beside what the trials leave."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from reprocheck import schema
from tests.lab import Lab, Result, copy_of

SCRIPT = """
import random, sys
import mlflow

seed = sys.argv[2]
noise = random.Random(None if seed == "none" else int(seed))
with mlflow.start_run():
    mlflow.log_params({"lr": 1, "seed": seed})
    rows = [(i, noise.random() < 0.8) for i in range(20)]
    mlflow.log_metric("accuracy", sum(right for _, right in rows) / 20)
    mlflow.log_dict({"weight": noise.random()}, "model/weights.json")
    table = "".join(f"{i},1,{int(right)}\\n" for i, right in rows)
    mlflow.log_text("id,label,prediction\\n" + table, "predictions.csv")
"""
PNG = """
import struct, zlib

def png(pixels):
    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", len(pixels), 1, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes([0, *pixels])))
    return b"\\x89PNG\\r\\n\\x1a\\n" + header + body + chunk(b"IEND", b"")
"""
EXHIBITS = """
    wrong = [noise.random() < 0.5 for _ in range(100)]
    with open("predicted.png", "wb") as file:
        file.write(png([255 * flag for flag in wrong]))
    mlflow.log_artifact("predicted.png", "plots")
    count = 900 + sum(wrong)
    mlflow.log_text(f",cat,dog\\ncat,{count},1\\ndog,2,4\\n", "confusion_matrix.csv")
    xs = [i / 10 for i in range(11)]
    ys = [x ** (1 - noise.random() / 2) for x in xs]
    mlflow.log_dict({"fpr": xs, "tpr": ys}, "roc_curve.json")
    mlflow.log_dict({"fpr": xs, "tpr": xs}, "chance_curve.json")
"""
CONFIG = """
version: 1
command: "python guess.py --seed {params.seed}"
metrics: {accuracy: {gate: true, margin: {abs: 0.5}, test_size: 20}}
predictions: {artifact: predictions.csv, id: id, label: label, prediction: prediction}
products: {"model/*": {gate: true}}
"""


@pytest.fixture
def guesses(lab: Lab, tmp_path: Path) -> Lab:
    lab = copy_of(lab, tmp_path)
    lab.repo.commit({"guess.py": SCRIPT, "reprocheck.yaml": CONFIG})
    return lab


def test_equal_products_show_that_a_coarse_metric_is_no_chance(guesses: Lab) -> None:
    result = guesses.verify(guesses.train("--seed", "7", script="guess.py"))
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stderr + result.stdout
    (trial,) = result.report["trials"]
    assert {product["path"] for product in trial["products"]} == {
        "model/weights.json", "predictions.csv"
    }  # fmt: skip


def test_a_column_that_the_predictions_lack_is_told_before_anything_is_built(guesses: Lab) -> None:
    run_id = guesses.train("--seed", "7", script="guess.py")
    wrong = CONFIG.replace("label: label", "label: truth")
    guesses.repo.write({"reprocheck.yaml": wrong})
    result = guesses.verify(run_id)
    assert result.exit_code == 2
    assert "reprocheck.yaml:5: predictions.csv has no column truth" in result.stdout
    (failure,) = [s["failure"] for s in result.report["stages"] if s["failure"]]
    assert failure["hint"] == "nearest names: id, label, prediction"
    assert [s["stage"] for s in result.report["stages"] if s["status"] == "passed"] == ["read"]


def test_an_unseeded_run_has_flips_and_a_gated_product_that_is_not_settled(guesses: Lab) -> None:
    guesses.repo.commit({"guess.py": PNG + SCRIPT + EXHIBITS})
    result = guesses.verify(guesses.train("--seed", "none", script="guess.py"), "--reruns", "3")
    assert (result.exit_code, result.verdict) == (11, "INCONCLUSIVE"), result.stderr + result.stdout
    products = {product["path"]: product for product in result.report["products"]}
    weights, table = products["model/weights.json"], products["predictions.csv"]
    assert (weights["path"], weights["gated"]) == ("model/weights.json", True)
    assert (weights["verdict"], weights["reason"]) == ("INCONCLUSIVE", "noise")
    assert "1 of 1 number differs" in weights["sentence"]
    assert (table["path"], table["verdict"]) == ("predictions.csv", "INFORMATIONAL")
    predictions = result.report["predictions"]
    assert predictions["examples"] == 20
    assert len(predictions["churn"]) == 3
    assert 0 < predictions["flip_sd"] < 0.2
    assert not schema.check(result.report, "report")
    assert_exhibits(result)


def assert_exhibits(result: Result) -> None:
    """An image, a matrix and two curves of both sides; the report on a terminal counts them."""
    matrix, image, curve, same = result.report["exhibits"]
    assert [each["path"] for each in (matrix, image, curve, same)] == [
        "confusion_matrix.csv", "plots/predicted.png", "roc_curve.json", "chance_curve.json"
    ]  # fmt: skip
    assert [each["kind"] for each in (matrix, image, curve, same)] == [
        "matrix", "image", "curve", "curve"
    ]  # fmt: skip
    assert {each["trial"] for each in result.report["exhibits"]} == {1}
    assert {each["left_out"] for each in result.report["exhibits"]} == {""}
    grids = [matrix[side]["grid"] for side in ("original", "rerun")]
    assert [grid["rows"] for grid in grids] == [["cat", "dog"]] * 2
    assert grids[0]["values"] != grids[1]["values"]
    assert 0 < image["pixels"] < 1
    assert image["original"]["picture"]["width"] == image["rerun"]["picture"]["width"] == 100
    assert curve["rerun"]["grid"]["columns"] == ["fpr", "tpr"]
    assert (same["rerun"]["grid"], same["original"]["sha256"]) == (None, same["rerun"]["sha256"])
    assert "1 image, 1 matrix and 2 curves, 3 differ" in result.stdout


def test_other_ids_and_a_missing_product_are_findings(guesses: Lab) -> None:
    run_id = guesses.train("--seed", "7", script="guess.py")
    other = SCRIPT.replace("{i},1,", "r{i},1,").replace('"model/weights.json"', '"model/new.json"')
    guesses.set_tag(run_id, "mlflow.source.git.commit", guesses.repo.commit({"guess.py": other}))
    result = guesses.verify(run_id, "--reruns", "1")
    assert result.exit_code == 3, result.stdout
    assert {"other-predictions", "missing-product", "new-product"} <= {
        finding["code"] for finding in result.report["findings"]
    }
    assert result.report["predictions"] is None
    assert result.report["products"][0]["verdict"] == "NOT_COMPARABLE"


# --- formats ------------------------------------------------------------------------------

WEIGHTS = """
import json, os, struct, sys
import mlflow

with mlflow.start_run():
    mlflow.log_params({"seed": sys.argv[2]})
    mlflow.log_metric("loss", 0.34821757311)
    values = struct.pack("<2d", 0.5, -1.25)
    header = {"w": {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]}}
    header = json.dumps({"__metadata__": {"made": os.urandom(4).hex()}, **header}).encode()
    with open("weights.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header + values)
    mlflow.log_artifact("weights.safetensors", "model")
"""


def test_weights_in_safetensors_are_judged_by_their_tensors(lab: Lab, tmp_path: Path) -> None:
    """Two files of the same tensors need not be the same file."""
    lab = copy_of(lab, tmp_path)
    config = CONFIG.partition("metrics:")[0] + 'products: {"model/*.safetensors": {gate: true}}\n'
    lab.repo.commit({"guess.py": WEIGHTS, "reprocheck.yaml": config})
    result = lab.verify(lab.train("--seed", "7", script="guess.py"))
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout
    (weights,) = result.report["products"]
    assert (weights["gated"], weights["verdict"]) == (True, "IDENTICAL")
    assert weights["original"] not in weights["reruns"]
    assert len(result.report["trials"]) == 1


def parquet_of(right: list[bool]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    stream = io.BytesIO()
    table = {"id": list(range(len(right))), "label": [1] * len(right)}
    parquet.write_table(pyarrow.table({**table, "prediction": list(map(int, right))}), stream)
    return stream.getvalue()


def test_predictions_in_parquet_give_the_noise_of_an_accuracy(lab: Lab, tmp_path: Path) -> None:
    """The training logs tables that were made before, for it has no library that writes them."""
    lab = copy_of(lab, tmp_path)
    tables = [[row != wrong for row in range(20)] for wrong in range(4)]
    script = SCRIPT.replace("predictions.csv", "predictions.parquet").partition("    rows = ")[0]
    script += """
    mlflow.log_metric("accuracy", 0.95)
    mlflow.log_metric("loss", noise.random())
    with open(f"{noise.randrange(4)}.parquet", "rb") as made:
        content = made.read()
    with open("predictions.parquet", "wb") as file:
        file.write(content)
    mlflow.log_artifact("predictions.parquet")
"""
    config = CONFIG.replace("predictions.csv", "predictions.parquet").partition("products:")[0]
    files = {f"{i}.parquet": parquet_of(right) for i, right in enumerate(tables)}
    lab.repo.commit({"guess.py": script, "reprocheck.yaml": config, **files})
    result = lab.verify(lab.train("--seed", "none", script="guess.py"), "--reruns", "2")
    predictions = result.report["predictions"]
    assert predictions["examples"] == 20, result.stdout
    assert set(predictions["churn"]) <= {0.0, 0.1}
    assert result.verdict == "IDENTICAL"
