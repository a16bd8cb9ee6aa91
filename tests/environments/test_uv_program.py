"""uv_program: what a build may see, and why uv failed."""

from __future__ import annotations

import os
import socket

import pytest

from reprocheck.environments import uv_program
from reprocheck.environments.logins import without_secrets
from reprocheck.environments.uv_program import (
    Cause,
    classify,
    environment,
    index_settings,
    words_of,
)
from tests.environments.samples import Heard


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("error: failed to write: No space left on device (os error 28)", Cause.DISK_FULL),
        ("cause: invalid peer certificate: UnknownIssuer", Cause.CERTIFICATE),
        ("HTTP status client error (401 Unauthorized) for url (x)", Cause.DENIED),
        ("error sending request\n cause: dns error", Cause.NETWORK),
        ("Network connectivity is disabled, but six is not cached", Cause.NETWORK),
        ("Because six was not found\n   in the package registry and", Cause.UNKNOWN_PACKAGE),
        ("Because there is no version of six==99", Cause.UNKNOWN_VERSION),
        ("x has no wheels with a matching Python ABI tag", Cause.WRONG_PYTHON),
        ("`six` was filtered by `exclude-newer` to only", Cause.CUTOFF),
        ("Failed to build `numpy==1.16.4`\n there is no version of y", Cause.BUILD),
        ("Hash mismatch for `six==1.15.0`", Cause.HASH),
        ("cause: Git operation failed\n fatal: Authentication failed", Cause.CLONE),
        ("cause: Git operation failed\n fatal: Could not resolve host: x", Cause.NETWORK),
        ("something new", Cause.OTHER),
    ],
)
def test_the_cause_is_told_from_all_of_the_output(output, cause):
    assert classify(output) is cause


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("from https://me:p@ss@host/x", "from https://***@host/x"),
        ("file:///place/@%20https:/me:pass@host/x", "file:///place/@%20https:/***@host/x"),
        ("own @ git+https://host/x@rev", "own @ git+https://host/x@rev"),
        ("own @ file:///place/x@1", "own @ file:///place/x@1"),
    ],
)
def test_no_login_is_told(text, clean):
    assert without_secrets(text) == clean


def test_what_takes_too_long_is_ended_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(uv_program, "TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        env = {**os.environ, "UV_DEFAULT_INDEX": f"http://127.0.0.1:{silent.getsockname()[1]}/"}
        (tmp_path / "asked.txt").write_text("six\n")
        uv = uv_program.Uv(folder=tmp_path, env=env, progress=Heard())
        with pytest.raises(uv_program.UvError, match="resolving: it took too long") as caught:
            uv("pip", "compile", "asked.txt", doing="resolving")
    assert "nearer" in caught.value.hint


def test_a_build_sees_how_to_reach_the_index_and_nothing_else():
    caller = {
        "UV_INDEX": "https://host/simple",
        "https_proxy": "http://proxy",
        "SSL_CERT_FILE": "/ca",
        "UV_EXCLUDE_NEWER": "2020-01-01",
        "UV_PYTHON": "3.8",
        "MLFLOW_TRACKING_TOKEN": "hunter2",
        "PYTHONPATH": "/x",
    }
    seen = environment(caller)
    assert {"UV_INDEX", "https_proxy", "SSL_CERT_FILE"} <= set(seen)
    assert not {"UV_EXCLUDE_NEWER", "UV_PYTHON", "MLFLOW_TRACKING_TOKEN", "PYTHONPATH"} & set(seen)
    assert seen["UV_PYTHON_DOWNLOADS"] == "never"


def test_the_index_settings_hold_variables_and_the_users_config(tmp_path):
    (tmp_path / "uv").mkdir()
    (tmp_path / "uv/uv.toml").write_text("no-index = true")
    caller = {"UV_INDEX": "https://host", "XDG_CONFIG_HOME": str(tmp_path), "UV_CACHE_DIR": "/c"}
    assert index_settings(caller) == "UV_INDEX=https://host\nno-index = true\nno-index = true"


def test_what_is_still_downloaded_is_told_before_the_last_line():
    begun = "Resolved 9 packages in 1s\nDownloading torch (731.1MiB)\nDownloading numpy (16.0MiB)\n"
    assert words_of(begun) == (
        "0 of 2 large files downloaded, now numpy (16.0MiB), torch (731.1MiB)"
    )
    assert words_of(f"{begun} Downloaded numpy\n") == (
        "1 of 2 large files downloaded, now torch (731.1MiB)"
    )
    done = f"{begun} Downloaded numpy\n Downloaded torch\nPrepared 9 packages in 3s\n\n"
    assert words_of(done) == "Prepared 9 packages in 3s"
    assert words_of("") == ""
