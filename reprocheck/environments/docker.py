"""Containers of Docker or podman: the recorded Dockerfile built at the commit, or its image."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from reprocheck.environments import asked as asking
from reprocheck.environments import docker_contents, docker_engine, docker_owned, docker_places
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.docker_contents import Contents, check_gpus, contents
from reprocheck.environments.docker_engine import Engine
from reprocheck.environments.docker_failures import Cause, ImageError
from reprocheck.environments.docker_image import Builder, Image, recorded
from reprocheck.environments.docker_sandbox import DockerSandbox, user_of
from reprocheck.model import BuiltEnvironment, EnvironmentKind, EnvironmentSpec, Limits, OriginKind
from reprocheck.temporary import temporary_folder

_WHERE = {
    OriginKind.FILE: "at the commit",
    OriginKind.CONFIG: "named by reprocheck.yaml",
}


class DockerEnvironment:
    """Builds the recorded Dockerfile, or takes the recorded image."""

    def accepts(self, spec: EnvironmentSpec) -> bool:
        """Whether it is an image or its Dockerfile, and an engine is there."""
        return spec.kind is EnvironmentKind.DOCKER and docker_engine.answers(os.environ)

    @contextlib.contextmanager
    def build(self, request: BuildRequest) -> Iterator[DockerSandbox]:
        """Builds the image or takes it from the engine; removes what dead reprochecks left there.

        Raises `RebuildError` with the likely cause and the last lines of the engine's output.
        """
        with docker_engine.connect(request.env) as engine, temporary_folder() as work:
            docker_owned.remove_dead(engine)
            kept = request.cache / "docker"
            builder = Builder(engine=engine, request=request, folder=work)
            image = builder.build() if _is_dockerfile(request.spec) else recorded(builder)
            docker_owned.mark_used(kept, image.id)
            yield _sandbox(builder, image, kept)


def _sandbox(builder: Builder, image: Image, kept: Path) -> DockerSandbox:
    engine, request = builder.engine, builder.request
    user = user_of(engine)
    holds = contents(image.id, engine, kept, user)
    opened = builder.opened(image.id, holds.closed)
    check_gpus(opened, engine, request.limits)
    covers = docker_places.covers(holds, request.tree)
    made = builder.folder / "made"
    image_user = "" if os.getuid() == 0 else user  # who may read all, and whose files we can remove

    def run(script: str, folder: Path) -> None:
        docker_contents.take(image.id, engine, script, folder, image_user)

    docker_places.take_made(covers, holds, run, made)
    return DockerSandbox(
        built=_built(image, holds, engine, request),
        findings=(*image.findings, *docker_places.findings(covers, holds)),
        image=opened,
        engine=engine,
        holds=holds,
        covers=covers,
        made=made,
        limits=request.limits,
        caller=request.env,
    )


def no_engine(spec: EnvironmentSpec) -> ImageError:
    """The refusal of a spec that needs an engine where there is none."""
    where = docker_engine.address(os.environ)
    return ImageError(f"{spec.file} needs Docker; asking for it at {where}", Cause.ENGINE)


def _is_dockerfile(spec: EnvironmentSpec) -> bool:
    return spec.file != asking.IMAGE  # the config may name a Dockerfile of any name


def _built(
    image: Image, holds: Contents, engine: Engine, request: BuildRequest
) -> BuiltEnvironment:
    spec = request.spec
    name = PurePosixPath(spec.directory or ".", spec.file).as_posix()
    if not _is_dockerfile(spec):
        name = f"image {spec.content.decode(errors='replace').strip()}"
    return BuiltEnvironment(
        kind=EnvironmentKind.DOCKER,
        digest=image.digest,
        python=holds.python or "none",
        asked=f"{name} {_WHERE.get(spec.origin.kind, 'recorded with the run')}",
        lock=f"# image {image.id}\n{holds.lock}",
        packages=holds.packages,
        isolation=_isolation(engine, request.limits),
        cached=image.cached,
    )


def _isolation(engine: Engine, limits: Limits) -> str:
    told = [
        "with network" if limits.network else "no network",
        "read-only but for the trial's folders",
        "no capabilities",
        f"at most {limits.pids} processes",
    ]
    told += [f"{limits.memory / 2**30:.3g} GiB of memory"] if limits.memory else []
    told += [f"{limits.cpus:g} CPUs"] if limits.cpus else []
    told += [f"{limits.gpus} GPUs"] if limits.gpus else []
    return f"container of {engine.name}: {', '.join(told)}"
