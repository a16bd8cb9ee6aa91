"""What a finished trial proves: that it did the run's work, and that it ran the run's command."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence

from reprocheck.compare import is_hardware_bound
from reprocheck.durations import format_duration
from reprocheck.errors import RerunError
from reprocheck.model import Finding, Judgement, Metric, RunRecord, Severity, Trial, Verdict
from reprocheck.placeholders import parameters_given
from reprocheck.seeds import recorded_seeds

LONG = 10  # values: a history that tells how long a training was
SHORT = 0.1  # of the original's values: not early stopping, but a result that was loaded
FAST = 0.05  # of the original's time
SLOW_S = 60.0  # a shorter original may have spent its time on starting


def check_work(record: RunRecord, trial: Trial) -> tuple[Finding, ...]:
    """What makes it doubtful that the trial trained as the run did.

    Raises `RerunError` when it logged next to nothing of every history that the run has: it took
    its result from a checkpoint or a file that it found.
    """
    long = [metric for metric in record.metrics.values() if _tells_length(metric)]
    if long and all(_points(trial, metric.name) <= SHORT * _steps(metric) for metric in long):
        metric = max(long, key=_steps)
        raise RerunError(
            f"trial {trial.index} did not train as the run did: of {metric.name} it logged "
            f"{_points(trial, metric.name)} values, the run {_steps(metric)}",
            "look whether the training resumes from a checkpoint, or loads a model or metrics that "
            "it finds outside of its tree, for example in /tmp",
        )
    return tuple(_doubts(record, trial, long))


def _doubts(record: RunRecord, trial: Trial, long: Sequence[Metric]) -> Iterator[Finding]:
    for metric in long:
        logged = _points(trial, metric.name)
        if 0 < logged < 0.5 * _steps(metric):
            yield _doubt(
                "shorter-history",
                f"{metric.name} has {_steps(metric)} values in the record and {logged} in "
                f"trial {trial.index}",
                f"/metrics/{metric.name}",
            )
    took_s = record.duration_s
    if took_s is not None and took_s >= SLOW_S and trial.duration_s < FAST * took_s:
        yield _doubt(
            "faster-trial",
            f"trial {trial.index} took {format_duration(trial.duration_s)}, the run "
            f"{format_duration(took_s)}",
            "/ended_at",
        )


def _doubt(code: str, message: str, pointer: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.WARNING,
        message=message,
        hint="look into the trial's log whether it trained, or resumed from a result that it found",
        pointer=pointer,
    )


def _tells_length(metric: Metric) -> bool:
    return _steps(metric) >= LONG and not is_hardware_bound(metric.name)


def _steps(metric: Metric) -> int:
    return len(metric.history)


def _points(trial: Trial, name: str) -> int:
    return len(trial.metrics[name].history) if name in trial.metrics else 0


def check_seed(record: RunRecord, trial: Trial, ignore: Sequence[str]) -> tuple[Finding, ...]:
    """What makes it doubtful that a trial had the fresh seed that it was given.

    Raises `RerunError` when it logged the recorded seed and no other. Parameters that match a
    pattern of `ignore` tell nothing; the parent of a child run tells of both.
    """
    given = {**trial.parameters, **(trial.parent_parameters or {})}
    recorded = {
        name: value
        for name, value in recorded_seeds(record).items()
        if name in parameters_given(record)
        and not any(fnmatch.fnmatchcase(name, pattern) for pattern in ignore)
    }
    logged = {name: given[name] for name in recorded if name in given}
    if trial.seed is None or trial.seed in given.values():
        return ()
    if not logged:
        return (_unlogged_seed(record, trial),)
    if logged.items() <= recorded.items():
        name, value = next(iter(logged.items()))
        raise RerunError(
            f"trial {trial.index} was given the fresh seed {trial.seed}, but logged the recorded "
            f"one, {name} = {value}: the seed did not arrive",
            "pass it where the training takes its seed: {seed} in the command of reprocheck.yaml, "
            "or reruns.seed_env; a parameter that is no seed goes into parameters.ignore",
        )
    told = ", ".join(f"{name} = {value}" for name, value in logged.items())
    return (
        _unseen_seed(f"trial {trial.index} was given the seed {trial.seed}, and logged {told}"),
    )


def _unlogged_seed(record: RunRecord, trial: Trial) -> Finding:
    """A warning where the result looks as if the recorded seed had been used."""
    message = f"trial {trial.index} logged no seed"
    common = [name for name in record.metrics if name in trial.metrics]
    told = [name for name in common if not is_hardware_bound(name)]
    if told and all(record.metrics[name].value == trial.metrics[name].value for name in told):
        message += ", and gave the recorded values bit for bit"
        return _unseen_seed(message, Severity.WARNING)
    return _unseen_seed(message)


def _unseen_seed(message: str, severity: Severity = Severity.NOTE) -> Finding:
    return Finding(
        code="unproved-seed",
        severity=severity,
        message=f"{message}: that the fresh seeds arrived is not proved",
        hint="let the training log the seed that it uses as a parameter",
        pointer="/seeds",
    )


def is_proved(record: RunRecord, trials: Sequence[Trial]) -> bool:
    """Whether a parameter that run and trials logged alike proves an inferred command.

    So does the seed that a trial was given, where it logged it.
    """
    seeds = recorded_seeds(record)
    return any(
        trial.parameters[name] in ((value, trial.seed) if name in seeds else (value,))
        for trial in trials
        for name, value in record.parameters.items()
        if name in trial.parameters
    )


def check_code(doubt: str, judgement: Judgement) -> None:
    """Refuses to blame the run for a difference that other code would explain.

    Raises `RerunError` when there is a doubt of the code and the run was not reproduced.
    """
    _blame_nobody(
        judgement,
        doubt and f"their code is not the run's: {doubt}",
        "give a repository that has the run's commit with --repo PATH_OR_URL",
    )


def check_command(doubt: str, judgement: Judgement) -> None:
    """Refuses to blame the run for a difference that a wrong command would explain.

    Raises `RerunError` when there is a doubt of the command and the run was not reproduced.
    """
    _blame_nobody(
        judgement,
        doubt and f"their command is not the run's, for it is only inferred: {doubt}",
        "write the command with all its arguments into reprocheck.yaml, and log the parameters",
    )


def _blame_nobody(judgement: Judgement, doubt: str, hint: str) -> None:
    if doubt and judgement.verdict is Verdict.NOT_REPRODUCED:
        raise RerunError(
            f"the reruns gave another result, which may only mean that {doubt}. "
            f"{judgement.sentence}",
            hint,
        )
