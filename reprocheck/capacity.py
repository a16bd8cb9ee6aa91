"""Whether this machine has room for the trials: memory, disk and GPUs, told before the build.

What a run used is measured on its whole machine, and what an environment takes is a guess: where
these do not fit it is a warning, and the verification goes on. Only GPUs that the config asks for
and that are not there are certain to fail.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck.environments import docker_engine
from reprocheck.errors import RebuildError
from reprocheck.machine import Machine
from reprocheck.model import EnvironmentKind, EnvironmentSpec, Finding, Limits, RunRecord, Severity
from reprocheck.numbers import counted, format_bytes
from reprocheck.recorded_hardware import asked_of
from reprocheck.resources import Resources, resources_of

_SMALL_ENVIRONMENT = 300e6
_LARGE = {  # what packages take with all that they bring along, roughly
    r"torch|pytorch": 6e9,
    r"tensorflow(-gpu)?|tensorflow\[and-cuda\]": 4e9,
    r"jax\[cuda\S*\]|jaxlib": 3e9,
    r"paddlepaddle-gpu|mxnet|cupy\S*": 2e9,
}
_ONLY_CPU = re.compile(r"\+cpu|whl/cpu|cpuonly|-cpu\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where a verification writes."""

    work: Path  # trials, data, what they log
    environments: Path  # virtual environments, or the engine's images


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """What is to be run."""

    record: RunRecord
    limits: Limits
    reruns: int
    environment: EnvironmentSpec | None = None  # None: not chosen yet

    @property
    def limited(self) -> bool:
        """Whether the limits may be kept, as they are in containers."""
        return self.environment is None or self.environment.kind is EnvironmentKind.DOCKER


def shortages(demand: Demand, machine: Machine, places: Places) -> tuple[Finding, ...]:
    """A warning for each thing of which the run seems to have used more than there is."""
    used = resources_of(demand.record)
    return (
        *_memory(used, demand, machine),
        *_gpus(used, demand, machine),
        *_disk(used, demand, places),
    )


def places_of(
    spec: EnvironmentSpec | None, work: Path, cache: Path, env: Mapping[str, str]
) -> Places:
    """Where a verification writes; images are kept by the engine."""
    is_image = spec is not None and spec.kind is EnvironmentKind.DOCKER
    images = docker_engine.storage(env) if is_image else None
    return Places(work=work, environments=images or cache)


def check_gpus(limits: Limits, kind: EnvironmentKind, machine: Machine) -> None:
    """Refuses GPUs that the config asks for and that are not there.

    Raises `RebuildError`. Outside of containers nothing is handed out, so nothing is refused.
    """
    count = machine.hardware.gpu_count
    if kind is EnvironmentKind.DOCKER and count is not None and limits.gpus > count:
        raise RebuildError(
            f"limits.gpus in reprocheck.yaml asks for {counted(limits.gpus, 'GPU')}, and this "
            f"machine has {count or 'none'}",
            "verify on a machine that has them (nvidia-smi must list them), or lower limits.gpus",
        )


# --- memory -------------------------------------------------------------------------------


def _memory(used: Resources, demand: Demand, machine: Machine) -> Iterator[Finding]:
    total, free = machine.hardware.memory_bytes, machine.memory_available
    limit = demand.limits.memory if demand.limited else None
    least = min((size for size in (total, free, limit) if size is not None), default=None)
    if used.memory is None or least is None or used.memory <= least:
        return
    has = [f"{format_bytes(total)} in all"] if total is not None else []
    has += [f"{format_bytes(free)} free"] if free is not None else []
    may = f", of which a trial may use {limit / 2**30:.3g} GiB (limits.memory)" if limit else ""
    yield _short(
        "little-memory",
        f"the run's machine used up to {format_bytes(used.memory)} of memory; this one has "
        f"{' and '.join(has) or 'not told how much'}{may}",
        "raise limits.memory in reprocheck.yaml"
        if limit == least
        else "verify on a larger machine, or end what else runs here",
    )


# --- GPUs ---------------------------------------------------------------------------------


