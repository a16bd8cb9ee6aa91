"""End to end: what a run left in its artifacts, beside what the trials leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprocheck import schema
from tests.lab import Lab, copy_of

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
    result = guesses.verify(guesses.train("--seed", "none", script="guess.py"), "--reruns", "3")
    assert (result.exit_code, result.verdict) == (11, "INCONCLUSIVE"), result.stderr + result.stdout
    weights, table = result.report["products"]
    assert (weights["path"], weights["gated"]) == ("model/weights.json", True)
    assert (weights["verdict"], weights["reason"]) == ("INCONCLUSIVE", "noise")
    assert "1 of 1 number differs" in weights["sentence"]
    assert (table["path"], table["verdict"]) == ("predictions.csv", "INFORMATIONAL")
    predictions = result.report["predictions"]
    assert predictions["examples"] == 20
    assert len(predictions["churn"]) == 3
    assert 0 < predictions["flip_sd"] < 0.2
    assert not schema.check(result.report, "report")


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
