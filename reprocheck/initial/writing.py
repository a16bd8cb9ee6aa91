"""The config and the workflows that `reprocheck init` writes. What exists is left as it is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reprocheck import __version__, config
from reprocheck.errors import UsageError
from reprocheck.initial.looking import Forge, Seen

WORKFLOWS = ".github/workflows"
SCHEDULE = "37 4 * * 1"
"""Monday morning, at an odd minute: at full hours GitHub starts late or not at all."""

_HOME = "reprocheck/reprocheck/.github/workflows"
_JOBS = ("", "permissions: {}", "", "jobs:")
_SECRETS = (
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_STORAGE_CONNECTION_STRING",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What only the team knows. "" leaves it out."""

    tracking_uri: str = ""
    experiment: str = ""
    metric: str = ""  # the one that counts most
    margin: str = ""  # a number in its unit, or a percentage as "1%"
    workflows: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class NewFile:
    """A file to be written, by its path from the repository's root."""

    path: PurePosixPath
    content: str
    what: str  # it is for, in words


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What became of the files."""

    made: tuple[NewFile, ...]
    kept: tuple[NewFile, ...]  # that existed


def files(seen: Seen, answers: Answers) -> tuple[NewFile, ...]:
    """The files for a repository."""
    made = [
        NewFile(
            path=PurePosixPath(config.FILE_NAME),
            content=_config(seen, answers),
            what="what runs do not record: how to judge, and where things are",
        )
    ]
    if answers.workflows and seen.forge is not Forge.GITLAB:
        made.extend(_workflows(seen, answers))
    return tuple(made)


def write(root: Path, wanted: tuple[NewFile, ...]) -> Written:
    """Writes those that do not exist; a file or link that does is never touched.

    Raises `UsageError` where one cannot be written.
    """
    made, kept = [], []
    for file in wanted:
        path = root / file.path
        _stay(root, file.path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            kept.append(file)
            continue
        except OSError as error:
            raise UsageError(
                f"writing {file.path}: {error.strerror}", "look who may write into the repository"
            ) from error
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(file.content)
        made.append(file)
    return Written(made=tuple(made), kept=tuple(kept))


def _stay(root: Path, path: PurePosixPath) -> None:
    """Refuses a folder that a link leads out of the repository. Raises `UsageError`."""
    if not (root / path.parent).resolve().is_relative_to(root.resolve()):
        raise UsageError(
            f"writing {path}: a link leads out of the repository", "replace the link by a folder"
        )


# --- the config ---------------------------------------------------------------------------


def _config(seen: Seen, answers: Answers) -> str:
    lines = [
        "# What reprocheck needs to know about this project that its runs do not record.",
        "# On a pull request the base branch's rules of judging count.",
        "version: 1",
        *_tracker(seen, answers),
        *_command(seen),
        *_environment(seen),
        *_data(seen),
        *_metrics(answers),
        "",
        "# Answers that fail the job; consistent (no margin is known) and inconclusive warn.",
        "fail_on: [not-reproduced, not-verified]",
    ]
    return "\n".join(lines) + "\n"


def _tracker(seen: Seen, answers: Answers) -> Iterator[str]:
    experiment = f", experiment: {_text(answers.experiment)}" if answers.experiment else ""
    uri = answers.tracking_uri
    yield ""
    if uri:
        yield f"tracker: {{uri: {_text(uri)}{experiment}}}"
        if not seen.is_served and uri == seen.tracking_uri:
            yield "# It lies on this machine: jobs elsewhere need a server that they can reach."
    else:
        yield "# tracker: {uri: http://mlflow.example:5000}"


def _command(seen: Seen) -> Iterator[str]:
    yield ""
    if seen.command_from:
        yield f"# The command comes from the run's record, or from {seen.command_from}."
        return
    script = seen.script or "train.py"
    yield "# Only for runs that do not record their command (`reprocheck record` and"
    yield "# reprocheck-capture do):"
    yield f'# command: "python {script} --lr {{params.lr}} --seed {{params.seed}}"'


def _environment(seen: Seen) -> Iterator[str]:
    yield ""
    if seen.environment_from:
        yield f"# The environment comes from the run's record, else from {seen.environment_from}."
    else:
        yield "# No file here defines the environment: what the run's record lists is installed."
    yield "# environment: {kind: auto}                # auto, docker, conda, venv, script"


def _data(seen: Seen) -> Iterator[str]:
    if not seen.has_dvc:
        yield ""
        yield "# Inputs that neither git nor DVC has:"
        yield '# data: [{path: data/train.csv, url: "s3://bucket/train.csv", sha256: "..."}]'


def _metrics(answers: Answers) -> Iterator[str]:
    yield ""
    yield "# Metrics that are judged, and how much they may differ without it mattering. Without a"
    yield "# margin the best answer is CONSISTENT."
    if not answers.metric:
        yield "# metrics:"
        yield "#   accuracy: {gate: true, margin: {abs: 0.005}, direction: higher}"
        return
    yield "metrics:"
    margin = f", margin: {{{_margin(answers.margin)}}}" if answers.margin else ""
    yield f"  {_text(answers.metric)}: {{gate: true{margin}}}"


def _margin(text: str) -> str:
    """A margin as the config has it. Raises `UsageError`."""
    number = text.removesuffix("%").strip()
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise UsageError(
            f"the margin '{text}' is no positive number", "write for example 0.005, or 1%"
        )
    return f"rel: {value / 100:g}" if text.endswith("%") else f"abs: {value:g}"


def _text(text: str) -> str:
    """The text as YAML: JSON's strings are."""
    return json.dumps(text, ensure_ascii=False)


