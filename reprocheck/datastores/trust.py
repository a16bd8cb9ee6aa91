"""Which addresses may be asked where the run and its commit are not trusted to name any.

With credentials at hand, a pull request must not decide where a request goes: what counts is the
config, DVC's settings and the files of the repository that the user has checked out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from reprocheck import dvc_files
from reprocheck.config import Config
from reprocheck.datastores.addresses import scheme_of, shown
from reprocheck.dvc_files import Kept
from reprocheck.errors import ReprocheckError, RestoreError
from reprocheck.hostile import cut, printable
from reprocheck.model import Material, OriginKind

ONLY_NAMED = "an address that only the run or its commit names"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trust:
    """The addresses that the user's own files name."""

    written: tuple[str, ...] = ()  # of the config, up to what a run's values fill in
    hubs: frozenset[str] = frozenset()  # repositories of the Hugging Face hub
    imports: Mapping[str, Kept] = field(default_factory=dict)  # by path: the checkout's *.dvc files

    def check(self, address: str) -> None:
        """Raises `RestoreError` unless the config names this address, or its server."""
        if any(_allows(written, address) for written in self.written):
            return
        raise refusal(address, "name it as the url of the input, under data")

    def check_unpinned(self, material: Material) -> None:
        """Raises `RestoreError` for an input without a digest that only a run asks for: it could
        be any file that the credentials can read.
        """
        if material.origin.kind is not OriginKind.CONFIG:
            raise refusal(material.source, "name it with its sha256 under data")

    def imported(self, kept: Kept) -> bool:
        """Whether the checkout's own *.dvc files import from the same place."""
        ours = self.imports.values()
        if kept.repository:
            return any(each.repository == kept.repository for each in ours)
        return any(each.source == kept.source and not each.repository for each in ours)

    def pinned(self, kept: Kept) -> bool:
        """Whether they import from the same revision: then its config is as trusted as they are."""
        same = (kept.repository, kept.revision)
        return any((each.repository, each.revision) == same for each in self.imports.values())


def trust_of(config: Config, repository: Path | None) -> Trust:
    """What a config and a checkout name."""
    texts = [text for rule in config.data for text in (rule.url, rule.manifest) if text]
    return Trust(
        written=tuple(text.partition("{")[0] for text in texts),
        hubs=frozenset(rule.hub for rule in config.data if rule.hub and "{" not in rule.hub),
        imports=_imports(repository),
    )


def refusal(address: str, mend: str) -> RestoreError:
    """What is told of an address that only the run or its commit names."""
    told = cut(printable(shown(address)), 200)
    return RestoreError(
        f"{told} is {ONLY_NAMED}; it is not asked",
        f"if it is yours, {mend}, in reprocheck.yaml or DVC's files of the base branch",
    )


def _imports(repository: Path | None) -> Mapping[str, Kept]:
    if repository is None:
        return {}
    try:
        return dvc_files.kept(repository)
    except (ReprocheckError, OSError):  # broken files name nothing
        return {}


def _allows(written: str, address: str) -> bool:
    if scheme_of(address) in ("", "file"):
        below = written.endswith("/") and address.startswith(written)
        return bool(written) and (address == written or below) and ".." not in address.split("/")
    server = _server(written)
    # A placeholder in the middle of a host would let the run finish it.
    whole = bool(server[1]) and ("/" in written.partition("://")[2] or written == address)
    return whole and server == _server(address)


def _server(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme.lower(), parts.netloc.lower()


def named(addresses: Iterable[str], address: str) -> bool:
    """Whether an address is one of those that DVC's own settings have."""
    return os.path.normpath(address) in {os.path.normpath(each) for each in addresses}
