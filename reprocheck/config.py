"""reprocheck.yaml and the options that override it: parsed once, then trusted."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reprocheck import schema, yaml_files
from reprocheck.command_templates import StepTemplate, commands
from reprocheck.data_rules import DataRule, data_rules
from reprocheck.durations import parse_duration
from reprocheck.errors import ConfigError, UsageError
from reprocheck.metric_rules import metric_rule
from reprocheck.model import (
    BundlePolicy,
    DeclaredMargin,
    FailOn,
    Limits,
    MetricRule,
    PredictionsRule,
    ProductRule,
    RecordRules,
    ReportDetail,
    Require,
    Requirement,
    RerunPlan,
    SeedPolicy,
    Sigma,
)
from reprocheck.yaml_files import LocatedYaml, escape

FILE_NAME = "reprocheck.yaml"
MOST_LOOKS = 20
"""Reruns up to which the levels of several looks are known."""

LATER = ("reruns.parallel",)
"""Keys that the design names and this version does not act on: refused, never ignored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedRun:
    """A run as the user named it, and where: "--baseline", or file and line."""

    run: str
    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """The team's settings, with every default filled in."""

    path: Path | None = None
    tracking_uri: str | None = None
    artifact_roots: Mapping[str, str] = field(default_factory=dict)
    experiment: str | None = None  # that `audit` looks at
    command: tuple[StepTemplate, ...] = ()
    ignore_parameters: tuple[str, ...] = ()
    environment_kind: str = "auto"
    environment_file: str | None = None
    environment_python: str | None = None
    environment_run: tuple[StepTemplate, ...] = ()  # the setup, of kind script
    download_python: bool = False
    conda_channels: Mapping[str, str] = field(default_factory=dict)  # addresses by name
    environment_args: Mapping[str, str] = field(default_factory=dict)  # of a Dockerfile
    environment_network: bool = True  # while it is built
    environment_timeout_s: float = 3600.0  # of building an image
    limits: Limits = field(default_factory=Limits)
    data: tuple[DataRule, ...] = ()
    metrics: Mapping[str, MetricRule] = field(default_factory=dict)
    reruns: RerunPlan = field(default_factory=RerunPlan)
    seed_env: str | None = None  # a variable that carries the seed to the training
    baselines: tuple[NamedRun, ...] = ()  # runs whose values are pooled with the original's
    predictions: PredictionsRule | None = None
    products: tuple[ProductRule, ...] = ()
    budget_s: float | None = None
    timeout_s: float | None = None  # None: from the original's duration
    pass_env: tuple[str, ...] = ()
    record: RecordRules = field(default_factory=RecordRules)
    require: Require = Require.CONSISTENT
    fail_on: tuple[FailOn, ...] | None = None  # None: the action's input
    detail: ReportDetail = ReportDetail.FULL
    bundle: BundlePolicy = BundlePolicy.PRIVATE

    @property
    def name(self) -> str:
        """The file's name for messages."""
        return self.path.name if self.path else FILE_NAME


@dataclass(frozen=True, kw_only=True, slots=True)
class Overrides:
    """What the command line says; None and () leave the config as it is."""

    margins: tuple[tuple[str, DeclaredMargin], ...] = ()
    sigmas: tuple[tuple[str, Sigma], ...] = ()
    reruns: tuple[int, int] | None = None  # least and most
    alpha: float | None = None
    seeds: SeedPolicy | None = None
    baselines: tuple[str, ...] = ()
    require: Require | None = None
    environment_kind: str | None = None
    timeout_s: float | None = None
    budget_s: float | None = None


def load(path: Path) -> Config:
    """Reads a config file.

    Raises `ConfigError` that names the file, the line and the nearest right key.
    """
    located = yaml_files.load(path)
    document = located.document
    _refuse_later_keys(located)
    issues = schema.check(document, "config")
    if issues:
        first = issues[0]
        more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
        raise ConfigError(f"{located.place(first.pointer)}: {first.message}{more}", first.hint)
    if not isinstance(document, dict):  # the schema has refused it; this is for the types
        raise ConfigError(f"{path}: not a mapping")
    return _config(document, located)


def override(config: Config, overrides: Overrides) -> Config:
    """The config with the command line's options on top."""
    reruns = config.reruns
    if overrides.reruns is not None:
        least, most = overrides.reruns
        reruns = dataclasses.replace(reruns, least=least, most=most)
    return dataclasses.replace(
        config,
        metrics=_overridden(config.metrics, overrides),
        reruns=dataclasses.replace(
            reruns,
            alpha=overrides.alpha or reruns.alpha,
            seeds=overrides.seeds or reruns.seeds,
        ),
        baselines=(
            *config.baselines,
            *(NamedRun(run=run, place="--baseline") for run in overrides.baselines),
        ),
        require=overrides.require or config.require,
        environment_kind=overrides.environment_kind or config.environment_kind,
        timeout_s=overrides.timeout_s or config.timeout_s,
        budget_s=overrides.budget_s or config.budget_s,
    )


