"""GitHub's published descriptions, which judge every request and reply of the fake GitHub."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, build_schema, graphql_sync, parse, validate
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing.requests import MockRequest
from openapi_core.testing.responses import MockResponse

HERE = Path(__file__).parent / "github"
HOST = "https://api.github.com"
# What any path may answer, though its description does not list it.
ERRORS = (301, 401, 403, 404, 410, 422, 429)


class Contract:
    """Both descriptions, loaded once; problems are told in words."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._document = json.loads((HERE / "github-openapi-slice.json").read_text())
        self._rest = OpenAPI.from_dict(self._document)
        text = (HERE / "github-graphql-slice.graphql").read_text()
        self.graphql: GraphQLSchema = build_schema(text)

    def example(self, name: str) -> Any:
        """A new copy of a published example."""
        return json.loads(json.dumps(self._document["components"]["examples"][name]["value"]))

    def of_request(self, request: MockRequest) -> list[str]:
        with self._lock:
            try:
                self._rest.validate_request(request)
            except OpenAPIError as problem:
                return [f"request {request.method} {request.path}: {described(problem)}"]
        return []

    def of_reply(self, request: MockRequest, status: int, body: bytes) -> list[str]:
        with self._lock:
            try:
                self._rest.validate_response(request, MockResponse(body, status_code=status))
            except OpenAPIError as problem:
                if is_known_gap(problem):
                    return []
                if status in ERRORS and "message" in json.loads(body or b"{}"):
                    return []
                return [f"reply {status} to {request.method} {request.path}: {described(problem)}"]
        return []

    def run(self, document: str, root: object, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a GraphQL document; the schema judges both."""
        done = graphql_sync(
            self.graphql, document, root_value=root, variable_values=dict(variables)
        )
        return dict(done.formatted)

    def of_document(self, document: str) -> list[str]:
        return [f"GraphQL: {error.message}" for error in validate(self.graphql, parse(document))]


def is_known_gap(problem: BaseException) -> bool:
    """A pull request's head whose fork was deleted has no repository: the schema forgets that."""
    errors = getattr(problem.__cause__, "schema_errors", ())
    return bool(errors) and all(error.json_path.endswith("head.repo") for error in errors)


def described(problem: BaseException) -> str:
    """Why, and where: openapi-core prints the whole value instead."""
    errors = getattr(problem.__cause__, "schema_errors", ())
    words = [f"  {error.json_path}: {error.message[:200]}" for error in errors]
    why = type(problem.__cause__ or problem).__name__
    return "\n".join([why, *words] if words else [f"{why}: {str(problem)[:300]}"])


@lru_cache
def contract() -> Contract:
    """One a process: to load it takes half a second."""
    return Contract()
