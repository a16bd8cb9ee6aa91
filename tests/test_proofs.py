import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reprocheck.errors import RerunError
from reprocheck.model import Gates, Judgement, Lineage, Metric, RunRecord, Severity, Trial, Verdict
from reprocheck.proofs import check_code, check_command, check_seed, check_work, is_proved
from tests.reporters.builders import make_metric, make_record

START = datetime(2026, 1, 1, 10, tzinfo=UTC)


def history(name: str, length: int) -> Metric:
    return make_metric(name, *(1 / (step + 1) for step in range(length)))


def run_of(**changes: object) -> RunRecord:
    metrics = {"loss": history("loss", 40), "accuracy": make_metric("accuracy", 0.9)}
    return make_record(**{"metrics": metrics, "started_at": None, "ended_at": None, **changes})


def trial(points: int, duration_s: float = 1.0, parameters: dict[str, str] | None = None) -> Trial:
    metrics = {"accuracy": make_metric("accuracy", 0.9)}
    if points:
        metrics["loss"] = history("loss", points)
    return Trial(
        index=1,
        seed=None,
        metrics=metrics,
        parameters=parameters or {},
        differences=(),
        exit_code=0,
        duration_s=duration_s,
        log=Path("trial-1.log"),
        log_tail="",
        products=(),
    )


@pytest.mark.parametrize("points", [0, 1, 4])
def test_a_trial_that_logged_next_to_nothing_of_the_training_proves_nothing(points: int) -> None:
    with pytest.raises(RerunError, match=rf"of loss it logged {points} values, the run 40"):
        check_work(run_of(), trial(points))


def test_one_long_history_is_enough_to_prove_work() -> None:
    metrics = {"loss": history("loss", 40), "debug": history("debug", 40)}
    assert check_work(run_of(metrics=metrics), trial(40)) == ()


def test_a_training_that_stopped_much_earlier_is_told() -> None:
    assert [finding.code for finding in check_work(run_of(), trial(15))] == ["shorter-history"]
    assert check_work(run_of(), trial(30)) == ()


def test_a_run_without_histories_proves_its_work_by_time_only() -> None:
    metrics = {"accuracy": make_metric("accuracy", 0.9)}
    record = run_of(metrics=metrics, started_at=START, ended_at=START + timedelta(hours=1))
    assert [finding.code for finding in check_work(record, trial(0))] == ["faster-trial"]
    assert check_work(record, trial(0, duration_s=600)) == ()


def judgement(verdict: Verdict) -> Judgement:
    gates = Gates(metrics=("loss",), reason="")
    return Judgement(
        verdict=verdict,
        comparisons=(),
        gates=gates,
        decided=True,
        stopped_by="planned",
        sentence="",
        needed="",
    )


def test_a_difference_under_a_guessed_command_is_not_the_runs() -> None:
    with pytest.raises(RerunError, match="only inferred: no parameter"):
        check_command("no parameter", judgement(Verdict.NOT_REPRODUCED))
    check_command("no parameter", judgement(Verdict.IDENTICAL))
    check_command("", judgement(Verdict.NOT_REPRODUCED))


def test_a_difference_under_code_that_nothing_proves_is_not_the_runs() -> None:
    with pytest.raises(RerunError, match="their code is not the run's: it is stored"):
        check_code("it is stored", judgement(Verdict.NOT_REPRODUCED))
    check_code("it is stored", judgement(Verdict.IDENTICAL))
    check_code("", judgement(Verdict.NOT_REPRODUCED))


def test_a_parameter_that_both_logged_proves_a_guessed_command() -> None:
    record = run_of(parameters={"lr": "0.1"})
    assert is_proved(record, [trial(40, parameters={"lr": "0.1"})])
    assert not is_proved(record, [trial(40, parameters={"lr": "0.2"})])
    assert not is_proved(run_of(parameters={}), [trial(40)])


def seeded(**parameters: str) -> Trial:
    return dataclasses.replace(trial(1, parameters=parameters), seed="7")


@pytest.mark.parametrize("parameters", [{"seed": "7"}, {"seed": "42", "data_seed": "7"}])
def test_a_logged_fresh_seed_has_arrived(parameters: dict[str, str]) -> None:
    assert check_seed(run_of(), seeded(**parameters), ()) == ()


def test_the_recorded_seed_in_place_of_a_fresh_one_is_no_measurement() -> None:
    with pytest.raises(RerunError, match="seed = 42: the seed did not arrive") as caught:
        check_seed(run_of(), seeded(seed="42"), ())
    assert "seed_env" in caught.value.hint


@pytest.mark.parametrize(
    ("parameters", "ignore"), [({}, ()), ({"seed": "1007"}, ()), ({"seed": "42"}, ("se*",))]
)
def test_a_fresh_seed_that_is_not_seen_is_noted(
    parameters: dict[str, str], ignore: tuple[str, ...]
) -> None:
    (finding,) = check_seed(run_of(), seeded(**parameters), ignore)
    assert finding.code == "unproved-seed"


@pytest.mark.parametrize(("value", "severity"), [(0.9, Severity.WARNING), (0.8, Severity.NOTE)])
def test_recorded_values_make_an_unlogged_fresh_seed_doubtful(
    value: float, severity: Severity
) -> None:
    record = run_of(metrics={"accuracy": make_metric("accuracy", value)})
    (finding,) = check_seed(record, seeded(), ())
    assert finding.severity is severity


def test_one_changed_seed_among_constant_ones_is_noted_and_not_refused() -> None:
    record = run_of(
        parameters={"seed": "42", "random_state": "0"}, seeds={"seed": "42", "random_state": "0"}
    )
    (finding,) = check_seed(record, seeded(seed="1007", random_state="0"), ())
    assert "seed = 1007" in finding.message


def test_a_child_runs_parent_tells_whether_the_seed_arrived() -> None:
    above = Lineage(parent="p", depth=1, place=0, parent_parameters={"seed": "42"})
    record = run_of(parameters={"fold": "1"}, seeds={}, lineage=above)
    child = seeded(fold="1")
    assert check_seed(record, dataclasses.replace(child, parent_parameters={"seed": "7"}), ()) == ()
    with pytest.raises(RerunError, match="seed = 42: the seed did not arrive"):
        check_seed(record, dataclasses.replace(child, parent_parameters={"seed": "42"}), ())


def test_a_fresh_seed_that_arrived_proves_an_inferred_command() -> None:
    record = run_of(parameters={"seed": "42"})
    assert is_proved(record, [seeded(seed="7")])
    assert not is_proved(record, [seeded(seed="8")])
