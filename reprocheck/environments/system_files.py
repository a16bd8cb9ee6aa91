"""Which files are a machine's or a library's own, and no inputs of a training.

What is left out too easily hides an input that nobody versioned; what is told too easily hides it
among a thousand names. So the machine's folders are judged by kind, and all others are told.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

_NEVER = re.compile(r"/(proc|sys|dev|etc|run|boot)/|/ld\.so\.|/(memfd|anon_inode):")
# Below /opt are programs, each with folders of its own, but also what a team shares.
_SYSTEM = re.compile(
    r"/(usr|bin|sbin|lib|lib32|lib64|libx32|nix|gnu|snap|var/(lib|cache))/"
    r"|/opt/([^/]*conda\d?|mambaforge|miniforge\d?|nvidia|intel|rocm[^/]*|hostedtoolcache)/"
    r"|/opt/([^/]+/)*(s?bin|lib(32|64|exec)?|include|share|etc|pyvenv\.cfg)(/|$)"
)
_LIBRARY = re.compile(
    r"/(site-packages|dist-packages|node_modules|conda-meta|\.pyenv|\.asdf|\.nix-profile|\.rustup"
    r"|\.local/(bin|lib|share/(uv|pipx|mise|mamba))|fontconfig|ca-certificates|locale|zoneinfo)/"
)
_CODE = re.compile(r"\.so(\.\d+)*$|\.(pyc|pyo|a|mo|pem|crt|dylib|ptx|cubin)$")
_PACKED = re.compile(r"\.(gz|bz2|xz|zst|lz4)$")
_DATA = re.compile(
    r"\.(csv|tsv|psv|parquet|pq|feather|arrow|orc|avro|npy|npz|h5|hdf5|hdf|nc|pkl|pickle|joblib|pt"
    r"|pth|ckpt|safetensors|onnx|gguf|tfrecords?|mat|sav|dta|xlsx?|arff|libsvm|svm|jsonl|ndjson"
    r"|duckdb|dcm|nii|wav|flac|bpe|vocab|zip|tar|tgz)$",
    re.IGNORECASE,
)


def is_input(path: str) -> bool:
    """Whether a file, of which only the absolute path is known, looks like what a training reads
    as its input rather than as a part of the system.
    """
    if _NEVER.match(path) or _LIBRARY.search(path) or _CODE.search(path):
        return False
    return not _SYSTEM.match(path) or _DATA.search(_PACKED.sub("", path)) is not None


def source_of(path: str) -> str:
    """The module's source where the path is that of its compiled form: Python reads only this one
    as long as the source is not newer.
    """
    pure = PurePosixPath(path)
    if pure.suffix != ".pyc" or pure.parent.name != "__pycache__":
        return path
    source = pure.parent.parent / f"{pure.name.partition('.')[0]}.py"
    return str(source) if Path(source).is_file() else path
