"""The processor, the memory and the GPUs."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reprocheck.doctor.base import Check, Kind, Request, Status, absent, said, which
from reprocheck.environments import docker_engine
from reprocheck.environments.docker_failures import ImageError
from reprocheck.numbers import counted, format_bytes

_NVIDIA = ("--query-gpu=name,driver_version,memory.total", "--format=csv,noheader,nounits")
_AMD = ("--showproductname", "--showmeminfo", "vram", "--json")
# x86-64's levels, by what each adds to the one before.
_LEVELS = (
    ("x86-64-v2", {"cx16", "popcnt", "sse4_1", "sse4_2", "ssse3"}),
    ("x86-64-v3", {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}),
    ("x86-64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
)
_TOOLKIT = "nvidia-ctk runtime configure --runtime=docker && systemctl restart docker"


def check_cpu(request: Request) -> tuple[Check, ...]:
    """The processor's model, how many cores this process may use, and its instruction set."""
    del request
    info = _read("/proc/cpuinfo")
    model = re.search(r"^model name\s*:\s*(.+)$", info, re.MULTILINE)
    flags = re.search(r"^flags\s*:(.*)$", info, re.MULTILINE)
    name = " ".join(model[1].split()) if model else platform.processor() or "unknown model"
    level = _level(set(flags[1].split())) if flags else platform.machine()
    return (_check(Kind.CPU, "CPU", Status.OK, f"{name}, {counted(_cores(), 'core')}, {level}"),)


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _level(flags: set[str]) -> str:
    reached = "x86-64"
    for level, adds in _LEVELS:
        if not adds <= flags:
            break
        reached = level
    return reached


def check_memory(request: Request) -> tuple[Check, ...]:
    """How much there is, and whether the config's limit fits into it."""
    total, free = _memory()
    told = f"{format_bytes(total)}{f', {format_bytes(free)} available' if free else ''}"
    wanted = request.config.limits.memory
    if wanted and wanted > total:
        told += f"; limits.memory in {request.config.name} is {format_bytes(wanted)}"
        mend = "lower the limit, or verify on a larger machine"
        return (_check(Kind.MEMORY, "memory", Status.WARNING, told, mend),)
    return (_check(Kind.MEMORY, "memory", Status.OK, told),)


def _memory() -> tuple[int, int]:
    """Bytes in all and available, not more than the control group allows."""
    pairs = re.findall(r"^(\w+):\s+(\d+) kB$", _read("/proc/meminfo"), re.MULTILINE)
    sizes = {name: 1024 * int(size) for name, size in pairs}
    total = sizes.get("MemTotal") or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
    for text in map(_read, limits):
        total = min(total, int(text)) if text.strip().isdigit() else total
    return total, min(total, sizes.get("MemAvailable", 0))


def _read(name: str) -> str:
    try:
        return Path(name).read_text(errors="replace")
    except OSError:
        return ""


# --- GPUs ---------------------------------------------------------------------------------


def check_gpu(request: Request) -> tuple[Check, ...]:
    """The GPUs that the driver shows, and whether containers get them."""
    wanted = request.config.limits.gpus
    asked = f"; limits.gpus in {request.config.name} is {wanted}" if wanted else ""
    program = which("nvidia-smi", request.env)
    found = list(_nvidia(program, request.env)) if program else []
    if program and not found:
        told = f"{program} finds none, or its driver does not answer{asked}"
        status = Status.ERROR if wanted else Status.WARNING
        mend = "nvidia-smi  says why; a driver that was updated wants a restart"
        return (_check(Kind.GPU, "GPU", status, told, mend),)
    found += _amd(request.env)
    if len(found) < wanted:
        told = f"{'; '.join(found) or 'none found'}{asked}"
        mend = "install the GPU's driver, lower the limit, or verify on a machine with GPUs"
        return (_check(Kind.GPU, "GPU", absent(needed=True), told, mend),)
    gpu = _check(Kind.GPU, "GPU", Status.OK, "; ".join(found) or "none found")
    return (gpu, *_toolkit(request)) if program else (gpu,)


def _nvidia(program: str, env: Mapping[str, str]) -> Iterator[str]:
    done = said((program, *_NVIDIA), env)
    lines = done.stdout.decode(errors="replace").splitlines() if done else []
    for line in lines if done and done.exit_code == 0 else ():
        fields = [field.strip() for field in line.rsplit(",", 2)]
        if len(fields) == 3:
            name, driver, memory = fields
            size = f", {format_bytes(int(memory) * 2**20)}" if memory.isdigit() else ""
            yield f"{name}{size}, driver {driver}"


def _amd(env: Mapping[str, str]) -> list[str]:
    program = which("rocm-smi", env)
    done = said((program, *_AMD), env) if program else None
    try:
        cards: Mapping[str, Any] = json.loads(done.stdout) if done else {}
        return [_card(fields) for name, fields in sorted(cards.items()) if name.startswith("card")]
    except (ValueError, AttributeError):
        return []


def _card(fields: Mapping[str, Any]) -> str:
    named = {key.lower(): str(value) for key, value in fields.items()}
    model = named.get("card series") or named.get("card model") or "AMD GPU"
    memory = named.get("vram total memory (b)", "")
    return f"{model}{f', {format_bytes(int(memory))}' if memory.isdigit() else ''}"


def _toolkit(request: Request) -> Iterator[Check]:
    """Whether an engine here hands NVIDIA's GPUs to containers."""
    if not docker_engine.answers(request.env):
        return
    try:
        with docker_engine.connect(request.env) as engine:
            info = engine.client.info()
    except ImageError:  # the engine's own line says so
        return
    if engine.podman or "nvidia" in info.get("Runtimes", {}) or info.get("DiscoveredDevices"):
        yield _check(Kind.GPU, "GPU in containers", Status.OK, "the engine hands them out")
        return
    status = absent(bool(request.config.limits.gpus and request.needs.engine))
    told = "the engine has no NVIDIA runtime"
    yield _check(Kind.GPU, "GPU in containers", status, told, f"sudo sh -c '{_TOOLKIT}'")


def _check(kind: Kind, name: str, status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=kind, name=name, status=status, told=told, mend=mend)
