"""What a trial left behind, also half-written."""

import hashlib
from pathlib import Path

import pytest

from reprocheck.model import Point
from reprocheck.trackers.mlflow_collect import collect_runs, last_points


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "1" / "r1"
    write(folder / "meta.yaml", "status: 3\nstart_time: 5\nrun_name: first\n")
    write(folder / "metrics" / "loss", "10 0.5 0\n20 0.25 1\n")
    return folder


def test_a_line_that_was_cut_off_is_left_out(tmp_path, run):
    write(run / "metrics" / "loss", "10 0.5 0\n20 0.25 1\n30 0.1")
    write(run / "metrics" / "half", "3")
    (found,) = collect_runs(tmp_path)
    assert [p.value for p in found.metrics["loss"].history] == [0.5, 0.25]
    assert "half" not in found.metrics
    assert last_points(tmp_path)["loss"] == Point(step=1, timestamp_ms=20, value=0.25)


@pytest.mark.parametrize("meta", ["", "status: [", "- 3", None])
def test_a_run_whose_meta_was_cut_off_is_unfinished(tmp_path, run, meta):
    (run / "meta.yaml").unlink()
    if meta is not None:
        write(run / "meta.yaml", meta)
    (found,) = collect_runs(tmp_path)
    assert not found.finished
    assert found.metrics["loss"].value == 0.25


def test_names_with_slashes_are_whole(tmp_path, run):
    write(run / "metrics" / "val" / "loss", "10 1.0 0\n")
    write(run / "params" / "opt" / "lr", "0.1")
    (found,) = collect_runs(tmp_path)
    assert "val/loss" in found.metrics
    assert found.parameters == {"opt/lr": "0.1"}


def test_a_dataset_behind_a_metric_keeps_the_step(tmp_path, run):
    write(run / "metrics" / "loss", "10 1.0 7 train 8a1b2c3d\n")
    (found,) = collect_runs(tmp_path)
    assert found.metrics["loss"].history[0].step == 7


def test_runs_come_in_the_order_of_their_starts(tmp_path, run):
    write(tmp_path / "2" / "a0" / "meta.yaml", "status: 3\nstart_time: 9\n")
    write(tmp_path / "2" / "a0" / "params" / "lr", "1")
    assert [r.run_id for r in collect_runs(tmp_path)] == ["r1", "a0"]


def test_of_equal_starts_the_parent_is_first_and_parameters_decide(tmp_path, run):
    for name, alpha in (("a2", "0.2"), ("b1", "0.1")):
        write(tmp_path / "1" / name / "meta.yaml", "status: 3\nstart_time: 5\n")
        write(tmp_path / "1" / name / "params" / "alpha", alpha)
        write(tmp_path / "1" / name / "tags" / "mlflow.parentRunId", "r1")
    found = collect_runs(tmp_path)
    assert [(r.run_id, r.lineage.place) for r in found] == [("r1", 0), ("b1", 0), ("a2", 1)]


def test_products_are_hashed_with_the_models(tmp_path, run):
    write(run / "artifacts" / "out" / "a.txt", "a")
    write(tmp_path / "1" / "models" / "m-1" / "meta.yaml", "name: net\nsource_run_id: r1\n")
    write(tmp_path / "1" / "models" / "m-1" / "artifacts" / "MLmodel", "b")
    (found,) = collect_runs(tmp_path)
    assert [p.path for p in found.products] == ["out/a.txt", "models/net/MLmodel"]
    assert found.products[0].sha256 == hashlib.sha256(b"a").hexdigest()


def test_a_link_is_no_product(tmp_path, run):
    write(run / "artifacts" / "a.txt", "a")
    (run / "artifacts" / "b.txt").symlink_to("/etc/hostname")
    (found,) = collect_runs(tmp_path)
    assert [p.path for p in found.products] == ["a.txt"]


def test_the_last_value_is_found_in_a_long_history(tmp_path, run):
    write(run / "metrics" / "loss", "".join(f"{i} {i / 2} {i}\n" for i in range(5000)))
    assert last_points(tmp_path)["loss"].value == 4999 / 2


def test_nothing_logged_is_nothing(tmp_path):
    assert collect_runs(tmp_path / "none") == ()
    assert last_points(tmp_path / "none") == {}
