"""Which texts of a run may stand in a command that a reader pastes into a shell of their own."""

from __future__ import annotations

import re
import shlex

from reprocheck.hostile import HIDDEN, cut, printable
from reprocheck.reporters.comment_method import is_plain
from reprocheck.tree_paths import is_inside

SHOWN = 120

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,80}")
_OF_SHELL = re.compile(  # what the reader's own shell and programs begin other programs by
    r"PATH|HOME|SHELL|IFS|CDPATH|ENV|EDITOR|VISUAL|PAGER|PS[0-9]|PROMPT_COMMAND"
    r"|BASH.*|(?:ZSH|LD|DYLD|GIT|SSH|DOCKER)_.*",
    re.IGNORECASE,
)


def quoted(text: str) -> str:
    """The text as one word of a shell that no program takes for an option."""
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def shown(text: str) -> str:
    """The text for a note."""
    return cut(printable(text), SHOWN)


def fits(text: str) -> bool:
    """Whether it may stand in a command: on one line, nothing unseen, nothing hidden."""
    return is_plain(text) and HIDDEN not in text


def is_path(text: str) -> bool:
    """Whether it may stand in a command as a path: in the tree, and not in git's folder."""
    return fits(text) and is_inside(text)


def may_export(name: str, value: str) -> bool:
    """Whether a variable may be set in the reader's shell."""
    known = _VARIABLE.fullmatch(name) and not _OF_SHELL.fullmatch(name)
    return bool(known) and (not value or fits(value))
