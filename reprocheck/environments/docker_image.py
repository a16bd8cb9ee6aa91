"""Images: a recorded one, or one that is built from a Dockerfile; kept by the key of its inputs."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import sys
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprocheck.environments import docker_engine, docker_owned, docker_secrets, dockerfile
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.docker_build import Build
from reprocheck.environments.docker_context import Context, gather
from reprocheck.environments.docker_engine import Engine, told
from reprocheck.environments.docker_failures import Cause, ImageError
from reprocheck.environments.docker_flatten import flatten
from reprocheck.environments.docker_owned import DERIVED, KEY, REPOSITORY
from reprocheck.environments.docker_secrets import Secrets
from reprocheck.environments.docker_words import BuildWords, pull_words
from reprocheck.model import Finding, Severity

# What another index, or its login, may mend.
_NOT_FOUND = frozenset({Cause.LOGIN, Cause.GONE, Cause.NO_NETWORK})
_IN_BASES = "secrets in the bases"
_FRONTEND = re.compile(r"docker/dockerfile|frontend gateway|resolve image config for", re.I)


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """An image that the engine has."""

    id: str  # "sha256:…": what the containers are made of, whatever its tags do meanwhile
    digest: str  # of its inputs, or of the image where it was recorded
    cached: bool
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Builder:
    """Builds with one engine, in a working folder of our own."""

    engine: Engine
    request: BuildRequest
    folder: Path

    def build(self) -> Image:
        """The image of the request's Dockerfile, built unless it was before.

        Raises `ImageError`.
        """
        context = gather(self.request, self.folder / "context")
        names = dockerfile.bases(context.text, context.args)
        bases = {name: self.base(name) for name in names}
        key = context.key(bases.values(), self.engine.platform)
        tag = f"{REPOSITORY}:{key[:16]}"
        found = self._find(tag)
        cached = found is not None and (found.labels or {}).get(KEY) == key
        if found is None or not cached:
            self._make(context, tag, key)
            found = self.engine.client.images.get(tag)
        return Image(id=str(found.id), digest=key, cached=cached, findings=context.findings)

    def base(self, name: str) -> str:
        """The id of an image by its name, pulled where the engine does not have it.

        Raises `ImageError`.
        """
        doing = f"getting the image {name}, which {self.request.spec.file} names"
        with told(doing):
            found = self._find(name)
            if found is not None:
                return str(found.id)
            self.request.progress.update(f"pulling {name}")
            repository, tag = _split(name)
            pulled = self.engine.client.api.pull(repository, tag=tag, stream=True, decode=True)
            for words in pull_words(doing, pulled):
                self.request.progress.update(f"pulling {name}: {words}")
            return str(self.engine.client.images.get(name).id)

    def _find(self, name: str) -> Any:  # noqa: ANN401 - the SDK's image, or None
        from docker.errors import ImageNotFound

        try:
            return self.engine.client.images.get(name)
        except ImageNotFound:
            return None

    # --- building ---------------------------------------------------------------------------

    def _make(self, context: Context, tag: str, key: str) -> None:
        """Builds; each of what can be mended from here is tried once."""
        secrets = docker_secrets.secrets(self.request.env, self.folder / "secrets")
        build = self._build(context, tag, {KEY: key}, secrets)
        text, mended = context.text, set[str]()
        while True:
            context.write(text)
            try:
                (self._run_flat if _IN_BASES in mended else self._run)(build)
                return
            except ImageError as error:
                text = self._mended(text, context, secrets, error, mended)

    def _run_flat(self, build: Build) -> None:
        """Leaves no image with secrets, however a build on such bases ends; until they are out it
        has a name by which no other reprocheck takes it.
        """
        own = f"{DERIVED}:{uuid.uuid4().hex}"
        try:
            self._run(dataclasses.replace(build, tag=own))
            self.request.progress.update("taking the secrets out of the image")
            flatten(self.engine, own, build.tag, build.labels)
        finally:
            docker_owned.remove_secrets(self.engine)

    def _mended(
        self, text: str, context: Context, secrets: Secrets, error: ImageError, mended: set[str]
    ) -> str:
        """The Dockerfile to try next; the error itself where nothing is left to try."""
        frontless = dockerfile.without_frontend(text)
        if _FRONTEND.search(error.output) and text != frontless:
            return frontless
        remedy = "indexes" if error.cause in _NOT_FOUND else error.cause.name
        if remedy in mended:
            raise error
        mended.add(remedy)
        if error.cause is Cause.CERTIFICATE:
            return self._trusting(text, context.args, error)
        if error.cause is Cause.NO_SPACE:
            self._make_room()
            return text
        if error.cause is Cause.ENGINE_LOST and docker_engine.comes_back(self.engine):
            return text
        if error.cause in _NOT_FOUND and secrets.indexes and context.network:
            return self._with_indexes(text, context, secrets, mended)
        raise error

    def _build(
        self, context: Context, tag: str, labels: Mapping[str, str], secrets: Secrets | None = None
    ) -> Build:
        words = BuildWords()

        def say(text: str) -> None:
            self.request.progress.update(f"building {self.request.spec.file}{words.after(text)}")

        return Build(
            context=context,
            tag=tag,
            labels=labels,
            secrets=secrets or Secrets(),
            deadline=time.monotonic() + self.request.timeout_s,
            say=say,
        )

    def _run(self, build: Build) -> None:
        command = docker_engine.buildkit(self.engine, self.request.env, self.folder)
        if command:
            build.by_buildkit(command, self.engine, self.request.env)
        else:
            build.by_engine(self.engine)

    def _make_room(self) -> None:
        used = self.request.cache / "docker"
        docker_owned.remove_dead(self.engine)
        docker_owned.remove_images(
            self.engine, older_than_s=86400.0, at_most=sys.maxsize, used=used
        )

    def _with_indexes(self, text: str, context: Context, secrets: Secrets, mended: set[str]) -> str:
        """The Dockerfile with the caller's package indexes and logins, which no image keeps:
        BuildKit mounts them; without it they are in the bases, and taken out in the end.
        """
        self.request.progress.update("a package was not found; trying this machine's indexes")
        if docker_engine.buildkit(self.engine, self.request.env, self.folder):
            return secrets.mounted(text)
        mended.add(_IN_BASES)
        lines, files = secrets.layer()
        what = "the base image with this machine's package indexes"
        names = dockerfile.bases(text, context.args)
        label = docker_owned.secret_label()
        derived = {name: self._derived(name, what, lines, files, label) for name in names}
        return dockerfile.with_bases(text, context.args, lambda name: derived[name])

    def _trusting(self, text: str, args: Mapping[str, str], error: ImageError) -> str:
        """The Dockerfile on bases that trust this machine's certificates: a company's proxy has a
        root of its own. Only the file's name shows in the image's history.
        """
        bundle = docker_secrets.certificates(self.request.env)
        if bundle is None:
            raise error
        self.request.progress.update("a certificate was refused; trying those of this machine")
        derived = {name: self._derive(name, bundle) for name in dockerfile.bases(text, args)}
        return dockerfile.with_bases(text, args, lambda name: derived[name])

    def _derive(self, name: str, bundle: Path) -> str:
        settings = " ".join(
            f"{variable}={docker_secrets.BUNDLE}" for variable in docker_secrets.BUNDLE_NAMES
        )
        lines = f"COPY ca-certificates.crt {docker_secrets.BUNDLE}\nENV {settings}"
        files = {"ca-certificates.crt": bundle.read_bytes()}
        return self._derived(name, "the base image with this machine's certificates", lines, files)

    def opened(self, image: str, closed: Iterable[str]) -> str:
        """The id of an image in whose folders everybody may look for its Python: /root, often.

        Raises `ImageError`.
        """
        folders = list(closed)
        if not folders:
            return image
        line = f"RUN {json.dumps(['chmod', 'o+rx', '--', *folders])}"
        tag = self._derived(image, "the image for users other than root", line, {})
        return str(self.engine.client.images.get(tag).id)

    def _derived(
        self,
        name: str,
        what: str,
        lines: str,
        files: Mapping[str, bytes],
        labels: Mapping[str, str] | None = None,
    ) -> str:
        """The tag of an image with some lines more; built by the engine's own builder, which
        knows every image by its id.
        """
        found = self.engine.client.images.get(name)
        # With its labels: one with secrets is its owner's alone, and removed by it.
        parts = (found.id, lines, sorted(files.items()), sorted((labels or {}).items()))
        made_of = hashlib.sha256(repr(parts).encode())
        tag = f"{DERIVED}:{made_of.hexdigest()[:16]}"
        if self._find(tag) is not None:
            return tag
        user = (found.attrs.get("Config") or {}).get("User") or "0"
        folder = self.folder / "derived/context"
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        context = Context(
            file=what, text="", args={}, folder=folder, paths=tuple(files), network=False
        )
        context.write(f"FROM {name}\nUSER 0\n{lines}\nUSER {user}\n")
        self._build(context, tag, labels or {}).by_engine(self.engine)
        return tag


def recorded(builder: Builder) -> Image:
    """The image that a run names, by digest, by id, or by a tag that may mean another by now.

    Raises `ImageError`.
    """
    name = builder.request.spec.content.decode(errors="replace").strip()
    before = builder._find(name)
    found = builder.base(name)
    exact = "@sha256:" in name or re.fullmatch(r"(sha256:)?[0-9a-f]{12,64}", name) is not None
    return Image(
        id=found,
        digest=found.rpartition(":")[2],
        cached=before is not None,
        findings=() if exact else (_tag_only(name),),
    )


def _tag_only(name: str) -> Finding:
    return Finding(
        code="image-by-tag",
        severity=Severity.WARNING,
        message=f"the image {name} is named by a tag, which may mean another image by now",
        hint="record the image's digest with the run",
        pointer="/environment",
    )


def _split(name: str) -> tuple[str, str | None]:
    """A name as the SDK wants it: it would pull all tags of a name that has none."""
    if "@" in name:
        return name, None
    head, colon, tag = name.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (name, "latest")
