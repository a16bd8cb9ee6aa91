"""Cuts what the fake GitHub needs out of GitHub's published descriptions.

    python tests/forges/github/slice.py api.github.com.json schema.graphql

Both files are of npm packages: `generated/api.github.com.json` of @octokit/openapi, and
`schema.graphql` of @octokit/graphql-schema; README.md beside this file names their versions.
Words for readers (descriptions, links) are left out; everything that validates is kept as it is.
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPOSITORY = "/repos/{owner}/{repo}"
PATHS = {
    "/rate_limit": ["get"],
    "/user": ["get"],
    REPOSITORY: ["get"],
    f"{REPOSITORY}/actions/artifacts": ["get"],
    f"{REPOSITORY}/actions/artifacts/{{artifact_id}}": ["get"],
    f"{REPOSITORY}/actions/artifacts/{{artifact_id}}/{{archive_format}}": ["get"],
    f"{REPOSITORY}/actions/runs/{{run_id}}": ["get"],
    f"{REPOSITORY}/actions/runs/{{run_id}}/artifacts": ["get"],
    f"{REPOSITORY}/actions/workflows/{{workflow_id}}/runs": ["get"],
    f"{REPOSITORY}/check-runs": ["post"],
    f"{REPOSITORY}/check-runs/{{check_run_id}}": ["get", "patch"],
    f"{REPOSITORY}/commits/{{commit_sha}}/pulls": ["get"],
    f"{REPOSITORY}/commits/{{ref}}/check-runs": ["get"],
    f"{REPOSITORY}/commits/{{ref}}/statuses": ["get"],
    f"{REPOSITORY}/issues": ["get", "post"],
    f"{REPOSITORY}/issues/comments/{{comment_id}}": ["get", "patch", "delete"],
    f"{REPOSITORY}/issues/{{issue_number}}": ["get", "patch"],
    f"{REPOSITORY}/issues/{{issue_number}}/comments": ["get", "post"],
    f"{REPOSITORY}/pulls": ["get"],
    f"{REPOSITORY}/pulls/{{pull_number}}": ["get"],
    f"{REPOSITORY}/pulls/{{pull_number}}/commits": ["get"],
    f"{REPOSITORY}/statuses/{{sha}}": ["post"],
}
# Examples that replies are made from.
EXAMPLES = (
    "artifact-paginated",
    "check-run-example-of-completed-conclusion",
    "commit-items",
    "full-repository-default-response",
    "issue",
    "issue-comment",
    "private-user-response-with-public-profile-information",
    "pull-request",
    "pull-request-simple-items",
    "status",
    "workflow-run",
)
WORDS = ("description", "summary", "externalDocs", "operationId", "tags", "example", "examples")
TYPES = {
    "Query": ("repository", "viewer"),
    "User": ("login",),
    "Repository": ("id", "pullRequest", "issues"),
    "PullRequest": ("id", "headRefOid", "comments"),
    "IssueCommentConnection": ("nodes", "pageInfo", "totalCount"),
    "IssueComment": ("id", "fullDatabaseId", "body", "url", "viewerDidAuthor", "isMinimized"),
    "IssueConnection": ("nodes", "pageInfo", "totalCount"),
    "Issue": ("id", "number", "title", "body", "url", "viewerDidAuthor", "state", "locked"),
    "PageInfo": ("hasNextPage", "hasPreviousPage", "endCursor", "startCursor"),
}
BARE = ("BigInt", "GitObjectID", "URI", "DateTime")


def sliced(whole: dict[str, Any]) -> dict[str, Any]:
    """The paths, and whatever they refer to."""
    paths = {
        path: {key: without_words(whole["paths"][path][key]) for key in methods}
        for path, methods in PATHS.items()
    }
    components: dict[str, dict[str, Any]] = {}
    gather(paths, whole, components)
    examples = whole["components"]["examples"]
    components["examples"] = {name: examples[name] for name in EXAMPLES}
    return {key: whole[key] for key in ("openapi", "info", "servers")} | {
        "paths": paths,
        "components": {kind: dict(sorted(held.items())) for kind, held in components.items()},
    }


def gather(part: Any, whole: dict[str, Any], components: dict[str, dict[str, Any]]) -> None:
    for reference in references(part):
        _, _, kind, name = reference.split("/")
        held = components.setdefault(kind, {})
        if name not in held:
            held[name] = without_words(whole["components"][kind][name])
            if kind == "responses":
                held[name]["description"] = ""
            gather(held[name], whole, components)


def references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [found for item in part for found in references(item)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [found for value in part.values() for found in references(value)]


def without_words(part: Any, *, are_names: bool = False) -> Any:
    """`are_names`: the keys are names of properties, and `description` may be one of them."""
    if isinstance(part, list):
        return [without_words(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {
        key: without_words(value, are_names=key == "properties" and not are_names)
        for key, value in part.items()
        if are_names or not (key in WORDS or key.startswith("x-"))
    }
    if not are_names and isinstance(kept.get("responses"), dict):
        for response in kept["responses"].values():
            if "$ref" not in response:
                response["description"] = ""  # must be there
    return kept


def graphql(text: str) -> str:
    """The fields of TYPES, with their arguments, and the types that those need."""
    from graphql import parse, print_ast

    document = parse(text, no_location=True)
    by_name = {d.name.value: d for d in document.definitions if hasattr(d, "name") and d.name}
    needed, kept = [*TYPES, *BARE], {}
    while needed:
        name = needed.pop()
        if name in kept or name not in by_name:
            continue
        kept[name] = cut(by_name[name])
        needed += [found for found in names_in(kept[name]) if found not in kept]
    return "\n\n".join(print_ast(kept[name]) for name in sorted(kept)) + "\n"


def cut(node: Any) -> Any:
    """Without words, directives and interfaces, and with the fields that TYPES asks for."""
    kept = {"description": None, "directives": (), "interfaces": ()}
    for name in ("fields", "arguments", "values"):
        wanted = TYPES.get(node.name.value) if name == "fields" else None
        parts = getattr(node, name, None) or ()
        kept[name] = tuple(cut(p) for p in parts if wanted is None or p.name.value in wanted)
    has = {field.name for field in fields(node)}
    return replace(node, **{name: value for name, value in kept.items() if name in has})


def names_in(definition: Any) -> list[str]:
    """The types of a definition's fields and their arguments."""
    found = []
    for field in getattr(definition, "fields", ()) or ():
        found += [named(part.type) for part in (field, *getattr(field, "arguments", ()))]
    return found


def named(kind: Any) -> str:
    while hasattr(kind, "type"):
        kind = kind.type
    return str(kind.name.value)


def main(openapi: str, schema: str) -> None:
    cut_out = json.dumps(sliced(json.loads(Path(openapi).read_text())), separators=(",", ":"))
    (HERE / "github-openapi-slice.json").write_text(cut_out + "\n")
    (HERE / "github-graphql-slice.graphql").write_text(graphql(Path(schema).read_text()))


if __name__ == "__main__":
    main(*sys.argv[1:])
