"""Reads a Dockerfile as far as it matters: what it starts from, what it copies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

_FROM = re.compile(
    r"(?P<head>FROM\s+(?:--\S+\s+)*)(?P<image>\S+)(?:\s+AS\s+(?P<name>\S+))?\s*", re.IGNORECASE
)
_ARG = re.compile(r"ARG\s+(.*)", re.IGNORECASE)
_COPY = re.compile(r"(COPY|ADD)\s+(?P<rest>.*)", re.IGNORECASE)
_STAGE = re.compile(r"--(?:from=)(\S+)|[-,](?:from=)([^,\s]+)")
_HEREDOC = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?([-+])([^}]*))?\})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Instruction:
    """An instruction with its continuation lines joined."""

    first: int  # of its lines
    last: int
    text: str


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions of a Dockerfile; the bodies of here-documents are none."""
    lines = text.splitlines()
    i = 0
    while i < len(lines):
        first, joined = i, ""
        while i < len(lines):
            line = lines[i].strip()
            i += 1
            if line.startswith("#") or (not line and joined):
                continue
            joined += line.removesuffix("\\").rstrip() + " "
            if not line.endswith("\\"):
                break
        last = i - 1
        if re.match(r"(RUN|COPY|ADD)\b", joined, re.IGNORECASE):
            for word in _HEREDOC.findall(joined):
                while i < len(lines) and lines[i].strip() != word:
                    i += 1
                i += 1
        if joined.strip():
            yield Instruction(first=first, last=last, text=joined.strip())


def bases(text: str, args: Mapping[str, str]) -> tuple[str, ...]:
    """The images that a Dockerfile starts or copies from, besides its own stages."""
    found: list[str] = []
    stages: set[str] = set()
    values: dict[str, str] = {}
    for item in instructions(text):
        if match := _ARG.match(item.text):
            values |= _declared(match[1], values, args) if not found and not stages else {}
        elif match := _FROM.match(item.text):
            image = substitute(match["image"], values)
            if image.lower() not in stages and image != "scratch":
                found.append(image)
            stages.add((match["name"] or "").lower() or f"#{len(stages)}")
        elif re.match(r"(COPY|ADD|RUN)\b", item.text, re.IGNORECASE):
            named = (one or other for one, other in _STAGE.findall(item.text))
            found += [name for name in named if name.lower() not in stages and not name.isdigit()]
    return tuple(dict.fromkeys(found))


def _declared(text: str, values: Mapping[str, str], args: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for word in text.split():
        name, _, default = word.partition("=")
        found[name] = args.get(name, substitute(default.strip("\"'"), values))
    return found


def substitute(text: str, values: Mapping[str, str]) -> str:
    """The text with $NAME, ${NAME} and ${NAME:-default} replaced."""

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1] or match[2], "")
        if match[3] == "-":
            return found or match[4]
        if match[3] == "+":
            return match[4] if found else ""
        return found

    return _VARIABLE.sub(value, text)


def with_bases(text: str, args: Mapping[str, str], other: Callable[[str], str]) -> str:
    """The Dockerfile with every FROM of an image, not of a stage, led to another image."""
    known = set(bases(text, args))
    lines = text.splitlines()
    values: dict[str, str] = {}
    for item in list(instructions(text)):
        if match := _ARG.match(item.text):
            values |= _declared(match[1], values, args)
        elif match := _FROM.match(item.text):
            image = substitute(match["image"], values)
            if image in known:
                name = f" AS {match['name']}" if match["name"] else ""
                lines[item.first : item.last + 1] = [
                    f"{match['head']}{other(image)}{name}",
                    *[""] * (item.last - item.first),
                ]
    return "\n".join(lines) + "\n"


def without_frontend(text: str) -> str:
    """The Dockerfile without the `# syntax=` line, which makes BuildKit pull another front end."""
    return re.sub(r"\A(\s*#\s*syntax\s*=.*\n)", "\n", text, flags=re.IGNORECASE)


def sources(text: str) -> tuple[str, ...]:
    """The paths that a Dockerfile copies from its context."""
    found: list[str] = []
    for item in instructions(text):
        match = _COPY.match(item.text)
        if not match or "--from=" in match["rest"] or "<<" in match["rest"]:
            continue
        words = re.findall(r"[^\s\[\],\"']+", re.sub(r"--\S+", "", match["rest"]))
        found += [word for word in words[:-1] if "://" not in word and "$" not in word]
    return tuple(found)


def requirements(text: str) -> tuple[str, ...]:
    """The requirements files that a Dockerfile copies from its context and installs, by their
    names there.
    """
    copied = sources(text)
    runs = " ".join(item.text for item in instructions(text) if item.text[:3].upper() == "RUN")
    named = re.findall(r"\s(?:-r|--requirements?)[ =]?([^\s;&]+)", runs)
    bases = {name.rpartition("/")[2] for name in named}
    found = [name.removeprefix("./") for name in copied if name.rpartition("/")[2] in bases]
    whole = [name for name in named if {".", "./"}.intersection(copied)]
    return tuple(dict.fromkeys(found or whole))


_VERSIONERS = re.compile(
    r"setuptools[-_]scm|hatch[-_]vcs|versioneer|versioningit|poetry-dynamic-versioning|\bpbr\b|"
    r"setuptools[-_]git[-_]versioning|dunamai|miniver|vcversioner",
    re.IGNORECASE,
)
_ASKS_GIT = re.compile(
    r"\bgit\s+(-\S+\s+\S+\s+)*(rev-parse|describe|log|status|show|ls-files|diff)\b"
)


def reads_git(text: str, project: str) -> bool:
    """Whether a build reads the history of the code that it copies: it names .git, asks git, or
    installs a project whose version comes from its tags. `project` is pyproject.toml and its like.
    """
    copied = [name.removeprefix("./").rstrip("/") for name in sources(text)]
    if any(name.partition("/")[0] == ".git" for name in copied):
        return True
    if not {"", "."}.intersection(copied):
        return False
    runs = " ".join(item.text for item in instructions(text) if item.text[:3].upper() == "RUN")
    return bool(_ASKS_GIT.search(runs) or _VERSIONERS.search(project))
