"""Environment variables: those that decide about determinism and size, and no others."""

import os
from typing import Dict, Mapping, Optional

DETERMINISM = (
    *("PYTHONHASHSEED", "OMP_NUM_THREADS", "OMP_DYNAMIC", "OMP_PROC_BIND", "OMP_PLACES"),
    *("MKL_NUM_THREADS", "MKL_DYNAMIC", "MKL_CBWR", "MKL_THREADING_LAYER", "KMP_AFFINITY"),
    *("OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    *("NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NPY_DISABLE_CPU_FEATURES"),
    *("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "TF_ENABLE_ONEDNN_OPTS"),
    *("CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE", "TF_DETERMINISTIC_OPS"),
    *("TF_CUDNN_DETERMINISTIC", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
    *("XLA_FLAGS", "NCCL_ALGO", "NCCL_PROTO"),
)
"""The names that reprocheck's determinism.py restores."""

_WORLD = ("WORLD_SIZE", "SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
_LONGEST = 300


def determinism(env: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
    """The variables that are set, by name."""
    there = os.environ if env is None else env
    return {name: there[name] for name in DETERMINISM if 0 < len(there.get(name, "")) <= _LONGEST}


def world_size(env: Optional[Mapping[str, str]] = None) -> Optional[str]:
    """How many processes train together, as a launcher tells them."""
    there = os.environ if env is None else env
    return next((there[name] for name in _WORLD if there.get(name, "").isdigit()), None)


def is_off() -> bool:
    """Whether capturing is switched off."""
    return os.environ.get("REPROCHECK_CAPTURE", "").lower() in ("0", "off", "false", "no")
