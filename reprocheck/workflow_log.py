"""Lines of a job's log as GitHub's runner reads them: groups, and what must be no command."""

from __future__ import annotations

import re

GROUP, END_GROUP = "::group::", "::endgroup::"
TOKEN = "REPROCHECK_GROUPS"  # noqa: S105 - a variable's name
"""Variable by which the process that writes the log gives us the word that our groups begin with:
it heeds these alone, whatever else we print."""

_COMMAND = re.compile(r"^((?:\x1b\[[0-9;]*m)*)(\s*)::")


def no_command(line: str) -> str:
    """The line, which is no command to the runner: text of a run may begin it."""
    return _COMMAND.sub(r"\1\2: :", line.replace("##[", "## ["))


def escaped(text: str) -> str:
    """The text as a command's data: on one line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def is_group(line: str) -> bool:
    """Whether a line begins or ends a group."""
    return line.startswith(GROUP) or line == END_GROUP
