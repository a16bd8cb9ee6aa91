"""A verification as somebody sees it: in a real terminal of 80 columns, without colours."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

from rich.cells import cell_len

from reprocheck.model import Stage
from tests.lab import Lab

WINDOW = struct.pack("HHHH", 24, 80, 0, 0)
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def seen_in_terminal(argv: list[str], cwd: os.PathLike[str], env: dict[str, str]) -> str:
    """What a command writes to a terminal of 24 lines of 80 columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, WINDOW)
    with subprocess.Popen(argv, cwd=cwd, env=env, stdin=slave, stdout=slave, stderr=slave):
        os.close(slave)
        read = bytearray()
        try:
            while chunk := os.read(master, 65536):
                read += chunk
        except OSError:  # Linux: the other side was closed
            pass
    os.close(master)
    return read.decode()


def test_a_verification_in_a_terminal_of_80_columns(lab: Lab) -> None:
    dropped = ("COLUMNS", "LINES", "FORCE_COLOR", "GITHUB_ACTIONS")
    env = {name: value for name, value in lab.env.items() if name not in dropped}
    env |= {"TERM": "xterm-256color", "NO_COLOR": "1"}
    argv = lab.command("verify", lab.seeded, "--tracking-uri", lab.uri, "--reports", "")
    text = seen_in_terminal(argv, lab.repo.path, env)
    assert not re.search(r"\x1b\[[0-9;]*[34][0-9]", text)
    assert text.count(HIDE) == 1
    assert text.rindex(SHOW) > text.rindex(HIDE)
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "\n").split("\n")
    assert max(map(cell_len, lines)) <= 80
    live, report = lines[: lines.index("IDENTICAL")], lines[lines.index("IDENTICAL") :]
    at_last = [line.split()[:2] for line in live if line][-len(Stage) :]
    assert at_last == [["✓", stage.value] for stage in Stage]
    told = "\n".join(live)
    assert re.search(r"^    trial 1 of at most \d+ · .* s of about ", told, re.MULTILINE)
    assert "    first look after trial 3, or after trial 1 if it gives exactly the same" in live
    assert re.search(r"^trial 1: .* s, accuracy 0\.\d+, loss \d", told, re.MULTILINE)
    assert any(line.startswith("accuracy  ") for line in report)
