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
  INPUT_MARGIN, INPUT_SIGMA, INPUT_GATE, INPUT_BASELINE
                     the same, one value a line

\b
Outputs:
  verdict (in lower case, or none), exit-code, job-exit-code, report, markdown, run-ids,
  checked-count, metrics-json, waiting
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
    from reprocheck.action import verifying

    verifying.run(_job("reprocheck"))
    return 0


def _job(folder: str) -> Job:
    from reprocheck.action.verifying import Job

    temporary = Path(os.environ.get("RUNNER_TEMP") or tempfile.gettempdir())
    made = Path(tempfile.mkdtemp(prefix=f"{folder}-", dir=temporary))
    return Job(env=dict(os.environ), cwd=Path.cwd(), folder=made, say=_say)


def _say(line: str) -> None:
    click.echo(line)
