"""What a run's record tells of the hardware that it ran on, and where."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from reprocheck import hardware
from reprocheck.model import (
    Command,
    Hardware,
    Origin,
    OriginKind,
    RunRecord,
    Setting,
    ShellLine,
    Step,
)
from reprocheck.resources import resources_of

_TAG = re.compile(r"(?:reprocheck\.)?hardware[./](\w+)", re.IGNORECASE)
_PARAMETERS = {
    **dict.fromkeys(("world_size", "num_processes"), "world_size"),
    **dict.fromkeys(("num_gpus", "n_gpus", "n_gpu", "ngpus", "gpu_count", "gpus"), "gpu_count"),
}
_ENV = ("WORLD_SIZE", "SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
_POOLS = {  # a later one counts before an earlier one
    "OMP_NUM_THREADS": ("blas", "openmp", "torch"),
    "MKL_NUM_THREADS": ("blas",),
    "OPENBLAS_NUM_THREADS": ("blas",),
}
# Options that say how many processes a launcher starts, and on how many machines.
_LAUNCHERS = {
    "torchrun": (("nproc_per_node",), ("nnodes",)),
    "torch.distributed.run": (("nproc_per_node",), ("nnodes",)),
    "torch.distributed.launch": (("nproc_per_node",), ("nnodes",)),
    "accelerate": (("num_processes",), ()),
    "deepspeed": (("num_gpus",), ("num_nodes",)),
    "mpirun": (("np", "n"), ()),
    "mpiexec": (("np", "n"), ()),
    "horovodrun": (("np", "num_proc"), ()),
    "srun": (("ntasks", "n"), ()),
}


def asked_of(
    record: RunRecord, settings: tuple[Setting, ...] = ()
) -> tuple[Hardware, Mapping[str, Origin]]:
    """What the record tells, and for each field where; what is nearest to the machine counts.

    That is the record's own hardware, tags named hardware.NAME, recorded variables and the
    launcher's options, parameters, and what MLflow's system metrics measured.
    """
    found: dict[str, object] = {}
    origins: dict[str, Origin] = {}
    for part, origin in _parts(record, settings):
        for name in hardware.NAMES:
            value = getattr(part, name)
            if value is not None and name not in found:
                found[name], origins[name] = value, origin
    if "gpus" in found:  # a list says how many: nothing else may contradict it
        models = found["gpus"]
        found["gpu_count"] = len(models) if isinstance(models, tuple) else None
        origins["gpu_count"] = origins["gpus"]
    return dataclasses.replace(Hardware(), **found), origins  # type: ignore[arg-type]


def _parts(record: RunRecord, settings: tuple[Setting, ...]) -> Iterator[tuple[Hardware, Origin]]:
    own = record.origins.get("/hardware", Origin(kind=OriginKind.TRACKER, where="hardware"))
    yield hardware.parse(record.hardware), own
    for tag, text in record.tags.items():
        if match := _TAG.fullmatch(tag):
            yield hardware.parse({match[1]: text}), Origin(kind=OriginKind.TAG, where=tag)
    yield from _started(record)
    yield from _threads(settings)
    for name, text in record.parameters.items():
        known = _PARAMETERS.get(re.split(r"[./]", name)[-1].strip("_").casefold())
        if known and text.strip().isdigit() and name not in record.truncated:
            origin = Origin(kind=OriginKind.TRACKER, where=f"parameter {name}")
            yield hardware.parse({known: text}), origin
    yield _measured(record), Origin(kind=OriginKind.TRACKER, where="system metrics")


def _started(record: RunRecord) -> Iterator[tuple[Hardware, Origin]]:
    if record.command is not None:
        origin = record.origins.get("/command", Origin(kind=OriginKind.TRACKER, where="command"))
        yield Hardware(world_size=world_size(record.command, {})), origin
    for tag, text in record.tags.items():
        name = re.sub(r"^(reprocheck\.)?env[./]", "", tag)
        if name in _ENV and name != tag and text.isdigit():
            yield Hardware(world_size=int(text)), Origin(kind=OriginKind.TAG, where=tag)


def _threads(settings: tuple[Setting, ...]) -> Iterator[tuple[Hardware, Origin]]:
    named = {each.name: each for each in settings if each.value.isdigit()}
    found = [named[name] for name in _POOLS if name in named]
    threads = {pool: int(each.value) for each in found for pool in _POOLS[each.name]}
    if found:
        yield Hardware(threads=threads), found[0].origin


def _measured(record: RunRecord) -> Hardware:
    """By MLflow, of all GPUs of the machine: those that computed nothing may be another's."""
    used = resources_of(record)
    return Hardware(gpu_count=used.gpus if used.gpus_busy else None)


# --- how many processes -------------------------------------------------------------------


def world_size(command: Command, env: Mapping[str, str]) -> int | None:
    """How many processes train together, by a launcher's options or the variables of one."""
    for step in command.steps:
        if (count := _launched(_words(step))) is not None:
            return count
    named = {**command.env, **env}
    return next((int(named[name]) for name in _ENV if named.get(name, "").isdigit()), None)


def _words(step: Step) -> tuple[str, ...]:
    if isinstance(step.run, ShellLine):
        try:
            return tuple(shlex.split(step.run.line))
        except ValueError:
            return ()
    return step.run.args


def _launched(words: tuple[str, ...]) -> int | None:
    for place, word in enumerate(words):
        if word.endswith(".py"):
            return None  # what follows are the training's own options
        if known := _LAUNCHERS.get(PurePosixPath(word).name):
            each, machines = known
            count = _option(words[place + 1 :], each)
            return None if count is None else count * (_option(words, machines) or 1)
    return None


def _option(words: tuple[str, ...], names: tuple[str, ...]) -> int | None:
    for word, after in zip(words, (*words[1:], ""), strict=True):
        if word.endswith(".py"):
            return None
        name, equals, value = word.partition("=")
        if name.startswith("-") and name.lstrip("-").replace("-", "_") in names:
            text = value if equals else after
            return int(text) if text.isdigit() else None
    return None
