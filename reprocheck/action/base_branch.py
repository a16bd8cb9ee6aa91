"""What the base branch has to be compared with: the last reports of its schedule."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reprocheck.action.surroundings import Surroundings
from reprocheck.model import SEVERITY_ORDER, Check, Report, Verdict

if TYPE_CHECKING:
    from reprocheck.forges.github import GitHub
    from reprocheck.forges.github_nouns import Artifact

WORKFLOW = ".github/workflows/reprocheck-scheduled.yml"
MOST_RUNS = 3
"""Of the schedule, the newest: a comment is no reason to ask for its whole history."""
MOST_ARTIFACTS = 10  # of each

_GOOD = SEVERITY_ORDER[: SEVERITY_ORDER.index(Verdict.INCONCLUSIVE)]


def last_verified(check: Check, kept: Iterable[Report]) -> dict[str, Report]:
    """By run id, the newest of the reports that verified another run of the same experiment."""
    newest = sorted(kept, key=lambda each: each.created_at, reverse=True)
    found: dict[str, Report] = {}
    for report in check.reports:
        record = report.record
        for other in newest:
            known = record and other.record and other.verdict in _GOOD and not other.dry_run
            if not (known and record and other.record and record.experiment):
                continue
            same = record.experiment == other.record.experiment
            if same and record.ref.run_id != other.record.ref.run_id:
                found.setdefault(record.ref.run_id, other)
    return found


def reports(check: Check, here: Surroundings, forge: GitHub) -> Mapping[str, Report]:
    """The reports of the schedule on the default branch that a check's can be compared with.

    What cannot be had is left out: it is no part of the verdict.
    """
    from reprocheck.report_store import ReportStore
    from reprocheck.schedule.collecting import Archive, Collecting, Schedule

    if not (here.default_branch and any(each.record for each in check.reports)):
        return {}

    def some(run_id: int) -> Sequence[Artifact]:
        return forge.artifacts(run_id)[:MOST_ARTIFACTS]

    with tempfile.TemporaryDirectory(dir=here.temporary) as folder:
        store = ReportStore(Path(folder) / "reports")
        Collecting(
            archive=Archive(
                runs=lambda file, branch, _: forge.workflow_runs(
                    file, branch=branch, limit=MOST_RUNS
                ),
                artifacts=some,
                download=forge.download,
            ),
            schedule=Schedule(
                repository=here.repository, branch=here.default_branch, workflow=WORKFLOW
            ),
            store=store,
            now=datetime.now(UTC),
            notice=_unheard,
        ).collect()
        return last_verified(check, [each for _, each in store.reports(None, _unheard)])


def _unheard(_: str) -> None:
    """Most repositories have no schedule."""
