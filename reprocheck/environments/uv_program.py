"""Runs uv, tells its progress, and says in words why it failed."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck import process
from reprocheck.environments import local, pip_settings
from reprocheck.environments.logins import without_secrets
from reprocheck.errors import RebuildError
from reprocheck.numbers import counted
from reprocheck.progress import Progress

TIMEOUT_S = 3 * 3600.0
_LAST_LINES = 15
_TOLD = 16_000  # bytes of its output that progress looks at
_DOWNLOADING = re.compile(r"^Downloading (\S+) \(([^)\n]+)\)", re.MULTILINE)
_DOWNLOADED = re.compile(r"^ *Downloaded (\S+)", re.MULTILINE)
# Where packages come from, and how to reach that place; nothing that changes what is resolved.
_INDEX_VARIABLES = re.compile(r"UV_(DEFAULT_INDEX|INDEX|EXTRA_INDEX|FIND_LINKS|NO_INDEX|CONFIG)")
_PASSED = re.compile(
    _INDEX_VARIABLES.pattern + r"|UV_PYTHON_INSTALL"
    r"|UV_(KEYRING|NATIVE_TLS|SYSTEM_CERTS|INSECURE|HTTP|REQUEST|CONCURRENT|OFFLINE|CACHE"
    r"|CREDENTIALS|NO_CONFIG)"
    r"|(https?|all|no)_proxy$|(HTTPS?|ALL|NO)_PROXY$|SSL_CERT_(FILE|DIR)$|SSL_CLIENT_CERT$"
    r"|REQUESTS_CA_BUNDLE$|CURL_CA_BUNDLE$|NETRC$|GIT_SSL|GIT_SSH|SSH_AUTH_SOCK$"
    r"|(PATH|HOME|USER|LOGNAME|TMPDIR|LANG|LD_LIBRARY_PATH)$|LC_|XDG_(CONFIG|CACHE|DATA)"
    r"|(CC|CXX|FC|CFLAGS|CXXFLAGS|CPPFLAGS|LDFLAGS|CUDA_HOME|SDKROOT|ARCHFLAGS)$|PKG_CONFIG"
    r"|MACOSX_DEPLOYMENT_TARGET$"
)


class Cause(enum.Enum):
    """Why uv failed, as far as its output tells."""

    DISK_FULL = "the disk is full"
    CERTIFICATE = "the certificate of the package index was refused"
    DENIED = "the package index refused our credentials"
    NETWORK = "the package index could not be reached"
    BUILD = "a package has no wheel for this Python and platform, and building its source failed"
    LATER = "a version that is asked for was published after the run started"
    CUTOFF = "the index says of no fitting version that it was there when the run started"
    UNKNOWN_PACKAGE = "the index does not have a package that is asked for"
    UNKNOWN_VERSION = "the index does not have a version that is asked for"
    WRONG_PYTHON = "a package does not support this Python or platform"
    CLONE = "the git repository of a package could not be read"
    HASH = "a downloaded file is not the one whose hash is recorded"
    CONFLICT = "the requirements contradict each other"
    SYNTAX = "a line could not be understood"
    TIMEOUT = "it took too long"
    OTHER = "uv failed"


# The first that matches anywhere in the output counts: the last line alone misleads.
_SIGNS = (
    (Cause.DISK_FULL, r"no space left on device|disk quota exceeded"),
    (Cause.CERTIFICATE, r"invalid peer certificate|UnknownIssuer|certificate verif"),
    (Cause.DENIED, r"\b40[13] (unauthorized|forbidden)|status code 40[13]\b"),
    (
        Cause.NETWORK,
        r"dns error|failed to lookup address|error sending request|connection refused"
        r"|connection reset|network connectivity is disabled|operation timed out"
        r"|network is unreachable|could not resolve host|status code 5\d\d\b"
        r"|HTTP status server error",
    ),
    (Cause.HASH, r"hash mismatch"),
    (Cause.CLONE, r"git operation failed|git executable not found"),
    (Cause.BUILD, r"failed to build|build backend (failed|returned)|failed to prepare dist"),
    (Cause.LATER, r"the requested version, \S+, was published at"),
    (Cause.CUTOFF, r"filtered by `?exclude-newer|missing an upload date"),
    (Cause.UNKNOWN_PACKAGE, r"was not found in the (package registry|provided package locations)"),
    (
        Cause.WRONG_PYTHON,
        r"no wheels with a matching|does not satisfy Python|no usable wheels|requires-python"
        r"|not compatible with the current (Python|platform)|is incompatible with the current",
    ),
    (Cause.UNKNOWN_VERSION, r"there (is|are) no versions? of"),
    (Cause.SYNTAX, r"couldn't parse requirement|unsupported|unexpected '"),
    (Cause.CONFLICT, r"no solution found"),
)
_HINTS = {
    Cause.DISK_FULL: "free some space; `uv cache clean` removes what uv keeps",
    Cause.CERTIFICATE: "set SSL_CERT_FILE to a bundle that holds your company's certificate",
    Cause.DENIED: "give uv the credentials: in the address of UV_INDEX, or in ~/.netrc",
    Cause.NETWORK: "check the network and HTTPS_PROXY; name a mirror in UV_DEFAULT_INDEX",
    Cause.BUILD: "install the Python version of the run, or the compilers that the package needs",
    Cause.LATER: "the run cannot have used it: check the recorded start time, and whether the "
    "file was changed since; a recorded freeze is installed as it stands",
    Cause.CUTOFF: "if the index tells no upload times, use one that does, or record a freeze of "
    "the environment with the run",
    Cause.UNKNOWN_PACKAGE: "name your own index in UV_INDEX, or in pip.conf",
    Cause.UNKNOWN_VERSION: "name the index that has it in UV_INDEX or pip.conf (a version with a "
    "'+', such as 2.1.0+cpu, is on an index of its own)",
    Cause.WRONG_PYTHON: "install the Python version of the run; see  environment: {python: …}  in "
    "reprocheck.yaml",
    Cause.CLONE: "check its address and that the commit is still there; give git the login, in "
    "~/.netrc or by an SSH agent",
    Cause.HASH: "the index serves another file than the run used: find out why before going on",
    Cause.CONFLICT: "record a freeze of the environment with the run",
    Cause.SYNTAX: "mend the line, or name another file in reprocheck.yaml",
    Cause.TIMEOUT: "try again, or name an index that is nearer in UV_DEFAULT_INDEX",
    Cause.OTHER: "uv's own lines above say more",
}


class UvError(RebuildError):
    """uv failed, and why."""

    def __init__(self, doing: str, cause: Cause, output: str) -> None:
        last = "\n".join(f"  {line}" for line in output.splitlines()[-_LAST_LINES:])
        super().__init__(f"{doing}: {cause.value}\n{last}", _HINTS[cause])
        self.cause, self.disk_full = cause, cause is Cause.DISK_FULL
        files = re.findall(r"`([^`\s]+)` is missing an upload date", " ".join(output.split()))
        found = (local.version_of(file) for file in set(files))
        self.undated = frozenset(each[0] for each in found if each)


@dataclass(frozen=True, kw_only=True, slots=True)
class Uv:
    """uv in a working folder of our own, so that no project's settings apply but the user's do."""

    folder: Path
    env: Mapping[str, str]  # the caller's
    progress: Progress
    run: Callable[[process.Call], process.Completed] = process.run  # of `read`: in a sandbox

    def __call__(
        self, *args: str, doing: str, more: Mapping[str, str] | None = None
    ) -> process.Completed:
        """Runs a uv command and tells what it prints as progress.

        Certificates are checked by uv's own roots, then by the system's: a company's proxy has a
        root of its own. Raises `UvError`.
        """
        try:
            return self._run(args, doing, more or {})
        except UvError as error:
            if error.cause is Cause.CERTIFICATE:
                return self._run(("--system-certs", *args), doing, more or {})
            if error.cause in (Cause.UNKNOWN_PACKAGE, Cause.UNKNOWN_VERSION):
                self._check_logins(args, doing, more or {})
            raise

    def _check_logins(self, args: tuple[str, ...], doing: str, more: Mapping[str, str]) -> None:
        """Of several indexes, uv passes over one that refuses the login, without a word; where the
        first one that answers decides, it tells. Raises `UvError` for such a refusal.
        """
        every = "unsafe-best-match"
        if every not in (*args, environment(self.env).get("UV_INDEX_STRATEGY")):
            return
        first = tuple("first-index" if word == every else word for word in args)
        try:
            self._run(first, doing, {**more, "UV_INDEX_STRATEGY": "first-index"})
        except UvError as error:
            if error.cause is Cause.DENIED:
                raise

    def download_python(self, version: str) -> None:
        """Installs a Python where uv keeps its own, whatever else forbids downloads.

        Raises `UvError`.
        """
        self(
            *("python", "install", "--no-bin", version),
            doing=f"downloading Python {version}",
            more={"UV_PYTHON_DOWNLOADS": "manual"},
        )

    def _run(self, args: tuple[str, ...], doing: str, more: Mapping[str, str]) -> process.Completed:
        log = self.folder / "uv.log"
        log.unlink(missing_ok=True)
        call = process.Call(
            argv=(find_uv(), *args),
            cwd=self.folder,
            env={**environment(self.env), **more},
            timeout_s=TIMEOUT_S,
        )
        self.progress.update(doing)
        try:
            done = process.supervise(call, log=log, on_tick=lambda: self._tell(log, doing))
        except OSError as error:
            raise UvError(doing, Cause.OTHER, f"{error.strerror}: {error.filename}") from error
        if done.timed_out or done.exit_code != 0:
            output = without_secrets(done.stdout.decode(errors="replace"))
            cause = Cause.TIMEOUT if done.timed_out else classify(output)
            raise UvError(doing, cause, output)
        return done

    def read(self, *args: str) -> bytes:
        """What a short uv command prints.

        Raises `UvError`.
        """
        argv = (find_uv(), *args)
        call = process.Call(argv=argv, cwd=self.folder, env=environment(self.env), timeout_s=120)
        done = self.run(call)
        if done.timed_out or done.exit_code != 0:
            output = without_secrets(done.stderr.decode(errors="replace"))
            cause = Cause.TIMEOUT if done.timed_out else classify(output)
            raise UvError(f"running uv {args[0]}", cause, output)
        return done.stdout

    def _tell(self, log: Path, doing: str) -> None:
        last = words_of(log.read_bytes()[-_TOLD:].decode(errors="replace"))
        if last:
            self.progress.update(f"{doing}: {last}")


def words_of(output: str) -> str:
    """What uv does, from the end of its output: what it still downloads, else its last line."""
    begun = dict(_DOWNLOADING.findall(output))
    open_ones = [f"{name} ({begun[name]})" for name in begun.keys() - _DOWNLOADED.findall(output)]
    if open_ones:
        done = f"{len(begun) - len(open_ones)} of {counted(len(begun), 'large file')}"
        return without_secrets(f"{done} downloaded, now {', '.join(sorted(open_ones))}")[:160]
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return without_secrets(lines[-1])[:80] if lines else ""


def find_uv() -> str:
    """The uv that was installed with reprocheck.

    Raises `RebuildError` when its package lacks the program.
    """
    from uv import find_uv_bin

    try:
        return str(find_uv_bin())
    except FileNotFoundError as error:
        raise RebuildError("looking for uv: it is not installed", "reinstall reprocheck") from error


def environment(caller: Mapping[str, str]) -> dict[str, str]:
    """The part of the caller's environment that a build may see."""
    passed = {name: value for name, value in caller.items() if _PASSED.match(name)}
    passed |= pip_settings.for_uv(caller, _config(caller))
    return passed | {"UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1", "UV_NO_PROGRESS": "1"}


def index_settings(caller: Mapping[str, str]) -> str:
    """All that decides where packages come from; may hold credentials, so only to be hashed."""
    config = _config(caller)
    given = {**caller, **pip_settings.for_uv(caller, config)}
    named = [f"{key}={given[key]}" for key in sorted(given) if _INDEX_VARIABLES.match(key)]
    for file in (config, Path(caller.get("UV_CONFIG_FILE") or config)):
        if file.is_file():
            named.append(file.read_text(errors="replace"))
    return "\n".join(named)


def _config(caller: Mapping[str, str]) -> Path:
    home = Path(caller.get("HOME", "/nonexistent"))
    return Path(caller.get("XDG_CONFIG_HOME") or home / ".config") / "uv/uv.toml"


def classify(output: str) -> Cause:
    """The likely cause of a failure, from everything that uv printed."""
    joined = " ".join(output.split())  # uv wraps its lines
    for cause, sign in _SIGNS:
        if re.search(sign, joined, re.IGNORECASE):
            return cause
    return Cause.OTHER
