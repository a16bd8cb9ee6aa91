"""What `reprocheck validate` says of a run's record, for thousands of them."""

from __future__ import annotations

import dataclasses

from reprocheck import metadata, validation
from reprocheck.audit.base import AuditRequest
from reprocheck.errors import ReprocheckError, SourceError
from reprocheck.model import Finding, Requirement, RunRecord, Severity
from reprocheck.required import Around
from reprocheck.source.places import local_path, repository_root


class Judge:
    """Judges records as `validate` does, without the schema, which takes longer than all else.

    Whether commits were pushed is left to the audit itself, which asks for all of them at once.
    What the config supplies to runs that lack it is not told.
    """

    def __init__(self, request: AuditRequest) -> None:
        rules = request.config.record
        require = tuple(each for each in rules.require if each is not Requirement.PUSHED_COMMIT)
        self._config = dataclasses.replace(
            request.config, record=dataclasses.replace(rules, require=require)
        )
        self._supplied = validation.supplied(request.config)
        folder = request.cwd / local_path(request.repo) if request.repo else request.cwd
        try:
            root = repository_root(folder, request.env)
        except SourceError:  # no git, which is told where commits are looked for
            root = None
        self._around = Around(config=self._config, root=root, env=request.env)

    def findings(self, record: RunRecord) -> tuple[Finding, ...]:
        """What there is to say of a record, the worst first."""
        found = validation.findings_of(record, self._around, checks=metadata.checked)
        try:
            doubts = validation.doubts(record, self._config, found)
        except ReprocheckError as error:
            doubts = (_unmeant(error),)
        return tuple(each for each in (*found, *doubts) if each.code not in self._supplied)


def _unmeant(error: ReprocheckError) -> Finding:
    return Finding(
        code="unmeant-rule",
        severity=Severity.WARNING,
        message=f"the rules of reprocheck.yaml cannot be meant of this run: {error.message}",
        hint=error.hint or "name a config that is meant for it with --config",
        pointer="/metrics",
    )
