"""Variables that decide whether a training computes the same bits: restored as recorded.

They must be set before Python starts, so the record's own values go into the trials' environment.
What is not recorded is told, and never invented: a fixed value would be another experiment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from reprocheck.model import Finding, Origin, OriginKind, RunRecord, Setting, Severity

NAMES = (
    *("PYTHONHASHSEED", "OMP_NUM_THREADS", "OMP_DYNAMIC", "OMP_PROC_BIND", "OMP_PLACES"),
    *("MKL_NUM_THREADS", "MKL_DYNAMIC", "MKL_CBWR", "MKL_THREADING_LAYER", "KMP_AFFINITY"),
    *("OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    *("NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NPY_DISABLE_CPU_FEATURES"),
    *("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "TF_ENABLE_ONEDNN_OPTS"),
    *("CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE", "TF_DETERMINISTIC_OPS"),
    *("TF_CUDNN_DETERMINISTIC", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
    *("XLA_FLAGS", "NCCL_ALGO", "NCCL_PROTO"),
)
"""All that is looked for; nothing else of a record becomes a variable this way."""

_ALWAYS = ("PYTHONHASHSEED", "OMP_NUM_THREADS")
_NO_GPU = ("", "0", "none")
_OF_GPUS = ("CUBLAS_WORKSPACE_CONFIG",)
_VALUE = re.compile(r"[\x20-\x7e]{1,300}")


def settings(record: RunRecord) -> tuple[Setting, ...]:
    """The settings that a record holds, wherever it names them.

    Looked for under their own name and as env.NAME or env/NAME, case aside: in the command's
    variables, the hardware, the seeds, the tags (also as reprocheck.env.NAME), the parameters.
    """
    return tuple(found for name in NAMES if (found := _setting(record, name)) is not None)


def missing(record: RunRecord, known: tuple[Setting, ...]) -> tuple[Finding, ...]:
    """A note on the settings that matter for this run and are not in its record."""
    gpu = any(
        ("gpu" in name.lower() or "cuda" in name.lower()) and text.casefold() not in _NO_GPU
        for name, text in record.hardware.items()
    )
    names = {each.name for each in known}
    absent = [name for name in (*_ALWAYS, *(_OF_GPUS if gpu else ())) if name not in names]
    if not absent:
        return ()
    return (
        Finding(
            code="unrecorded-settings",
            severity=Severity.NOTE,
            message=f"not recorded, so not set for the trials: {', '.join(absent)}",
            hint="log them with the run, for example as tags named env.PYTHONHASHSEED; under "
            "another value the training may differ",
            pointer="/hardware",
        ),
    )


def _setting(record: RunRecord, name: str) -> Setting | None:
    for values, origin in _places(record):
        for key, value in values.items():
            if _means(key, name) and _VALUE.fullmatch(value):
                return Setting(name=name, value=value, origin=origin)
    return None


def _means(key: str, name: str) -> bool:
    return re.sub(r"^(reprocheck\.)?env[./]", "", key.casefold()) == name.casefold()


def _places(record: RunRecord) -> Iterator[tuple[Mapping[str, str], Origin]]:
    tracker = Origin(kind=OriginKind.TRACKER, where="parameters")
    if record.command is not None:
        origin = record.origins.get("/command", Origin(kind=OriginKind.TRACKER, where="command"))
        yield record.command.env, origin
    for field, values in (("hardware", record.hardware), ("seeds", record.seeds)):
        origin = record.origins.get(f"/{field}", Origin(kind=OriginKind.TRACKER, where=field))
        yield values, origin
    yield record.tags, Origin(kind=OriginKind.TAG, where="tags")
    yield {k: v for k, v in record.parameters.items() if k not in record.truncated}, tracker
