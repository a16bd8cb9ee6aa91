"""Stage checkout: the code, what its files complete, and what the run needs of this machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from reprocheck import (
    capacity,
    determinism,
    hidden,
    logged_files,
    named_files,
    placeholders,
    seen_paths,
    source,
    steps,
    unmapped_paths,
)
from reprocheck.account import Account, Note
from reprocheck.datastores import Around, disagreements
from reprocheck.datastores import choice as data_choice
from reprocheck.datastores.dvc_config import check_remote
from reprocheck.datastores.trust import trust_of
from reprocheck.environments import choice as environment_choice
from reprocheck.machine import Machine, read_machine
from reprocheck.model import (
    CodeState,
    Command,
    Cost,
    EnvironmentSpec,
    Finding,
    Material,
    RunRecord,
    Severity,
    Stage,
    TreeState,
)
from reprocheck.source.base import no_object
from reprocheck.starts import Starts, find_starts
from reprocheck.trackers.base import Tracker
from reprocheck.tree_paths import check_command, scripts_outside


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """The run's code, and what its files have completed."""

    checkout: source.Checkout
    starts: Starts
    environment: EnvironmentSpec
    record: RunRecord
    cost: Cost
    machine: Machine
    roots: tuple[PurePosixPath, ...] = ()  # where the run's own tree lay


def prepare(account: Account, tracker: Tracker, record: RunRecord, cost: Cost) -> Prepared:
    """The code; then command, environment and data as the files at the commit complete them."""
    with account.stage(Stage.CHECKOUT, f"commit {record.code.commit[:12] or 'unknown'}") as note:
        kept = _kept(tracker, record)
        checkout = source.checkout(_checkout_request(account, record, kept), account.progress)
        note.findings.extend(checkout.findings)
        note.findings.extend(logged_files.put_back(record.files, checkout.tree))
        prepared = _prepared(account, record, checkout, kept, note, cost)
        account.record, account.seeds = prepared.record, prepared.starts.seeds
        account.settings = determinism.settings(prepared.record)
        note.findings.extend(determinism.missing(prepared.record, account.settings))
        if account.request.dry_run:  # else told by the stage that may ask the remotes
            note.findings.extend(disagreements(prepared.record.data, checkout.tree))
        spec, machine = prepared.environment, prepared.machine
        note.findings.extend(shortages(account, prepared.record, spec, machine))
        note.summary = f"{checkout.commit[:12]} from {checkout.place}"
        if checkout.stored:
            note.summary = f"not the commit's code, but that of {checkout.place}"
    return prepared


def _kept(tracker: Tracker, record: RunRecord) -> source.Kept:
    def fetch(paths: Sequence[str], folder: Path) -> Mapping[str, Path]:
        return tracker.files(record, paths, folder)

    told = {finding.code for finding in record.findings}
    whole = not told & {"artifacts-unreachable", "artifacts-truncated"}
    return source.Kept(artifacts=record.artifacts, fetch=fetch, whole=whole)


def _checkout_request(
    account: Account, record: RunRecord, kept: source.Kept
) -> source.CheckoutRequest:
    request = account.request
    return source.CheckoutRequest(
        code=record.code,
        repo=request.repo,
        cwd=request.cwd,
        env=request.env,
        tree=account.workspace / "base" / "tree",
        run_id=record.ref.run_id,
        kept=kept,
        ref=request.ref,
        trusted=request.trusted,
        objects=account.bundle.object if account.bundle else no_object,
    )


def around(account: Account, checkout: source.Checkout) -> Around:
    """What data stores may look at."""
    request = account.request
    path = request.config.path
    return Around(
        tree=checkout.tree,
        repository=checkout.repository,
        folder=path.parent if path else request.cwd,
        env=request.env,
        cache=request.cache,
        remote=request.remote,
        progress=account.progress,
        trust=trust_of(request.config, checkout.repository) if request.trusted else None,
        bundle=account.bundle,
        lists=account.lists,
    )


