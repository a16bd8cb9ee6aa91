"""Fetches from the Hugging Face hub by its own library, in a process of its own.

There the library reads the caller's settings (HF_ENDPOINT, HF_TOKEN, proxies) as everywhere else.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from reprocheck import process
from reprocheck.datastores.hub_cache import COMMIT, Repository
from reprocheck.errors import RestoreError
from reprocheck.hostile import redact

ENDPOINT = "https://huggingface.co"
_TIMEOUT_S = 24 * 3600.0
_PASSED = ("HF_", "HUGGING", "SSL_CERT_", "REQUESTS_CA_", "CURL_CA_", "LC_")
_NAMES = frozenset(
    (
        *("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
    )
)
_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_XET_CHUNK_CACHE_SIZE_BYTES": "0",  # nothing is left in the caller's cache
}
_FETCH = """
import json, sys
asked = json.loads(sys.argv[1])
try:
    from huggingface_hub import snapshot_download
    print(json.dumps({"path": snapshot_download(**asked)}))
except Exception as error:
    print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
"""


def is_installed() -> bool:
    """Whether the hub's library is there, which the extra reprocheck[hub] brings."""
    return importlib.util.find_spec("huggingface_hub") is not None


def endpoint(env: Mapping[str, str]) -> str:
    """The hub that is asked."""
    return redact(env.get("HF_ENDPOINT") or ENDPOINT)


def anonymous(env: Mapping[str, str]) -> Mapping[str, str]:
    """The caller's variables without what could read a private repository: no token, no cache."""
    homes = ("HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME")
    kept = {name: text for name, text in env.items() if name not in (*_TOKENS, *homes)}
    return kept | {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1", "HF_TOKEN_PATH": "/nonexistent"}


def fetch(
    repo: Repository,
    revision: str,
    cache: Path,
    env: Mapping[str, str],
    on_tick: Callable[[], None] | None = None,
) -> str:
    """Fetches a snapshot into a cache, and returns its commit.

    Raises `RestoreError` where it cannot be had, and what `on_tick` raises.
    """
    doing = f"fetching {repo.shown} at {revision or 'main'} from {endpoint(env)}"
    if not is_installed():
        raise RestoreError(
            f"{doing}: huggingface_hub is not installed",
            "pip install 'reprocheck[hub]', or put it into the cache that HF_HOME names",
        )
    cache.mkdir(parents=True, exist_ok=True)
    asked = {"repo_id": repo.name, "repo_type": repo.kind, "cache_dir": str(cache.resolve())}
    if revision:
        asked["revision"] = revision
    call = process.Call(
        argv=(sys.executable, "-P", "-c", _FETCH, json.dumps(asked)),
        cwd=cache,
        env=_environment(env) | _QUIET,
        timeout_s=_TIMEOUT_S,
    )
    log = cache / f"{repo.folder}.{os.getpid()}.log"
    try:
        answer = _answer(process.supervise(call, log=log, on_tick=on_tick))
    finally:
        log.unlink(missing_ok=True)
    commit = Path(answer.get("path", "")).name
    if "error" in answer or not COMMIT.fullmatch(commit):
        secrets = frozenset(env[name] for name in _TOKENS if env.get(name))
        said = redact(answer.get("error", "it told no commit"), secrets)
        raise RestoreError(f"{doing}: {said[:600]}", _hint(said))
    return commit


def _answer(done: process.Completed) -> dict[str, str]:
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    for line in reversed(lines):
        if line.startswith(('{"path"', '{"error"')):
            answer: dict[str, str] = json.loads(line)
            return answer
    return {"error": lines[-1] if lines else f"it ended with {done.exit_code}"}


def _hint(said: str) -> str:
    if "Gated" in said or "401" in said or "403" in said:
        return "set HF_TOKEN to a token that may read it; trials do not get it"
    if "NotFound" in said and "LocalEntryNotFound" not in said:  # which means: it was not reached
        return "check the name, datasets/ in front of a data set's, and the revision"
    return "check the network and HF_ENDPOINT, or put it into the cache that HF_HOME names"


def _environment(caller: Mapping[str, str]) -> dict[str, str]:
    return {
        name: text
        for name, text in caller.items()
        if name.upper() in _NAMES or name.startswith(_PASSED)
    }
