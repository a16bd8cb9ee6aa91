"""The step that verifies: finds runs, judges them by the base branch's rules, tells the answer."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reprocheck import __version__, check_documents, checks
from reprocheck.action import baselines, bundled, child, finding, outputs, rules, surroundings
from reprocheck.action.bundled import Taken
from reprocheck.action.commands import Level, Say, annotation
from reprocheck.action.finding import Findings, Place, Source
from reprocheck.action.inputs import Inputs
from reprocheck.action.rules import Rules
from reprocheck.action.surroundings import EventKind, Surroundings
from reprocheck.config import FILE_NAME
from reprocheck.errors import ReprocheckError, UsageError
from reprocheck.git import Git
from reprocheck.hostile import printable
from reprocheck.model import Check, FailOn, Page, Problem, Report, Require
from reprocheck.numbers import counted
from reprocheck.source import repository_root
from reprocheck.workflow_log import no_command

REPORT = "report.json"
MARKDOWN = "report.md"


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What the step works with."""

    env: Mapping[str, str]
    cwd: Path
    folder: Path  # for what is left behind
    say: Say

    @property
    def inputs(self) -> Inputs:
        """The step's inputs."""
        return Inputs(self.env)


def run(job: Job) -> Check:
    """Verifies what the job is asked for, and leaves report, summary, outputs and annotations.

    Whatever goes wrong on the way is a problem of the check. Raises `MachineError` where nothing
    can be written.
    """
    here = surroundings.read(job.env)
    check = _begun(here)
    try:
        check = _checked(job, here, check)
    except ReprocheckError as error:
        problem = checks.problem("the job", error)
        check = dataclasses.replace(check, problems=(*check.problems, problem))
    _leave(job, here, check)
    return check


def _begun(here: Surroundings) -> Check:
    return Check(
        schema_version=check_documents.CHECK_VERSION,
        tool_version=__version__,
        created_at=datetime.now(UTC).replace(microsecond=0),
        head_sha=here.head_sha,
        reports=(),
    )


def _checked(job: Job, here: Surroundings, check: Check) -> Check:
    if here.kind is EventKind.PULL_REQUEST_TARGET:
        raise UsageError(
            "the workflow starts on pull_request_target, with secrets that a training could read",
            "start it on pull_request",
        )
    root = repository_root(job.cwd, job.env)
    job.inputs.flag("require-run")
    git, folder = Git(root, job.env) if root else None, root or job.cwd
    base = _base_commit(here, git)
    _tell_of_token(job, git)
    name = config_name(job, folder)
    with (
        rules.in_force(git, folder, name, base) as ruled,
        baselines.in_force(git, folder, base) as counting,
    ):
        changes = (*ruled.changes, *counting.changes)
        check = dataclasses.replace(
            check, rule_changes=changes, fail_on=_fail_on(job.inputs, ruled)
        )
        taken = bundled.take(job, here)
        found = _found(_place(job, here, git, ruled, taken), taken)
        check = dataclasses.replace(check, problems=found.problems, sought=found.sought)
        if taken.waiting:
            return _waiting(check, taken, found)
        job.say(f"{counted(len(found.runs), 'run')} to verify")
        options = (*_options(job, ruled, taken), *counting.options)
        return _verified(job, check, found, options)


def _tell_of_token(job: Job, git: Git | None) -> None:
    """actions/checkout leaves the job's token in git's config, unless it is told not to."""
    asked = ("config", "--name-only", "--get-regexp", r"^http\..*\.extraheader$")
    if git and git(*asked, trusting=True, check=False).exit_code == 0:
        told = (
            "the checkout keeps the job's token in git's config, where a training can read it: "
            "write `persist-credentials: false` at actions/checkout"
        )
        job.say(annotation(Level.WARNING, told, "reprocheck"))


def _options(job: Job, ruled: Rules, taken: Taken) -> tuple[str, ...]:
    path = ruled.config.path
    asked = child.options(job.inputs, path, taken.folder)
    if not ruled.of_base:
        return asked
    used = child.options(job.inputs, path, taken.folder, ruled.config)
    for word in asked:
        if word not in used:
            told = f"{word} is not used: the base branch's config says it"
            job.say(annotation(Level.NOTICE, told, "reprocheck"))
    return used


def _waiting(check: Check, taken: Taken, found: Findings) -> Check:
    """Nothing is waited for where nothing is claimed, as far as can be seen from here."""
    if found.runs:
        return dataclasses.replace(check, waiting=taken.waiting)
    return dataclasses.replace(check, sought=(*check.sought, bundled.UNSEEN))


def _found(place: Place, taken: Taken) -> Findings:
    found = finding.find(place)
    if taken.folder and not place.given:
        found = finding.limited(found + bundled.runs(Path(taken.folder), found))
    return found


