"""conda_errors: the likely cause, from everything that was printed."""

from __future__ import annotations

import pytest

from reprocheck.environments.conda_errors import (
    Cause,
    CondaError,
    classify,
    unreachable,
)
from reprocheck.environments.logins import without_secrets


# What py-rattler, micromamba and conda print.
@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("failed to unpack\nCaused by: No space left on device (os error 28)", Cause.DISK_FULL),
        ("error sending request\nCaused by: invalid peer certificate: UnknownIssuer",
         Cause.CERTIFICATE),
        ("HTTP status client error (403 Forbidden) for url (https://x)", Cause.DENIED),
        ("could not find subdir 'noarch' in channel 'x'", Cause.NO_CHANNEL),
        ("failed to fetch a-1-0.conda\nCaused by: HTTP status client error (404 File not found)",
         Cause.GONE),
        ("error sending request for url (https://x)\nCaused by: dns error", Cause.NETWORK),
        ("CondaHTTPError: HTTP 000 CONNECTION FAILED for url <https://x>", Cause.NETWORK),
        ("hash mismatch when extracting https://x: expected 0, got 1", Cause.DIGEST),
        ("ChecksumMismatchError: Conda detected a mismatch", Cause.DIGEST),
        ("nothing provides __cuda >=11 needed by pytorch-1.9", Cause.VIRTUAL),
        ("Cannot solve the request because of: No candidates were found for nope *.",
         Cause.UNKNOWN_PACKAGE),
        ("PackagesNotFoundError: The following packages are not available", Cause.UNKNOWN_PACKAGE),
        ("The following packages are incompatible", Cause.CONFLICT),
        ("something else", Cause.OTHER),
    ],
)  # fmt: skip
def test_the_cause_is_found_in_the_output(output, cause):
    assert classify(output) is cause
    error = CondaError("solving environment.yml", cause, output)
    assert error.message.startswith(f"solving environment.yml: {cause.value}\n  ")
    assert error.hint


def test_the_channel_that_is_meant_is_named():
    output = "error sending request for url (https://x.invalid/a/noarch/repodata.json)"
    assert unreachable(output, ("https://x.invalid/b", "https://x.invalid/a")) == (
        " (https://x.invalid/a)"
    )
    assert unreachable(output, ()) == " (https://x.invalid/a/noarch/repodata.json)"
    assert unreachable("nothing", ()) == ""


def test_no_login_or_token_is_shown():
    text = "https://me:pass@x.invalid/t/tk-123/own/noarch"
    assert without_secrets(text) == "https://***@x.invalid/t/***/own/noarch"
    assert without_secrets("https://me:p@ss@x.invalid/a") == "https://***@x.invalid/a"
    assert "tk-123" not in CondaError("doing", Cause.OTHER, text).message
