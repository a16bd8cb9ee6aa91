"""How each trial is started: its seed, and the command that carries it."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reprocheck import command
from reprocheck.command import CommandFound
from reprocheck.config import Config
from reprocheck.errors import ConfigError, UsageError
from reprocheck.model import Command, OriginKind, RunRecord, SeedPolicy
from reprocheck.seeds import fresh_seeds, recorded_seed, reseeded
from reprocheck.steps import begin_at

_OF_THE_USER = (OriginKind.TAG, OriginKind.CONFIG)


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """What one trial runs."""

    seed: str | None  # None: not known, whatever the command does
    command: Command


@dataclass(frozen=True, kw_only=True, slots=True)
class Starts:
    """The command as it was found, filled for the first trial, and all trials'."""

    found: CommandFound
    trials: tuple[Start, ...]

    @property
    def seeds(self) -> tuple[str | None, ...]:
        """The seed of each trial."""
        return tuple(start.seed for start in self.trials)


def find_starts(
    record: RunRecord, config: Config, tree: Path, most: int, step: str | None = None
) -> Starts:
    """The starts of `most` trials, in a tree at the run's commit; `step` is where each starts.

    Raises `SourceError` where no command is found, `UsageError` where it has no such step, and
    `ConfigError` where none of those found can pass a fresh seed.
    """
    if config.reruns.seeds is SeedPolicy.SAME:
        found = begin_at(command.complete(record, config, tree), step)
        start = _start(found.command, recorded_seed(record), config)
        found = dataclasses.replace(found, command=start.command)
        return Starts(found=found, trials=(start,) * most)
    seeds = list(itertools.islice(fresh_seeds(record), max(most, 2)))
    way = _carrier(record, config, tree, seeds, step)
    founds = [begin_at(_found(way, reseeded(record, seed), config, tree), step) for seed in seeds]
    starts = [
        _start(found.command, seed, config) for found, seed in zip(founds, seeds, strict=True)
    ]
    return Starts(
        found=dataclasses.replace(founds[0], command=starts[0].command), trials=tuple(starts[:most])
    )


def _start(found: Command, seed: str | None, config: Config) -> Start:
    variable = {config.seed_env: seed} if config.seed_env and seed is not None else {}
    return Start(seed=seed, command=Command(steps=found.steps, env={**found.env, **variable}))


def _found(way: int, record: RunRecord, config: Config, tree: Path) -> CommandFound:
    found = next(itertools.islice(command.ways(record, config, tree), way, None))
    if found is None:
        raise AssertionError("another seed has changed which commands there are")
    return found


def _begun(found: CommandFound | None, step: str | None) -> CommandFound | None:
    """The command from a step on; None where it has none of that name."""
    try:
        return found and begin_at(found, step)
    except UsageError:
        return None


def _carrier(
    record: RunRecord, config: Config, tree: Path, seeds: Sequence[str], step: str | None
) -> int:
    """The way to find a command by which a fresh seed reaches the training.

    It is the first whose command changes with the seed. With a variable that carries the seed any
    command does; then one that changes is better only where the record or the config has it.
    """
    one, other = (
        [_begun(each, step) for each in command.ways(reseeded(record, seed), config, tree)]
        for seed in seeds[:2]
    )
    found = {way: each for way, each in enumerate(one) if each is not None}
    changing = [way for way, each in found.items() if each != other[way]]
    if config.seed_env:
        sure = [way for way in changing if found[way].origin.kind in _OF_THE_USER]
        changing = [*sure, *found]
    if changing:
        return changing[0]
    nearest = command.complete(reseeded(record, seeds[0]), config, tree)  # raises without any
    begin_at(nearest, step)
    raise ConfigError(
        f"seeds: fresh, but nothing in the command ({nearest.origin.where}) takes a seed",
        f"put {{seed}} into the command of {config.name}, for example\n"
        '  command: "python train.py --lr {params.lr} --seed {seed}"\n'
        "or name a variable from which the training takes it: reruns: {seed_env: SEED}",
    )