def _overridden(rules: Mapping[str, MetricRule], overrides: Overrides) -> Mapping[str, MetricRule]:
    metrics = dict(rules)
    for name, margin in overrides.margins:
        rule = metrics.get(name, MetricRule(metric=name))
        declared = rules[name].margin if name in rules else None
        metrics[name] = dataclasses.replace(rule, margin=margin, overridden=declared)
    for name, sigma in overrides.sigmas:
        rule = metrics.get(name, MetricRule(metric=name))
        metrics[name] = dataclasses.replace(rule, sigma=sigma)
    return metrics


def parse_reruns(text: str) -> tuple[int, int]:
    """Least and most reruns of N, which is both, or MIN..MAX.

    Raises `UsageError`.
    """
    match = re.fullmatch(r"([0-9]{1,3})(?:\.\.([0-9]{1,3}))?", text.strip())
    least, most = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= least <= most <= 100:
        raise UsageError(
            f"--reruns {text}: expected a number from 1 to 100, or MIN..MAX",
            "write for example --reruns 5 or --reruns 3..8",
        )
    if least < most and most > MOST_LOOKS:
        raise UsageError(
            f"--reruns {text}: after more than {MOST_LOOKS} reruns there is but one look",
            f"write --reruns {most} for one look at the end, or a range up to {MOST_LOOKS}",
        )
    return least, most


def _refuse_later_keys(located: LocatedYaml) -> None:
    for pattern in LATER:
        for pointer in _matches(located.document, pattern.split("."), ""):
            raise ConfigError(
                f"{located.place(pointer)}: not supported by this version of reprocheck",
                "remove the key; ignoring it could change the verdict",
            )


def _matches(node: object, pattern: list[str], pointer: str) -> Iterator[str]:
    if not pattern:
        yield pointer
        return
    if isinstance(node, dict):
        children = {str(key): value for key, value in node.items()}
    elif isinstance(node, list):
        children = {str(index): value for index, value in enumerate(node)}
    else:
        return
    for key, value in children.items():
        if pattern[0] in ("*", key):
            yield from _matches(value, pattern[1:], f"{pointer}/{escape(key)}")


def _config(document: Mapping[str, Any], located: LocatedYaml) -> Config:
    path = located.path
    tracker = document.get("tracker", {})
    environment = document.get("environment", {})
    timeout = document.get("limits", {}).get("timeout", "auto")
    reruns = document.get("reruns", {})
    return Config(
        path=path,
        tracking_uri=_relative_uri(tracker.get("uri"), path.parent),
        artifact_roots={
            old: _relative_uri(new, path.parent) or new
            for old, new in tracker.get("artifact_roots", {}).items()
        },
        experiment=tracker.get("experiment"),
        command=commands(document.get("command"), located.place("/command")),
        ignore_parameters=tuple(document.get("parameters", {}).get("ignore", ())),
        environment_kind=environment.get("kind", "auto"),
        environment_file=environment.get("file"),
        environment_python=environment.get("python"),
        environment_run=_setup(environment, located),
        download_python=environment.get("download_python", False),
        conda_channels=_channels(environment, path.parent),
        environment_args={name: str(value) for name, value in environment.get("args", {}).items()},
        environment_network=environment.get("network", "build") == "build",
        environment_timeout_s=_seconds(
            environment.get("timeout", "1h"), located.place("/environment/timeout")
        )
        or 3600.0,
        limits=_limits(document.get("limits", {})),
        data=data_rules(document.get("data", ()), located),
        metrics=_metrics(document, located),
        reruns=_rerun_plan(reruns, located.place("/reruns")),
        seed_env=reruns.get("seed_env"),
        baselines=_baselines(document, located),
        predictions=_predictions(document.get("predictions"), located),
        products=_products(document, located),
        budget_s=_seconds(reruns.get("budget"), located.place("/reruns/budget")),
        timeout_s=None
        if timeout == "auto"
        else _seconds(timeout, located.place("/limits/timeout")),
        pass_env=tuple(document.get("pass_env", ())),
        record=_record_rules(document.get("record", {}), located),
        require=Require(document.get("require", "consistent")),
        fail_on=_fail_on(document.get("fail_on")),
        detail=ReportDetail(document.get("report", {}).get("detail", "full")),
        bundle=BundlePolicy(document.get("bundle", "private")),
    )


