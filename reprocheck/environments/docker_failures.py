"""Why an image could not be had, from everything that the engine printed."""

from __future__ import annotations

import enum
import re

from reprocheck.environments.logins import without_secrets
from reprocheck.errors import RebuildError

_LAST_LINES = 12


class Cause(enum.Enum):
    """The likely causes of a failed build."""

    ENGINE = "no container engine answers"
    ENGINE_LOST = "the container engine stopped answering"
    NO_SPACE = "the engine's disk is full"
    CERTIFICATE = "a certificate was refused"
    NO_NETWORK = "the network cannot be reached"
    REGISTRY_LOGIN = "the registry wants a login, or knows no such image"
    BASE_GONE = "the image does not exist any more"
    BUILDKIT = "the Dockerfile needs BuildKit"
    HISTORY = "it reads the git history, which it was not given"
    INTERPRETER = "the Python it asks for is not there"
    LOGIN = "a package index wants a login"
    GONE = "a package, or its version, is not to be had"
    MEMORY = "a step was killed, most likely for want of memory"
    GPU = "the engine cannot hand out the GPUs asked for"
    DOCKERFILE = "the Dockerfile has an error, or copies what is not at the commit"
    STEP = "a step failed"
    TIMEOUT = "it took too long"
    OTHER = "the engine refused it"


