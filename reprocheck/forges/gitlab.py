"""A project on GitLab: the one note on a merge request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote, urlsplit

from reprocheck.errors import ForgeError
from reprocheck.forges.answers import reading
from reprocheck.forges.base import Draft, Posted
from reprocheck.forges.gitlab_api import SCOPE, Api, Json
from reprocheck.forges.markers import mark_of, unmarked
from reprocheck.forges.upsert import (
    Found,
    GoneError,
    Look,
    RefusedChangeError,
    UnsureError,
    upsert,
)
from reprocheck.forges.waiting import Waiting

TOKEN = "REPROCHECK_GITLAB_TOKEN"  # noqa: S105  (the variable's name)
_PROJECT = re.compile(r"[0-9]{1,20}|[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")


class GitLab:
    """A `Forge`, for merge requests; every method raises `ForgeError`.

    `api_url` is CI_API_V4_URL, `project` CI_PROJECT_ID or the project's path. The token is a
    project's access token with the scope `api`: a job's own token may not write notes.
    """

    def __init__(
        self,
        *,
        api_url: str,
        project: str,
        token: str,
        say: Callable[[str], None] = lambda _: None,
        waiting: Waiting | None = None,
    ) -> None:
        if not _PROJECT.fullmatch(project):
            raise ForgeError(f"{project[:120]!r} is no project", "check CI_PROJECT_ID")
        address = urlsplit(api_url)
        if address.scheme not in ("http", "https") or not re.search(
            r"/api/v[0-9]+/?$", address.path
        ):
            raise ForgeError(f"{api_url[:120]!r} is no GitLab's API", "check CI_API_V4_URL")
        self._api = Api(api_url, token, waiting or Waiting(), say)
        self._project = f"/projects/{quote(project, safe='')}"

    def previous(self, number: int, key: str) -> str:
        """The body of our note of that key, without its mark; "" where there is none."""
        ours = self._notes(number).look(key).ours
        return unmarked(ours[0].body) if ours else ""

    def comment(self, number: int, draft: Draft) -> Posted:
        """Makes our note say what the draft does, and there be but one.

        Where GitLab refuses to change it, as it may for tokens of groups, a new one is written.
        """
        return upsert(self._notes(number), draft)

    def _notes(self, number: int) -> _Notes:
        return _Notes(self._api, f"{self._project}/merge_requests/{number}", number)


def of_job(
    variables: Mapping[str, str], say: Callable[[str], None] = lambda _: None
) -> tuple[GitLab, int] | None:
    """The project and merge request of a job's variables; None outside of a merge request's job.

    Raises `ForgeError` where the token is missing.
    """
    number, project = variables.get("CI_MERGE_REQUEST_IID", ""), variables.get("CI_PROJECT_ID", "")
    if not number.isdecimal() or not project:
        return None
    token = variables.get(TOKEN, "")
    if not token:
        raise ForgeError(
            f"could not comment on merge request {number}: {TOKEN} is not set",
            "make a project access token with the scope `api`, and add it as a masked variable",
            missing=SCOPE,
        )
    forge = GitLab(
        api_url=variables.get("CI_API_V4_URL", ""), project=project, token=token, say=say
    )
    return forge, int(number)


class _Notes:
    """One merge request's: a `Thread`."""

    def __init__(self, api: Api, path: str, number: int) -> None:
        self._api = api
        self._path = path
        self._named = f"merge request {number}"

    def look(self, key: str) -> Look:
        doing = f"list the notes of {self._named}"
        request = self._api.read(self._path, f"read {self._named}")
        me = self._api.user_id
        with reading(doing, "GitLab"):
            ours = [
                self._found(note, request)
                for note in self._api.pages(f"{self._path}/notes", doing)
                if note["author"]["id"] == me and not note["system"]
                if (mark := mark_of(note["body"])) and mark.key == key
            ]
            head_sha = str(request.get("sha") or "")
        return Look(head_sha=head_sha, ours=tuple(sorted(ours, key=lambda found: found.id)))

    def create(self, text: str) -> Found:
        doing = f"comment on {self._named}"
        return self._wrote(self._api.write("post", f"{self._path}/notes", doing, text), doing)

    def change(self, comment_id: int, text: str) -> Found:
        doing = f"update the note on {self._named}"
        path = f"{self._path}/notes/{comment_id}"
        try:
            return self._wrote(self._api.write("put", path, doing, text), doing)
        except (GoneError, UnsureError):
            raise
        except ForgeError as refused:
            if refused.missing:
                raise RefusedChangeError(refused.message, refused.hint) from refused
            raise

    def delete(self, comment_id: int) -> None:
        """A duplicate that may not be removed stays: the note is there all the same."""
        doing = f"remove a duplicate note on {self._named}"
        try:
            self._api.write("delete", f"{self._path}/notes/{comment_id}", doing, None)
        except ForgeError:
            return

    def pause(self) -> None:
        self._api.patience.pause()

    def _wrote(self, note: Json, doing: str) -> Found:
        with reading(doing, "GitLab"):
            return self._found(note, {})

    def _found(self, note: Json, request: Json) -> Found:
        url = str(request.get("web_url") or "")
        address = f"{url}#note_{note['id']}" if url else ""
        return Found(id=int(note["id"]), body=str(note["body"]), url=address)
