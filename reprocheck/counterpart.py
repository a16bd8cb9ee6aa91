"""Which run of a trial is the recorded run's counterpart, and whether it had the same parameters.

The parameters prove that the command was reconstructed rightly. What may differ honestly is set
aside, and shown; any other difference means that something else was run.
"""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from reprocheck.errors import RerunError
from reprocheck.hidden import is_hidden
from reprocheck.model import Difference, OriginKind, RunRecord
from reprocheck.parameter_names import is_device, words_of
from reprocheck.seeds import recorded_seeds
from reprocheck.seen_paths import SeenPaths
from reprocheck.trackers.base import LoggedRun

FRESH_SEED = "a fresh seed"
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
_PATH = r"[^\s'\",;=()\[\]{}]*"
_RUN_IN_PATH = re.compile(r"\d{4}-\d\d-\d\d|\d\d[-_:]\d\d[-_:]\d\d|\d{6,}|[0-9a-f]{32}")
_TIME_WORDS = frozenset(("time", "timestamp", "date", "datetime", "started", "created"))
_TIME_VALUE = re.compile(
    r"\d{4}-\d\d-\d\d([T _]\d\d[:h-]?\d\d.*)?|\d{8}[-_T]\d{4,6}|1\d{9}(\.\d+)?|1\d{12}"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What the comparison of parameters needs to know besides the two sides."""

    record: RunRecord
    folder: Path  # the trial's; absolute paths inside it are the trial's own
    ignore: tuple[str, ...] = ()  # patterns of parameters.ignore
    given: frozenset[str] = frozenset()  # parameters that the command line itself carries
    seed: str | None = None  # a fresh one that the trial was given
    paths: SeenPaths = field(default_factory=SeenPaths)  # that its command was made to name


def counterpart(
    logged: Sequence[LoggedRun], rules: Rules
) -> tuple[LoggedRun, tuple[Difference, ...]]:
    """The trial's run that stands for the recorded one, and the differences set aside.

    Raises `RerunError` when none or several can be meant, or when parameters differ.
    """
    if not logged:
        raise RerunError(
            "the training ended well, but logged no MLflow run into the trial's own folder: "
            "nothing was measured",
            "check that the command trains, and that it logs to MLflow; see the trial's log",
        )
    differences = {run.run_id: compare_parameters(run, rules) for run in logged}
    same = [run for run in logged if not _unexcused(differences[run.run_id])]
    exact = [run for run in same if not differences[run.run_id]]
    same = exact or same
    for narrow in (_same_name, _same_depth, _same_place):
        if len(same) > 1:
            same = narrow(same, rules.record) or same
    if len(same) == 1:
        return same[0], differences[same[0].run_id]
    raise _no_counterpart(logged, same, differences, rules.record)


def _unexcused(differences: Sequence[Difference]) -> list[Difference]:
    return [difference for difference in differences if difference.excuse is None]


def _same_name(runs: list[LoggedRun], record: RunRecord) -> list[LoggedRun]:
    return [run for run in runs if run.name == record.name]


def _same_depth(runs: list[LoggedRun], record: RunRecord) -> list[LoggedRun]:
    return [run for run in runs if run.lineage.depth == record.lineage.depth]


def _same_place(runs: list[LoggedRun], record: RunRecord) -> list[LoggedRun]:
    return [run for run in runs if run.lineage.place == record.lineage.place]


def _no_counterpart(
    logged: Sequence[LoggedRun],
    same: Sequence[LoggedRun],
    differences: Mapping[str, tuple[Difference, ...]],
    record: RunRecord,
) -> RerunError:
    if same:
        names = ", ".join(f"'{run.name}'" for run in same)
        return RerunError(
            f"the training logged {len(logged)} runs, and {len(same)} of them could be the "
            f"recorded run's counterpart: {names}",
            "give the runs names or parameters of their own",
        )
    nearest = min(logged, key=lambda run: len(_unexcused(differences[run.run_id])))
    different = _unexcused(differences[nearest.run_id])
    shown = "; ".join(
        f"{item.name}: recorded {_value(item.original)}, rerun {_value(item.trial)}"
        for item in different[:8]
    )
    other = f" (nearest of {len(logged)} runs: '{nearest.name}')" if len(logged) > 1 else ""
    return RerunError(
        f"the rerun logged other parameters than the recorded run{other}: {shown}",
        f"{_correction(record, different[0].name)}; a parameter that may differ honestly goes "
        "into parameters.ignore",
    )


def _correction(record: RunRecord, name: str) -> str:
    origin = record.origins.get("/command")
    placeholder = f"{{params.{name}}}"
    if origin is not None and origin.kind is OriginKind.CONFIG:
        return f"correct the command ({origin.where}): {placeholder} stands for the recorded value"
    return (
        "the command was reconstructed wrongly: write it into reprocheck.yaml, with "
        f"{placeholder} and its like in place of the values"
    )


def _value(value: str | None) -> str:
    return "nothing" if value is None else f"'{value[:80]}'"


def compare_parameters(run: LoggedRun, rules: Rules) -> tuple[Difference, ...]:
    """All parameters that differ, each with its excuse where it has one."""
    ours, theirs = rules.record.parameters, run.parameters
    known = any(ours[name] == theirs.get(name) for name in ours)
    differences = []
    for name in sorted(set(ours) | set(theirs)):
        original, trial = ours.get(name), theirs.get(name)
        if original != trial and not _same_number(original, trial):
            excuse = _excuse(name, original, trial, rules)
            if excuse is None and (original is None or trial is None):
                excuse = _excuse_missing(name, trial, run, rules, known=known)
            differences.append(Difference(name=name, original=original, trial=trial, excuse=excuse))
    return tuple(differences)


def _same_number(original: str | None, trial: str | None) -> bool:
    # Decimal, not float: two seeds of 64 bits may be the same float.
    try:
        return Decimal(original or "") == Decimal(trial or "")
    except InvalidOperation:
        return False


def _excuse(name: str, original: str | None, trial: str | None, rules: Rules) -> str | None:
    """Why the parameter may differ honestly; None: it may not."""
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in rules.ignore):
        return "ignored by parameters.ignore"
    if original is None and trial is not None and trial == rules.seed:
        return FRESH_SEED
    if original is None or trial is None:
        return None
    excuses = (
        ("hidden in the bundle", is_hidden(rules.record, name)),
        ("cut by the tracker's store", _is_cut(name, original, trial, rules.record)),
        ("an object's address", _ADDRESS.sub("", original) == _ADDRESS.sub("", trial)),
        (FRESH_SEED, _is_fresh_seed(name, original, trial, rules)),
        ("a path inside the trial's workspace", _is_own_path(original, trial, rules.folder)),
        ("the trial's own copy of an input", _is_moved(original, trial, rules)),
        ("a time", _is_time(name, original, trial)),
        ("a host, device or worker count", is_device(name)),
    )
    return next((excuse for excuse, applies in excuses if applies), None)


def _is_cut(name: str, original: str, trial: str, record: RunRecord) -> bool:
    return name in record.truncated and trial.startswith(original.removesuffix("..."))


def _is_fresh_seed(name: str, original: str, trial: str, rules: Rules) -> bool:
    """Whether it is the seed, under a name of its own or as a part: `net(random_state=42)`."""
    if rules.seed is None:
        return False
    recorded = recorded_seeds(rules.record)
    # Nothing else is by chance the given seed where the run has the recorded one.
    return name in recorded or any(
        trial.replace(rules.seed, value) == original for value in recorded.values()
    )


def _is_time(name: str, original: str, trial: str) -> bool:
    both = _TIME_VALUE.fullmatch(original) and _TIME_VALUE.fullmatch(trial)
    return bool(both) and bool(words_of(name) & _TIME_WORDS)


def _is_own_path(original: str, trial: str, folder: Path) -> bool:
    """Whether the values differ in nothing but where the trial's folder lies.

    Around the paths all must be equal, and a path into the tree must lead to the same file.
    """
    inside = "|".join(re.escape(str(root)) for root in {folder, folder.resolve()})
    # Of what a step hands on to the next, the store's address is another's: s3://, a bare path.
    parts = re.split(rf"((?:file://)?(?:{inside}){_PATH})", trial)
    wanted = "".join(
        _elsewhere(part, folder) if odd else re.escape(_timeless(part))
        for part, odd in zip(parts, itertools.cycle((False, True)), strict=False)
    )
    return len(parts) > 1 and re.fullmatch(wanted, _timeless(original)) is not None


def _is_moved(original: str, trial: str, rules: Rules) -> bool:
    """Whether the values differ in nothing but paths that the command was made to name."""
    for seen, inside in rules.paths.moved.items():
        for root in {rules.folder, rules.folder.resolve()}:
            trial = trial.replace(str(root / "tree" / inside), seen)
    return trial == original


def _elsewhere(path: str, folder: Path) -> str:
    """A pattern of what the trial's path may have been on another machine."""
    _, _, inner = path.partition(f"/{folder.name}/")
    place, _, tail = inner.partition("/")
    if place != "tree" or not tail:  # the tree itself, temporary files, the tracker's
        return _PATH
    return rf"{_PATH}/?{re.escape(_timeless(tail))}"


def _timeless(text: str) -> str:
    # Folders of outputs are often named by the time of the run, or by its id.
    return _RUN_IN_PATH.sub("*", text)


def _excuse_missing(
    name: str, trial: str | None, run: LoggedRun, rules: Rules, *, known: bool
) -> str | None:
    """The same for a parameter of one side only; `known`: others show that it is the same run."""
    if trial is None and name in rules.given:
        return "passed on the command line by the MLproject's entry point"
    tags = rules.record.tags if trial is None else run.tags
    if "mlflow.autologging" in tags and known:
        return "logged by autologging on one side only"
    return None