# In the order of what explains the others: pip ends in "no matching distribution" without network.
_SIGNS: tuple[tuple[Cause, str], ...] = (
    (
        Cause.ENGINE_LOST,
        r"error reading from server|cannot connect to the docker daemon|response ended prematurely|"
        r"^ERROR: .*code = (Unavailable|Canceled)|^(ERROR: )?unexpected EOF",
    ),
    (Cause.NO_SPACE, r"no space left on device|disk quota exceeded|errno 28\b"),
    (
        Cause.CERTIFICATE,
        r"certificate.verify.failed|certificate signed by unknown authority|x509: certificate|"
        r"SSL certificate problem|invalid peer certificate|self[- ]signed certificate|"
        r"unable to get local issuer certificate|certificate is NOT trusted|"
        r"server certificate verification failed",
    ),
    (
        Cause.NO_NETWORK,
        r"NewConnectionError|ConnectTimeoutError|temporary failure in name resolution|"
        r"temporary failure resolving|name or service not known|could ?n.t resolve host|"
        r"could not resolve|no such host|network is unreachable|network unreachable|"
        r"no route to host|dns error|failed to lookup address|"
        r"dial tcp .*(timeout|refused|unreachable)|connection timed out|"
        r"request canceled while waiting for connection|bad address '|EAI_AGAIN",
    ),
    (
        Cause.BUILDKIT,
        r"option requires BuildKit|requires BuildKit|BuildKit is enabled but|"
        r"unknown flag: (mount|link|chmod|network|security)|unknown instruction: (EOF|<<)",
    ),
    (
        Cause.DOCKERFILE,
        r"dockerfile parse error|unknown instruction|(COPY|ADD) failed|failed to compute cache key|"
        r"no build stage in current context|failed to (parse|read) dockerfile|"
        r"base name \(.*\) should not be blank|the Dockerfile .* cannot be empty",
    ),
    (
        Cause.LOGIN,
        r"HTTP error 40[13]|40[13] (Client )?Error|client error \(40[13]|^.*User for \S+: |"
        r"EOF when reading a line|Missing credentials for|lack of valid authentication credentials",
    ),
    (
        Cause.REGISTRY_LOGIN,
        r"pull access denied|may require 'docker login'|unauthorized|authentication required|"
        r"insufficient_scope|no basic auth credentials",
    ),
    (
        Cause.BASE_GONE,
        r"manifest (for .* not found|unknown)|manifest_unknown|no such image|"
        r"repository .* not found|name unknown|no match for platform",
    ),
    (
        Cause.GPU,
        r"could not select device driver|nvidia-container-cli|unresolvable CDI|"
        r"unknown or invalid runtime name: nvidia",
    ),
    (
        Cause.HISTORY,
        r"not a git repository|unable to detect version for|error getting the version from source|"
        r"versioning metadata|Versioning for this project requires",
    ),
    (
        Cause.INTERPRETER,
        r"No interpreter found for|No Python interpreters? found|"
        r"python[\d.]*: (command )?not found|requires a different Python|"
        r"exec: \\*\"python[\d.]*\\*\": executable file not found|"
        r"no such file or directory: python",
    ),
    (
        Cause.GONE,
        r"no matching distribution found|could not find a version that satisfies|"
        r"there is no version of|was not found in the package registry|unable to locate package|"
        r"version '.*' for '.*' was not found|PackagesNotFoundError|has no installation candidate|"
        r"nothing provides|404 +not found",
    ),
    (Cause.MEMORY, r"non-zero code: 137|exit (code|status):? 137|^Killed$"),
    (
        Cause.STEP,
        r"returned a non-zero code|did not complete successfully|runc did not terminate|"
        r"executor failed running|while running runtime: exit status",
    ),
)
_HINTS = {
    Cause.ENGINE: "start Docker or podman, or name another with DOCKER_HOST; without one:  "
    "environment: {kind: venv, file: requirements.txt}  in reprocheck.yaml",
    Cause.ENGINE_LOST: "look into the engine's own log, start it again and repeat",
    Cause.NO_SPACE: "free some:  reprocheck clean --images 0d  removes what reprocheck built, "
    "docker system df  shows the rest",
    Cause.CERTIFICATE: "reprocheck tried the certificates of this machine, too: name a file that "
    "has the proxy's in SSL_CERT_FILE",
    Cause.NO_NETWORK: "check the engine's network and proxy; environment.network: none in "
    "reprocheck.yaml forbids it to builds",
    Cause.REGISTRY_LOGIN: "log in with  docker login, or check the image's name",
    Cause.BASE_GONE: "record the image by digest and keep it in a registry of your own, or load it "
    "with  docker load",
    Cause.BUILDKIT: "install docker's buildx plugin",
    Cause.HISTORY: "take .git out of .dockerignore, and name it:  COPY .git .git",
    Cause.INTERPRETER: "start from an image that has it, or name another Dockerfile with "
    "environment.file in reprocheck.yaml",
    Cause.LOGIN: "write the login into pip.conf, .netrc or PIP_INDEX_URL: reprocheck passes them "
    "to BuildKit as secrets (docker's buildx plugin)",
    Cause.GONE: "pin what still exists, or name the index that has it in pip.conf or "
    "PIP_INDEX_URL; of a refused login pip says no more than this",
    Cause.MEMORY: "give the engine more memory",
    Cause.GPU: "install the driver and the NVIDIA container toolkit, or set limits.gpus to 0 in "
    "reprocheck.yaml",
    Cause.DOCKERFILE: "mend it, or name another with environment.file in reprocheck.yaml; what the "
    "build copies must be in git",
    Cause.STEP: "the lines above are the step's own; unpinned packages may have changed since",
    Cause.TIMEOUT: "allow more with environment.timeout in reprocheck.yaml; the engine keeps the "
    "steps that finished",
    Cause.OTHER: "the lines above are the engine's own",
}


class ImageError(RebuildError):
    """An image could not be had, and why."""

    def __init__(self, doing: str, cause: Cause, output: str = "") -> None:
        last = "".join(f"\n  {line}" for line in _last_lines(output))
        super().__init__(f"{doing}: {cause.value}{last}", _HINTS[cause])
        self.cause = cause
        self.output = output


def classify(output: str) -> Cause:
    """The likely cause of a failure, from everything that was printed."""
    for cause, sign in _SIGNS:
        if re.search(sign, output, re.IGNORECASE | re.MULTILINE):
            return cause
    return Cause.OTHER


def _last_lines(output: str) -> list[str]:
    lines = [line.rstrip() for line in without_secrets(output).splitlines() if line.strip()]
    return lines[-_LAST_LINES:]
