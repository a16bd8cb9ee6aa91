"""An accepted baseline in a terminal: what it was, what it is, and what to do next."""

from __future__ import annotations

from reprocheck.hostile import printable
from reprocheck.model import Acceptance, Report
from reprocheck.numbers import counted, format_change
from reprocheck.reporters import base


def render(found: Acceptance, report: Report, *, name: str, dry_run: bool) -> str:
    """The acceptance of a report's values as lines; `name` is the file that keeps it."""
    kept = [each.metric for each in found.metrics if each.old == each.new]
    new = {each.metric for each in found.metrics} - set(kept)
    rows = [each for each in report.comparisons if each.gated and each.metric in new]
    verb = "Would be accepted" if dry_run else "Accepted"
    lines = [f"{verb}: a new baseline of run {found.run_id} ({base.headline(report)})"]
    for each in rows:
        change = "" if each.difference is None else format_change(each.difference, each.scale)
        count = counted(len(each.reruns), "rerun")
        lines.append(
            f"  {each.metric}  {base.original(each)} → {base.mean(each)} (mean of {count})"
            + (f"  {change}" if change else "")
        )
    lines += [f"  {each}  as accepted before" for each in kept]
    lines.append(f"By {found.by}: {found.reason}")
    lines.append(
        "Nothing was written (dry run)."
        if dry_run
        else f"Next: commit {name}. In a checkout it counts from now on; for pull requests, once "
        "it is on their base branch."
    )
    return "".join(f"{printable(line)}\n" for line in lines)
