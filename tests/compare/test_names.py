from __future__ import annotations

import pytest

from reprocheck.compare.names import (
    ends_in_measure,
    is_hardware_bound,
    is_of_evaluation,
    is_setting,
    words,
)


@pytest.mark.parametrize(
    "name",
    [
        *("latency", "latency_ms", "inferenceLatency", "throughput", "memory", "peak_memory_mb"),
        *("energy", "duration", "train_time", "runtime", "_runtime", "_timestamp"),
        *("eval_samples_per_second", "eval_steps_per_second", "tokens_per_sec", "fit_seconds"),
        *("gpu.0.memory", "gpu_util", "gpu0_power", "cpu_percent", "system/disk", "system.network"),
        *("epoch_time", "eval_runtime", "gpuUtilization", "time"),
    ],
)
def test_what_the_machine_does_is_hardware_bound(name):
    assert is_hardware_bound(name)


@pytest.mark.parametrize(
    "name",
    [
        *("accuracy", "val_loss", "energy_rmse", "travel_time_mae", "timesteps", "f1", "system_f1"),
        *("softmax_temperature", "sentiment_accuracy", "ramp_loss", "memorization_score"),
    ],
)
def test_what_the_model_does_is_not_hardware_bound(name):
    assert not is_hardware_bound(name)


@pytest.mark.parametrize(
    "name",
    [
        *("val_loss", "valid_0/auc", "validation_accuracy", "test_f1", "testAccuracy", "eval/bleu"),
        *("loss/val", "eval_loss", "accuracy_on_data_holdout", "mean_squared_error_X_test"),
    ],
)
def test_evaluation_splits_are_found_by_word(name):
    assert is_of_evaluation(name)


@pytest.mark.parametrize("name", ["latest_loss", "retrieval_score", "evaluated", "contest", "loss"])
def test_a_split_is_a_whole_word(name):
    assert not is_of_evaluation(name)


@pytest.mark.parametrize(
    "name",
    [
        *("accuracy", "final_accuracy", "f1_score", "recall@10", "mAP", "rougeL", "loss_epoch"),
        *("f1_macro", "accuracy_top5", "train/loss", "roc_auc", "R2", "mean_squared_error"),
    ],
)
def test_measures_are_found_at_the_end(name):
    assert ends_in_measure(name)


@pytest.mark.parametrize("name", ["loss_weight", "auction", "n_clusters", "", "epoch", "42"])
def test_other_names_end_in_no_measure(name):
    assert not ends_in_measure(name)


def test_schedules_and_counters_are_settings():
    assert all(map(is_setting, ["lr", "learning_rate", "epoch", "train/global_step", "num_params"]))
    assert not any(map(is_setting, ["train_loss_step", "epoch_loss", "margin", ""]))


def test_words_are_split_at_signs_and_capitals():
    assert words("eval/topK_valLoss") == ("eval", "top", "k", "val", "loss")
    assert words("__") == ()
