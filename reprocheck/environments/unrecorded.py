"""What a tree asks for by itself, before any run of it is known."""

from __future__ import annotations

from pathlib import Path

from reprocheck.bare_record import bare_record
from reprocheck.config import Config
from reprocheck.environments import asked
from reprocheck.environments.asked import Format
from reprocheck.environments.candidates import Search
from reprocheck.environments.choice import in_tree
from reprocheck.model import EnvironmentSpec, RunRef

_NO_RUN = bare_record(RunRef(tracker="", run_id=""))


def of_tree(tree: Path, config: Config) -> EnvironmentSpec | None:
    """The environment that the config and a tree's own files ask for.

    Raises `SourceError`, `RebuildError` or `ConfigError` for what is named and cannot be read.
    """
    return in_tree(Search(record=_NO_RUN, tree=tree, config=config, findings=[]))


def wants_conda(spec: EnvironmentSpec) -> bool:
    """Whether a spec of kind conda asks for packages that pip cannot install.

    Raises `RebuildError` for a malformed file.
    """
    kind = asked.format_of(spec.file, spec.content)
    return kind is not Format.CONDA or bool(asked.read_conda(spec.file, spec.content).packages)
