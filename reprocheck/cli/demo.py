"""`reprocheck demo`: a real project, really trained and really verified."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from reprocheck.cli.outputs import echo, progress, screen
from reprocheck.model import Report, Stage, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class _Story:
    """One run of the demo: what is special about it, and what a verification should say."""

    name: str
    text: str
    expected: Verdict


STORIES = (
    _Story(
        name="seeded",
        text="an honest run with a seed",
        expected=Verdict.IDENTICAL,
    ),
    _Story(
        name="unseeded",
        text="an honest run without a seed: judged by statistics",
        expected=Verdict.REPRODUCED,
    ),
    _Story(
        name="old-data",
        text="an honest run whose data changed since: its record has the old hash",
        expected=Verdict.IDENTICAL,
    ),
    _Story(
        name="inflated",
        text="a run whose accuracy was raised by 0.035 after the fact",
        expected=Verdict.NOT_REPRODUCED,
    ),
)
TRACED = _Story(
    name="traced",
    text="an honest run that reads a file nobody versioned, seen by --trace",
    expected=Verdict.IDENTICAL,
)


@click.command(short_help="Make a small real project, train it, and verify its runs.")
@click.argument("directory", default="reprocheck-demo", type=click.Path(path_type=Path))
@click.option("-q", "--quiet", is_flag=True, help="No progress, only the steps and the result.")
@click.option(
    "--trace", is_flag=True, help="Verify a fifth run, which reads a file that nobody versioned."
)
def demo(directory: Path, quiet: bool, trace: bool) -> int:
    """Make a small real project in DIRECTORY (reprocheck-demo by default) and verify its runs.

    Handwritten digits tracked by DVC with a local remote, a neural network, runs in a sqlite
    MLflow store. Four runs are trained, and each is verified for real: environment rebuilt by uv,
    data restored, training rerun, metrics compared. Reports are left in DIRECTORY/reports.
    Exit code 0 when all verdicts are as they should be, else 1.
    """
    from reprocheck.demo import Demo
    from reprocheck.reporters import terminal

    width, color = screen()
    stories = (*STORIES, TRACED) if trace else STORIES
    with progress(quiet=quiet) as told:
        project = Demo(directory.absolute(), dict(os.environ), told, click.echo)
        project.make()
        runs = project.train([story.name for story in stories])
    reports = {}
    for story in stories:
        click.secho(f"\n=== {story.name}: {story.text}", bold=color)
        with progress(quiet=quiet, stages=tuple(Stage)) as told:
            report = reports[story.name] = project.verify(story.name, runs[story.name], told)
        echo(terminal.render(report, width=width, color=color))
    click.secho(f"\n=== the {'five' if trace else 'four'} runs", bold=color)
    _print_table(stories, reports)
    click.echo(
        f"\nReports:  {project.reports}\n"
        f"Try it:   cd {project.folder} && {_program()} verify {runs['seeded'][:8]}"
    )
    return 0 if all(reports[item.name].verdict is item.expected for item in stories) else 1


def _program() -> str:
    """How this program is called from another folder."""
    called = Path(sys.argv[0]).absolute()
    if called.name != "reprocheck":
        return f"{sys.executable} -m reprocheck"
    on_path = shutil.which("reprocheck")
    return "reprocheck" if on_path and Path(on_path).samefile(called) else str(called)


def _print_table(stories: tuple[_Story, ...], reports: dict[str, Report]) -> None:
    click.echo(f"{'run':<10}{'verdict':<17}{'as it should be':<17}{'trials':>6}{'time':>7}")
    for story in stories:
        report = reports[story.name]
        seconds = sum(stage.duration_s for stage in report.stages)
        right = "yes" if report.verdict is story.expected else f"no: {story.expected.value}"
        click.echo(
            f"{story.name:<10}{report.verdict.value:<17}{right:<17}"
            f"{len(report.trials):>6}{seconds:>5.0f} s"
        )
