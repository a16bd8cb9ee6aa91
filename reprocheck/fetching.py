"""`reprocheck fetch`: all that a verification needs of tracker and data stores, into a bundle.

read       the run, and the baselines of the config                 intake.py
validate   whether the record can be verified at all                intake.py
checkout   the commit's files, which say what the data is           preparation.py
restore    the inputs, each proved by its digest                    datastores/

These are the stages of a verification, so that a bundle holds what that will ask for. Nothing of
the project is executed. Credentials are at hand here, so no address is asked that only the run or
its commit names: what counts is the config and the repository of the user.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reprocheck import bundle_records, compare, datastores, dvc_files, intake, lfs_files
from reprocheck.account import Account, Request, cache_folder
from reprocheck.bundle_writing import BundleWriter, too_large, writing
from reprocheck.bundles import BundledData, BundledFile
from reprocheck.config import Config
from reprocheck.datastores import places
from reprocheck.datastores.addresses import shown
from reprocheck.datastores.base import Around, DataStore
from reprocheck.datastores.bundle import bundled, revision_of
from reprocheck.discretion import is_sensitive, without_words
from reprocheck.errors import BundleError, UsageError
from reprocheck.model import Finding, Material, MaterialPlace, RunRecord, Stage
from reprocheck.numbers import counted, format_bytes
from reprocheck.preparation import Prepared, around, prepare
from reprocheck.progress import Progress, Silent
from reprocheck.stored_code import stored_code
from reprocheck.temporary import remove_dead, temporary_folder
from reprocheck.trackers.base import Tracker
from reprocheck.trackers.keeping import KeepingTracker, KeptRun, keep_quietly
from reprocheck.trackers.keeping import bundled as bundled_runs

_REF = re.compile(r"refs/[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)+")


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchRequest:
    """What to fetch, and where to."""

    runs: tuple[str, ...]  # in any of the forms that the tracker knows
    bundle: Path
    tracking_uri: str
    config: Config = field(default_factory=Config)  # the base branch's
    repo: str | None = None  # a path or URL
    remote: str | None = None  # the only DVC remote to read
    ref: str = ""  # of the repository's remotes, that has the commit: refs/pull/7/head
    most: int | None = None  # bytes
    cwd: Path = field(default_factory=Path.cwd)
    env: Mapping[str, str] = field(default_factory=dict)
    cache: Path = field(default_factory=cache_folder)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """A bundle that was written."""

    folder: Path
    run_ids: tuple[str, ...]
    inputs: int
    size: int  # bytes
    findings: tuple[Finding, ...]


@dataclass(kw_only=True, slots=True)
class _Gathered:
    """What is known of the bundle so far."""

    writer: BundleWriter
    runs: dict[str, KeptRun] = field(default_factory=dict)
    data: dict[tuple[str, ...], BundledData] = field(default_factory=dict)
    lists: dict[str, Mapping[str, str]] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    objects: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


def fetch(request: FetchRequest, progress: Progress | None = None) -> Fetched:
    """Writes the bundle; after a failure there is what was there before.

    Raises `ReprocheckError`: of the stage that failed, `BundleError` for one that would be larger
    than it may be, `UsageError` for a folder that holds something else.
    """
    _check(request)
    remove_dead()
    told = progress or Silent()
    with temporary_folder() as workspace, writing(request.bundle, request.most) as writer:
        gathered = _Gathered(writer=writer)
        for index, asked in enumerate(request.runs):
            account = Account(
                request=_request(request, asked),
                progress=told,
                workspace=workspace / str(index),
            )
            account.workspace.mkdir()
            with contextlib.ExitStack() as stack:
                _fetch_run(account, gathered, stack)
        _write(gathered)
        told.say(f"the bundle has {format_bytes(writer.size)}")
    return Fetched(
        folder=request.bundle,
        run_ids=tuple(run_id for run_id, run in gathered.runs.items() if not run.baseline),
        inputs=len(gathered.data),
        size=writer.size,
        findings=tuple(dict.fromkeys(gathered.findings)),
    )


def _check(request: FetchRequest) -> None:
    if not request.runs:
        raise UsageError("no run is named", "name at least one run")
    if request.ref and (not _REF.fullmatch(request.ref) or ".." in request.ref):
        raise UsageError(
            f"--ref {request.ref[:80]!r} is no full name of a ref",
            "write for example --ref refs/pull/7/head",
        )


def _request(request: FetchRequest, asked: str) -> Request:
    return Request(
        asked=asked,
        tracking_uri=request.tracking_uri,
        config=request.config,
        repo=request.repo,
        ref=request.ref,
        remote=request.remote,
        trusted=True,
        cwd=request.cwd,
        env=request.env,
        cache=request.cache,
    )


def _fetch_run(account: Account, gathered: _Gathered, stack: contextlib.ExitStack) -> None:
    """The stages of one run, in order."""
    opened = intake.open_tracker(account, stack)
    tracker = KeepingTracker(opened, gathered.writer, gathered.runs)
    record, pooled = intake.read(account, tracker)
    gathered.runs[record.ref.run_id].baseline = False
    question = intake.validate(account, tracker, record, pooled)
    cost = account.cost = intake.cost(account.request, record, compare.planned_reruns(question))
    prepared = prepare(account, tracker, record, cost)
    with account.stage(Stage.RESTORE, "inputs and artifacts") as note:
        _keep_data(account, prepared, gathered)
        _keep_objects(account, prepared, gathered)
        _keep_artifacts(account, tracker, record)
        count = sum(not each.weak for each in prepared.record.data)
        size = format_bytes(gathered.writer.size)
        note.summary = f"{counted(count, 'input')} at the recorded digests; {size} so far"
    gathered.findings.extend(account.findings)


def _keep_data(account: Account, prepared: Prepared, gathered: _Gathered) -> None:
    tree, beside = prepared.checkout.tree, around(account, prepared.checkout)
    stores = datastores.stores(beside)
    materials = tuple(
        each
        for each in prepared.record.data
        if not each.weak and not datastores.is_in_tree(each, tree)
    )
    _tell_size(materials, gathered.writer, account)
    found: dict[str, tuple[Finding, ...]] = {}
    inputs = account.workspace / "inputs"
    datastores.restore(
        materials, inputs, beside, told=lambda each, findings: found.update({each.path: findings})
    )
    for material in materials:
        account.progress.update(f"putting {material.label} into the bundle")
        listing = _listing(material, stores, gathered)
        target = places.target_of(inputs, material)
        data = _bundled(material, target, listing, gathered.writer)
        key = (data.algorithm, data.digest, data.place.value, data.path)
        gathered.data[key] = dataclasses.replace(data, findings=found.get(material.path, ()))
    for other in _others(materials, tree):
        _listing(other, stores, gathered)
    _keep_lists(beside, gathered)


def _tell_size(materials: tuple[Material, ...], writer: BundleWriter, account: Account) -> None:
    """What the inputs have at least; refuses what will not fit before it is downloaded."""
    known = sum(each.size or 0 for each in materials)
    open_ = sum(each.size is None for each in materials)
    more = f", and {open_} of unknown size" if open_ else ""
    account.progress.say(f"{counted(len(materials), 'input')}: {format_bytes(known)}{more}")
    if writer.most is not None and writer.size + known > writer.most:
        raise too_large(writer.size + known, writer.most)


def _bundled(
    material: Material, target: Path, listing: Mapping[str, str] | None, writer: BundleWriter
) -> BundledData:
    """The restored input, moved into the bundle."""
    files = []
    for name, path, digest in bundled(material, target, listing):
        files.append(BundledFile(path=name, sha256=writer.add_file(path), digest=digest))
        if material.place is not MaterialPlace.HUB:  # its blobs may be of a cache
            path.unlink()
    return BundledData(
        path=material.path,
        place=material.place,
        algorithm=material.algorithm,
        digest=material.digest,
        source=shown(material.source),
        revision=revision_of(material, target),
        files=tuple(files),
    )


def _listing(
    material: Material, stores: tuple[DataStore, ...], gathered: _Gathered
) -> Mapping[str, str] | None:
    """The list of a directory, kept by its digest."""
    if material.digest.endswith(".dir") and material.digest not in gathered.lists:
        lists = (store.listing(material) for store in stores if store.accepts(material))
        found = next((each for each in lists if each is not None), None)
        if found is not None:
            gathered.lists[material.digest] = found
    return gathered.lists.get(material.digest)


def _others(materials: tuple[Material, ...], tree: Path) -> Iterator[Material]:
    """Directories that the commit has at another digest: the report names what differs."""
    committed = dvc_files.at_commit(tree)
    for material in materials:
        other = committed.get(material.path)
        if other is not None and other.digest != material.digest:
            yield other


def _keep_lists(beside: Around, gathered: _Gathered) -> None:
    for address, content in beside.lists.items():
        sha256 = gathered.writer.add(content)
        if gathered.addresses.setdefault(shown(address), sha256) != sha256:
            raise BundleError(
                f"two manifests at {shown(address)} differ by what a bundle does not show",
                "give them names of their own",
            )


def _keep_objects(account: Account, prepared: Prepared, gathered: _Gathered) -> None:
    """What git LFS brought into the tree."""
    tree = prepared.checkout.tree
    for path, material in lfs_files.tracked(tree, account.request.env).items():
        if datastores.is_in_tree(material, tree):
            gathered.objects.add(gathered.writer.add_file(tree / path))


def _keep_artifacts(account: Account, tracker: Tracker, record: RunRecord) -> None:
    """What the reruns' products are compared with, and code that was stored with the run."""
    tracker.products(record, account.workspace / "products", account.progress)
    stored = [each.path for each in stored_code(record.artifacts, record.code.script).values()]
    keep_quietly(tracker, record, stored, account.workspace / "stored")


def _write(gathered: _Gathered) -> None:
    runs = bundled_runs(gathered.runs, gathered.writer)
    for run in runs:
        found = bundle_records.findings_of(run.hidden)
        discreet = is_sensitive(gathered.runs[run.run_id].record)
        gathered.findings.extend(without_words(found) if discreet else found)
    gathered.writer.write(
        runs,
        tuple(gathered.data.values()),
        gathered.lists,
        gathered.addresses,
        frozenset(gathered.objects),
    )
