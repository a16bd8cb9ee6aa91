"""The workflow that comments, on what a job that ran the code of a pull request may leave."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

import pytest

from reprocheck.check_documents import CHECK_VERSION, check_document
from reprocheck.model import Check, Problem
from tests.runner.team import Team

CLAIMED = "0123456789abcdef" * 2


def check(head_sha: str) -> dict[str, object]:
    """What a job leaves that found no such run."""
    problem = Problem(asked=CLAIMED, message="There is no such run", hint="look", exit_code=2)
    made = Check(
        schema_version=CHECK_VERSION,
        tool_version="1",
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
        head_sha=head_sha,
        reports=(),
        problems=(problem,),
    )
    return check_document(made)


@pytest.mark.parametrize(
    ("defect", "said"),
    [
        ("large", "bytes"),
        ("foreign", "of commit bbbbbbbbbbbb"),
    ],
)
def test_a_report_that_cannot_be_used_is_named_and_overwrites_nothing(
    team: Team, defect: str, said: str
) -> None:
    pull = team.pull("Better.")
    left: dict[str, dict[str, bytes]] = {
        "large": {"report.json": os.urandom(8_100_000)},
        "foreign": {"report.json": json.dumps(check("b" * 40)).encode()},
    }
    job = team.comment(team.left(pull, left[defect])).job("comment")
    assert job.result == "failure"
    (comment,) = team.github.repository.comments_of(pull.number)
    assert job.annotations("error")
    plain = job.summary.replace("&#46;", ".")
    assert said in plain + " ".join(job.annotations("error"))
    assert "not verified" in comment.body.lower() or "nothing was verified" in comment.body.lower()
    assert CLAIMED not in comment.body
