"""What this machine has."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprocheck import hardware, process
from reprocheck.model import Hardware

PROBE = Path(__file__).with_name("hardware_probe.py")
_TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """The machine that reprocheck runs on, as a process of ours sees it."""

    hardware: Hardware
    memory_available: int | None  # bytes that are free now
    identity: str  # changes with the hardware and its drivers


def read_machine(env: Mapping[str, str], folder: Path) -> Machine:
    """The machine; what cannot be found out is not known. `env` is the caller's."""
    facts = _facts(env, folder)
    available = facts.pop("memory_available_bytes", None)
    return Machine(
        hardware=hardware.from_facts({**facts, "pools": None}),
        memory_available=available,
        identity=json.dumps(facts, sort_keys=True),
    )


def _facts(env: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """The probe's. In a process of its own, for the vendors' tools that it asks may hang."""
    passed = {name: env[name] for name in ("PATH", "CUDA_VISIBLE_DEVICES") if name in env}
    call = process.Call(
        argv=(sys.executable, "-I", "-S", str(PROBE), "-"),
        cwd=folder,
        env=passed,
        timeout_s=_TIMEOUT_S,
    )
    done = process.run(call)
    try:
        facts = json.loads(done.stdout)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}
