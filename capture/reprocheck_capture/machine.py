"""What this process computes on, in the words of `hardware` in run.schema.json."""

import glob
import os
import re
import sys
from typing import Any, Dict, List, Optional

from reprocheck_capture import hardware_probe
from reprocheck_capture.failures import guarded
from reprocheck_capture.system_files import read
from reprocheck_capture.variables import world_size

_PLAIN = ("cpu_model", "cpu_count", "memory_bytes", "platform", "os", "libc")
_OF_NVIDIA = "/proc/driver/nvidia"


@guarded("hardware", dict)
def hardware() -> Dict[str, str]:
    """What is known, as text; no program is started where the system's own files tell it."""
    facts = hardware_probe.machine()
    found = {name: str(facts[name]) for name in _PLAIN if facts.get(name)}
    if facts.get("isa") is not None:
        found["isa"] = " ".join(facts["isa"])
    found.update(_gpus(gpus()))
    found.update(_pools())
    size = world_size()
    if size:
        found["world_size"] = size
    return found


def gpus(told: str = _OF_NVIDIA) -> Optional[List[Dict[str, Any]]]:
    """As hardware_probe.gpus; nvidia-smi, which takes half a second, only where it must be."""
    files = sorted(glob.glob(os.path.join(told, "gpus", "*", "information")))
    if not files:
        return hardware_probe.gpus(os.environ.get("CUDA_VISIBLE_DEVICES"))
    version = re.search(r"Kernel Module\s+(?:for \S+\s+)?([\d.]+)", read(told + "/version"))
    found = []
    for index, path in enumerate(files):
        fields = dict(re.findall(r"^([\w ]+):\s*(.+?)\s*$", read(path), re.MULTILINE))
        found.append(
            {
                "index": str(index),
                "uuid": fields.get("GPU UUID", ""),
                "model": fields.get("Model", "NVIDIA GPU"),
                "memory_bytes": None,
                "driver": version.group(1) if version else None,
            }
        )
    return hardware_probe.chosen(found, os.environ.get("CUDA_VISIBLE_DEVICES"))


def _gpus(found: Optional[List[Dict[str, Any]]]) -> Dict[str, str]:
    if found is None:
        return {}
    told = {
        "gpu_count": str(len(found)),
        "gpus": ", ".join(gpu["model"] for gpu in found) or "none",
    }
    memory = [gpu["memory_bytes"] for gpu in found if gpu["memory_bytes"]]
    driver = next((gpu["driver"] for gpu in found if gpu["driver"]), None)
    if memory:
        told["gpu_memory_bytes"] = str(min(memory))
    if driver:
        told["gpu_driver"] = driver
    return told


def _pools() -> Dict[str, str]:
    """Of the libraries that are loaded already; nothing is imported for this."""
    told: Dict[str, str] = {}
    threads: Dict[str, int] = {}
    found = hardware_probe.pools(["threadpoolctl"]) if "threadpoolctl" in sys.modules else None
    for pool in found or ():
        if pool["api"] and pool["threads"]:
            threads[pool["api"]] = max(pool["threads"], threads.get(pool["api"], 0))
    blas = [pool for pool in found or () if pool["api"] == "blas"]
    if blas:
        named = {"{} {}".format(p["library"], p["version"] or "").strip() for p in blas}
        told["blas"] = ", ".join(sorted(named))
        told["blas_core"] = ", ".join(sorted({p["core"] for p in blas if p["core"]})) or "none"
    torch = hardware_probe.torch() if "torch" in sys.modules else None
    if torch and torch["threads"]:
        threads["torch"] = torch["threads"]
    if torch and torch["cuda"]:
        told["cuda"] = str(torch["cuda"])
    if threads:
        told["threads"] = ", ".join("{} {}".format(*each) for each in sorted(threads.items()))
    return told
