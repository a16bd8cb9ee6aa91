"""Events of a repository: GitHub's real payloads with the names and commits of a test in them."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.forges.github_state import Pull, Repository, Run
from tests.runner.world import Event

PAYLOADS = Path(__file__).parents[1] / "forges" / "github" / "event-payloads.json"


@dataclass(frozen=True, slots=True)
class Events:
    """What happens in a repository of the fake GitHub."""

    repository: Repository

    def pull_request(self, pull: Pull) -> Event:
        """A push to a pull request."""
        payload = _example("pull_request_synchronize")
        told = payload["pull_request"]
        payload |= {"number": pull.number, "after": pull.head_sha}
        told |= {"number": pull.number, "title": pull.title, "body": pull.body}
        head = {"ref": pull.head_branch, "sha": pull.head_sha, "label": ""}
        told["head"] |= head | {"repo": self._repo(pull.head_owner, pull.head_name, pull.head_id)}
        told["base"] |= {"ref": pull.base_branch, "sha": pull.base_sha, "repo": self._own()}
        payload["repository"] = self._own()
        return Event(
            name="pull_request",
            sha=pull.head_sha,
            ref=f"refs/pull/{pull.number}/merge",
            payload=payload,
            actor=pull.author,
        )

    def workflow_run(self, run: Run, sha: str, display: str) -> Event:
        """The end of a workflow's run."""
        payload = _example("workflow_run_completed")
        payload |= {"action": "completed", "repository": self._own()}
        payload["workflow_run"] |= {
            "id": run.id,
            "name": display,
            "event": run.event,
            "status": run.status,
            "conclusion": run.conclusion,
            "head_sha": run.head_sha,
            "head_branch": run.head_branch,
            "head_repository": self._repo(run.head_owner, run.head_name, 99),
            "repository": self._own(),
            "path": f".github/workflows/{run.file}",
            "run_attempt": run.attempt,
            "pull_requests": [],
        }
        ref = f"refs/heads/{self.repository.default_branch}"
        return Event(name="workflow_run", sha=sha, ref=ref, payload=payload)

    def schedule(self, sha: str) -> Event:
        """A time has come."""
        ref = f"refs/heads/{self.repository.default_branch}"
        payload = {"repository": self._own(), "schedule": "37 3 * * 1"}
        return Event(name="schedule", sha=sha, ref=ref, payload=payload)

    def dispatch(self, sha: str, **inputs: Any) -> Event:
        """A maintainer starts a workflow on the default branch."""
        ref = f"refs/heads/{self.repository.default_branch}"
        payload = {"repository": self._own(), "inputs": inputs, "ref": ref}
        return Event(name="workflow_dispatch", sha=sha, ref=ref, payload=payload, inputs=inputs)

    def _own(self) -> dict[str, Any]:
        held = self.repository
        return self._repo(held.owner, held.name, held.id)

    def _repo(self, owner: str, name: str, number: int) -> dict[str, Any]:
        known = _example("pull_request_synchronize")["repository"]
        held = self.repository
        return known | {
            "id": number,
            "name": name,
            "full_name": f"{owner}/{name}",
            "private": held.private,
            "visibility": "private" if held.private else "public",
            "default_branch": held.default_branch,
            "fork": owner != held.owner,
        }


def _example(name: str) -> dict[str, Any]:
    return copy.deepcopy(_PAYLOADS[name])


_PAYLOADS: dict[str, Any] = json.loads(PAYLOADS.read_text(encoding="utf-8"))
