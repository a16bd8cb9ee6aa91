"""The package index that uv would use, asked by uv itself: its own settings apply."""

from __future__ import annotations

import re
import sys

from reprocheck import process
from reprocheck.doctor.base import Check, Kind, Request, Status
from reprocheck.environments import uv_program
from reprocheck.environments.uv_program import Cause
from reprocheck.errors import RebuildError

_ASKING_S = 15.0
_ASKED = re.compile(r"(?:GET request for: |Failed to fetch: `?|No cache entry for: )(\S+?)pip/`?\s")
_ANSWERED = (Cause.UNKNOWN_PACKAGE, Cause.UNKNOWN_VERSION, Cause.CONFLICT, Cause.WRONG_PYTHON)
"""An index of few packages, which lacks the one that is asked for, answers all the same."""

_OFFLINE, _NO = ("UV_OFFLINE", "UV_NO_INDEX"), ("", "0", "false")
_MENDS = {
    Cause.CERTIFICATE: "export SSL_CERT_FILE=/path/to/ca-bundle.pem  with your company's "
    "certificate, or UV_SYSTEM_CERTS=1 for this machine's",
    Cause.DENIED: "give uv the login: in ~/.netrc, or in the address of UV_DEFAULT_INDEX",
}
_OTHERWISE = (
    "check the network and HTTPS_PROXY, or name a mirror:  export UV_DEFAULT_INDEX=https://…/simple"
)


def check_index(request: Request) -> tuple[Check, ...]:
    """Whether the index answers. A rebuild tries this machine's own certificates, too; so do we."""
    offline = next((name for name in _OFFLINE if request.env.get(name, "0") not in _NO), None)
    if offline:
        return (_index(Status.OK, f"not asked: {offline} is set"),)
    try:
        done = _ask(request)
        cause = _cause(done)
        if cause is Cause.CERTIFICATE:
            again = _ask(request, "--system-certs")
            if _cause(again) in (None, *_ANSWERED):
                told = f"{_address(again)} answers, by this machine's own certificates"
                return (_index(Status.OK, told),)
    except (OSError, RebuildError):
        told = "cannot be told: uv does not run"
        return (_index(Status.WARNING, told, "pip install --force-reinstall uv"),)
    where = _address(done)
    if cause is None or cause in _ANSWERED:
        return (_index(Status.OK, f"{where} answers"),)
    if done.timed_out:
        told = f"{where} did not answer within {_ASKING_S:g} s"
        return (_index(Status.WARNING, told, _OTHERWISE),)
    told = f"{where}: {cause.value}"
    return (_index(Status.WARNING, told, _MENDS.get(cause, _OTHERWISE)),)


def _ask(request: Request, *options: str) -> process.Completed:
    asked = request.scratch / "asked.in"
    asked.write_text("pip\n")
    env = {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "8", **request.env}
    call = process.Call(
        argv=(
            *(uv_program.find_uv(), "pip", "compile", "--verbose", "--no-deps", "--no-cache"),
            *("--no-header", "--python", sys.executable, *options, str(asked)),
        ),
        cwd=request.scratch,
        env={**uv_program.environment(env), "TMPDIR": str(request.scratch)},
        timeout_s=_ASKING_S,
    )
    return process.run(call)


def _cause(done: process.Completed) -> Cause | None:
    """Why it failed; None where it did not."""
    if done.exit_code == 0 and not done.timed_out:
        return None
    return uv_program.classify(done.stderr.decode(errors="replace"))


def _address(done: process.Completed) -> str:
    found = _ASKED.search(done.stderr.decode(errors="replace"))
    return found[1].rstrip("/") if found else "the package index"


def _index(status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=Kind.PACKAGE_INDEX, name="package index", status=status, told=told, mend=mend)
