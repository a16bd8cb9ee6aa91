"""An image of one layer, without the secrets that its base carried while it was built."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from reprocheck.environments import docker_owned, docker_secrets
from reprocheck.environments.docker_engine import Engine, told
from reprocheck.environments.docker_failures import Cause, ImageError

_LIFE_S = 3600.0  # as far as another machine at the same engine knows


def flatten(engine: Engine, secretive: str, tag: str, labels: Mapping[str, str]) -> None:
    """Gives a tag to what an image is without its secrets.

    Raises `ImageError`.
    """
    doing = "taking the secrets out of the image"
    with told(doing):
        before = engine.client.images.get(secretive)
        container = engine.client.containers.create(
            before.id,
            entrypoint=["rm", "-rf", docker_secrets.FOLDER],
            command=[],
            user="0",
            network_mode="none",
            labels=docker_owned.labels(time.time() + _LIFE_S),
        )
        try:
            container.start()
            if container.wait()["StatusCode"] != 0:
                output = container.logs().decode(errors="replace")
                raise ImageError(doing, Cause.OTHER, output)
            repository, _, name = tag.rpartition(":")
            engine.client.api.import_image_from_stream(
                container.export(), repository, name, list(_changes(before.attrs, labels))
            )
        finally:
            container.remove(force=True, v=True)


def _changes(attributes: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[str]:
    """What an image is set to, as lines of a Dockerfile."""
    config = attributes.get("Config") or {}
    for item in config.get("Env") or ():
        name, _, value = item.partition("=")
        if name not in docker_secrets.variables():
            yield f"ENV {name}={_quoted(value)}"
    for name, value in {**(config.get("Labels") or {}), **labels}.items():
        if name != docker_owned.SECRETIVE:
            yield f"LABEL {_quoted(name)}={_quoted(value)}"
    for word in ("Entrypoint", "Cmd"):
        if config.get(word):
            yield f"{word.upper()} {json.dumps(config[word])}"
    for word, key in (("WORKDIR", "WorkingDir"), ("USER", "User")):
        if config.get(key):
            yield f"{word} {config[key]}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
