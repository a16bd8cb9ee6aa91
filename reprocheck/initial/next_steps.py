"""What is left to do once the files are written."""

from __future__ import annotations

from collections.abc import Iterator

from reprocheck.initial.looking import Forge, Seen
from reprocheck.initial.writing import WORKFLOWS, Written


def next_steps(seen: Seen, written: Written) -> tuple[str, ...]:
    """Sentences, in the order in which to do it."""
    return tuple(_steps(seen, written))


def _steps(seen: Seen, written: Written) -> Iterator[str]:
    yield "Look at a run: reprocheck plan RUN_ID tells what a verification could answer."
    workflows = any(str(file.path).startswith(WORKFLOWS) for file in written.made)
    if workflows and seen.is_private:
        yield (
            "On GitHub make the environment `reprocheck` (Settings, Environments), let maintainers "
            "review it, and put read-only credentials of the tracker and the data there as "
            "secrets."
        )
        yield (
            "If the repository is public, what is fetched can be read by anybody: it is uploaded "
            "only with `bundle: public` in reprocheck.yaml."
        )
    if workflows:
        yield "Commit the files to the default branch: rules and workflows count from there."
        yield "Name a run in a pull request's text: reprocheck: RUN_ID"
    if seen.forge is Forge.GITLAB:
        yield "For GitLab see docs/github.md: two lines in a merge request's job."
    if seen.tracking_uri and not seen.is_served and workflows:
        yield "Jobs on GitHub cannot reach the tracker on this machine: name a server."
