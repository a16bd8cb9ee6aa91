"""What a run's record leaves to the files at its commit, which an audit does not read.

A verification looks for the command and the environment in these files, so that `validate` only
notes that the record has none. What was not looked for is no reason to call a run verifiable.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from reprocheck.config import Config
from reprocheck.model import Finding, RunRecord, Severity


def doubted(findings: Iterable[Finding], record: RunRecord, config: Config) -> Iterator[Finding]:
    """The findings, graver where the config does not stand in for what the record lacks."""
    for finding in findings:
        if finding.code == "missing-command" and not config.command:
            yield _command(finding, record)
        elif finding.code == "missing-environment" and not _names_environment(config):
            yield dataclasses.replace(
                finding,
                severity=Severity.WARNING,
                message="the run records no environment; whether a file at the commit tells it "
                "was not looked at",
            )
        else:
            yield finding


def _command(finding: Finding, record: RunRecord) -> Finding:
    """Every way to infer a command begins with the recorded script, or with files of the run."""
    if record.code.script or record.files:
        severity, said = Severity.WARNING, "; it has to be inferred from its script"
    else:
        severity, said = Severity.ERROR, ", nor the script that it ran"
    message = f"the run records no command{said}"
    return dataclasses.replace(finding, severity=severity, message=message)


def _names_environment(config: Config) -> bool:
    return bool(config.environment_file) or config.environment_kind == "script"
