from pathlib import Path

import pytest

from reprocheck.bundle_records import findings_of
from reprocheck.counterpart import Rules, compare_parameters, counterpart
from reprocheck.errors import RerunError
from reprocheck.model import Lineage, Origin, OriginKind, RunRecord
from reprocheck.seen_paths import SeenPaths
from reprocheck.trackers.base import LoggedRun
from tests.reporters.builders import make_metric, make_record

ROOT = Lineage(parent=None, depth=0, place=0)


def logged(
    name: str = "run",
    parameters: dict[str, str] | None = None,
    lineage: Lineage = ROOT,
    tags: dict[str, str] | None = None,
) -> LoggedRun:
    return LoggedRun(
        run_id=f"{name}-{lineage.place}",
        name=name,
        finished=True,
        parameters={"lr": "0.1"} if parameters is None else parameters,
        metrics={"loss": make_metric("loss", 1.0)},
        tags=tags or {},
        lineage=lineage,
        products=(),
    )


def original(**changes: object) -> RunRecord:
    values = {"parameters": {"lr": "0.1"}, "lineage": ROOT, "name": "original", "tags": {}}
    return make_record(**{**values, **changes})


def rules(record: RunRecord | None = None, **changes: object) -> Rules:
    return Rules(**{"record": record or original(), "folder": Path("/ws/trial-1"), **changes})


def test_the_only_run_with_the_same_parameters_counts() -> None:
    runs = [logged("a", {"lr": "0.2"}), logged("b"), logged("c", {})]
    assert counterpart(runs, rules())[0].name == "b"


def test_among_equals_the_name_then_the_depth_then_the_place_decides() -> None:
    child = Lineage(parent="p", depth=1, place=1)
    runs = [logged("x"), logged("original")]
    assert counterpart(runs, rules())[0].name == "original"
    runs = [logged("x"), logged("y", lineage=child)]
    assert counterpart(runs, rules(original(lineage=child)))[0].name == "y"
    runs = [logged("x", lineage=Lineage(parent="p", depth=1, place=place)) for place in range(3)]
    assert counterpart(runs, rules(original(lineage=child)))[0].lineage.place == 1


def test_several_that_could_be_meant_are_named() -> None:
    with pytest.raises(RerunError, match="'x', 'y'"):
        counterpart([logged("x"), logged("y")], rules())


def test_nothing_logged_is_never_green() -> None:
    with pytest.raises(RerunError, match="nothing was measured"):
        counterpart([], rules())


def test_another_parameter_means_another_command() -> None:
    with pytest.raises(RerunError, match=r"lr: recorded '0\.1', rerun '0\.2'") as caught:
        counterpart([logged(parameters={"lr": "0.2"})], rules())
    assert "reconstructed wrongly" in caught.value.hint


def test_a_template_of_the_users_is_theirs_to_correct() -> None:
    origin = Origin(kind=OriginKind.CONFIG, where="reprocheck.yaml: command")
    with pytest.raises(RerunError) as caught:
        counterpart(
            [logged(parameters={"lr": "0.2"})], rules(original(origins={"/command": origin}))
        )
    assert "correct the command (reprocheck.yaml: command): {params.lr}" in caught.value.hint


def test_a_missing_parameter_means_another_command() -> None:
    with pytest.raises(RerunError, match=r"lr: recorded '0\.1', rerun nothing"):
        counterpart([logged(parameters={})], rules())


@pytest.mark.parametrize(
    ("name", "recorded", "rerun"),
    [
        ("lr", "0.10", "0.1"),
        ("loss_fn", "<function mse at 0x7f12ab34cd56>", "<function mse at 0x7fffab34cd00>"),
        ("out_dir", "/home/ada/out", "/ws/trial-1/tree/out"),
        ("start_time", "2026-01-02T03:04:05", "2026-11-21 09:00:00"),
        ("out_dir", "/home/ada/2026-01-02/12-30-59", "/ws/trial-1/tree/2026-11-21/09-00-00"),
        ("config", "{'a': 1, 'root': '/home/ada'}", "{'a': 1, 'root': '/ws/trial-1/tree'}"),
        ("scratch", "/tmp/tmpab12", "/ws/trial-1/home/tmp/tmpcd34"),
        ("data", "data/train.csv", "/ws/trial-1/tree/data/train.csv"),
        ("rows", "s3://b/0/a1/rows.csv", "file:///ws/trial-1/tracking/mlruns/0/b2/rows.csv"),
        ("device", "cuda:0", "cpu"),
        ("dataloader_num_workers", "8", "2"),
        ("n_gpu", "4", "0"),
        ("num_workers", "8", "2"),
        ("hostname", "ada-laptop", "runner"),
        ("ignored_path", "a", "b"),
    ],
)
def test_what_may_differ_honestly_is_set_aside(name: str, recorded: str, rerun: str) -> None:
    run = logged(parameters={name: rerun})
    found = rules(original(parameters={name: recorded}), ignore=("ignored_*",))
    assert all(item.excuse for item in compare_parameters(run, found))