def _gpus(used: Resources, demand: Demand, machine: Machine) -> Iterator[Finding]:
    # A warning: MLflow counts the machine's GPUs, whoever used them, and many trainings take the
    # processor where there is none. One that cannot ends its first trial at once.
    here = machine.hardware.gpu_count
    wanted, told = _gpus_of(used, demand.record)
    if here is not None and wanted > here:
        yield _short(
            "few-gpus",
            f"the run's machine had {told}; this one has {here or 'none'}",
            "verify on a machine with as many; if the training can do with less, nothing",
        )
    elif wanted > demand.limits.gpus and demand.limited and demand.environment is not None:
        yield _short(
            "few-gpus",
            f"the run's machine had {told}; a trial in a container gets "
            f"{demand.limits.gpus or 'none'}",
            f"write  limits: {{gpus: {wanted}}}  into reprocheck.yaml",
        )
    memory = machine.hardware.gpu_memory_bytes
    if wanted and memory is not None and used.gpu_memory is not None and used.gpu_memory > memory:
        yield _short(
            "little-gpu-memory",
            f"the run used up to {format_bytes(used.gpu_memory)} of one GPU's memory; here one has "
            f"{format_bytes(memory)}",
            "verify on a machine with larger GPUs",
        )


def _gpus_of(used: Resources, record: RunRecord) -> tuple[int, str]:
    """How many the run had on one machine, also in words: busy ones, where that was measured."""
    if used.gpus_busy is not None:
        count = -(-used.gpus_busy // used.machines)
        return count, counted(count, "busy GPU")
    count = asked_of(record)[0].gpu_count or 0
    return count, counted(count, "GPU")


# --- disk ---------------------------------------------------------------------------------


def _disk(used: Resources, demand: Demand, places: Places) -> Iterator[Finding]:
    """Places on one file system share what is free there."""
    needs = [
        (places.work, _work(used, demand.reruns), "data, outputs and artifacts of the reruns"),
        (places.environments, environment_size(demand.environment), "the environment, roughly"),
    ]
    by_device: dict[int, list[tuple[Path, float, str]]] = {}
    for place, size, what in needs:
        folder = _existing(place)
        if size and folder is not None:
            by_device.setdefault(folder.stat().st_dev, []).append((folder, size, what))
    for wanted in by_device.values():
        free = shutil.disk_usage(wanted[0][0]).free
        if sum(size for _, size, _ in wanted) > free:
            told = " and ".join(f"{format_bytes(size)} for {what}" for _, size, what in wanted)
            yield _short(
                "little-disk",
                f"{format_bytes(free)} are free at {wanted[0][0]}; expected are {told}",
                "free some space, or give another place: TMPDIR for the reruns, XDG_CACHE_HOME "
                "for the environments; nothing where the environment is built already",
            )


def _work(used: Resources, reruns: int) -> float:
    """Data restored and copied into a trial's tree; of a trial what is left once it ended."""
    artifacts = used.artifacts or 0
    grown = max(used.disk or 0.0, float(artifacts))
    return 2 * (used.data or 0) + grown + artifacts * max(0, reruns - 1)


def environment_size(spec: EnvironmentSpec | None) -> float:
    """What an environment takes, by the names of the large packages in its file."""
    if spec is None or spec.kind is EnvironmentKind.SCRIPT:
        return 0.0
    text = spec.content.decode(errors="replace").casefold()
    if _ONLY_CPU.search(text):
        return _SMALL_ENVIRONMENT
    names = "|".join(f"(?P<_{i}>{pattern})" for i, pattern in enumerate(_LARGE))
    found = {match.lastgroup for match in re.finditer(rf"(?<![\w.-])(?:{names})(?![\w.-])", text)}
    sizes = list(_LARGE.values())
    return _SMALL_ENVIRONMENT + sum(sizes[int(name[1:])] for name in found if name)


def _existing(place: Path) -> Path | None:
    """The folder, or the nearest above it that is there."""
    return next((each for each in (place, *place.parents) if each.is_dir()), None)


def _short(code: str, message: str, hint: str) -> Finding:
    return Finding(
        code=code, severity=Severity.WARNING, message=message, hint=hint, pointer="/metrics"
    )
