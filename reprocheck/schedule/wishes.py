"""Which runs the team holds worth verifying: what options, inputs and the config say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from reprocheck.config import Config
from reprocheck.durations import parse_duration
from reprocheck.errors import UsageError
from reprocheck.model import Direction

BEST = 5
LIMIT = 50
MOST = 256
"""Jobs of a matrix on GitHub."""

MAX_AGE = "6d"
"""Less than a week: a weekly schedule, which never starts on the minute, verifies each week."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelWish:
    """Versions of a registered model: of the alias, or of the stage, else the newest."""

    name: str
    alias: str = ""
    stage: str = ""

    @property
    def words(self) -> str:
        """As a reason."""
        if self.alias:
            return f"{self.alias} of {self.name}"
        return f"{self.name} in {self.stage}" if self.stage else f"newest version of {self.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class TagWish:
    """Runs with a tag, of that value or of any."""

    name: str
    value: str | None

    @property
    def words(self) -> str:
        """As a reason."""
        return f"tagged {self.name}" + ("" if self.value is None else f"={self.value}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """What to choose, and how much of it."""

    experiments: tuple[str, ...] = ()  # (): all that are not deleted
    metric: str = ""  # "": not by a metric
    best: int = BEST  # of each experiment
    direction: Direction = Direction.UNKNOWN  # UNKNOWN: as definition, config or name tell
    models: tuple[ModelWish, ...] = ()
    tags: tuple[TagWish, ...] = ()
    limit: int = LIMIT
    max_age_s: float = field(default_factory=lambda: parse_duration(MAX_AGE, "max-age"))


@dataclass(frozen=True, kw_only=True, slots=True)
class TopRequest:
    """What to choose from, and by what."""

    tracking_uri: str
    config: Config
    wishes: Wishes
    reports: Path  # the store of earlier reports


def parse_model(text: str) -> ModelWish:
    """A wish such as digits, digits@champion or digits/Production. Raises `UsageError`."""
    name, slash, stage = text.partition("/")  # no name of MLflow's has a slash
    alias = ""
    if not slash:
        name, at, alias = text.rpartition("@") if "@" in text else (text, "", "")
        slash = at
    if not name or (slash and not (stage or alias)):
        raise UsageError(
            f"--model: {text!r} names no model", "write NAME, NAME@ALIAS or NAME/STAGE"
        )
    return ModelWish(name=name, alias=alias, stage=stage)


def parse_tag(text: str) -> TagWish:
    """A wish such as release or release=candidate. Raises `UsageError`."""
    name, equals, value = text.partition("=")
    if not name:
        raise UsageError(f"--tag: {text!r} names no tag", "write NAME or NAME=VALUE")
    return TagWish(name=name, value=value if equals else None)


def check_limit(limit: int) -> int:
    """The limit. Raises `UsageError` for one that no matrix may have."""
    if not 1 <= limit <= MOST:
        raise UsageError(
            f"{limit} runs at most is no limit: a matrix of GitHub has from 1 to {MOST} jobs",
            f"name a number up to {MOST}; what is left out comes first the next time",
        )
    return limit


def settled(wishes: Wishes, config: Config) -> Wishes:
    """The wishes; where nothing is wished for, the best by the one metric that the config gates.

    Raises `UsageError` where that is none, or several.
    """
    if wishes.metric or wishes.models or wishes.tags:
        return wishes
    gated = [name for name, rule in config.metrics.items() if rule.gate]
    if len(gated) != 1:
        told = f"; {config.name} gates {', '.join(gated)}" if gated else ""
        raise UsageError(
            f"nothing says which runs are worth verifying again{told}",
            "name --metric METRIC, --model NAME@ALIAS or --tag NAME",
        )
    return Wishes(
        experiments=wishes.experiments,
        metric=gated[0],
        best=wishes.best,
        direction=wishes.direction,
        limit=wishes.limit,
        max_age_s=wishes.max_age_s,
    )
