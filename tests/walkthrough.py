"""A page that its reader follows, followed: its files are written and its commands run, in order.

A fence with a `title` is a file. In a `console` fence, lines after `$ ` are commands and the lines
below each are what it prints: a line `…` is any number of lines, `…` within a line any text, and 32
hexadecimal digits are a run's id, which stands for the real one from there on, shortened or not.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests import warm

FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN_ID = re.compile(r"\b[0-9a-f]{32}\b")
ASSIGNMENT = re.compile(r"(\w+)=(.*)")
ELISION = "…"


@dataclass(frozen=True, kw_only=True)
class Step:
    """A file to write, where `file` is not empty, else a command and what it prints."""

    file: str = ""
    text: str = ""
    command: str = ""
    printed: tuple[str, ...] = ()


def steps(page: str) -> Iterator[Step]:
    """What a page asks of its reader."""
    for language, options, body in FENCE.findall(page):
        title = re.search(r'title="([^"]+)"', options)
        if title:
            yield Step(file=title[1], text=body)
        elif language == "console":
            for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                command, *printed = part.rstrip("\n").split("\n")
                while command.endswith("\\"):
                    command = command[:-1] + printed.pop(0)
                yield Step(command=command, printed=tuple(printed))


@dataclass
class Reader:
    """Who follows a page, in a folder and with variables of their own."""

    cwd: Path
    env: dict[str, str]
    ids: dict[str, str] = field(default_factory=dict)  # the page's to the real ones
    status: int = 0

    def follow(self, page: str) -> None:
        """Raises AssertionError where a command ends or prints otherwise than the page says."""
        every = list(steps(page))
        for step, after in zip(every, [*every[1:], Step()], strict=True):
            if step.file:
                path = self.cwd / step.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(self.real(step.text))
            else:
                self.check(step, asked=after.command == "echo $?")

    def check(self, step: Step, *, asked: bool) -> None:
        """Runs a command; it ends with 0, or the page goes on to ask how it ended."""
        stdout, stderr = self.run(self.real(step.command))
        told = f"$ {step.command}\n{stdout}{stderr}exit {self.status}"
        assert asked or self.status == 0, told
        if step.printed:
            streams = (stdout, stderr, stdout + stderr)
            assert any(self.learned(each, step.printed) for each in streams), told

    def run(self, line: str) -> tuple[str, str]:
        """What a command prints; the shell's own ones are done here."""
        before, self.status = self.status, 0
        words = shlex.split(line)
        env = dict(self.env)
        while words and (given := ASSIGNMENT.fullmatch(words[0])):
            env[given[1]] = given[2]
            del words[0]
        match words:
            case ["cd", folder]:
                self.cwd = (self.cwd / folder).resolve(strict=True)
            case ["export", given]:
                self.env |= dict([given.split("=", 1)])
            case ["echo", "$?"]:
                return f"{before}\n", ""
            case ["reprocheck" | "dvc", *_] if not re.search(r"[|<>$&]", line):
                return self.ended(warm.python("-m", *words, cwd=self.cwd, env=env))
            case _:
                return self.shell(line)
        return "", ""

    def shell(self, line: str) -> tuple[str, str]:
        env = {name: value for name, value in self.env.items() if name != "PYTHONPATH"}
        argv = ("bash", "-c", line)
        return self.ended(
            subprocess.run(argv, cwd=self.cwd, env=env, capture_output=True, check=False)
        )

    def ended(self, done: subprocess.CompletedProcess[bytes]) -> tuple[str, str]:
        self.status = done.returncode
        return done.stdout.decode(), done.stderr.decode()

    def real(self, text: str) -> str:
        """The text of the page with the ids of the real runs, where they are known."""
        for shown, real in self.ids.items():
            cut = partial(_as_long, real)
            text = re.sub(rf"\b{shown[:6]}[0-9a-f]*", cut, text)
        return text

    def learned(self, text: str, printed: tuple[str, ...]) -> bool:
        """Whether a text is as a page shows it; new ids in it are kept."""
        new = list(dict.fromkeys(RUN_ID.findall("\n".join(printed))))
        new = [shown for shown in new if shown not in self.ids]
        lines = "".join(f"{line.rstrip()}\n" for line in text.strip("\n").splitlines())
        found = re.fullmatch(pattern([self.real(line) for line in printed], new), lines)
        if found:
            self.ids |= {shown: found[f"id{index}"] for index, shown in enumerate(new)}
        return found is not None


def _as_long(real: str, shown: re.Match[str]) -> str:
    return real[: len(shown[0])]


def pattern(printed: list[str], new: list[str]) -> str:
    """What matches lines that are like those of a page, with a group for each new id."""
    parts = []
    for line in printed:
        if line == ELISION:
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(re.escape(line.rstrip()).replace(re.escape(ELISION), ".*") + r"\n")
    text = "".join(parts)
    for index, shown in enumerate(new):
        first, _, rest = text.partition(shown)
        text = f"{first}(?P<id{index}>[0-9a-f]{{32}}){rest.replace(shown, f'(?P=id{index})')}"
    return text
