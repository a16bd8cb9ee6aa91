"""Stage checkout: the code, what its files complete, and what the run needs of this machine."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from reprocheck import capacity, determinism, logged_files, placeholders, source
from reprocheck.account import Account, Note
from reprocheck.datastores import Around, disagreements
from reprocheck.datastores import choice as data_choice
from reprocheck.environments import choice as environment_choice
from reprocheck.machine import Machine, read_machine
from reprocheck.model import Cost, EnvironmentSpec, Finding, RunRecord, Stage
from reprocheck.starts import Starts, find_starts


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """The run's code, and what its files have completed."""

    checkout: source.Checkout
    starts: Starts
    environment: EnvironmentSpec
    record: RunRecord
    cost: Cost
    machine: Machine


def prepare(account: Account, record: RunRecord, cost: Cost) -> Prepared:
    """The code; then command, environment and data as the files at the commit complete them."""
    request = account.request
    with account.stage(Stage.CHECKOUT, f"commit {record.code.commit[:12]}") as note:
        checkout = source.checkout(
            source.CheckoutRequest(
                code=record.code,
                repo=request.repo,
                cwd=request.cwd,
                env=request.env,
                tree=account.workspace / "base" / "tree",
            ),
            account.progress,
        )
        note.findings.extend(checkout.findings)
        note.findings.extend(logged_files.put_back(record.files, checkout.tree))
        prepared = _prepared(account, record, checkout, note, cost)
        account.record, account.seeds = prepared.record, prepared.starts.seeds
        account.settings = determinism.settings(prepared.record)
        note.findings.extend(determinism.missing(prepared.record, account.settings))
        if request.dry_run:  # else told by the stage that may ask the remotes
            note.findings.extend(disagreements(prepared.record.data, checkout.tree))
        spec, machine = prepared.environment, prepared.machine
        note.findings.extend(shortages(account, prepared.record, spec, machine))
        note.summary = f"{checkout.commit[:12]} from {checkout.place}"
    return prepared


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
    account: Account, record: RunRecord, checkout: source.Checkout, note: Note, cost: Cost
) -> Prepared:
    config = account.request.config
    starts = find_starts(record, config, checkout.tree, cost.reruns)
    found = starts.found
    record = dataclasses.replace(record, command=found.command)
    environment, env_findings = environment_choice.choose(record, checkout.tree, config)
    materials, data_findings = data_choice.choose(
        record, config, checkout.tree, placeholders.substitute, around(account, checkout)
    )
    note.findings.extend((*found.findings, *env_findings, *data_findings))
    kept = {key: value for key, value in record.origins.items() if not key.startswith("/data")}
    return Prepared(
        checkout=checkout,
        starts=starts,
        environment=environment,
        record=dataclasses.replace(
            record,
            code=dataclasses.replace(record.code, commit=checkout.commit),
            environment=environment,
            data=materials,
            origins={
                **kept,
                "/command": found.origin,
                "/environment": environment.origin,
                **{f"/data/{i}": material.origin for i, material in enumerate(materials)},
            },
        ),
        cost=cost,
        machine=read_machine(account.request.env, account.workspace),
    )
