"""One build of a context: by BuildKit, through docker's program, or by the engine's own builder."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reprocheck import process
from reprocheck.environments import docker_engine
from reprocheck.environments.docker_context import FILE, Context
from reprocheck.environments.docker_engine import Engine, told
from reprocheck.environments.docker_failures import Cause, ImageError, classify
from reprocheck.environments.docker_secrets import Secrets
from reprocheck.environments.docker_words import end_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Build:
    """What is built, and what it is called."""

    context: Context
    tag: str
    labels: Mapping[str, str]
    secrets: Secrets
    deadline: float  # of time.monotonic()
    say: Callable[[str], None]

    @property
    def _doing(self) -> str:
        return f"building {self.context.file}"

    @property
    def _left_s(self) -> float:
        return max(1.0, self.deadline - time.monotonic())

    def _failed(self, output: str, cause: Cause | None = None) -> ImageError:
        output = self.secrets.hidden(output)
        return ImageError(self._doing, cause or classify(output), output)

    def by_buildkit(
        self, command: tuple[str, ...], engine: Engine, caller: Mapping[str, str]
    ) -> None:
        """Runs docker's program. Raises `ImageError`."""
        folder = self.context.folder.parent
        log = folder / "build.log"
        log.unlink(missing_ok=True)
        env = {
            **docker_engine.client_environment(caller),
            "DOCKER_BUILDKIT": "1",
            "DOCKER_HOST": engine.address,
            "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
        }
        argv = (*command, *self._options(), str(self.context.folder))
        call = process.Call(argv=argv, cwd=folder, env=env, timeout_s=self._left_s)
        try:
            done = process.supervise(
                call, log=log, on_tick=lambda: self.say(self.secrets.hidden(end_of(log)))
            )
        except OSError as error:
            raise ImageError(self._doing, Cause.OTHER, str(error)) from error
        output = log.read_text(errors="replace")
        if done.timed_out:
            raise self._failed(output, Cause.TIMEOUT)
        if done.exit_code != 0:
            raise self._failed(output)

    def _options(self) -> list[str]:
        context = self.context
        options = ["--progress=plain", "--file", str(context.dockerfile), "--tag", self.tag]
        options += [f"--label={name}={value}" for name, value in self.labels.items()]
        options += [f"--build-arg={name}={value}" for name, value in context.args.items()]
        options += [] if context.network else ["--network=none"]
        for name, path in self.secrets.files.items():
            options += ["--secret", f"id={name},src={path}"]
        return options

    def by_engine(self, engine: Engine) -> None:
        """Sends the context to the engine's own builder. Raises `ImageError`."""
        printed: list[str] = []
        try:
            with told(self._doing), _closed(self._stream(engine)) as lines:
                for line in lines:
                    printed.append(str(line.get("stream") or line.get("error") or ""))
                    self.say(self.secrets.hidden("".join(printed[-5:])))
                    if line.get("error") or time.monotonic() > self.deadline:
                        break
                else:
                    if engine.client.images.list(name=self.tag):
                        return  # without it, the engine died, and its output just ended
                    raise ImageError(self._doing, Cause.ENGINE_LOST)
        except ImageError as error:
            late = time.monotonic() > self.deadline - 1
            raise self._failed(
                f"{''.join(printed)}\n{error.output}", Cause.TIMEOUT if late else error.cause
            ) from error
        late = time.monotonic() > self.deadline
        raise self._failed("".join(printed), Cause.TIMEOUT if late else None)

    def _stream(self, engine: Engine) -> Any:  # noqa: ANN401 - the SDK's
        context = self.context
        return engine.client.api.build(
            fileobj=io.BytesIO(context.archive()),
            custom_context=True,
            dockerfile=FILE,
            tag=self.tag,
            labels=dict(self.labels),
            buildargs=dict(context.args),
            network_mode=None if context.network else "none",
            timeout=self._left_s,  # how long a step may print nothing
            rm=True,
            forcerm=True,  # else the container of a failed step stays, with all its disk
            decode=True,
        )


@contextlib.contextmanager
def _closed(stream: Any) -> Iterator[Any]:  # noqa: ANN401
    # The engine goes on with a step as long as the connection is open.
    try:
        yield stream
    finally:
        stream.close()
