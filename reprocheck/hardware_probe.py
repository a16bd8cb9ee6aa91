"""Tells what hardware a Python sees; a script, for environments and for this machine.

    python hardware_probe.py OUT [MODULE...]

Imports the modules, so that the libraries which compute for them are loaded, and writes JSON to
OUT. It does so before each step that may crash or hang: what was known until then is kept. It runs
under every Python that trainings have: nothing newer than 3.6, nothing installed. What it cannot
find out is null.
"""

import csv
import glob
import importlib
import json
import os
import platform
import re
import subprocess
import sys
from typing import Any, Dict, List, Optional, Sequence

# What libraries choose their code by; a processor tells a hundred more.
ISA = (
    *("sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512cd", "avx512dq"),
    *("avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16", "avx_vnni"),
    *("amx_tile", "amx_bf16", "amx_int8"),
    *("asimd", "asimdhp", "asimddp", "sve", "sve2", "bf16", "i8mm", "sme"),
)
BESIDE = "beside"  # the folder with a threadpoolctl, for environments that have none
NVIDIA = (
    "nvidia-smi",
    "--query-gpu=index,uuid,name,memory.total,driver_version",
    "--format=csv,noheader,nounits",
)
AMD = (
    *("rocm-smi", "--showproductname", "--showdriverversion", "--showmeminfo", "vram"),
    "--json",
)
DEVICES = ("/dev/nvidia[0-9]*", "/dev/kfd", "/dev/dxg")
TIMEOUT_S = 20


def main(out: str, modules: List[str]) -> None:
    """Writes all that is found out to a file, or to standard output where that is `-`."""
    facts = machine()
    facts.update(pools=None, torch=None, complete=False)
    _write(out, facts)
    facts["gpus"] = gpus(os.environ.get("CUDA_VISIBLE_DEVICES"))
    _write(out, facts)
    facts["pools"] = pools(modules)
    facts["torch"] = torch() if "torch" in sys.modules else None
    facts["complete"] = True
    _write(out, facts)


def _write(out: str, facts: Dict[str, Any]) -> None:
    if out != "-":
        with open(out, "w") as file:
            json.dump(facts, file)
    elif facts["complete"]:
        sys.stdout.write(json.dumps(facts) + "\n")


# --- processor, memory, system ------------------------------------------------------------


def machine() -> Dict[str, Any]:
    """All but the GPUs."""
    cpu = _read("/proc/cpuinfo")
    memory = _memory()
    return {
        "cpu_model": cpu_model(cpu),
        "cpu_count": cpu_count(),
        "isa": isa(cpu),
        "memory_bytes": memory.get("MemTotal"),
        "memory_available_bytes": memory.get("MemAvailable"),
        "platform": "{} {}".format(platform.system(), platform.machine()),
        "os": _os(),
        "libc": _libc(),
        "gpus": None,
    }


def cpu_model(cpuinfo: str) -> Optional[str]:
    """The processor's name; of an ARM that has none, its numbers."""
    fields = dict(re.findall(r"^([\w ]+?)\s*:[ \t]*(.+)$", cpuinfo, re.MULTILINE))
    if fields.get("model name"):
        return " ".join(fields["model name"].split())
    if fields.get("CPU part"):
        return "ARM implementer {} part {}".format(
            fields.get("CPU implementer", "?"), fields["CPU part"]
        )
    return _sysctl("machdep.cpu.brand_string")


def cpu_count() -> Optional[int]:
    """The CPUs that may be used: of those of the process, as many as the control group's quota."""
    has = hasattr(os, "sched_getaffinity")
    count = len(os.sched_getaffinity(0)) if has else os.cpu_count()
    told = _read("/sys/fs/cgroup/cpu.max") or " ".join(
        _read("/sys/fs/cgroup/cpu/cpu.cfs_%s_us" % name).strip() for name in ("quota", "period")
    )
    found = re.match(r"(\d+) (\d+)", told)
    if count is None or found is None:
        return count
    return min(count, -(-int(found.group(1)) // int(found.group(2))) or 1)


def isa(cpuinfo: str) -> Optional[List[str]]:
    """The instruction sets that matter."""
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)
    told = (
        found.group(1) if found else _sysctl("machdep.cpu.features", "machdep.cpu.leaf7_features")
    )
    if not told:
        return ["asimd"] if platform.machine() == "arm64" else None
    flags = set(told.lower().replace("avx1.0", "avx").replace("sse4.2", "sse4_2").split())
    return [name for name in ISA if name in flags]


def _memory() -> Dict[str, int]:
    """In bytes; not more than the control group allows."""
    told = re.findall(r"^(\w+):\s+(\d+) kB$", _read("/proc/meminfo"), re.MULTILINE)
    sizes = {name: 1024 * int(size) for name, size in told}
    if "MemTotal" not in sizes and _sysctl("hw.memsize"):
        sizes["MemTotal"] = int(_sysctl("hw.memsize") or 0)
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        limit = _read(name).strip()
        if limit.isdigit():
            sizes = {key: min(size, int(limit)) for key, size in sizes.items()}
    return sizes


def _os() -> Optional[str]:
    found = re.search(r'^PRETTY_NAME="?([^"\n]+)', _read("/etc/os-release"), re.MULTILINE)
    return found.group(1) if found else None


def _libc() -> Optional[str]:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, OSError, ValueError):  # platform.libc_ver() tells what Python needs
        return None


