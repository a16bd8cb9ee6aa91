"""`reprocheck action`: what the GitHub action's steps run; not for the command line."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from reprocheck.action.verifying import Job


VERIFY = """\b
Variables:
  INPUT_RUN_ID       runs, one a line; none: look for them
  INPUT_FIND         where: body, files, tracker
  INPUT_REQUIRE_RUN  true: fail where no run was verified
  INPUT_FAIL_ON      not-reproduced, not-verified, inconclusive, criteria
  INPUT_CONFIG, INPUT_TRACKING_URI, INPUT_BUNDLE, INPUT_REPORTS, INPUT_REPO, INPUT_RERUNS,
  INPUT_SEEDS, INPUT_REQUIRE, INPUT_ENV, INPUT_TIMEOUT, INPUT_BUDGET, INPUT_REMOTE, INPUT_FROM,
  INPUT_TRACE        as the options of verify
  INPUT_FETCHED_BY   file of the workflow by which a maintainer fetches for forks: its bundle is
                     taken, with INPUT_GITHUB_TOKEN, and until there is one nothing is verified
  INPUT_MARGIN, INPUT_SIGMA, INPUT_GATE, INPUT_BASELINE
                     the same, one value a line

\b
Outputs:
  verdict (in lower case, or none), exit-code, job-exit-code, report, markdown, run-ids,
  checked-count, mismatched, metrics-json, environment-digest, cached, waiting
"""

PAGE = """\b
Variables:
  REPORT               report.json of one run, or the check of a job
  INPUT_ARTIFACT_NAME  name of the report's artifact [reprocheck-report]

\b
Outputs:
  report-html (path; empty where no page can be made)
"""

PLAN = """\b
Variables:
  INPUT_EXPERIMENT, INPUT_MODEL, INPUT_TAG
                     as the options of top, one value a line
  INPUT_METRIC, INPUT_BEST, INPUT_DIRECTION, INPUT_LIMIT, INPUT_MAX_AGE, INPUT_TRACKING_URI,
  INPUT_CONFIG       as the options of top
  INPUT_WORKFLOW     file of the schedule's workflow, whose artifacts tell what was verified when
  INPUT_GITHUB_TOKEN reads them (actions: read)

\b
Outputs:
  matrix (JSON), count
"""

AGGREGATE_PAGE = """\b
Variables:
  INPUT_FILES, INPUT_SINCE, INPUT_WORKFLOW, INPUT_GITHUB_TOKEN
                       as for aggregate
  INPUT_ARTIFACT_NAME  what the page is named for [reprocheck-aggregate]

\b
Outputs:
  report-html (path; empty where no page can be made), reports (a folder of earlier reports)
"""

AGGREGATE = """\b
Variables:
  INPUT_FILES        folder of this run's reports [default: reprocheck-reports]
  INPUT_SINCE        how long a run counts that is not verified any more [default: 35d]
  INPUT_ISSUE        true: keep one issue open while a run has stopped reproducing
  INPUT_ISSUE_LABELS its labels, between commas or one a line
  INPUT_WORKFLOW     file of the schedule's workflow, whose artifacts make the trend
  INPUT_GITHUB_TOKEN reads them (actions: read), and writes the issue (issues: write)
  REPORTS            what aggregate-page found already
  REPROCHECK_HTML_URL
                     where its page is

\b
Outputs:
  markdown, json, badge (paths; badge is empty where nothing was measured), issue-url
"""


FETCH = """\b
Variables:
  INPUT_RUN_ID, INPUT_FIND  as for verify
  INPUT_PULL_REQUEST        number, where the event is of none
  INPUT_HEAD_SHA            its last commit, in full
  INPUT_TRACKING_URI        where the base branch's config names no tracker
  INPUT_CONFIG, INPUT_REPO, INPUT_REMOTE, INPUT_REF, INPUT_MAX_SIZE
                            as the options of fetch
  INPUT_GITHUB_TOKEN        may read the pull request

\b
Outputs:
  bundle (its folder, or empty), run-ids, job-exit-code
