"""What the name of a parameter or an option says about it: a device's, an output's."""

from __future__ import annotations

import re

_DEVICE_WORDS = frozenset(
    (
        *("device", "devices", "gpu", "gpus", "cuda", "accelerator", "accelerators"),
        *("host", "hostname", "worker", "workers", "threads", "nthreads", "nproc"),
    )
)
# Words that may stand beside one of those. A name with any other word is no machine's:
# per_device_train_batch_size is a hyperparameter.
_BESIDE_DEVICES = frozenset(
    (
        *("n", "num", "number", "no", "of", "count", "max", "used", "use", "available"),
        *("id", "ids", "index", "name", "type", "kind", "model", "torch", "visible"),
        *("per", "node", "nodes", "data", "dataloader", "loader", "train", "eval", "val", "test"),
    )
)
_DEVICE_NAMES = frozenset(("world_size", "n_jobs", "local_rank", "node_rank"))
OUTPUT = frozenset(
    (
        *("out", "output", "outputs", "outdir", "save", "saved", "savedir", "log", "logs"),
        *("logdir", "logging", "result", "results", "report", "reports", "artifact", "artifacts"),
        *("dest", "destination", "tmp", "tmpdir", "temp", "cache", "export", "exports", "write"),
        *("runs", "tracking", "workdir", "wandb", "tensorboard", "hydra", "sweep", "url", "uri"),
        *("endpoint", "route", "prefix", "interpreter", "executable", "python", "socket", "plot"),
    )
)


def is_device(name: str) -> bool:
    """Whether it names or counts devices, hosts or workers: cuda, n_jobs, num_workers."""
    words = words_of(name) - {""}
    devices = words & _DEVICE_WORDS
    return name.lower() in _DEVICE_NAMES or (bool(devices) and words <= devices | _BESIDE_DEVICES)


def words_of(name: str) -> set[str]:
    """The words of a name, by what is neither a letter nor a digit; "" may be among them."""
    return set(re.split(r"[^a-z0-9]+", name.lower()))
