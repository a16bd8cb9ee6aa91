"""The reference's page of commands, out of click's own objects."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from manual.markup import cell, code
from reprocheck.cli import COMMANDS, cli

_DEFAULT = re.compile(r"\s*\[default: (.*?)\]", re.DOTALL)


def page() -> str:
    """Every command that is listed, in the order of `reprocheck --help`."""
    group = click.Context(cli, info_name="reprocheck", **cli.context_settings)
    parts = [
        "# Commands",
        _prose(cli.help or ""),
        "Options of several commands mean the same in all of them. What they exit with: "
        "[exit codes](verdicts.md).",
        *_rows(cli, group),
    ]
    for name in COMMANDS:
        parts += _section(name, group)
    return "\n\n".join(parts) + "\n"


def _section(name: str, group: click.Context) -> Iterator[str]:
    command = cli.get_command(group, name)
    if command is None:
        raise LookupError(f"the command {name} is listed, and is not there")
    context = click.Context(command, info_name=name, parent=group)
    yield f"## reprocheck {name}"
    yield _prose(command.help or "")
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```console\n$ {context.command_path} {usage}\n```"
    yield from _rows(command, context)
    yield from _epilog(command.epilog or "")


def _rows(command: click.Command, context: click.Context) -> Iterator[str]:
    options = [each for each in command.get_params(context) if isinstance(each, click.Option)]
    rows = [_row(option, context) for option in options if not option.hidden]
    if rows:
        yield "\n".join(("| Option | Default | What it says |", "|---|---|---|", *rows))


def _row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    if record is None:
        raise LookupError(f"the option {option.opts} has no help")
    told, said = record
    found = _DEFAULT.search(said)
    default = found[1] if found else _own_default(option)
    return f"| {code(told)} | {cell(default)} | {cell(_DEFAULT.sub('', said))} |"


def _own_default(option: click.Option) -> str:
    """What click fills in, where the help does not say it."""
    value = option.default
    if option.is_flag or not isinstance(value, str | int | float):
        return ""
    return str(value)


def _epilog(text: str) -> Iterator[str]:
    for paragraph in filter(None, re.split(r"\n\s*\n", text.strip())):
        lines = paragraph.strip().splitlines()
        if lines[0] == "\b":
            heading, *rest = lines[1:]
            body = "\n".join(line.removeprefix("  ") for line in rest)
            yield f"**{heading.rstrip(':')}**\n\n```sh\n{body}\n```"
        else:
            yield _prose(paragraph)


def _prose(text: str) -> str:
    """Help as click takes it: paragraphs whose lines may be wrapped anew."""
    wrapped = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
    return "\n\n".join(cell(part) for part in wrapped)
