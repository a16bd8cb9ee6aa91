"""A commit's status and check runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from reprocheck.errors import ForgeError
from reprocheck.forges.answers import reading
from reprocheck.forges.github_api import Api
from reprocheck.forges.github_errors import Call, Json
from reprocheck.forges.github_nouns import Annotation, CheckRun, CommitStatus
from reprocheck.forges.upsert import UnsureError

LONGEST_DESCRIPTION = 140
LONGEST_SUMMARY = 65_535
LONGEST_TITLE = 255
LONGEST_MESSAGE = 64_000  # bytes, of GitHub's 64 KB
CHUNK = 50  # annotations in one request
_TRIES = 3


class Checks:
    """Those of one repository's commits. Every method raises `ForgeError`."""

    def __init__(self, api: Api, repository: str) -> None:
        self._api = api
        self._home = f"/repos/{repository}"

    def status(self, status: CommitStatus) -> None:
        """Sets a status: the last one of a context counts, so a second one would do no harm."""
        body = {
            "state": status.state.value,
            "context": status.context,
            "description": _cut(status.description, LONGEST_DESCRIPTION),
        }
        body |= {"target_url": status.target_url} if status.target_url else {}
        call = Call(
            verb="POST",
            path=f"{self._home}/statuses/{status.sha}",
            doing=f"set the status {status.context}",
            scope="statuses: write",
            body=body,
        )
        for _ in range(_TRIES):
            try:
                self._api.write(call)
            except UnsureError as unsure:
                last = unsure
                if self._has_status(status.sha, body):
                    return
            else:
                return
        raise last

    def _has_status(self, sha: str, body: dict[str, str]) -> bool:
        call = Call(
            verb="GET",
            path=f"{self._home}/commits/{sha}/statuses",
            doing="read the commit's statuses",
            scope="statuses: read",
        )
        with reading(call.doing):
            newest = next(
                (s for s in self._api.pages(call) if s["context"] == body["context"]), None
            )
            return newest is not None and all(newest[name] == body[name] for name in body)

    def check_run(self, check: CheckRun) -> str:
        """Makes a finished check run, and adds its annotations, 50 at a time; gives its page."""
        made = self._create(check)
        with reading("make a check run"):
            check_id, url = int(made["id"]), str(made.get("html_url") or "")
        for start in range(CHUNK, len(check.annotations), CHUNK):
            self._annotate(check_id, check, start)
        return url

    def _create(self, check: CheckRun) -> Json:
        body = {
            "name": check.name,
            "head_sha": check.sha,
            "status": "completed",
            "conclusion": check.conclusion,
            "external_id": check.external_id,
            "output": _output(check, check.annotations[:CHUNK]),
        }
        body |= {"details_url": check.details_url} if check.details_url else {}
        call = self._call("POST", f"{self._home}/check-runs", body)
        for _ in range(_TRIES):
            try:
                return self._api.write(call)
            except UnsureError as unsure:
                last = unsure
                found = self._existing(check)
                if found is not None:
                    return found
        raise last

    def _existing(self, check: CheckRun) -> Json | None:
        path = f"{self._home}/commits/{check.sha}/check-runs"
        call = self._call("GET", path, None, {"check_name": check.name})
        with reading(call.doing):
            for found in islice(self._api.pages(call, "check_runs"), 1_000):
                if found.get("external_id") == check.external_id:
                    return found
        return None

    def _annotate(self, check_id: int, check: CheckRun, start: int) -> None:
        """Adds a chunk, once: how many there are tells whether an unsure one arrived."""
        path = f"{self._home}/check-runs/{check_id}"
        chunk = check.annotations[start : start + CHUNK]
        call = self._call("PATCH", path, {"output": _output(check, chunk)})
        for _ in range(_TRIES):
            try:
                self._api.write(call)
            except UnsureError as unsure:
                last = unsure
                found = self._api.get(self._call("GET", path, None))
                with reading(call.doing):
                    if int(found["output"]["annotations_count"]) >= start + len(chunk):
                        return
            else:
                return
        raise last

    def _call(
        self, verb: str, path: str, body: object, parameters: dict[str, str] | None = None
    ) -> Call:
        return Call(
            verb=verb,
            path=path,
            doing="make a check run",
            scope="checks: read" if verb == "GET" else "checks: write",
            body=body,
            parameters=parameters or {},
        )


def _output(check: CheckRun, annotations: Sequence[Annotation]) -> dict[str, object]:
    if len(check.summary) > LONGEST_SUMMARY:
        raise ForgeError(
            f"could not make a check run: its summary has {len(check.summary)} characters, "
            f"over {LONGEST_SUMMARY}"
        )
    return {
        "title": _cut(check.title, LONGEST_TITLE),
        "summary": check.summary,
        "annotations": [_annotation(annotation) for annotation in annotations],
    }


def _annotation(annotation: Annotation) -> dict[str, object]:
    title = {"title": _cut(annotation.title, LONGEST_TITLE)} if annotation.title else {}
    return {
        "path": annotation.path,
        "start_line": annotation.line,
        "end_line": annotation.line,
        "annotation_level": annotation.level.value,
        "message": annotation.message.encode()[:LONGEST_MESSAGE].decode(errors="ignore"),
    } | title


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
