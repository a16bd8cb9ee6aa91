"""The record that says nothing of its run: what to start from where little may be said, or is."""

from __future__ import annotations

from reprocheck.model import CodeState, Lineage, RunRecord, RunRef, RunStatus, TreeState


def bare_record(ref: RunRef) -> RunRecord:
    """No more than which run it is of, and that it finished."""
    return RunRecord(
        ref=ref,
        name="",
        experiment="",
        status=RunStatus.FINISHED,
        started_at=None,
        ended_at=None,
        description="",
        url=None,
        code=CodeState(
            commit="",
            repository=None,
            branch=None,
            script=None,
            entry_point=None,
            patch=None,
            tree=TreeState.UNKNOWN,
        ),
        command=None,
        parameters={},
        truncated=frozenset(),
        environment=None,
        files=(),
        data=(),
        metrics={},
        artifacts=(),
        seeds={},
        hardware={},
        tags={},
        approvals=(),
        siblings=(),
        lineage=Lineage(parent=None, depth=0, place=0),
        origins={},
    )
