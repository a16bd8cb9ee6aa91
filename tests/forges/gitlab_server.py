"""A small GitLab of the tests' own: notes of merge requests, on a port of this machine.

It is checked against nothing that GitLab publishes: its description of the API is under a licence
that we do not copy from. What is here follows GitLab's public documentation of the notes API (names
of fields, X-Next-Page, PRIVATE-TOKEN) and its client; an unknown path or field fails the test.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"


@dataclass(kw_only=True)
class Note:
    id: int
    body: str
    author_id: int
    system: bool = False


@dataclass(kw_only=True)
class Failure:
    """The next `times` requests of a method; `after_commit`: what they asked for was done."""

    method: str
    times: int = 1
    status: int = 502
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"<html>Bad gateway</html>"
    after_commit: bool = False


class FakeGitLab:
    """One project (7, `group/demo`) with one merge request (3), and tokens by their users."""

    def __init__(self) -> None:
        self.users = {"project": 11, "other": 12}
        self.read_only: set[str] = set()
        self.may_edit = True
        self.sha = SHA
        self.notes: list[Note] = []
        self.failures: list[Failure] = []
        self.seen: list[tuple[str, str]] = []
        self.violations: list[str] = []
        self.before: Callable[[str, str], None] = lambda method, path: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.owner = self  # type: ignore[attr-defined]

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def api_url(self) -> str:
        return f"{self.site}/api/v4"

    def add_note(self, body: str, author_id: int = 99, **about: Any) -> Note:
        note = Note(id=301 + len(self.notes), body=body, author_id=author_id, **about)
        self.notes.append(note)
        return note

    def __enter__(self) -> FakeGitLab:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        assert not self.violations, self.violations


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do(self) -> None:
        held: FakeGitLab = self.server.owner  # type: ignore[attr-defined]
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path = unquote(parts.path).removeprefix("/api/v4")
        held.seen.append((self.command, path))
        held.before(self.command, path)
        failure = next((f for f in held.failures if f.times and f.method == self.command), None)
        if failure:
            failure.times -= 1
        if failure and not failure.after_commit:
            return self._write(failure.status, failure.headers, failure.body)
        query = dict(parse_qsl(parts.query))
        status, body, headers = self._answer(held, path, query, json.loads(raw) if raw else None)
        if failure:
            return self._write(failure.status, failure.headers, failure.body)
        content = json.dumps(body).encode() if body is not None else b""
        return self._write(status, {"Content-Type": "application/json"} | headers, content)

    do_GET = do_POST = do_PUT = do_DELETE = do  # noqa: N815

    def _answer(
        self, held: FakeGitLab, path: str, query: dict[str, str], body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        token = self.headers.get("PRIVATE-TOKEN", "")
        if token not in held.users:
            return 401, {"message": "401 Unauthorized"}, {}
        if self.command != "GET" and token in held.read_only:
            error = "The request requires higher privileges than provided by the access token."
            return 403, {"error": "insufficient_scope", "error_description": error}, {}
        user_id = held.users[token]
        if (self.command, path) == ("GET", "/user"):
            return 200, {"id": user_id, "username": f"bot_{user_id}"}, {}
        home = next((p for p in HOMES if path == p or path.startswith(f"{p}/notes")), None)
        if home is None:
            if not path.endswith("/merge_requests/404"):
                held.violations.append(f"unknown route: {self.command} {path}")
            return 404, {"message": "404 Not found"}, {}
        if path == home and self.command == "GET":
            address = f"{held.site}/group/demo/-/merge_requests/3"
            return 200, {"iid": 3, "sha": held.sha, "web_url": address}, {}
        return self._notes(held, path.removeprefix(f"{home}/notes"), query, body, user_id)

    def _notes(
        self, held: FakeGitLab, rest: str, query: dict[str, str], body: Any, user_id: int
    ) -> tuple[int, Any, dict[str, str]]:
        if self.command in ("POST", "PUT") and (
            set(body) != {"body"} or not isinstance(body["body"], str) or not body["body"]
        ):
            held.violations.append(f"not a note: {body}")
        if not rest and self.command == "GET":
            return self._page(held, query)
        if not rest and self.command == "POST":
            return 201, shown(held.add_note(body["body"], user_id)), {}
        note = next((n for n in held.notes if rest == f"/{n.id}"), None)
        if note is None:
            return 404, {"message": "404 Note Not Found"}, {}
        if note.author_id != user_id or not held.may_edit:
            return 403, {"message": "403 Forbidden"}, {}
        if self.command == "DELETE":
            held.notes.remove(note)
            return 204, None, {}
        note.body = body["body"]
        return 200, shown(note), {}

    def _page(self, held: FakeGitLab, query: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        size, page = min(int(query.get("per_page", 20)), 100), int(query.get("page", 1))
        notes = held.notes if query.get("sort") == "asc" else held.notes[::-1]
        more = page * size < len(notes)
        part = notes[(page - 1) * size : page * size]
        following = {"X-Next-Page": str(page + 1) if more else ""}
        return 200, [shown(note) for note in part], following

    def _write(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


HOMES = tuple(f"/projects/{name}/merge_requests/3" for name in ("7", "group/demo"))


def shown(note: Note) -> dict[str, Any]:
    author = {"id": note.author_id, "username": f"user_{note.author_id}"}
    return {"id": note.id, "body": note.body, "author": author, "system": note.system}