def _verified(job: Job, check: Check, found: Findings, options: tuple[str, ...]) -> Check:
    for index, run in enumerate(found.runs):
        asked = child.Asked(
            run_id=run.run_id,
            options=options,
            cwd=job.cwd,
            env=job.env,
            folder=job.folder / "runs" / str(index),
        )
        # No group around it: a runner knows no group in a group, and its stages are groups.
        job.say(no_command(printable(f"verify {run.run_id}, from {run.where}")))
        result = child.verify(asked, job.say)
        check = _with(check, result)
        if isinstance(result, Problem) and result.exit_code in child.INTERRUPTED:
            break
    return check


def _with(check: Check, result: Report | Problem) -> Check:
    if isinstance(result, Report):
        return dataclasses.replace(check, reports=(*check.reports, result))
    return dataclasses.replace(check, problems=(*check.problems, result))


def _fail_on(inputs: Inputs, ruled: Rules) -> tuple[FailOn, ...]:
    """What fails the job: by the config, else by the input, else by default."""
    named = inputs.fail_on()
    required = ruled.config.require.value
    if required == Require.CONSISTENT.value or not ruled.of_base:
        required = inputs.text("require") or required
    if required != Require.CONSISTENT.value:
        return tuple(FailOn)
    if ruled.config.fail_on is not None:
        return ruled.config.fail_on
    return named or (FailOn.NOT_REPRODUCED, FailOn.NOT_VERIFIED)


def _place(job: Job, here: Surroundings, git: Git | None, ruled: Rules, taken: Taken) -> Place:
    """Where to look; with a bundle, or while one is waited for, the tracker is not asked."""
    sources = job.inputs.chosen("find", tuple(Source)) or tuple(Source)
    named = job.inputs.text("tracking-uri") or job.env.get("MLFLOW_TRACKING_URI", "")
    uri = named or (ruled.of_base and ruled.config.tracking_uri) or ""
    return Place(
        given=tuple(job.inputs.words("run-id")),
        sources=tuple(map(Source, sources)),
        pull_request=here.pull_request,
        git=git,
        tracking_uri="" if taken.folder or taken.waiting else uri,
    )


def _base_commit(here: Surroundings, git: Git | None) -> str:
    """The commit whose rules count, "" where the job is of no pull request."""
    if here.pull_request is None:
        return ""
    if git is None:
        raise UsageError(
            "the pull request is not checked out: its runs and the rules for them are not known",
            "let actions/checkout with fetch-depth: 0 run before",
        )
    if not here.pull_request.base_sha:
        raise UsageError("the event names no commit of the base branch", "run the job again")
    return here.pull_request.base_sha


def config_name(job: Job, root: Path) -> str:
    """The config's path from the root; as an input it starts at the working directory.

    Raises `UsageError`.
    """
    given = job.inputs.text("config")
    if not given:
        return FILE_NAME
    try:
        return os.path.relpath(job.cwd.resolve() / given, root.resolve())
    except ValueError as error:  # of a path with a NUL in it
        raise UsageError(f"input config: {error}", "name a file in the repository") from error


# --- what is left behind -------------------------------------------------------------------


def page(here: Surroundings) -> Page:
    """Where a check of this job is shown."""
    pull_request = here.pull_request
    return Page(
        server=here.server,
        repository=here.repository,
        number=pull_request.number if pull_request else None,
        head_sha=here.head_sha,
        head_repository=pull_request.head_repository if pull_request else "",
        workflow_url=here.run_url,
        run_id=here.run_id,
        attempt=here.attempt,
        untrusted=bool(pull_request and pull_request.fork),
    )


def _leave(job: Job, here: Surroundings, check: Check) -> None:
    """The summary first: it needs no token, and is there whatever fails afterwards."""
    from reprocheck.reporters import comment

    markdown = comment.summary(check, page(here))
    outputs.add_summary(job.env, markdown)
    told = outputs.of_check(check) | _files(job, check, markdown)
    if not check.reports and told["job-exit-code"] == "0" and _is_required(job.inputs):
        told["job-exit-code"] = "3"
        text = "a run is required (require-run), and none was verified"
        job.say(annotation(Level.ERROR, text, "reprocheck: nothing was verified"))
    outputs.set_outputs(job.env, told)
    for line in outputs.annotated(check):
        job.say(line)
    job.say(f"reprocheck: {told['verdict']}, exit code {told['exit-code']}")


def _files(job: Job, check: Check, markdown: str) -> dict[str, str]:
    """Writes the check for machines and for readers. Raises `MachineError`."""
    from reprocheck.detail import dump

    document = dump(check_documents.check_document(check))
    written = outputs.write_files(job.folder, {REPORT: document, MARKDOWN: markdown})
    return {"report": str(written[REPORT]), "markdown": str(written[MARKDOWN])}


def _is_required(inputs: Inputs) -> bool:
    try:
        return inputs.flag("require-run")
    except UsageError:  # it is a problem of the check already
        return True
