"""What concerns the runs of an audit together, found while they pass by one by one."""

from __future__ import annotations

from collections.abc import Mapping

from reprocheck.audit.evaluation_data import EvaluationData
from reprocheck.audit.names import Names
from reprocheck.audit.places import Places
from reprocheck.model import Finding, RunSummary


class Together:
    """Every analysis over many runs, fed with each run once; it keeps counts, not runs.

    `artifact_roots` is the config's.
    """

    def __init__(self, tracking_uri: str, artifact_roots: Mapping[str, str]) -> None:
        places = Places(tracking_uri=tracking_uri, artifact_roots=artifact_roots)
        self._analyses = (EvaluationData(), places, Names())

    def add(self, run: RunSummary) -> None:
        """Counts a run."""
        for analysis in self._analyses:
            analysis.add(run)

    def findings(self) -> tuple[Finding, ...]:
        """What was found, for `Audit.findings`: the gravest kinds first."""
        return tuple(each for analysis in self._analyses for each in analysis.findings())
