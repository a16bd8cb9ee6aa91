"""The inputs that the config names, one by one."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from reprocheck.config import Config
from reprocheck.data_rules import DataRule
from reprocheck.datastores import manifest_files, weak
from reprocheck.datastores.addressed import LAKEFS_COMMIT
from reprocheck.datastores.addresses import local_path, scheme_of, shown
from reprocheck.datastores.base import Around
from reprocheck.datastores.storage import is_commit, lakefs_ref
from reprocheck.errors import ConfigError, RestoreError
from reprocheck.hostile import printable
from reprocheck.model import Finding, Material, Origin, OriginKind, RunRecord, Severity

_SHOWN = 5  # names
LENGTHS = {32: "md5", 64: "sha256"}

Substitute = Callable[[str, RunRecord], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the config's rules are read with."""

    record: RunRecord
    config: Config
    around: Around
    substitute: Substitute
    known: Mapping[str, Material]  # by path, from the record and from files at the commit
    sources: Mapping[str, str]  # addresses that the run logged, by path

    def name(self, rule: DataRule) -> str:
        """A rule in messages."""
        where = rule.place or self.config.name
        return f"data '{rule.path}' in {where}"

    def filled(self, text: str) -> str:
        """A text with its placeholders replaced."""
        return self.substitute(text, self.record).strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Digest:
    algorithm: str
    digest: str


def all_configured(asked: Asked) -> tuple[list[Material], list[Finding]]:
    """The inputs of all rules, in their order. Raises as `configured`."""
    chosen: dict[str, Material] = {}
    findings: list[Finding] = []
    for rule in asked.config.data:
        material, said = configured(rule, asked)
        if material.path in chosen:
            raise ConfigError(
                f"{asked.name(rule)}: the path is there for the second time",
                "an input has one digest: keep one of the entries",
            )
        chosen[material.path] = material
        findings.extend(said)
    findings.extend(unlisted(chosen.values(), asked))
    return list(chosen.values()), findings


def unlisted(chosen: Iterable[Material], asked: Asked) -> Iterator[Finding]:
    """A note of what the run or its commit names and the config's list does not."""
    listed = [PurePosixPath(material.path) for material in chosen]
    left = [
        path
        for path in map(PurePosixPath, sorted(asked.known))
        if not any(path.is_relative_to(each) or each.is_relative_to(path) for each in listed)
    ]
    if left:
        shown_names = ", ".join(printable(str(path)) for path in left[:_SHOWN])
        more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
        yield Finding(
            code="unlisted-data",
            severity=Severity.NOTE,
            message=f"{shown_names}{more}: tracked, but not in the list under data in "
            f"{asked.config.name}, so not restored",
            hint="the list is the whole list: add what the training reads, as {path: FILE}",
            pointer="/data",
        )


def configured(rule: DataRule, asked: Asked) -> tuple[Material, tuple[Finding, ...]]:
    """The input that a rule names, and what should be known about it.

    Raises `ConfigError` for a rule that cannot be meant, and `RestoreError` where what it points
    at is not there.
    """
    _refuse_contradictions(rule, asked)
    digest = _digest(rule, asked)
    url = _url(rule, asked)
    if rule.manifest is not None:
        return _listed(rule, asked, digest, url)
    if url is not None:
        return _addressed(rule, asked, digest, url)
    path = str(PurePosixPath(rule.path))
    material = _known(rule, asked) if digest is None else _material(rule, asked, digest)
    if digest is not None and path not in asked.known:
        material = dataclasses.replace(material, source=asked.sources.get(path, ""))
    return dataclasses.replace(material, remote=rule.remote), ()


def _refuse_contradictions(rule: DataRule, asked: Asked) -> None:
    if rule.url is not None and rule.remote is not None:
        raise ConfigError(
            f"{asked.name(rule)}: url and remote contradict each other",
            "url says where it is kept; remote names the DVC remote that has it: give one",
        )
    if rule.url is not None and (rule.digest or "").endswith(".dir"):
        raise ConfigError(
            f"{asked.name(rule)}: a hash in .dir names a folder of DVC's, which no url holds",
            "leave url out, or describe the folder by a manifest",
        )


def _digest(rule: DataRule, asked: Asked) -> _Digest | None:
    if rule.digest is None:
        return None
    text = asked.filled(rule.digest).lower()
    prefix, mark, digest = text.rpartition(":")
    algorithm = LENGTHS.get(len(digest.removesuffix(".dir")))
    said = prefix if mark else rule.algorithm
    plain = digest.removesuffix(".dir") if algorithm == "md5" else digest
    if algorithm is None or re.fullmatch("[0-9a-f]+", plain) is None:
        raise ConfigError(
            f"{asked.name(rule)}: its hash is '{text[:80]}', which is no digest",
            "give 32 hexadecimal digits (MD5, DVC's) or 64 (SHA-256)",
        )
    if said not in (None, algorithm) or (rule.algorithm not in (None, algorithm)):
        raise ConfigError(
            f"{asked.name(rule)}: its {(said or '')[:20]} has {len(plain)} digits, "
            f"as {algorithm} has",
            "MD5 has 32 hexadecimal digits, SHA-256 has 64",
        )
    return _Digest(algorithm=algorithm, digest=digest)


