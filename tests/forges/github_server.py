"""A GitHub of the tests' own, on a port of this machine: honest, and able to fail as GitHub does.

    with FakeGitHub() as github:
        pull = github.repository.add_pull()
        GitHub(api_url=github.api_url, graphql_url=github.graphql_url, ...)

Every request and reply is judged by GitHub's published descriptions; `check()`, which the end of
the block calls, fails for each that was not as described, and for each unknown path. What those
descriptions do not prove is listed in README.md beside this file.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from openapi_core.testing.requests import MockRequest

import tests.forges.github_more_routes  # noqa: F401  (adds its routes)
from tests.forges.github_contract import HOST, contract
from tests.forges.github_graphql import Root, as_github
from tests.forges.github_routes import Answer, Asked, RefusedError, Routes, routed
from tests.forges.github_state import SCOPES, Repository, Token

MOUNTS = ("", "/api/v3")
GRAPHQL = ("/graphql", "/api/graphql")


@dataclass(kw_only=True)
class Fault:
    """What goes wrong with the next `times` requests of a method to a path; `before` runs first."""

    method: str = "GET"
    path: str = ".*"  # a pattern, found anywhere in it
    times: int = 1
    status: int = 0  # 0: as it is
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    after_commit: bool = False  # it was done all the same
    cut: bool = False  # the reply ends in the middle of its JSON
    hang: bool = False  # the connection ends without a reply
    delay_s: float = 0.0  # before the reply
    before: Callable[[], object] = lambda: None


@dataclass(kw_only=True)
class Seen:
    """A request that was made."""

    method: str
    path: str  # without the mount
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    mount: str  # "", "/api/v3"; of GraphQL "" or "/api"


class FakeGitHub:
    """A server with one repository, `octo/demo`, and the tokens `writer`, `reader` and `user`."""

    def __init__(self, *, port: int = 0) -> None:
        self.repository = Repository()
        self.tokens = {
            "writer": Token(permissions=dict.fromkeys(SCOPES, "write")),
            "reader": Token(permissions=dict.fromkeys(SCOPES, "read")),
            "user": Token(login="carol", permissions=dict.fromkeys(SCOPES, "write"), is_user=True),
        }
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        self.violations: list[str] = []
        self.renamed: set[str] = set()  # full names that the repository had
        self.graphql_works = True
        self.remaining = 4999
        self.lock = threading.RLock()
        self._blobs = _server(_Blobs, 0)
        self._server = _server(_Handler, port)
        self._blobs.owner = self._server.owner = self  # type: ignore[attr-defined]

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def blobs(self) -> str:
        return f"http://127.0.0.1:{self._blobs.server_address[1]}"

    @property
    def api_url(self) -> str:
        return self.site

    @property
    def graphql_url(self) -> str:
        return f"{self.site}/graphql"

    @property
    def variables(self) -> dict[str, str]:
        """What a job on this GitHub finds in its environment."""
        return {
            "GITHUB_API_URL": self.api_url,
            "GITHUB_GRAPHQL_URL": self.graphql_url,
            "GITHUB_SERVER_URL": self.site,
            "GITHUB_REPOSITORY": self.repository.full_name,
        }

    def token(self, name: str, *, login: str = "", **permissions: str) -> str:
        """A new token; `pull_requests="read"` and so on, and nothing else."""
        granted = {scope.replace("_", "-"): access for scope, access in permissions.items()}
        about = {"login": login} if login else {}
        self.tokens[name] = Token(permissions=granted, **about)
        return name

    def start(self) -> FakeGitHub:
        for server in (self._server, self._blobs):
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        for server in (self._server, self._blobs):
            server.shutdown()
            server.server_close()

    def check(self) -> None:
        """Fails for every request and reply that GitHub's descriptions do not know."""
        assert not self.violations, "\n".join(self.violations)

    def __enter__(self) -> FakeGitHub:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, _: object, __: TracebackType | None
    ) -> None:
        self.stop()
        if kind is None:
            self.check()

    def requests(self, method: str, path: str = "") -> list[Seen]:
        return [seen for seen in self.seen if seen.method == method and path in seen.path]

    def fault_for(self, method: str, path: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.times and fault.method == method and re.search(fault.path, path):
                    fault.times -= 1
                    return fault
        return None

    def violated(self, problems: Iterable[str]) -> None:
        self.violations += problems


def _server(handler: type[BaseHTTPRequestHandler], port: int) -> ThreadingHTTPServer:
    made = ThreadingHTTPServer(("127.0.0.1", port), handler)
    made.daemon_threads = True
    made.handle_error = lambda *_: None  # type: ignore[method-assign]  # connections that we end
    return made


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body at once: two packets would wait for each other

    def do(self) -> None:
        github: FakeGitHub = self.server.owner  # type: ignore[attr-defined]
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path, api = self._unmounted(parts.path)
        asked = Asked(
            method=self.command,
            path=path,
            query=dict(parse_qsl(parts.query)),
            body=json.loads(raw) if raw else None,
            token=self._token(github),
        )
        seen = Seen(
            method=self.command,
            path=path,
            query=asked.query,
            headers={key.lower(): value for key, value in self.headers.items()},
            body=asked.body,
            mount=parts.path.removesuffix(path),
        )
        github.seen.append(seen)
        fault = github.fault_for(self.command, path)
        if fault:
            fault.before()
        if fault and not fault.after_commit and (fault.status or fault.hang):
            return self._fail(fault)
        with github.lock:
            answer = self._tried(github, asked, raw, f"{github.site}{api}")
        if fault and (fault.status or fault.hang):
            return self._fail(fault)
        return self._send(github, answer, fault)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = do  # noqa: N815

    def _unmounted(self, path: str) -> tuple[str, str]:
        if path in GRAPHQL:
            return "/graphql", ""
        mount = "/api/v3" if path.startswith("/api/v3/") else ""
        return path.removeprefix(mount), mount

    def _token(self, github: FakeGitHub) -> Token | None:
        given = self.headers.get("Authorization", "").partition(" ")[2]
        if given and given not in github.tokens:
            return Token(login="", permissions={"": "bad"})
        return github.tokens.get(given)

    def _tried(self, github: FakeGitHub, asked: Asked, raw: bytes, api: str) -> Answer:
        """A defect of the fake must not look like a failure that a test asked for."""
        try:
            return self._answer(github, asked, raw, api)
        except Exception as defect:
            github.violated([f"the fake GitHub failed at {asked.method} {asked.path}: {defect!r}"])
            return Answer(status=500)

    def _answer(self, github: FakeGitHub, asked: Asked, raw: bytes, api: str) -> Answer:
        if asked.token and asked.token.permissions == {"": "bad"}:
            return RefusedError(401, "Bad credentials").answer
        if asked.path == "/graphql":
            return self._graphql(github, asked)
        held = github.repository
        moved = _moved(asked.path, github)
        if moved:
            location = f"{api}/repositories/{held.id}{moved[1]}"
            return Answer(
                status=301, body={"message": "Moved Permanently"}, headers={"location": location}
            )
        by_id = f"/repositories/{held.id}"
        if asked.path.startswith(by_id):
            asked.path = f"/repos/{held.full_name}{asked.path.removeprefix(by_id)}"
        return self._routed(github, asked, raw, api)

    def _routed(self, github: FakeGitHub, asked: Asked, raw: bytes, api: str) -> Answer:
        route = routed(asked)
        if route is None:
            github.violated([f"unknown route: {asked.method} {asked.path}"])
            return Answer(status=404, body={"message": "Not Found"})
        request = _described(asked, raw, self.headers.get("Content-Type", ""))
        problems = contract().of_request(request)
        github.violated(problems)
        if problems:
            return RefusedError(422, "Invalid request.").answer
        if int(asked.query.get("per_page", 0)) > 100:
            github.violated([f"per_page over 100: {asked.path}"])
        routes = Routes(github.repository, api, github.site, github.blobs)
        try:
            answer = route(routes, asked)
        except RefusedError as refused:
            answer = refused.answer
        if answer.items is not None:
            _page(answer, asked, api)
        body = json.dumps(answer.body).encode() if answer.body is not None else b""
        github.violated(contract().of_reply(request, answer.status, body))
        return answer

    def _graphql(self, github: FakeGitHub, asked: Asked) -> Answer:
        if asked.token is None or not github.graphql_works:
            return RefusedError(403, "GraphQL is not for this token").answer
        document, variables = asked.body["query"], asked.body.get("variables", {})
        github.violated(contract().of_document(document))
        root = Root(github.repository, asked.token, github.site)
        return Answer(status=200, body=as_github(contract().run(document, root, variables)))

    def _send(self, github: FakeGitHub, answer: Answer, fault: Fault | None) -> None:
        body = json.dumps(answer.body).encode() if answer.body is not None else b""
        if fault and fault.delay_s:
            time.sleep(fault.delay_s)
        body = body[: len(body) // 2] if fault and fault.cut else body
        headers = {"x-ratelimit-remaining": str(github.remaining), "x-ratelimit-limit": "5000"}
        kind = {"content-type": "application/json; charset=utf-8"} if body else {}
        self._write(answer.status, headers | kind | answer.headers, body)

    def _fail(self, fault: Fault) -> None:
        if fault.hang:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        time.sleep(fault.delay_s)
        self._write(fault.status, dict(fault.headers), fault.body)

    def _write(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:  # who asked did not wait
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing: the tests read `seen`."""


class _Blobs(_Handler):
    """Where artifacts are: another origin, which must not see the token."""

    def do_GET(self) -> None:
        github: FakeGitHub = self.server.owner  # type: ignore[attr-defined]
        if self.headers.get("Authorization"):
            github.violated(["the token was sent to where artifacts are stored"])
        fault = github.fault_for("GET", f"/blobs{self.path}")
        if fault and (fault.status or fault.hang):
            return self._fail(fault)
        artifact = github.repository.artifacts[int(urlsplit(self.path).path.strip("/"))]
        content = (
            artifact.content[: len(artifact.content) // 2]
            if fault and fault.cut
            else artifact.content
        )
        return self._write(200, {"content-type": "application/zip"}, content)


def _moved(path: str, github: FakeGitHub) -> tuple[str, str] | None:
    for old in github.renamed:
        if path == f"/repos/{old}" or path.startswith(f"/repos/{old}/"):
            return old, path.removeprefix(f"/repos/{old}")
    return None


def _described(asked: Asked, raw: bytes, content_type: str) -> MockRequest:
    return MockRequest(
        HOST,
        asked.method,
        unquote(asked.path),
        args=asked.query,
        headers={"Content-Type": content_type},
        data=raw,
        content_type=content_type.partition(";")[0] or "application/json",
    )


def _page(answer: Answer, asked: Asked, api: str) -> None:
    """Cuts a list, and links the other pages as GitHub does."""
    size, page = min(int(asked.query.get("per_page", 30)), 100), int(asked.query.get("page", 1))
    items = answer.items or []
    last = max(1, -(-len(items) // size))
    part = items[(page - 1) * size : page * size]
    answer.body = {"total_count": len(items), answer.inside: part} if answer.inside else part
    pages = {"next": page + 1, "last": last} if page < last else {}
    pages |= {"prev": page - 1, "first": 1} if page > 1 else {}
    links = [
        f'<{api}{asked.path}?{urlencode({**asked.query, "page": number})}>; rel="{name}"'
        for name, number in pages.items()
    ]
    if links:
        answer.headers["link"] = ", ".join(links)
