"""Seeds: which one the record knows, and those that reruns get under `seeds: fresh`."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping

from reprocheck.model import Argv, Command, RunRecord

NAMES = ("seed", "random_seed", "random_state")
"""Parameters that are taken for a seed without being recorded as one."""
LARGEST = 2**31 - 1  # every library takes it: some want a signed number of 32 bits


def recorded_seeds(record: RunRecord) -> Mapping[str, str]:
    """The seeds that the run's command was given, by parameter.

    A child run is made by its parent's command: the parent's seed wins over the child's own.
    """
    above = record.lineage.parent_parameters or {}
    own = record.parameters
    values = set(record.seeds.values())
    return {
        **{name: own[name] for name in NAMES if own.get(name) in values},
        **record.seeds,
        **{name: above[name] for name in {*NAMES, *record.seeds} if _is_seed(above.get(name))},
    }


def _is_seed(value: str | None) -> bool:
    return value is not None and not is_no_seed(value)


def is_no_seed(value: str) -> bool:
    """Whether a recorded value says that there was no seed."""
    return value.strip().lower() in ("", "none", "null")


def is_unseeded(record: RunRecord) -> bool:
    """Whether the record says that the run had no seed; False where it does not say anything."""
    seeds = recorded_seeds(record)
    return bool(seeds) and all(map(is_no_seed, seeds.values()))


def recorded_seed(record: RunRecord) -> str | None:
    """The one seed of the run; None where it is not known, or not which of several it is."""
    seeds = recorded_seeds(record)
    if "seed" in seeds:
        return seeds["seed"]
    values = set(seeds.values())
    return values.pop() if len(values) == 1 else None


def fresh_seeds(record: RunRecord) -> Iterator[str]:
    """The seeds of the trials in order, without end: all different, none of them recorded.

    Each is made of the first 31 bits of the SHA-256 of "RUN_ID:NUMBER", NUMBER counting from 1;
    so a repeated verification gives its trials the same ones. 0 <= seed < 2**31.
    """
    taken = {*recorded_seeds(record).values(), *record.seeds.values()}
    for number in itertools.count(1):
        digest = hashlib.sha256(f"{record.ref.run_id}:{number}".encode()).digest()
        seed = str(int.from_bytes(digest[:4], "big") & LARGEST)
        if seed not in taken:
            taken.add(seed)
            yield seed


def reseeded(record: RunRecord, seed: str) -> RunRecord:
    """The record as that of a run with another seed, to make its command from.

    Where the record knows no seed, every usual name stands for it.
    """
    recorded = recorded_seeds(record)
    given = dict.fromkeys(recorded or NAMES, seed)
    above = record.lineage.parent_parameters
    lineage = dataclasses.replace(
        record.lineage, parent_parameters=None if above is None else {**above, **given}
    )
    return dataclasses.replace(
        record,
        command=record.command and _reseeded_command(record.command, recorded, seed),
        parameters={**record.parameters, **given},
        seeds=given,
        lineage=lineage,
    )


def _reseeded_command(command: Command, recorded: Mapping[str, str], seed: str) -> Command:
    steps = tuple(
        dataclasses.replace(step, run=Argv(args=_reseeded_args(step.run.args, recorded, seed)))
        if isinstance(step.run, Argv)
        else step
        for step in command.steps
    )
    return Command(steps=steps, env=command.env)


def _reseeded_args(
    args: tuple[str, ...], recorded: Mapping[str, str], seed: str
) -> tuple[str, ...]:
    """The arguments with the seed's replaced: --seed 42, --seed=42, seed=42, training.seed=42."""
    known = {_name(name): value for name, value in recorded.items()}
    replaced = list(args)
    for index, word in enumerate(args):
        option, equals, value = word.partition("=")
        before = args[index - 1] if index else ""
        if equals and known.get(_name(option)) == value:
            replaced[index] = f"{option}={seed}"
        elif before.startswith("-") and known.get(_name(before)) == word:
            replaced[index] = seed
    return tuple(replaced)


def _name(option: str) -> str:
    """What an option calls its value: `--train.random-seed` and `random_seed` are the same."""
    return re.split(r"[./]", option.lstrip("-+"))[-1].replace("-", "_").lower()
