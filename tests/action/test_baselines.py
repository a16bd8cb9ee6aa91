"""Which accepted baselines count: on a pull request those of the base branch alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest

from reprocheck import accepted, honouring
from reprocheck.accepted import FILE_NAME
from reprocheck.action import baselines
from reprocheck.compare import Question
from reprocheck.errors import ConfigError, UsageError
from reprocheck.git import Git
from reprocheck.model import Acceptance, Gates, RerunPlan, RuleChange
from tests.conftest import Repo
from tests.reporters.builders import RUN_ID, make_acceptance, make_metric
from tests.test_accepted import OTHER

FIRST = make_acceptance()
SECOND = make_acceptance(old=FIRST.metrics[0].new, new=(0.5, 0.5, 0.5), reason="as I like it")


def content(*entries: Acceptance) -> str:
    return accepted.dump(accepted.document(entries))


def branches(repo: Repo, base: str | None, head: str | None) -> str:
    sha = repo.commit({"a": ""} if base is None else {FILE_NAME: base})
    (repo.path / FILE_NAME).unlink(missing_ok=True)
    repo.commit({} if head is None else {FILE_NAME: head})
    return sha


def taken(
    repo: Repo, base: str
) -> tuple[Mapping[str, tuple[Acceptance, ...]], tuple[RuleChange, ...]]:
    """What verify is handed, as it reads it."""
    with baselines.in_force(Git(repo.path, {}), repo.path, base) as found:
        named = dict(word.removeprefix("--").split("=", 1) for word in found.options)
        read = {
            name: accepted.load(Path(path), optional=False) if path else ()
            for name, path in named.items()
        }
    assert not any(Path(path).exists() for path in named.values() if path)
    return read, found.changes


def test_what_a_pull_request_adds_is_proposed_and_counts_nothing(repo: Repo) -> None:
    read, changes = taken(repo, branches(repo, None, content(FIRST)))
    assert (read, changes) == ({"accepted": (), "proposed": (FIRST,)}, ())
    both = content(FIRST, SECOND)
    read, changes = taken(repo, branches(repo, content(FIRST), both))
    assert (read, changes) == ({"accepted": (FIRST,), "proposed": (FIRST, SECOND)}, ())


def test_what_a_pull_request_edits_counts_as_it_was(repo: Repo) -> None:
    edited = dataclasses.replace(FIRST, metrics=SECOND.metrics)
    read, changes = taken(repo, branches(repo, content(FIRST), content(edited)))
    assert read == {"accepted": (FIRST,), "proposed": (edited,)}
    assert changes == (RuleChange(key=FILE_NAME, base="1 acceptance", head="1 acceptance"),)


@pytest.mark.parametrize(
    ("head", "told"), [(None, ""), ("{", f"reading {FILE_NAME}: line 1: it is not JSON")]
)
def test_what_a_pull_request_deletes_or_breaks_counts_still(
    repo: Repo, head: str | None, told: str
) -> None:
    read, (change,) = taken(repo, branches(repo, content(FIRST, make_acceptance(OTHER)), head))
    assert read == {"accepted": (FIRST, make_acceptance(OTHER))}
    assert (change.key, change.base) == (FILE_NAME, "2 acceptances")
    assert change.head.startswith(told) if told else not change.head


@pytest.mark.parametrize("entries", [(), (FIRST,)])
def test_what_both_sides_have_is_no_proposal(repo: Repo, entries: tuple[Acceptance, ...]) -> None:
    text = content(*entries) if entries else None
    assert taken(repo, branches(repo, text, text)) == ({"accepted": entries}, ())


def test_a_commit_in_the_place_of_the_base_branchs_counts_nothing(repo: Repo) -> None:
    base = branches(repo, None, content(FIRST))
    repo.git("replace", base, "HEAD")
    assert taken(repo, base) == ({"accepted": (), "proposed": (FIRST,)}, ())


def test_without_a_base_branch_the_checkouts_counts(repo: Repo) -> None:
    repo.commit({FILE_NAME: content(FIRST)})
    with baselines.in_force(Git(repo.path, {}), repo.path, "") as found:
        assert found == baselines.Counting()  # verify finds it itself
    with baselines.in_force(None, repo.path, "") as found:
        assert found == baselines.Counting()


def test_a_broken_file_of_the_base_branch_lets_nothing_be_verified(repo: Repo) -> None:
    base = branches(repo, "{", content(FIRST))
    with pytest.raises(ConfigError, match="of the base branch: line 1: it is not JSON") as found:
        taken(repo, base)
    assert found.value.hint.startswith("mend it on the base branch")
    (repo.path / FILE_NAME).unlink()
    (repo.path / FILE_NAME).symlink_to("/etc/passwd")
    linked = repo.commit()
    with pytest.raises(ConfigError, match="of the base branch is no file"):
        taken(repo, linked)
    with pytest.raises(UsageError, match="not in the checkout"):
        taken(repo, "0" * 40)


def test_a_link_of_the_pull_request_is_not_followed(repo: Repo, tmp_path: Path) -> None:
    base = branches(repo, content(FIRST), None)
    accepted.write(tmp_path / "outside.json", (SECOND,))
    (repo.path / FILE_NAME).symlink_to(tmp_path / "outside.json")
    read, (change,) = taken(repo, base)
    assert read == {"accepted": (FIRST,)}
    assert "symbolic link" in change.head


# --- what verify makes of it --------------------------------------------------------------

QUESTION = Question(
    metrics={"accuracy": make_metric("accuracy", 0.9611)},
    rules={},
    gates=Gates(metrics=("accuracy",), reason="named by --gate"),
    plan=RerunPlan(),
)


def test_the_base_branchs_is_honoured_and_the_other_told() -> None:
    found = honouring.honour(QUESTION, RUN_ID, (FIRST,), (FIRST, SECOND))
    assert (found.acceptance, found.proposed) == (FIRST, SECOND)
    assert found.question.accepted == {"accuracy": FIRST.metrics[0].new}
    only = honouring.honour(QUESTION, RUN_ID, (), (FIRST,))
    assert (only.acceptance, only.proposed, only.question.accepted) == (None, FIRST, {})
    same = honouring.honour(QUESTION, RUN_ID, (FIRST,), (make_acceptance(OTHER), FIRST))
    assert (same.acceptance, same.proposed) == (FIRST, None)


def test_a_stale_acceptance_is_told_and_not_honoured() -> None:
    found = honouring.honour(QUESTION, RUN_ID, (SECOND,))
    assert (found.acceptance, found.question.accepted) == (None, {})
    (finding,) = found.findings
    assert (finding.code, finding.severity.value) == ("stale-acceptance", "warning")
    assert "does not count: it replaced accuracy of 0.95" in finding.message
    proposed = honouring.honour(QUESTION, RUN_ID, (), (SECOND,))
    assert (proposed.proposed, [each.code for each in proposed.findings]) == (
        None,
        ["stale-acceptance"],
    )


def test_an_acceptance_of_what_is_not_judged_changes_nothing() -> None:
    other = dataclasses.replace(FIRST.metrics[0], metric="f1")
    both = dataclasses.replace(FIRST, metrics=(*FIRST.metrics, other))
    found = honouring.honour(QUESTION, RUN_ID, (both,))
    assert found.question.accepted == {"accuracy": FIRST.metrics[0].new}
    assert [each.code for each in found.findings] == ["unused-acceptance"]
    alone = honouring.honour(QUESTION, RUN_ID, (dataclasses.replace(FIRST, metrics=(other,)),))
    assert (alone.acceptance, alone.question.accepted) == (None, {})
