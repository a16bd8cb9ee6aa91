"""Further originals of a verification, by --baseline and by the config."""

import pytest

from reprocheck.baselines import Baseline, distinct
from reprocheck.model import RunRef
from tests.lab import Lab, copy_of
from tests.reporters.builders import make_metric, make_record


def told(result):
    return " ".join(result.stderr.split() + result.stdout.split())


@pytest.fixture
def own(lab: Lab, tmp_path) -> Lab:
    return copy_of(lab, tmp_path)


def codes(result):
    return [item["code"] for item in result.report["findings"] if item["severity"] == "warning"]


def test_a_baseline_of_the_recipe_is_pooled(own):
    assert own.seeded != own.unseeded
    result = own.verify(own.seeded, "--dry-run", "--baseline", own.unseeded[:8])
    assert result.exit_code == 0, told(result)
    assert "other-recipe" not in codes(result)
    assert "pooled with 1 baseline" in result.report["stages"][0]["summary"]


def test_a_baseline_of_another_recipe_is_told(own):
    own.sql("UPDATE params SET value = '0.1' WHERE run_uuid = ? AND key = 'lr'", own.unseeded)
    own.set_tag(own.unseeded, "mlflow.source.git.commit", "f" * 40)
    result = own.verify(own.seeded, "--dry-run", "--baseline", own.unseeded, "--verbose")
    assert codes(result).count("other-recipe") == 1
    assert "lr is 0.1, not 0.005" in told(result)
    assert "its commit is ffffffffffff" in told(result)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("f" * 32, "has no run"),
        ("ab", "too short"),
        ("self", "is the original run itself"),
    ],
)
def test_a_baseline_that_cannot_be_is_wrong_usage(own, wrong, words):
    named = own.seeded if wrong == "self" else wrong
    result = own.verify(own.seeded, "--dry-run", "--baseline", named)
    assert result.exit_code == 2
    assert f"--baseline: baseline {named}" in told(result)
    assert words in told(result)


@pytest.mark.parametrize("status", ["RUNNING", "FAILED"])
def test_a_baseline_that_has_not_finished_is_wrong_usage(own, status):
    own.sql("UPDATE runs SET status = ? WHERE run_uuid = ?", status, own.unseeded)
    result = own.verify(own.seeded, "--dry-run", "--baseline", own.unseeded)
    assert result.exit_code == 2
    assert f"--baseline: baseline {own.unseeded}" in told(result)


def test_a_baseline_of_the_config_is_named_with_its_line(own, tmp_path):
    path = tmp_path / "reprocheck.yaml"
    path.write_text(f"version: 1\nbaselines:\n  - {own.unseeded}\n  - {'e' * 32}\n")
    result = own.verify(own.seeded, "--dry-run", "--config", str(path))
    assert result.exit_code == 2
    assert f"reprocheck.yaml:4: baseline {'e' * 32}" in told(result)


def test_a_baseline_without_a_gated_metric_is_wrong_usage(own):
    for table in ("metrics", "latest_metrics"):
        own.sql(f"DELETE FROM {table} WHERE run_uuid = ? AND key = 'accuracy'", own.unseeded)
    result = own.verify(own.seeded, "--dry-run", "--baseline", own.unseeded)
    assert result.exit_code == 2
    assert f"baseline {own.unseeded} did not log accuracy" in told(result)
    others = own.verify(own.seeded, "--dry-run", "--baseline", own.unseeded, "--gate", "loss")
    assert others.exit_code == 0


def test_a_verification_pools_and_says_what_the_definition_declared(own):
    folder = own.root / "artifacts"
    folder.mkdir()
    text = "version: 1\nmetrics: {primary: {accuracy: {margin: {abs: 0.02}}}}\n"
    (folder / "experiment.yaml").write_text(text)
    own.sql("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", str(folder), own.unseeded)
    result = own.verify(own.unseeded, "--baseline", own.seeded, "--reruns", "3")
    accuracy = next(c for c in result.report["comparisons"] if c["metric"] == "accuracy")
    assert len(accuracy["baseline"]) == 2
    assert accuracy["margin"]["text"] == "0.02 (experiment.yaml)"
    assert "looser-margin" in codes(result)
    assert result.report["record"]["definition"]["primary"] == ["accuracy"]


@pytest.mark.parametrize(
    ("values", "seeds", "kept"),
    [
        ((0.912345678901, 0.912345678901), ("1", "1"), 0),
        ((0.912345678901, 0.912345678901), ("1", "2"), 0),  # the seed changes nothing
        ((0.912345678901, 0.912345678902), ("1", "1"), 1),
        ((0.9, 0.9), ("1", "1"), 0),
        ((0.9, 0.9), ("1", "2"), 1),  # a share of few examples repeats by chance
    ],
)
def test_a_baseline_that_repeats_the_original_does_not_count(values, seeds, kept):
    original, other = (
        make_record(
            ref=RunRef(tracker="mlflow", run_id=seed * 16 + letter * 16),
            metrics={"accuracy": make_metric("accuracy", value)},
            seeds={"seed": seed},
        )
        for value, seed, letter in zip(values, seeds, "ab", strict=True)
    )
    found, findings = distinct(original, [Baseline(record=other, place="--baseline")])
    assert len(found) == kept
    assert [each.code for each in findings] == ["repeated-baseline"] * (1 - kept)


def test_a_repeated_baseline_is_not_pooled_and_told(own):
    own.sql("DELETE FROM metrics WHERE run_uuid = ?", own.unseeded)
    own.sql("DELETE FROM latest_metrics WHERE run_uuid = ?", own.unseeded)
    for table in ("metrics", "latest_metrics"):
        columns = "key, value, timestamp, step, is_nan"
        own.sql(
            f"INSERT INTO {table} (run_uuid, {columns}) "
            f"SELECT ?, {columns} FROM {table} WHERE run_uuid = ?",
            own.unseeded,
            own.seeded,
        )
    result = own.verify(own.seeded, "--dry-run", "--baseline", own.unseeded)
    assert "repeated-baseline" in codes(result)
    assert "pooled with" not in result.report["stages"][0]["summary"]
