"""Why conda's packages could not be had, in words, from everything that was printed."""

from __future__ import annotations

import enum
import re

from reprocheck.environments.logins import without_secrets
from reprocheck.errors import RebuildError

_LAST_LINES = 15


class Cause(enum.Enum):
    """Why solving or installing failed."""

    DISK_FULL = "the disk is full"
    CERTIFICATE = "the certificate of a channel was refused"
    DENIED = "a channel refused our credentials"
    GONE = "a package is no longer where the lock says"
    NETWORK = "a channel could not be reached"
    NO_CHANNEL = "there is no such channel"
    DIGEST = "a downloaded package is not the one whose digest is recorded"
    CUTOFF = "no fitting version was there when the run started"
    VIRTUAL = "a package needs what this machine does not have (a GPU, a newer system)"
    UNKNOWN_PACKAGE = "no channel has a package that is asked for, in that version"
    CONFLICT = "the packages contradict each other"
    BROKEN = "a package's file is broken"
    TIMEOUT = "it took too long"
    OTHER = "it failed"


# The first that matches anywhere in the output counts: the last line alone misleads. Of a cut-off
# py-rattler also speaks where it is not the cause: it is told by solving without one.
_SIGNS = (
    (Cause.DISK_FULL, r"no space left on device|disk quota exceeded|NoSpaceLeft"),
    (Cause.CERTIFICATE, r"invalid peer certificate|UnknownIssuer|certificate verif|CERTIFICATE_"),
    (Cause.DENIED, r"\b40[13] (unauthorized|forbidden)|client error \(40[13]|HTTP 40[13]"),
    (Cause.DIGEST, r"hash mismatch|ChecksumMismatch|checksum (is )?(mismatch|not match|incorrect)"),
    (Cause.NO_CHANNEL, r"could not find subdir|UnavailableInvalidChannel|repodata.json.{0,40}404"),
    (Cause.GONE, r"failed to fetch .*(404|No such file)|HTTP 404|404 Not Found"),
    (
        Cause.NETWORK,
        r"dns error|failed to lookup address|error sending request|connection (refused|reset)"
        r"|network is unreachable|server error \(5\d\d|CondaHTTPError|ConnectionFailed"
        r"|could not (resolve|connect)|operation timed out|Download error",
    ),
    (Cause.VIRTUAL, r"\b__(cuda|glibc|osx|archspec|unix|linux)\b"),
    (
        Cause.UNKNOWN_PACKAGE,
        r"No candidates were found|PackagesNotFound|ResolvePackageNotFound|nothing provides"
        r"|does not exist",
    ),
    (Cause.CONFLICT, r"incompatible|cannot be installed|UnsatisfiableError|conflict"),
    (
        Cause.BROKEN,
        r"failed to (extract|unpack|read)|corrupt|decompress|invalid .*archive|unexpected end",
    ),
)
_HINTS = {
    Cause.DISK_FULL: "free some space; conda's packages are kept in reprocheck's cache",
    Cause.CERTIFICATE: "set SSL_CERT_FILE to a bundle that holds your company's certificate",
    Cause.DENIED: "log in with `rattler auth login` or give the channel's address with a token:  "
    "environment: {channels: {NAME: ADDRESS}}",
    Cause.GONE: "name a mirror that still has it:  environment: {channels: {NAME: ADDRESS}}",
    Cause.NETWORK: "check the network and HTTPS_PROXY, or name a mirror in reprocheck.yaml:  "
    "environment: {channels: {NAME: ADDRESS}}",
    Cause.NO_CHANNEL: "mend the channel's name, or say where it is in reprocheck.yaml:  "
    "environment: {channels: {NAME: ADDRESS}}",
    Cause.DIGEST: "the channel serves another file than the run used: find out why before going on",
    Cause.CUTOFF: "check the recorded start time; a mirror that was indexed later than the run "
    "tells no older dates: name another in  environment: {channels: {NAME: ADDRESS}}",
    Cause.VIRTUAL: "verify on a machine that has it, or set for example CONDA_OVERRIDE_CUDA=11.8",
    Cause.UNKNOWN_PACKAGE: "name the channel that has it in the file, or record an @EXPLICIT list "
    "(conda list --explicit --md5) with the run",
    Cause.CONFLICT: "record an @EXPLICIT list (conda list --explicit --md5) with the run",
    Cause.BROKEN: "remove reprocheck's cache of conda packages and try again",
    Cause.TIMEOUT: "try again, or name a mirror that is nearer",
    Cause.OTHER: "the lines above say more",
}


class CondaError(RebuildError):
    """Conda's packages could not be had, and why."""

    def __init__(self, doing: str, cause: Cause, output: str, about: str = "") -> None:
        last = "\n".join(
            f"  {line}" for line in without_secrets(output).splitlines()[-_LAST_LINES:]
        )
        super().__init__(f"{doing}: {cause.value}{about}\n{last}".rstrip(), _HINTS[cause])
        self.cause, self.disk_full = cause, cause is Cause.DISK_FULL


def classify(output: str) -> Cause:
    """The likely cause of a failure, from everything that was printed."""
    joined = " ".join(output.split())
    for cause, sign in _SIGNS:
        if re.search(sign, joined, re.IGNORECASE):
            return cause
    return Cause.OTHER


def unreachable(output: str, channels: tuple[str, ...]) -> str:
    """Which of the channels a failure is about, in words to append; empty where none is named."""
    for channel in channels:
        if re.search(rf"{re.escape(channel)}(?![\w.-])", output):
            return f" ({without_secrets(channel)})"
    found = re.search(r"\b(?:https?|file)://[^\s'\"()]+", output)
    return f" ({without_secrets(found[0])})" if found else ""
