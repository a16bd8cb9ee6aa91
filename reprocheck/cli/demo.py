"""`reprocheck demo`: a real project, really trained and really verified."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from reprocheck.model import Report, Verdict


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
        text="a run whose accuracy was raised by 0.05 after the fact",
        expected=Verdict.NOT_REPRODUCED,
    ),
)


@click.command(short_help="Make a small real project, train it, and verify its runs.")
@click.argument("directory", default="reprocheck-demo", type=click.Path(path_type=Path))
@click.option("-q", "--quiet", is_flag=True, help="No progress, only the steps and the result.")
def demo(directory: Path, quiet: bool) -> int:
    """Make a small real project in DIRECTORY (reprocheck-demo by default) and verify its runs.

    Handwritten digits tracked by DVC with a local remote, a neural network, runs in a sqlite
    MLflow store. Four runs are trained, and each is verified for real: environment rebuilt by uv,
    data restored, training rerun, metrics compared. Reports are left in DIRECTORY/reports.
    Exit code 0 when all four verdicts are as they should be, else 1.
    """
    from rich.console import Console

    from reprocheck.demo import Demo
    from reprocheck.progress import Silent, Terminal

    console = Console(highlight=False)
    with Silent() if quiet else Terminal(sys.stderr) as progress:
        project = Demo(directory.absolute(), dict(os.environ), progress, console.print)
        project.make()
        runs = project.train([story.name for story in STORIES])
    reports = {}
    for story in STORIES:
        console.rule(f"{story.name}: {story.text}")
        with Silent() if quiet else Terminal(sys.stderr) as progress:
            report = reports[story.name] = project.verify(story.name, runs[story.name], progress)
        console.print(project.render(report, console.width), end="", markup=False)
    console.rule("the four runs")
    console.print(_table(reports, project.folder))
    console.print(
        f"Reports: {project.reports}\nNow try it yourself:\n"
        f"  cd {project.folder}\n  reprocheck verify {runs['seeded'][:8]}",
        markup=False,
        soft_wrap=True,
    )
    return 0 if all(reports[item.name].verdict is item.expected for item in STORIES) else 1


def _table(reports: dict[str, Report], folder: Path) -> object:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("Run", "What it is", "Verdict", "As it should be", "Trials", "Time"):
        table.add_column(title, justify="right" if title in ("Trials", "Time") else "left")
    for story in STORIES:
        report = reports[story.name]
        seconds = sum(stage.duration_s for stage in report.stages)
        right = "yes" if report.verdict is story.expected else f"no, expected {story.expected}"
        table.add_row(
            story.name,
            story.text,
            report.verdict.value,
            right,
            str(len(report.trials)),
            f"{seconds:.0f} s",
        )
    del folder
    return table
