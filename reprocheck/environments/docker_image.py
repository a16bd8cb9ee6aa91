"""Images: a recorded one, or one that is built from a Dockerfile; kept by the key of its inputs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprocheck import process
from reprocheck.environments import docker_engine, docker_owned, dockerfile
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.docker_context import FILE, Context, gather
from reprocheck.environments.docker_engine import Engine, told
from reprocheck.environments.docker_failures import Cause, ImageError, classify, without_secrets
from reprocheck.environments.docker_owned import DERIVED, KEY, REPOSITORY
from reprocheck.model import Finding, Severity

TIMEOUT_S = 2 * 3600.0
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_BUNDLES = (
    _BUNDLE,
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_NAMES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
_SECRETS = {  # by the id that a Dockerfile's RUN --mount=type=secret names
    "pipconf": (".config/pip/pip.conf", ".pip/pip.conf"),
    "netrc": (".netrc",),
}
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
            pulled = self.engine.client.images.pull(repository, tag=tag)
            return str(pulled.id)

    def _find(self, name: str) -> Any:  # noqa: ANN401 - the SDK's image, or None
        from docker.errors import ImageNotFound

        try:
            return self.engine.client.images.get(name)
        except ImageNotFound:
            return None

    # --- building ---------------------------------------------------------------------------

    def _make(self, context: Context, tag: str, key: str) -> None:
        """Builds; each of what can be mended from here is tried once."""
        text, mended = context.text, set[Cause]()
        while True:
            context.write(text)
            try:
                self._run(context, tag, key)
                return
            except ImageError as error:
                cause = error.cause
                if _FRONTEND.search(error.output) and text != dockerfile.without_frontend(text):
                    text = dockerfile.without_frontend(text)
                    continue
                if cause in mended:
                    raise
                mended.add(cause)
                if cause is Cause.CERTIFICATE:
                    text = self._trusting(text, context.args, error)
                elif cause is Cause.NO_SPACE:
                    self._make_room()
                else:
                    raise

    def _make_room(self) -> None:
        used = self.request.cache / "docker"
        docker_owned.remove_dead(self.engine)
        docker_owned.remove_images(
            self.engine, older_than_s=86400.0, at_most=sys.maxsize, used=used
        )

    def _trusting(self, text: str, args: Mapping[str, str], error: ImageError) -> str:
        """The Dockerfile on bases that trust this machine's certificates: a company's proxy has a
        root of its own. Only the file's name shows in the image's history.
        """
        bundle = certificates(self.request.env)
        if bundle is None:
            raise error
        self.request.progress.update("a certificate was refused; trying those of this machine")
        derived = {name: self._derive(name, bundle) for name in dockerfile.bases(text, args)}
        return dockerfile.with_bases(text, args, lambda name: derived[name])

    def _derive(self, name: str, bundle: Path) -> str:
        settings = " ".join(f"{variable}={_BUNDLE}" for variable in _NAMES)
        lines = f"COPY ca-certificates.crt {_BUNDLE}\nENV {settings}"
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

    def _derived(self, name: str, what: str, lines: str, files: Mapping[str, bytes]) -> str:
        """The tag of an image with some lines more; built by the engine's own builder, which
        knows every image by its id.
        """
        found = self.engine.client.images.get(name)
        made_of = hashlib.sha256(repr((found.id, lines, sorted(files.items()))).encode())
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
        self._legacy(context, tag, {})
        return tag

    def _run(self, context: Context, tag: str, key: str) -> None:
        command = docker_engine.buildkit(self.engine, self.request.env, self.folder)
        labels = {KEY: key}
        if command:
            self._buildkit(command, context, tag, labels)
        else:
            self._legacy(context, tag, labels)

    def _buildkit(
        self, command: tuple[str, ...], context: Context, tag: str, labels: Mapping[str, str]
    ) -> None:
        doing = f"building {context.file}"
        log = self.folder / "build.log"
        log.unlink(missing_ok=True)
        options = ["--progress=plain", "--file", str(context.dockerfile), "--tag", tag]
        options += [f"--label={name}={value}" for name, value in labels.items()]
        options += [f"--build-arg={name}={value}" for name, value in context.args.items()]
        options += [] if context.network else ["--network=none"]
        for name, path in self._secrets().items():
            options += ["--secret", f"id={name},src={path}"]
        env = {
            **docker_engine.client_environment(self.request.env),
            "DOCKER_BUILDKIT": "1",
            "DOCKER_HOST": self.engine.address,
            "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
        }
        call = process.Call(
            argv=(*command, *options, str(context.folder)),
            cwd=self.folder,
            env=env,
            timeout_s=TIMEOUT_S,
        )
        try:
            done = process.supervise(call, log=log, on_tick=lambda: self._tell(log))
        except OSError as error:
            raise ImageError(doing, Cause.OTHER, str(error)) from error
        output = log.read_text(errors="replace")
        if done.timed_out:
            raise ImageError(doing, Cause.TIMEOUT, output)
        if done.exit_code != 0:
            raise ImageError(doing, classify(output), output)

    def _secrets(self) -> dict[str, Path]:
        """Files that a RUN may mount by their id, and that no layer keeps."""
        home = Path(self.request.env.get("HOME") or "/nonexistent")
        found = {
            name: path
            for name, files in _SECRETS.items()
            for path in reversed([home / file for file in files])
            if path.is_file()
        }
        config = self.request.env.get("PIP_CONFIG_FILE")
        if config and Path(config).is_file():
            found["pipconf"] = Path(config)
        bundle = certificates(self.request.env)
        return found | ({"ca": bundle} if bundle else {})

    def _legacy(self, context: Context, tag: str, labels: Mapping[str, str]) -> None:
        import io

        doing = f"building {context.file}"
        printed: list[str] = []
        deadline = time.monotonic() + TIMEOUT_S
        with (
            told(doing),
            _closed(self._stream(io.BytesIO(context.archive()), context, tag, labels)) as lines,
        ):
            for line in lines:
                printed.append(str(line.get("stream") or line.get("error") or ""))
                self._say("".join(printed[-5:]))
                if line.get("error") or time.monotonic() > deadline:
                    break
            else:
                return
        output = "".join(printed)
        late = time.monotonic() > deadline
        raise ImageError(doing, Cause.TIMEOUT if late else classify(output), output)

    def _stream(self, archive: Any, context: Context, tag: str, labels: Mapping[str, str]) -> Any:  # noqa: ANN401
        return self.engine.client.api.build(
            fileobj=archive,
            custom_context=True,
            dockerfile=FILE,
            tag=tag,
            labels=dict(labels),
            buildargs=dict(context.args),
            network_mode=None if context.network else "none",
            rm=True,
            forcerm=True,  # else the container of a failed step stays, with all its disk
            decode=True,
        )

    def _tell(self, log: Path) -> None:
        with contextlib.suppress(OSError):
            self._say(log.read_bytes()[-2000:].decode(errors="replace"))

    def _say(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        last = without_secrets(lines[-1])[:80] if lines else ""
        self.request.progress.update(f"building {self.request.spec.file}: {last}")


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


def certificates(env: Mapping[str, str]) -> Path | None:
    """The certificates that this machine trusts, as one file."""
    named = [env[name] for name in (*_NAMES, "PIP_CERT") if env.get(name)]
    found = (Path(name) for name in (*named, *_BUNDLES))
    return next((path for path in found if path.is_file()), None)


def _split(name: str) -> tuple[str, str | None]:
    """A name as the SDK wants it: it would pull all tags of a name that has none."""
    if "@" in name:
        return name, None
    head, colon, tag = name.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (name, "latest")


@contextlib.contextmanager
def _closed(stream: Any) -> Iterator[Any]:  # noqa: ANN401
    # The engine goes on with a step as long as the connection is open.
    try:
        yield stream
    finally:
        stream.close()