def _url(rule: DataRule, asked: Asked) -> str | None:
    return None if rule.url is None else _place(rule.url, rule, asked)


def _place(written: str, rule: DataRule, asked: Asked) -> str:
    """An address with the run's values. They may name what lies in the folder that the config
    names, but not lead out of it: what a run logged must not choose a file of this machine.
    """
    filled = asked.filled(written)
    if filled == written or local_path(filled, asked.around.folder) is None:
        return filled
    start = written.partition("{")[0]
    if not start.endswith("/") or start == "file://" or ".." in PurePosixPath(filled).parts:
        raise ConfigError(
            f"{asked.name(rule)}: the run's own values would choose a path of this machine",
            "write the folder before the placeholder, as in /mnt/data/{tags.NAME}",
        )
    return filled


def _listed(
    rule: DataRule, asked: Asked, digest: _Digest | None, url: str | None
) -> tuple[Material, tuple[Finding, ...]]:
    """A folder that a manifest describes."""
    request = manifest_files.Request(
        name=_manifest_name(rule, asked),
        folder=str(PurePosixPath(rule.path)),
        algorithm=digest.algorithm if digest else None,
        digest=digest.digest if digest else None,
        told=asked.name(rule),
    )
    read = manifest_files.read(request, asked.record.files, asked.around)
    findings = [*read.findings, *(_mutable(rule, asked, url) if url else ())]
    material = Material(
        path=request.folder,
        algorithm=read.listing.algorithm,
        digest=read.sha256,
        size=None,
        files=len(read.listing.files),
        origin=Origin(kind=OriginKind.CONFIG, where=f"{asked.config.name}: {shown(request.name)}"),
        source=url or "",
        remote=rule.remote,
        listing=read.listing.files,
    )
    return material, tuple(findings)


def _manifest_name(rule: DataRule, asked: Asked) -> str:
    written = rule.manifest or ""
    name = asked.filled(written)
    return _place(written, rule, asked) if scheme_of(name) or name.startswith("/") else name


def _addressed(
    rule: DataRule, asked: Asked, digest: _Digest | None, url: str
) -> tuple[Material, tuple[Finding, ...]]:
    """A single file at an address."""
    if url.partition("?")[0].endswith("/"):
        raise ConfigError(
            f"{asked.name(rule)}: {shown(url)} names a folder",
            "a folder needs a list of its files: manifest: FILE, as sha256sum writes it",
        )
    path = str(PurePosixPath(rule.path))
    known = asked.known.get(path)
    ref = lakefs_ref(url)
    if digest is None and known is not None and known.algorithm in ("md5", "sha256"):
        material = known  # as the run recorded it, or as files at the commit say
    elif digest is None and ref is not None and is_commit(ref):
        material = _material(rule, asked, _Digest(algorithm=LAKEFS_COMMIT, digest=ref))
    elif digest is None:
        raise ConfigError(
            f"{asked.name(rule)}: no digest says what {shown(url)} held when the run read it",
            "give its sha256 or md5"
            + (", or a commit id of lakeFS: a branch or tag can move" if ref else ""),
        )
    else:
        material = _material(rule, asked, digest)
    if material.digest.endswith(".dir"):
        raise ConfigError(
            f"{asked.name(rule)}: it is a folder of DVC's, which no url holds",
            "leave url out, or describe the folder by a manifest",
        )
    return dataclasses.replace(material, source=url), _mutable(rule, asked, url)


def _mutable(rule: DataRule, asked: Asked, url: str) -> tuple[Finding, ...]:
    more = "; its digest is checked all the same"
    return weak.mutable(rule.path, url, f"/data/{asked.config.data.index(rule)}", more)


def _known(rule: DataRule, asked: Asked) -> Material:
    path = str(PurePosixPath(rule.path))
    if path in asked.known:
        return asked.known[path]
    raise RestoreError(
        f"{asked.name(rule)}: no digest given, and no DVC file tracks it, nor does git LFS",
        "give its hash, or name a path that is tracked at the run's commit: "
        + (", ".join(sorted(asked.known)[:10]) or "there is none"),
    )


def _material(rule: DataRule, asked: Asked, digest: _Digest) -> Material:
    return Material(
        path=str(PurePosixPath(rule.path)),
        algorithm=digest.algorithm,
        digest=digest.digest,
        size=None,
        files=None,
        origin=Origin(
            kind=OriginKind.CONFIG,
            where=_where(rule, asked),
        ),
    )


def _where(rule: DataRule, asked: Asked) -> str:
    """Where a digest stands; with the placeholder that gave it."""
    if rule.digest is None or "{" in rule.digest:
        return f"{asked.config.name}: {rule.digest or shown(rule.url or '')}"
    return rule.place or asked.config.name