def _fail_on(named: list[str] | None) -> tuple[FailOn, ...] | None:
    return None if named is None else tuple(map(FailOn, named))


def _record_rules(record: Mapping[str, Any], located: LocatedYaml) -> RecordRules:
    named = record.get("schema")
    return RecordRules(
        require=tuple(map(Requirement, record.get("require", ()))),
        artifacts=tuple(record.get("artifacts", ())),
        schema=located.path.parent / named if named else None,
        place=located.line("/record"),
    )


def _setup(environment: Mapping[str, Any], located: LocatedYaml) -> tuple[StepTemplate, ...]:
    steps = commands(environment.get("run"), located.place("/environment/run"))
    if bool(steps) != (environment.get("kind") == "script"):
        raise ConfigError(
            f"{located.place('/environment')}: 'run' and 'kind: script' go together",
            "write for example  environment: {kind: script, run: [make, setup]}",
        )
    return steps


def _limits(limits: Mapping[str, Any]) -> Limits:
    default = Limits()
    return Limits(
        memory=_size(limits, "memory"),
        cpus=limits.get("cpus"),
        gpus=limits.get("gpus", default.gpus),
        pids=limits.get("pids", default.pids),
        shm=_size(limits, "shm"),
        network=limits.get("network", "none") == "full",
        named=frozenset(limits) - {"timeout"},
    )


def _size(limits: Mapping[str, Any], name: str) -> int | None:
    return parse_size(limits[name], f"limits.{name}") if name in limits else None


def parse_size(text: str, place: str) -> int:
    """Bytes of a text such as 512MB or 8GiB; `place` is where it was written.

    Raises `UsageError`.
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?(?:([KMGT])(i?))?B?", text.strip())
    if match is None:
        raise UsageError(f"{place}: '{text}' is no size", "write for example 512MB or 8GiB")
    power = " KMGT".index(match[2] or " ")
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


def _relative_uri(uri: str | None, folder: Path) -> str | None:
    """A URI whose relative file path starts at the config file's folder."""
    if uri is None:
        return None
    if uri.startswith("sqlite:///") and not uri.startswith("sqlite:////"):
        return f"sqlite:///{(folder / uri.removeprefix('sqlite:///')).resolve()}"
    if "://" not in uri and not uri.startswith("databricks"):
        return str((folder / uri).resolve())
    return uri


def _channels(environment: Mapping[str, Any], folder: Path) -> Mapping[str, str]:
    """Addresses by name; one without a scheme is a folder, from the config file's own."""
    return {
        name: address if "://" in address else (folder / address).resolve().as_uri()
        for name, address in environment.get("channels", {}).items()
    }


def _metrics(document: Mapping[str, Any], located: LocatedYaml) -> Mapping[str, MetricRule]:
    return {
        name: metric_rule(name, rule, located.path.name, located.line(f"/metrics/{escape(name)}"))
        for name, rule in document.get("metrics", {}).items()
    }


def _baselines(document: Mapping[str, Any], located: LocatedYaml) -> tuple[NamedRun, ...]:
    return tuple(
        NamedRun(run=run, place=located.line(f"/baselines/{i}"))
        for i, run in enumerate(document.get("baselines", ()))
    )


def _products(document: Mapping[str, Any], located: LocatedYaml) -> tuple[ProductRule, ...]:
    return tuple(
        ProductRule(
            pattern=pattern,
            gate=rule.get("gate", False),
            place=located.line(f"/products/{escape(pattern)}"),
        )
        for pattern, rule in document.get("products", {}).items()
    )


def _predictions(entry: Mapping[str, str] | None, located: LocatedYaml) -> PredictionsRule | None:
    return None if entry is None else PredictionsRule(**entry, place=located.line("/predictions"))


def _rerun_plan(reruns: Mapping[str, Any], place: str) -> RerunPlan:
    default = RerunPlan()
    most = reruns.get("max", max(default.most, reruns.get("min", 0)))
    least = reruns.get("min", min(default.least, most))
    if least > most:
        raise ConfigError(f"{place}: min {least} is above max {most}", "swap them")
    if least < most and most > MOST_LOOKS:
        raise ConfigError(
            f"{place}: after more than {MOST_LOOKS} reruns there is but one look",
            f"set min to {most} too, or max to {MOST_LOOKS} at most",
        )
    return RerunPlan(
        least=least,
        most=most,
        alpha=reruns.get("alpha", default.alpha),
        seeds=SeedPolicy(reruns.get("seeds", default.seeds)),
    )


def _seconds(value: float | str | None, place: str) -> float | None:
    if value is None:
        return None
    return parse_duration(value, place) if isinstance(value, str) else float(value)
