"""What decides a verification, as one digest: whether a run was verified as it is now.

From a record as its tracker gives it, the same whether it was read alone or found by a search:
siblings, peers, histories, findings and what files at the commit add are no part of it. Nor are
tags, so that what is written back after a verification changes nothing. Values of secret names are
left out: nobody can guess them by the digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from reprocheck import __version__, hostile
from reprocheck.detail import number
from reprocheck.model import (
    Argv,
    CodeState,
    Command,
    EnvironmentSpec,
    Patch,
    RecordedFile,
    RunRecord,
    Step,
)


def subject(record: RunRecord) -> str:
    """SHA-256 of what was recorded and of our version, in hexadecimal."""
    secrets = hostile.record_secrets(record)
    facts = {
        "version": __version__,
        "code": _code(record.code),
        "command": record.command and _command(record.command, secrets),
        "parameters": _texts(record.parameters, secrets),
        "environment": record.environment and _spec(record.environment),
        "files": _files(record.files),
        "data": sorted(
            [each.place.value, each.path, each.algorithm, each.digest] for each in record.data
        ),
        "metrics": {name: number(metric.value) for name, metric in record.metrics.items()},
    }
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _code(code: CodeState) -> dict[str, object]:
    return {
        "commit": code.commit,
        "entry_point": code.entry_point,
        "script": code.script,
        "subdirectory": code.subdirectory,
        "tree": code.tree.value,
        "patch": code.patch and _patch(code.patch),
        "upstream": code.upstream and _patch(code.upstream),
        "untracked": sorted([each.path, each.sha256 or ""] for each in code.untracked),
    }


def _patch(patch: Patch) -> list[str | None]:
    return [patch.base, patch.sha256 or hashlib.sha256(patch.content).hexdigest()]


def _command(command: Command, secrets: frozenset[str]) -> dict[str, object]:
    return {
        "steps": [_step(step, secrets) for step in command.steps],
        "env": _texts(command.env, secrets),
    }


def _step(step: Step, secrets: frozenset[str]) -> list[object]:
    if isinstance(step.run, Argv):
        return [hostile.redact_arguments(step.run.args, secrets), step.cwd]
    return [hostile.redact(step.run.line, secrets), step.cwd]


def _texts(named: Mapping[str, str], secrets: frozenset[str]) -> dict[str, str]:
    """As a bundle has them, too."""
    return {
        name: hostile.HIDDEN if hostile.is_secret(name) else hostile.redact(text, secrets)
        for name, text in named.items()
    }


def _spec(spec: EnvironmentSpec) -> list[object]:
    digest = spec.sha256 or hashlib.sha256(spec.content).hexdigest()
    return [spec.kind.value, spec.file, digest, _files(spec.companions)]


def _files(files: tuple[RecordedFile, ...]) -> list[list[str]]:
    return sorted(
        [each.path, each.sha256 or hashlib.sha256(each.content).hexdigest()] for each in files
    )
