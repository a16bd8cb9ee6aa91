"""GitHub's own example payloads, and what pull requests of forks make of them."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "forges" / "github" / "event-payloads.json"
REPOSITORY = "Codertocat/Hello-World"
HEAD = "ec26c3e57ca3a959ca5aad62de7213c562f8c821"


def pull_request(**changes: Any) -> dict[str, Any]:
    """A pull request of the same repository; `changes` are of `pull_request`, merged."""
    return _merged(_example("pull_request_synchronize"), {"pull_request": changes})


def of_fork(**changes: Any) -> dict[str, Any]:
    """A pull request of a fork."""
    event = pull_request(**changes)
    head = event["pull_request"]["head"]
    head["repo"] |= {"full_name": "mallory/Hello-World", "fork": True, "id": 4711}
    head["user"]["login"] = "mallory"
    return event


def workflow_run(**changes: Any) -> dict[str, Any]:
    """The end of a workflow that a pull request started."""
    of_pull_request = {"event": "pull_request", "path": ".github/workflows/reprocheck-pr.yml"}
    event = _example("workflow_run_completed")
    return _merged(event, {"workflow_run": of_pull_request | changes})


def _example(name: str) -> dict[str, Any]:
    examples: dict[str, Any] = json.loads(FILE.read_text())
    return deepcopy(examples[name])


def _merged(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    for key, value in changes.items():
        old = document.get(key)
        document[key] = (
            _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return document


def variables(
    folder: Path, kind: str, event: object, repository: str = REPOSITORY
) -> dict[str, str]:
    """GITHUB_* variables of a job on that event, whose payload is written into the folder."""
    path = folder / "event.json"
    path.write_text(json.dumps(event))
    workflow = f"{repository}/.github/workflows/reprocheck-pr.yml@refs/pull/2/merge"
    return {
        "GITHUB_EVENT_NAME": kind,
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_REPOSITORY": repository,
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_API_URL": "https://api.github.com",
        "GITHUB_GRAPHQL_URL": "https://api.github.com/graphql",
        "GITHUB_RUN_ID": "15",
        "GITHUB_RUN_ATTEMPT": "2",
        "GITHUB_SHA": "0" * 40,
        "GITHUB_WORKFLOW_REF": workflow,
    }