# --- the workflows ------------------------------------------------------------------------


def _workflows(seen: Seen, answers: Answers) -> Iterator[NewFile]:
    private = seen.is_private
    yield _file("reprocheck.yml", _pull_requests(seen), "verifies runs that pull requests name")
    yield _file("reprocheck-comment.yml", _comment(), "writes the one comment")
    if private:
        yield _file("reprocheck-fetch.yml", _fetch(seen), "fetches for pull requests of forks")
    if seen.is_served or answers.tracking_uri.startswith("http"):
        told = "verifies the best runs again, every week"
        yield _file("reprocheck-scheduled.yml", _scheduled(seen), told)


def _file(name: str, lines: Iterator[str], what: str) -> NewFile:
    path = PurePosixPath(WORKFLOWS) / name
    return NewFile(path=path, content="\n".join(lines) + "\n", what=what)


def _uses(name: str) -> str:
    # A release's tag; a full commit id is safer still, and Dependabot keeps both up to date.
    return f"    uses: {_HOME}/{name}@v{__version__}"


def _secrets() -> Iterator[str]:
    yield "    secrets: # of the environment `reprocheck`; reading must be all that they allow"
    for name in _SECRETS:
        yield f"      {name}: ${{{{ secrets.{name} }}}}"


def _with(seen: Seen, *lines: str) -> Iterator[str]:
    extras = f"extras: {', '.join(seen.extras)}" if seen.extras else ""
    told = [line for line in (*lines, extras) if line]
    if told:
        yield "    with:"
        yield from (f"      {line}" for line in told)


def _pull_requests(seen: Seen) -> Iterator[str]:
    yield "# Verifies the runs that a pull request names: in its text (`reprocheck: <run-id>`), in"
    yield "# reprocheck.runs, or logged in the tracker for its commits."
    yield "name: reprocheck"
    yield ""
    yield "on:"
    yield "  pull_request:"
    yield "    types: [opened, synchronize, reopened, edited] # edited: the text names runs"
    yield from _JOBS
    yield "  reprocheck:"
    yield "    permissions:"
    yield "      contents: read # the code, and the base branch's config"
    yield "      actions: read # of forks: the bundle that a maintainer fetched"
    yield _uses("reprocheck-pr.yml")
    fetch = "fetch: true # in a job of its own: the one that trains has no credential"
    yield from _with(seen, fetch if seen.is_private else "")
    if seen.is_private:
        yield from _secrets()


def _comment() -> Iterator[str]:
    yield "# Shows what reprocheck.yml found: the only workflow of pull requests that may write."
    yield "name: reprocheck comment"
    yield ""
    yield "on:"
    yield "  workflow_run: # zizmor: ignore[dangerous-triggers] nothing of that run is executed"
    yield "    workflows: [reprocheck]"
    yield "    types: [completed]"
    yield from _JOBS
    yield "  comment:"
    yield "    permissions:"
    yield "      actions: read # downloads the report"
    yield "      pull-requests: write # writes the comment"
    yield _uses("reprocheck-comment.yml")
    yield "    with:"
    yield f"      workflow: {WORKFLOWS}/reprocheck.yml"


def _fetch(seen: Seen) -> Iterator[str]:
    yield "# A maintainer starts this for a pull request of a fork, after looking at it."
    yield "name: reprocheck fetch"
    yield ""
    yield "on:"
    yield "  workflow_dispatch:"
    yield "    inputs:"
    yield "      pull-request:"
    yield "        description: Number of the pull request"
    yield "        required: true"
    yield "      head-sha:"
    yield "        description: Its last commit, in full, as you looked at it"
    yield "        required: true"
    yield from _JOBS
    yield "  fetch:"
    yield "    permissions:"
    yield "      contents: read # the default branch's config, and the commits of the pull request"
    yield "      pull-requests: read # its text and files"
    yield _uses("reprocheck-fetch.yml")
    lines = (f"{name}: ${{{{ inputs.{name} }}}}" for name in ("pull-request", "head-sha"))
    yield from _with(seen, *lines)
    yield from _secrets()


def _scheduled(seen: Seen) -> Iterator[str]:
    yield "# Verifies the best runs again. GitHub ends schedules after 60 days without a commit."
    yield "name: reprocheck scheduled"
    yield ""
    yield "on:"
    yield "  schedule:"
    yield f'    - cron: "{SCHEDULE}"'
    yield "  workflow_dispatch:"
    yield from _JOBS
    yield "  reprocheck:"
    yield "    permissions:"
    yield "      contents: read # the code, and the config"
    yield "      actions: read # earlier reports"
    yield "      issues: write # the one issue about runs that stopped reproducing"
    yield _uses("reprocheck-scheduled.yml")
    place = f"workflow: {WORKFLOWS}/reprocheck-scheduled.yml"
    yield from _with(seen, "fetch: true" if seen.is_private else "", place)
    yield from _secrets()