def shortages(
    account: Account, record: RunRecord, spec: EnvironmentSpec | None, machine: Machine
) -> tuple[Finding, ...]:
    """What the run used and this machine has too little of, before anything is built."""
    request = account.request
    demand = capacity.Demand(
        record=record,
        limits=request.config.limits,
        reruns=account.cost.reruns if account.cost else 1,
        environment=spec,
    )
    places = capacity.places_of(spec, account.workspace, request.cache, request.env)
    return capacity.shortages(demand, machine, places)


def _prepared(
    account: Account,
    record: RunRecord,
    checkout: source.Checkout,
    kept: source.Kept,
    note: Note,
    cost: Cost,
) -> Prepared:
    config = account.request.config
    starts = find_starts(record, config, checkout.tree, cost.reruns, account.request.start)
    found = starts.found
    hidden.refuse(found.command, account.bundle is not None)
    roots = seen_paths.recorded_roots(record, checkout.tree)
    check_command(found.command, found.made, checkout.tree)
    note.findings.extend(_outside(found.command))
    note.findings.extend(_named_files(account, starts, checkout.tree, kept))
    record = dataclasses.replace(record, command=found.command)
    environment, env_findings = environment_choice.choose(record, checkout.tree, config)
    place = around(account, checkout)
    materials, data_findings = data_choice.choose(
        record, config, checkout.tree, placeholders.substitute, place
    )
    check_remote(place, [each.path for each in materials])
    settled = steps.settle(found, materials, checkout.tree)
    materials, account.scope = settled.materials, settled.scope
    note.findings.extend((*found.findings, *env_findings, *data_findings, *settled.findings))
    note.findings.extend(_unmapped(record, checkout.tree, materials, environment, roots))
    known = {key: value for key, value in record.origins.items() if not key.startswith("/data")}
    return Prepared(
        checkout=checkout,
        starts=starts,
        environment=environment,
        record=dataclasses.replace(
            record,
            code=_code(record, checkout),
            environment=environment,
            data=materials,
            origins={
                **known,
                "/command": found.origin,
                "/environment": environment.origin,
                **{f"/data/{i}": material.origin for i, material in enumerate(materials)},
            },
        ),
        cost=cost,
        machine=read_machine(account.request.env, account.workspace),
        roots=roots,
    )


def _outside(command: Command) -> Iterator[Finding]:
    for script in scripts_outside(command):
        yield Finding(
            code="script-outside",
            severity=Severity.WARNING,
            message=f"the command runs {script}, which is no file of the commit: nothing says that "
            "it is what the run had",
            hint="commit the script, and name it by its path in the repository",
            pointer="/command",
        )


def _unmapped(
    record: RunRecord,
    tree: Path,
    materials: tuple[Material, ...],
    environment: EnvironmentSpec,
    roots: tuple[PurePosixPath, ...],
) -> tuple[Finding, ...]:
    search = unmapped_paths.Search(
        record=record,
        command=record.command or Command(steps=()),
        tree=tree,
        materials=materials,
        environment=environment,
        roots=roots,
    )
    return unmapped_paths.find(search)


def _code(record: RunRecord, checkout: source.Checkout) -> CodeState:
    """What the reruns have; of code that only was stored with the run, nothing says how clean."""
    code = dataclasses.replace(record.code, commit=checkout.commit, stored=checkout.stored)
    return dataclasses.replace(code, tree=TreeState.UNKNOWN) if checkout.stored else code


def _named_files(
    account: Account, starts: Starts, tree: Path, kept: source.Kept
) -> tuple[Finding, ...]:
    """Puts back the config files that the command names, and not those that it makes."""
    config = account.request.config
    made = [rule.pattern for rule in config.products]
    made += [config.predictions.artifact] if config.predictions else []
    read = [each for each in kept.artifacts if not any(fnmatchcase(each.path, m) for m in made)]
    named = [
        each
        for each in named_files.named_files(starts.found.command)
        if each.path not in starts.found.made
    ]
    return named_files.put_back(named, read, tree, kept.fetch, account.workspace / "named")
