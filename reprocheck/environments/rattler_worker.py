"""Solves and installs conda packages with py-rattler, in a process of its own.

Its threads may crash Python when it exits, and a panic of theirs must not end reprocheck. Run as
`python -P rattler_worker.py REQUEST RESULT`, both of them JSON files; only the standard library
and py-rattler are imported. The result is written whole, or not at all.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import os
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rattler import Client, Config, Gateway, MatchSpec, RepoDataRecord

# Copies: hard links would let a training that writes into its site-packages change the cache and
# every other environment. The system's certificates: a company's proxy has a root of its own.
_CONFIG = """
allow-hard-links = false
tls-root-certs = "system"
"""


class WrongDigestError(Exception):
    """A local file is not the one that is recorded; py-rattler looks at downloads only."""


def main(request_file: str, result_file: str) -> None:
    """Does what the request says and writes how it ended."""
    request = json.loads(Path(request_file).read_bytes())
    try:
        result = asyncio.run(_answer(request))
    except Exception as error:
        result = {"error": type(error).__name__, "text": str(error), **_entry(error)}
    new = Path(f"{result_file}.new")
    new.write_text(json.dumps(result))
    new.replace(result_file)


async def _answer(request: dict[str, Any]) -> dict[str, Any]:
    if request["do"] == "solve":
        return await _solve(request)
    return await _install(request)


def _entry(error: Exception) -> dict[str, str]:
    return {"entry": error.entry} if hasattr(error, "entry") else {}


def _client() -> tuple[Config, Client]:
    from rattler import Client, Config

    config = Config.from_toml(_CONFIG)
    return config, Client.from_config(config)


# --- solve --------------------------------------------------------------------------------


async def _solve(request: dict[str, Any]) -> dict[str, Any]:
    """The first answer that any attempt finds: see `_attempts` for their order."""
    from rattler import Gateway
    from rattler.exceptions import GatewayError, SolverError

    gateway = Gateway(cache_dir=Path(request["cache"]), client=_client()[1])
    cutoff = datetime.fromisoformat(request["cutoff"]) if request["cutoff"] else None
    specs = _specs(request["specs"])
    failed: Exception | None = None
    for python, channels, strict in _attempts(request):
        more = _specs([f"python {python}"] if python else [])
        try:
            records = await _one(gateway, channels, [*specs, *more], strict, cutoff)
            return _solved(records)
        except SolverError as error:
            failed = error if channels == request["channels"][0] or failed is None else failed
        except GatewayError:
            if channels == request["channels"][0]:
                raise
    return {
        "error": "SolverError",
        "text": str(failed),
        "later": cutoff is not None and await _is_later(request, gateway, specs),
    }


def _attempts(request: dict[str, Any]) -> Iterator[tuple[str | None, list[str], bool]]:
    # The recorded Python first. Then conda's default channels, which it looks into unless told not
    # to. Last, a channel of less importance may serve what a better one has in other builds only.
    return itertools.product(request["pythons"], request["channels"], (True, False))


async def _one(
    gateway: Gateway,
    channels: list[str],
    specs: Sequence[MatchSpec],
    strict: bool,
    cutoff: datetime | None,
) -> list[RepoDataRecord]:
    from rattler import Channel, ChannelPriority, Subdir, VirtualPackage, solve

    return await solve(
        [Channel(name) for name in channels],
        specs,
        gateway=gateway,
        platforms=[Subdir.current(), Subdir("noarch")],
        virtual_packages=VirtualPackage.detect(),
        channel_priority=ChannelPriority.Strict if strict else ChannelPriority.Disabled,
        exclude_newer=cutoff,  # in UTC: rattler overwrites the zone
        timestamp_policy="allow-missing",  # conda-build writes the time of a build since 2017
    )


async def _is_later(request: dict[str, Any], gateway: Gateway, specs: list[MatchSpec]) -> bool:
    """Whether it can be solved with what came after the cut-off."""
    from rattler.exceptions import GatewayError, SolverError

    for channels in request["channels"]:
        try:
            await _one(gateway, channels, specs, False, None)
        except (SolverError, GatewayError):
            continue
        return True
    return False


def _specs(texts: Sequence[str]) -> list[MatchSpec]:
    from rattler import MatchSpec
    from rattler.exceptions import InvalidMatchSpecError

    specs = []
    for text in texts:
        try:
            # Leniently, as conda reads exported files: numpy=1.16.4=py36_0.
            specs.append(MatchSpec(text, strict=False))
        except InvalidMatchSpecError as error:
            error.entry = text
            raise
    return specs


def _solved(records: Sequence[RepoDataRecord]) -> dict[str, Any]:
    return {
        "packages": [
            {
                "url": record.url,
                "md5": record.md5.hex() if record.md5 else None,
                "sha256": record.sha256.hex() if record.sha256 else None,
            }
            for record in sorted(records, key=lambda record: record.url)
        ],
        "undated": sorted(
            record.name.normalized
            for record in records
            if record.timestamp is None and record.indexed_timestamp is None
        ),
    }


# --- install ------------------------------------------------------------------------------


async def _install(request: dict[str, Any]) -> dict[str, Any]:
    from rattler import install

    for package in request["packages"]:
        _check_local(package)
    config, client = _client()
    await install(
        [_record(package) for package in request["packages"]],
        target_prefix=request["prefix"],
        cache_dir=Path(request["cache"]),
        execute_link_scripts=True,  # as conda does
        show_progress=False,
        client=client,
        config=config,
    )
    return {}


def _check_local(package: dict[str, Any]) -> None:
    address = urllib.parse.urlsplit(package["url"])
    if address.scheme != "file":
        return
    file = Path(urllib.request.url2pathname(address.path))
    if not file.is_file():
        raise FileNotFoundError(f"failed to fetch {package['url']}: No such file")
    content = file.read_bytes()
    for algorithm in ("sha256", "md5"):
        expected = package[algorithm]
        found = hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
        if expected and found != expected:
            raise WrongDigestError(
                f"hash mismatch: {package['url']}: expected {expected}, got {found}"
            )


def _record(package: dict[str, Any]) -> RepoDataRecord:
    """All that installing needs: what a package depends on is in the lock beside it."""
    from rattler import BuildString, PackageRecord, RepoDataRecord

    base, subdir, file = package["url"].rsplit("/", 2)
    record = PackageRecord(
        package["name"], package["version"], BuildString(package["build"]), 0, subdir
    )
    for algorithm in ("sha256", "md5"):
        if package[algorithm]:
            setattr(record, algorithm, bytes.fromhex(package[algorithm]))
    return RepoDataRecord(record, file, package["url"], base)


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # see above: past its threads