@pytest.mark.parametrize(
    ("name", "recorded", "rerun"),
    [
        ("hidden_nodes", "64", "128"),
        ("lora_rank", "8", "4"),
        ("times", "3", "4"),
        ("per_device_train_batch_size", "32", "8"),
        ("gpu_batch_size", "32", "8"),
        ("worker_lr", "0.1", "0.2"),
        ("config", "{'lr': 0.1, 'root': '/home/ada'}", "{'lr': 0.2, 'root': '/ws/trial-1/tree'}"),
        ("data", "/home/ada/data/v2.csv", "/ws/trial-1/tree/data/v1.csv"),
        ("seed", "12345678901234567890", "12345678901234567891"),
        ("optimizer", "adam", "sgd"),
        ("path", "data/a.csv", "data/b.csv"),
        ("start_time", "yesterday", "today"),
    ],
)
def test_what_may_not_differ_is_kept(name: str, recorded: str, rerun: str) -> None:
    run = logged(parameters={name: rerun})
    (difference,) = compare_parameters(run, rules(original(parameters={name: recorded})))
    assert difference.excuse is None


def test_a_value_that_the_store_cut_counts_by_its_beginning() -> None:
    cut = original(parameters={"config": "a" * 500}, truncated=frozenset({"config"}))
    (difference,) = compare_parameters(logged(parameters={"config": "a" * 900}), rules(cut))
    assert difference.excuse


def test_what_only_mlflow_run_logs_may_be_missing() -> None:
    (difference,) = compare_parameters(logged(parameters={}), rules(given=frozenset({"lr"})))
    assert difference.excuse


def test_what_only_autologging_wrote_may_be_missing() -> None:
    run = logged(parameters={"lr": "0.1", "warm_start": "False"}, tags={"mlflow.autologging": "x"})
    (difference,) = compare_parameters(run, rules())
    assert difference.excuse


def test_autologging_excuses_nothing_where_no_parameter_is_the_same() -> None:
    record = original(tags={"mlflow.autologging": "sklearn"})
    with pytest.raises(RerunError, match=r"lr: recorded '0\.1', rerun nothing"):
        counterpart([logged(parameters={})], rules(record))


def test_a_run_without_differences_wins_over_one_with_excuses() -> None:
    runs = [
        logged("a", {"lr": "0.1", "device": "cpu"}),
        logged("b", {"lr": "0.1", "device": "gpu"}),
    ]
    record = original(parameters={"lr": "0.1", "device": "gpu"})
    assert counterpart(runs, rules(record))[0].name == "b"


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("seed", "42", "1234567890"),
        ("seed", "42", "1234567891"),  # derived from it
        ("data_seed", "42", "1234567890"),
        ("model", "net(seed=42, k=42)", "net(seed=1234567890, k=42)"),
        ("other", None, "1234567890"),
    ],
)
def test_a_fresh_seed_may_differ(name: str, before: str | None, after: str) -> None:
    record = original(parameters={name: before} if before else {}, seeds={"seed": "42"})
    (found,) = compare_parameters(
        logged(parameters={name: after}), rules(record, seed="1234567890")
    )
    assert found.excuse == "a fresh seed"


@pytest.mark.parametrize("seed", [None, "1234567890"])
def test_what_is_no_fresh_seed_may_not_differ(seed: str | None) -> None:
    name, after = ("lr", "0.2") if seed else ("seed", "1234567890")
    record = original(parameters={"lr": "42", "seed": "42"}, seeds={"seed": "42"})
    trial = logged(parameters={"lr": "42", "seed": seed or "42", name: after})
    (found,) = [
        each for each in compare_parameters(trial, rules(record, seed=seed)) if each.name == name
    ]
    assert found.excuse is None


@pytest.mark.parametrize(
    ("recorded", "trial", "same"),
    [
        ("/mnt/d/ROWS.csv", "/ws/trial-1/tree/data/rows.csv", True),
        ("a=/mnt/d/ROWS.csv,b", "a=/ws/trial-1/tree/data/rows.csv,b", True),
        ("/home/me/proj/conf", "/ws/trial-1/tree/conf", True),
        ("/mnt/d/ROWS.csv", "/ws/trial-1/tree/data/others.csv", False),
        ("/mnt/d/ROWS.csv", "/ws/trial-2/tree/data/rows.csv", False),
    ],
)
def test_a_path_that_the_command_was_made_to_name_is_no_other_parameter(
    recorded: str, trial: str, *, same: bool
) -> None:
    paths = SeenPaths(moved={"/mnt/d/ROWS.csv": "data/rows.csv", "/home/me/proj": "."})
    asked = rules(original(parameters={"data": recorded}), paths=paths)
    (difference,) = compare_parameters(logged(parameters={"data": trial}), asked)
    assert (difference.excuse is not None) is same


def test_a_parameter_that_a_bundle_hides_is_set_aside_and_no_other() -> None:
    hidden = findings_of(("/parameters/api_key", "/tags/x"))
    parameters = {"api_key": "***", "token": "***", "lr": "0.1"}
    record = original(parameters=parameters, findings=hidden)
    run = logged(parameters={"api_key": "abc", "token": "abc", "lr": "0.1"})
    told = {each.name: each.excuse for each in compare_parameters(run, rules(record))}
    assert told == {"api_key": "hidden in the bundle", "token": None}
    (gone,) = compare_parameters(logged(parameters={"token": "***", "lr": "0.1"}), rules(record))
    assert (gone.name, gone.excuse) == ("api_key", None)
