"""The one note on a merge request."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from reprocheck.errors import ForgeError
from reprocheck.forges.base import Writing
from reprocheck.forges.gitlab import TOKEN, GitLab, of_job
from tests.forges.gitlab_server import SHA, Failure, FakeGitLab
from tests.forges.hub import Clock, draft

MARK = f"<!-- reprocheck:v1 key=ab12 head={SHA} run=7 attempt=1 -->"


@pytest.fixture
def lab_server() -> Iterator[FakeGitLab]:
    with FakeGitLab() as server:
        yield server


def forge(
    server: FakeGitLab, token: str = "project", project: str = "7", clock: Clock | None = None
) -> GitLab:
    return GitLab(
        api_url=server.api_url,
        project=project,
        token=token,
        waiting=(clock or Clock()).waiting(),
    )


def bodies(server: FakeGitLab) -> list[str]:
    return [note.body for note in server.notes]


@pytest.mark.parametrize("project", ["7", "group/demo"])
def test_a_note_is_made_then_left_then_updated(lab_server: FakeGitLab, project: str) -> None:
    gitlab = forge(lab_server, project=project)
    drafts = (draft(), draft(), draft("It does not.", run_id=8))

    posted = [gitlab.comment(3, each) for each in drafts]

    assert [p.writing for p in posted] == [Writing.CREATED, Writing.UNCHANGED, Writing.UPDATED]
    assert bodies(lab_server) == [f"{MARK.replace('run=7', 'run=8')}\nIt does not."]
    assert posted[0].url == f"{lab_server.site}/group/demo/-/merge_requests/3#note_301"
    assert gitlab.previous(3, "ab12") == "It does not."


def test_only_our_own_notes_are_ours_behind_hundreds_of_others(lab_server: FakeGitLab) -> None:
    for _ in range(150):
        lab_server.add_note(f"{MARK}\nNot by us.")
    lab_server.add_note(f"{MARK}\nBy the system.", 11, system=True)
    ours = lab_server.add_note(f"{MARK}\nOurs.", 11)

    assert forge(lab_server).previous(3, "ab12") == "Ours."
    assert forge(lab_server).comment(3, draft()).id == ours.id
    assert len(lab_server.notes) == 152


def test_an_older_result_leaves_a_newer_one_and_a_stale_one_says_so(
    lab_server: FakeGitLab,
) -> None:
    gitlab = forge(lab_server)
    gitlab.comment(3, draft("Newer.", run_id=9))

    assert gitlab.comment(3, draft("Older.")).writing is Writing.OUTDATED
    lab_server.sha = "e" * 40
    gitlab.comment(3, draft("Newer.", run_id=9))

    assert "Stale: the head moved to eeeeeeeeeeee" in bodies(lab_server)[0]


def test_where_its_own_note_may_not_be_changed_a_new_one_is_written(
    lab_server: FakeGitLab,
) -> None:
    lab_server.add_note(f"{MARK}\nBefore.", 11)
    lab_server.may_edit = False

    posted = forge(lab_server).comment(3, draft("After.", run_id=8))

    assert bodies(lab_server)[1:] == [f"{MARK.replace('run=7', 'run=8')}\nAfter."]
    assert posted.id == 302


@pytest.mark.parametrize("done", [True, False])
def test_a_post_that_may_have_been_done_is_not_sent_blindly(
    lab_server: FakeGitLab, done: bool
) -> None:
    lab_server.failures.append(Failure(method="POST", after_commit=done))

    posted = forge(lab_server).comment(3, draft())

    assert posted.writing is Writing.CREATED
    assert bodies(lab_server) == [f"{MARK}\nIt reproduces."]


def test_a_second_leg_merges_into_the_first_one_s_note(lab_server: FakeGitLab) -> None:
    def other_leg(method: str, _: str) -> None:
        if method == "POST":
            lab_server.add_note(f"{MARK}\nThe other leg.", 11)

    lab_server.before = other_leg

    forge(lab_server).comment(3, draft("This leg."))

    assert bodies(lab_server) == [f"{MARK}\nThis leg."]


def test_limits_and_failures_of_reads_are_waited_for(lab_server: FakeGitLab) -> None:
    clock = Clock()
    lab_server.failures += [
        Failure(method="GET", status=429, headers={"Retry-After": "9"}),
        Failure(method="GET", status=429),
        Failure(method="GET", times=2),
    ]

    forge(lab_server, clock=clock).previous(3, "ab12")

    assert clock.slept == [9.0, 120.0, 1.0, 2.0]


def test_a_failure_that_lasts_is_told(lab_server: FakeGitLab) -> None:
    lab_server.failures.append(Failure(method="GET", times=99))

    with pytest.raises(ForgeError, match="could not read merge request 3: GitLab answered"):
        forge(lab_server).previous(3, "ab12")


def test_a_token_that_only_reads_lacks_the_scope(lab_server: FakeGitLab) -> None:
    lab_server.read_only.add("project")

    with pytest.raises(ForgeError, match="could not comment on merge request 3") as caught:
        forge(lab_server).comment(3, draft())

    assert caught.value.missing == "api"


def test_a_wrong_token_and_an_unknown_merge_request_are_told(lab_server: FakeGitLab) -> None:
    with pytest.raises(ForgeError, match="401 Unauthorized"):
        forge(lab_server, "expired").comment(3, draft())
    with pytest.raises(ForgeError, match="404 Not found"):
        forge(lab_server).comment(404, draft())


def test_a_server_that_is_not_there_is_told() -> None:
    url = "http://127.0.0.1:9/api/v4"
    gitlab = GitLab(api_url=url, project="7", token="x", waiting=Clock().waiting())

    with pytest.raises(ForgeError, match="the connection to GitLab failed"):
        gitlab.previous(3, "ab12")


def test_without_its_client_the_line_that_installs_it_is_told(
    lab_server: FakeGitLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gitlab", None)

    with pytest.raises(ForgeError, match="is not installed") as caught:
        forge(lab_server).comment(3, draft())

    assert 'pip install "reprocheck[gitlab]"' in caught.value.hint


def test_a_job_s_variables_say_which_merge_request(lab_server: FakeGitLab) -> None:
    job = {
        "CI_API_V4_URL": lab_server.api_url,
        "CI_PROJECT_ID": "7",
        "CI_MERGE_REQUEST_IID": "3",
        TOKEN: "project",
    }
    opened = of_job(job)
    assert opened is not None
    gitlab, number = opened

    assert gitlab.comment(number, draft()).writing is Writing.CREATED
    assert of_job(job | {"CI_MERGE_REQUEST_IID": ""}) is None
    with pytest.raises(ForgeError, match=f"{TOKEN} is not set") as caught:
        of_job(job | {TOKEN: ""})
    assert caught.value.missing == "api"


@pytest.mark.parametrize(
    ("api_url", "project"),
    [
        ("https://gitlab.example", "7"),
        ("file:///api/v4", "7"),
        ("https://gitlab.example/api/v4", "../x"),
        ("https://gitlab.example/api/v4", "7?x=1"),
        ("https://gitlab.example/api/v4", ""),
    ],
)
def test_addresses_that_are_none_are_told(api_url: str, project: str) -> None:
    with pytest.raises(ForgeError, match="is no"):
        GitLab(api_url=api_url, project=project, token="x")