def _read(name: str) -> str:
    try:
        with open(name, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (OSError, ValueError):
        return ""


def _sysctl(*names: str) -> Optional[str]:
    """What macOS tells."""
    if platform.system() != "Darwin":
        return None
    return _output(("sysctl", "-n", *names))


def _output(argv: Sequence[str]) -> Optional[str]:
    """What a program prints; None where it is not there, or fails."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


# --- GPUs ---------------------------------------------------------------------------------


def gpus(visible: Optional[str] = None) -> Optional[List[Dict[str, Any]]]:
    """The GPUs that a training may use; None where that cannot be told."""
    told = _output(NVIDIA)
    if told is not None:
        return chosen(nvidia(told), visible)
    told = _output(AMD)
    if told is not None:
        return amd(told)
    if platform.system() != "Linux" or any(glob.glob(pattern) for pattern in DEVICES):
        return None  # there may be one, of which nothing here tells
    return []


def nvidia(told: str) -> List[Dict[str, Any]]:
    """What nvidia-smi's CSV tells, a line a GPU; what a GPU does not tell is "[N/A]"."""
    rows = [row for row in csv.reader(told.splitlines(), skipinitialspace=True) if len(row) == 5]
    return [
        {
            "index": index.strip(),
            "uuid": uuid.strip(),
            "model": model.strip(),
            "memory_bytes": int(memory) * 2**20 if memory.strip().isdigit() else None,
            "driver": driver.strip() or None,
        }
        for index, uuid, model, memory, driver in rows
    ]


def chosen(found: List[Dict[str, Any]], visible: Optional[str]) -> Optional[List[Dict[str, Any]]]:
    """Those that CUDA_VISIBLE_DEVICES leaves, in its order; CUDA stops at the first unknown one."""
    if visible is None:
        return found
    left = []
    for name in visible.split(","):
        if name.strip().startswith("MIG"):
            return None
        named = [
            gpu
            for gpu in found
            if name.strip()
            and (gpu["index"] == name.strip() or gpu["uuid"].startswith(name.strip()))
        ]
        if len(named) != 1:
            break
        left += named
    return left


def amd(told: str) -> Optional[List[Dict[str, Any]]]:
    """What rocm-smi's JSON tells: a mapping a card, and one for the system."""
    try:
        cards = {
            name: {key.lower(): str(value) for key, value in fields.items()}
            for name, fields in json.loads(told).items()
        }
    except (ValueError, AttributeError):
        return None
    driver = cards.pop("system", {}).get("driver version")
    return [
        {
            "index": name[4:],
            "uuid": "",
            "model": fields.get("card series") or fields.get("card model") or "AMD GPU",
            "memory_bytes": int(memory) if memory.isdigit() else None,
            "driver": driver,
        }
        for name, fields in sorted(cards.items())
        for memory in [fields.get("vram total memory (b)", "")]
        if name.startswith("card")
    ]


# --- what computes ------------------------------------------------------------------------


def pools(modules: List[str]) -> Optional[List[Dict[str, Any]]]:
    """The thread pools of the libraries that the modules load; None where one cannot be loaded."""
    if not modules:
        return []
    try:
        for name in modules:
            importlib.import_module(name)
        try:
            import threadpoolctl
        except ImportError:
            sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), BESIDE))
            import threadpoolctl
        found = threadpoolctl.threadpool_info()
    except Exception:  # whatever a library does when it is imported
        return None
    return [
        {
            "api": pool.get("user_api"),
            "library": pool.get("internal_api"),
            "version": pool.get("version"),
            "core": pool.get("architecture"),
            "threads": pool.get("num_threads"),
        }
        for pool in found
    ]


def torch() -> Optional[Dict[str, Any]]:
    """What PyTorch says of itself."""
    module = sys.modules["torch"]
    try:
        version: Any = module.version
        return {"threads": module.get_num_threads(), "cuda": version.cuda or version.hip}
    except Exception:  # of a stub, or of a version that has no such thing
        return None


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
