"""What this project needs: its config, and what its files ask for before any run is known."""

from __future__ import annotations

from reprocheck.config import FILE_NAME, Config
from reprocheck.doctor.base import Check, Kind, Needs, Request, Status
from reprocheck.environments import unrecorded
from reprocheck.errors import ReprocheckError
from reprocheck.model import EnvironmentKind, EnvironmentSpec
from reprocheck.numbers import counted

_BUILDERS = {
    EnvironmentKind.DOCKER: "a container",
    EnvironmentKind.CONDA: "a conda prefix",
    EnvironmentKind.VENV: "a virtual environment by uv",
    EnvironmentKind.SCRIPT: "a setup of the project's own",
}


def needs_of(request: Request) -> Needs:
    """What the rebuild of a run without a record of its own would need."""
    config = request.config
    try:
        spec = unrecorded.of_tree(request.root, config)
        conda = spec is None or unrecorded.wants_conda(spec)
    except ReprocheckError as error:
        return Needs(error=error)
    except OSError:  # a file that may not be read: a rebuild says so
        spec, conda = None, True
    kind = spec.kind if spec else config.environment_kind
    by = _by(config, spec)
    return Needs(
        environment="" if spec is None else f"{spec.file}: {_BUILDERS[spec.kind]}",
        engine=by if kind == EnvironmentKind.DOCKER else "",
        conda=by if kind == EnvironmentKind.CONDA and conda else "",
        python=spec.python if spec else config.environment_python,
        python_by=config.name if config.environment_python else "the repository",
    )


def _by(config: Config, spec: EnvironmentSpec | None) -> str:
    if spec is None or config.environment_kind != "auto":
        return f"environment.kind in {config.name}"
    return spec.file


def check_config(request: Request) -> tuple[Check, ...]:
    """Whether the config is valid, and what it says."""
    config = request.config
    error = request.config_error
    if error is not None:
        mend = error.hint or "mend the file; schemas/config.schema.json describes every key"
        return (_config(Status.ERROR, error.message, mend),)
    if config.path is None:
        return (_config(Status.OK, "none here: every setting has its default"),)
    told = [f"environment {config.environment_kind}", counted(len(config.metrics), "metric")]
    told += [counted(len(config.data), "input")] if config.data else []
    return (_config(Status.OK, f"valid: {', '.join(told)}"),)


def _config(status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=Kind.CONFIG, name=FILE_NAME, status=status, told=told, mend=mend)


def check_environment(request: Request) -> tuple[Check, ...]:
    """What the reruns would be rebuilt from where a run records nothing better."""
    needs = request.needs
    if needs.error is not None:
        mend = needs.error.hint or "mend the file, or name another:  environment: {file: …}"
        return (_environment(Status.ERROR, needs.error.message, mend),)
    if needs.environment:
        python = f", Python {needs.python}" if needs.python else ""
        return (_environment(Status.OK, needs.environment + python),)
    told = "no file here defines one: only runs that record theirs can be rebuilt"
    mend = "commit a lock or a requirements.txt:  pip freeze > requirements.txt"
    return (_environment(Status.MISSING, told, mend),)


def _environment(status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=Kind.ENVIRONMENT, name="environment", status=status, told=told, mend=mend)
