"""Stage rebuild: environments."""

from __future__ import annotations

from reprocheck.environments import asked
from reprocheck.environments.asked import Format
from reprocheck.environments.base import Environment
from reprocheck.environments.conda import CondaEnvironment
from reprocheck.environments.docker import DockerEnvironment, no_engine
from reprocheck.environments.script import ScriptEnvironment
from reprocheck.environments.venv import VenvEnvironment
from reprocheck.errors import RebuildError
from reprocheck.model import EnvironmentKind, EnvironmentSpec

ENVIRONMENTS: tuple[Environment, ...] = (
    ScriptEnvironment(),
    DockerEnvironment(),
    CondaEnvironment(),
    VenvEnvironment(),
)
"""Every way to build environments, most specific first."""


def pick(spec: EnvironmentSpec) -> Environment:
    """The first way that can build a spec.

    Raises `RebuildError` that says what is missing when none can.
    """
    for environment in ENVIRONMENTS:
        if environment.accepts(spec):
            return environment
    raise _refusal(spec)


def _refusal(spec: EnvironmentSpec) -> RebuildError:
    if spec.kind is EnvironmentKind.DOCKER:
        return no_engine(spec)
    kind = asked.format_of(spec.file, spec.content)
    if kind is Format.CONDA:
        return asked.needs_conda(spec.file, asked.read_conda(spec.file, spec.content).packages)
    if kind is Format.EXPLICIT:
        return asked.needs_conda(spec.file)
    return RebuildError(
        f"{spec.file} is {kind.value}, which this version of reprocheck cannot build yet",
        "if pip can install the same, name that file in reprocheck.yaml:  "
        "environment: {kind: venv, file: requirements.txt}",
    )
