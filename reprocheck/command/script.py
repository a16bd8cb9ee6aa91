"""The recorded script alone, where nothing else tells the command."""

from __future__ import annotations

from reprocheck.command.base import CommandFound, Search, as_typed, find_in_tree
from reprocheck.model import Argv, Command, Finding, Origin, OriginKind, Severity, Step


def from_script(search: Search) -> CommandFound | None:
    """The recorded script without any argument: inferred, and said to be."""
    script = search.record.code.script
    if search.record.code.entry_point is not None or not script:
        return None
    found = find_in_tree(script, search.tree)
    if found is None or not found.endswith(".py"):
        search.refused.append(f"the recorded script '{script}' is no Python file at the commit")
        return None
    name, cwd = as_typed(script, found)
    words = f"python {name}" + (f" in {cwd}" if cwd != "." else "")
    unproved = "" if search.record.parameters else "the run logged no parameter"
    proof = (
        f"nothing proves it: {unproved}"
        if unproved
        else ("proved by the parameters that the rerun logs")
    )
    return CommandFound(
        command=Command(steps=(Step(run=Argv(args=("python", name)), cwd=cwd),)),
        origin=Origin(kind=OriginKind.INFERRED, where=f"the recorded script '{script}'"),
        unproved=unproved,
        findings=(
            Finding(
                code="inferred-command",
                severity=Severity.WARNING,
                message=f"only the script's name was recorded; '{words}' is inferred, and {proof}",
                hint=f"write the command into {search.config.name}, with {{params.NAME}} where "
                "the run's parameters go",
                pointer="/command",
            ),
        ),
    )
