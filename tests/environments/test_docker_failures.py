"""docker_failures: causes from what engines, pip, apt, conda and curl really print."""

from __future__ import annotations

import pytest

from reprocheck.environments.docker_failures import Cause, ImageError, classify

GONE = "ERROR: No matching distribution found for six\n"
SAID = {
    "write /x: no space left on device": Cause.NO_SPACE,
    f"SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))\n{GONE}": (
        Cause.CERTIFICATE
    ),
    'Get "https://registry.test/v2/": x509: certificate signed by unknown authority': (
        Cause.CERTIFICATE
    ),
    f"<pip._vendor.urllib3.connection.HTTPSConnection>: NewConnectionError\n{GONE}": (
        Cause.NO_NETWORK
    ),
    "W: Temporary failure resolving 'deb.test'\nE: Unable to locate package git": Cause.NO_NETWORK,
    "curl: (6) Could not resolve host: example.org": Cause.NO_NETWORK,
    "dial tcp: lookup registry.invalid on 10.0.0.1:53: no such host": Cause.NO_NETWORK,
    GONE: Cause.GONE,
    "E: Version '1.2' for 'git' was not found": Cause.GONE,
    "the --mount option requires BuildKit": Cause.BUILDKIT,
    "pull access denied for x, repository does not exist or may require 'docker login'": (
        Cause.REGISTRY_LOGIN
    ),
    "manifest for python:9 not found: manifest unknown": Cause.BASE_GONE,
    'failed to compute cache key: "/absent" not found: not found': Cause.DOCKERFILE,
    "fatal: not a git repository (or any of the parent directories): .git": Cause.HISTORY,
    "LookupError: setuptools-scm was unable to detect version for /app.": Cause.HISTORY,
    "error: No interpreter found for Python 3.99 in search path": Cause.INTERPRETER,
    "/bin/sh: 1: python3.7: not found\nreturned a non-zero code: 127": Cause.INTERPRETER,
    "ERROR: HTTP error 401 while getting x\n401 Client Error: Unauthorized": Cause.LOGIN,
    "COPY failed: file not found in build context": Cause.DOCKERFILE,
    'could not select device driver "" with capabilities: [[gpu]]': Cause.GPU,
    "The command '/bin/sh -c x' returned a non-zero code: 137": Cause.MEMORY,
    "The command '/bin/sh -c x' returned a non-zero code: 1": Cause.STEP,
    "executor failed running [/bin/sh -c exit 7]: exit code: 7": Cause.STEP,
    "something else": Cause.OTHER,
}


@pytest.mark.parametrize("output", SAID)
def test_the_cause_is_read_from_the_whole_log(output):
    assert classify(f"{output}\n" + "later lines\n" * 50) is SAID[output]


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_hint_and_shows_the_last_lines(cause):
    error = ImageError("building", cause, "".join(f"line {i}\n" for i in range(30)))
    assert error.hint
    assert "line 29" in error.message
    assert "line 9\n" not in error.message


def test_logins_in_addresses_are_not_shown():
    assert "hunter2" not in ImageError("x", Cause.STEP, "https://me:hunter2@example.org").message


def test_no_part_of_a_password_is_told():
    refused = ImageError("building", Cause.STEP, "pip https://me:p@ss@host/simple failed")
    assert "https://***@host/simple" in refused.message
    assert "ss@" not in refused.message
