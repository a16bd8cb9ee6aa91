"""Whether the approvals of a run are of the code that it ran."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator

from reprocheck import mending
from reprocheck.model import Approval, Finding, OriginKind, RunRecord, Severity

UNBOUND = "unbound-approval"
_SHORTEST = 7  # digits that tell a commit
_COMMIT = re.compile(rf"[0-9a-f]{{{_SHORTEST},64}}")


def findings(record: RunRecord) -> Iterator[Finding]:
    """A warning for each approval that names no commit; an error for one of another commit."""
    for index, approval in enumerate(record.approvals):
        if not approval.commit:
            yield Finding(
                code=UNBOUND,
                severity=Severity.WARNING,
                message=f"the approval by {approval.by} names no commit: it does not say which "
                "code was approved",
                hint="write the commit into the approval",
                pointer=f"/approvals/{index}",
                fix=_bound(record, index),
            )
        elif record.code.commit and not _is_of(approval, record.code.commit):
            yield Finding(
                code=UNBOUND,
                severity=Severity.ERROR,
                message=f"the approval by {approval.by} is of commit {approval.commit[:64]}, and "
                f"the run is of {record.code.commit}",
                hint="let the run's own commit be approved, and then write it into the approval",
                pointer=f"/approvals/{index}/commit",
                fix=_bound(record, index),
            )


def _is_of(approval: Approval, commit: str) -> bool:
    """Whether it is the run's commit; either may be shortened."""
    signed, ran = approval.commit.lower(), commit.lower()
    length = min(len(signed), len(ran))
    return (
        bool(_COMMIT.fullmatch(signed)) and length >= _SHORTEST and signed[:length] == ran[:length]
    )


def _bound(record: RunRecord, index: int) -> str:
    """The shell line that sets the tag with this approval bound to the run's commit."""
    origin = record.origins.get(f"/approvals/{index}")
    if not record.code.commit or origin is None or origin.kind is not OriginKind.TAG:
        return ""
    entries = []
    for i, approval in enumerate(record.approvals):
        if record.origins.get(f"/approvals/{i}") == origin:
            commit = record.code.commit if i == index else approval.commit
            entries.append(_entry(dataclasses.replace(approval, commit=commit)))
    return mending.set_tag(record, origin.where, json.dumps(entries, ensure_ascii=False))


def _entry(approval: Approval) -> dict[str, str]:
    at = approval.at.isoformat() if approval.at else ""
    texts = {name: getattr(approval, name) for name in ("by", "what", "role", "commit")}
    return {name: text for name, text in {**texts, "at": at}.items() if text}