"""

DOWNLOAD = """\b
Variables:
  INPUT_WORKFLOW         file of the workflow that verified [.github/workflows/reprocheck-pr.yml]
  INPUT_ARTIFACT_NAME    [reprocheck-report]
  INPUT_WORKFLOW_RUN_ID  of the event, which it has to be
  INPUT_GITHUB_TOKEN     may read actions

\b
Outputs:
  verdict, exit-code, job-exit-code, report, run-ids, checked-count, mismatched, metrics-json,
  environment-digest, cached, waiting
"""


@click.group(short_help="Steps of the GitHub action.")
def action() -> None:
    """Steps of the GitHub action.

    Each reads the variables INPUT_* that its help lists, and GITHUB_* and RUNNER_TEMP as GitHub's
    runner sets them. The workflow files call them; on a command line use the other commands.
    """


@action.command(epilog=VERIFY)
def verify() -> int:
    """Find the runs that a pull request claims, and verify them.

    At most 20 runs are verified, by the base branch's rules. Leaves report.json and report.md below
    RUNNER_TEMP, the job's summary, annotations and outputs. Ends with 0 whatever the answer is; the
    job ends with its output job-exit-code.
    """
    from reprocheck.action import shielding, verifying

    shielding.shield()
    verifying.run(_job("reprocheck"))
    return 0


@action.command(epilog=FETCH)
def fetch() -> int:
    """Fetch the runs that a pull request claims, into a bundle that needs no credential.

    Tracker and remotes are the base branch's. In a public repository, which counts as one until
    it is known to be private, nothing is fetched unless the base branch's config says `bundle:
    public`. Ends with 0; the job ends with its output job-exit-code.
    """
    from reprocheck.action import fetching

    fetching.run(_job("reprocheck-fetch"))
    return 0


@action.command(epilog=DOWNLOAD)
def download() -> int:
    """Download the report of the run that verified, and check it.

    To be run in a workflow that starts on workflow_run. A report that is missing, too large,
    broken, of a later version or of another commit becomes a check that says so. Ends with 0 then,
    too: the job ends with its output job-exit-code, 2 or 3 where there is no report.
    """
    from reprocheck.action import downloading

    env = dict(os.environ)
    downloading.run(downloading.Download(env=env, folder=_folder("reprocheck-report"), say=_say))
    return 0


@action.command(epilog=PAGE)
def page() -> int:
    """Make the page of a report: one file of HTML that needs nothing else.

    Ends with 0: a page that cannot be made is a warning, and changes no answer.
    """
    from reprocheck.action import rendering

    rendering.run(_job("reprocheck-page"), Path(os.environ.get("REPORT", "")))
    return 0


@action.command(epilog=PLAN)
def plan() -> int:
    """Choose the runs that a schedule verifies, as the matrix of a job.

    Ends as top does: a plan that cannot be made is no plan without runs.
    """
    from reprocheck.action import planning
    from reprocheck.cli.top import planned

    job = _job("reprocheck-plan")
    planning.run(job, planned(job.inputs, job.folder / "reports"))
    return 0


@action.command("aggregate-page", epilog=AGGREGATE_PAGE)
def aggregate_page() -> int:
    """Make the page of all runs of a schedule: one file of HTML that needs nothing else.

    Ends with 0: a page that cannot be made is a warning, and changes no answer.
    """
    from reprocheck.action import aggregating

    aggregating.page(_job("reprocheck-page"))
    return 0


@action.command(epilog=AGGREGATE)
def aggregate() -> int:
    """Sum up what a schedule verified: a summary, a badge, one issue.

    Ends with 0 whatever the verdicts are: the jobs that verified have told those.
    """
    from reprocheck.action import aggregating

    aggregating.run(_job("reprocheck-aggregate"))
    return 0


def _job(folder: str) -> Job:
    from reprocheck.action.verifying import Job

    return Job(env=dict(os.environ), cwd=Path.cwd(), folder=_folder(folder), say=_say)


def _folder(name: str) -> Path:
    temporary = Path(os.environ.get("RUNNER_TEMP") or tempfile.gettempdir())
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=temporary))


def _say(line: str) -> None:
    click.echo(line)
