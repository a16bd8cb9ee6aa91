"""What the trials compute on: asked inside the built environment, by a small script."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reprocheck import hardware
from reprocheck.environments import cache
from reprocheck.environments.base import Sandbox, TrialRun
from reprocheck.errors import ReprocheckError
from reprocheck.hardware_probe import BESIDE
from reprocheck.machine import PROBE, Machine
from reprocheck.model import (
    Argv,
    BuiltEnvironment,
    Command,
    Hardware,
    HardwareSides,
    Limits,
    RunRecord,
    Setting,
    Step,
)
from reprocheck.recorded_hardware import asked_of, world_size

_TIMEOUT_S = 90.0  # a first import of PyTorch reads gigabytes
# What loads the libraries that compute: packages, and the module that makes them do so.
_ALWAYS = {"numpy": "numpy", "scipy": "scipy.linalg"}
_IF_IMPORTED = {
    "scikit-learn": "sklearn",
    "torch": "torch",
    "pytorch": "torch",
    "xgboost": "xgboost",
    "xgboost-cpu": "xgboost",
    "lightgbm": "lightgbm",
}
_ON_TORCH = frozenset(
    {
        *("transformers", "diffusers", "accelerate", "peft", "pytorch-lightning", "lightning"),
        *("fastai", "torchvision", "torchaudio", "stable-baselines3"),
    }
)
# Of the caller's variables, those that a trial gets and that change what it sees.
_SEEN = re.compile(r"LD_LIBRARY_PATH$|CUDA_VISIBLE_DEVICES$|NVIDIA_VISIBLE_DEVICES$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Probing:
    """What is asked, and under which circumstances."""

    command: Command  # of the trials
    env: Mapping[str, str]  # of the trials
    caller: Mapping[str, str]
    frameworks: tuple[str, ...]  # installed packages that the code imports
    limits: Limits
    machine: Machine
    folder: Path  # is made, and may be removed afterwards
    kept: Path  # answers, by all that they depend on


def landed_of(sandbox: Sandbox, probing: Probing) -> Hardware:
    """What the trials compute on; what the environment does not tell is not known.

    Importing what computes may take seconds, so a whole answer is kept.
    """
    modules = modules_of(sandbox.built, probing.frameworks)
    kept = probing.kept / f"{_digest(sandbox.built, probing, modules)}.json"
    facts = _read(kept)
    if facts is None:
        facts = _ask(sandbox, probing, modules)
        if facts.get("complete"):
            with contextlib.suppress(OSError):  # it is asked again next time
                cache.write_whole(kept, json.dumps(facts))
    found = hardware.from_facts(facts)
    return replace(
        _completed(found, probing.machine.hardware),
        world_size=world_size(probing.command, probing.env),
    )


def sides_of(record: RunRecord, settings: tuple[Setting, ...], landed: Hardware) -> HardwareSides:
    """What the record tells of the run's hardware, beside what the trials compute on."""
    asked, origins = asked_of(record, settings)
    return hardware.beside(asked, origins, landed)


def modules_of(built: BuiltEnvironment, frameworks: Iterable[str]) -> tuple[str, ...]:
    """What to import: installed, and what the code would import."""
    installed = {re.sub(r"[-_.]+", "-", item.name).lower() for item in built.packages}
    wanted = set(frameworks)
    if wanted & _ON_TORCH:
        wanted |= {"torch", "pytorch"}
    names = {**_ALWAYS, **{name: _IF_IMPORTED[name] for name in _IF_IMPORTED if name in wanted}}
    return tuple(dict.fromkeys(names[name] for name in names if name in installed))


def _completed(found: Hardware, machine: Hardware) -> Hardware:
    """Also without an answer: an environment has the processor of the machine that it is on."""
    return replace(
        found,
        cpu_model=found.cpu_model or machine.cpu_model,
        isa=found.isa or machine.isa,
        platform=found.platform or machine.platform,
    )


def _digest(built: BuiltEnvironment, probing: Probing, modules: tuple[str, ...]) -> str:
    seen = {name: text for name, text in probing.caller.items() if _SEEN.match(name)}
    told = {**probing.command.env, **probing.env}
    return cache.digest(
        PROBE.read_text(),
        built.kind.value,
        built.digest,
        probing.machine.identity,
        json.dumps([seen, told], sort_keys=True),
        repr(probing.limits),
        *modules,
    )


def _read(kept: Path) -> Mapping[str, Any] | None:
    try:
        facts = json.loads(kept.read_bytes())
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def _ask(sandbox: Sandbox, probing: Probing, modules: tuple[str, ...]) -> Mapping[str, Any]:
    """The script's answer, as far as it came; empty where it did not even start."""
    tree, home = probing.folder / "tree", probing.folder / "home"
    for folder in (tree / BESIDE, home / "tmp"):
        folder.mkdir(parents=True)
    shutil.copy(PROBE, tree)
    if own := importlib.util.find_spec("threadpoolctl"):
        shutil.copy(str(own.origin), tree / BESIDE)
    run = Argv(args=("python", PROBE.name, "facts.json", *modules))
    trial = TrialRun(
        command=Command(steps=(Step(run=run),), env=probing.command.env),
        tree=tree,
        home=home,
        env={**probing.env, "PYTHONDONTWRITEBYTECODE": "1"},
        timeout_s=_TIMEOUT_S,
        log=probing.folder / "log.txt",
    )
    try:
        sandbox.run(trial)
    except ReprocheckError:
        return {}  # no Python, an engine that ended: the trials will tell
    return _read(tree / "facts.json") or {}
