"""Arguments of the recorded command that no logged parameter shows.

The record has them all the same; but whoever compares runs by their parameters does not see them.
Names and values are compared leniently: what may have been logged counts as logged.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping

from reprocheck.command_words import Word, flags, line_of, values
from reprocheck.hostile import HIDDEN
from reprocheck.model import Finding, RunRecord, Severity, Step
from reprocheck.parameter_names import OUTPUT, is_device, words_of
from reprocheck.schema import pointer
from reprocheck.seeds import recorded_seeds

UNLOGGED = "unlogged-argument"
ARGUMENTS = "mlflow.log_params(vars(args))"
MOST = 5
_LONGEST = 40  # characters of an argument that a message shows

# Options that say what is read, written, watched or named: nothing that a training computes from.
_APART = OUTPUT | frozenset(
    (
        *(
            "file",
            "files",
            "path",
            "paths",
            "dir",
            "folder",
            "root",
            "name",
            "config",
            "conf",
            "cfg",
        ),
        *(
            "experiment",
            "run",
            "id",
            "project",
            "entity",
            "tag",
            "tags",
            "note",
            "notes",
            "verbose",
        ),
        *("verbosity", "quiet", "debug", "progress", "profile", "mlflow", "overwrite", "force"),
        *("multirun", "help", "version", "yes", "port", "address", "seed", "seeds"),
    )
)
_SCRIPT = re.compile(r".+\.(py|ipynb|sh|R|jl)")
_PATH = re.compile(r".*[/\\].*|~.*|.*\.[A-Za-z]\w{0,9}")
_SEPARATORS = re.compile(r"[\s,;:=()\[\]{}'\"|]+")
_TRUE = frozenset(("true", "yes", "on"))
_FALSE = frozenset(("false", "no", "off"))
_NONE = frozenset(("", "none", "null"))


def findings(record: RunRecord) -> Iterator[Finding]:
    """A note for each step with arguments that the parameters do not show, and a warning for each
    parameter whose number is another than its argument's."""
    logged = _Logged(record)
    for index, step in enumerate(record.command.steps if record.command else ()):
        line = _own_words(step)
        words = [word for word in values(line) if _counts(word) and not logged.shows(word)]
        others = [(word, found) for word in words if (found := logged.other(word))]
        yield from (_other(word, *found) for word, found in others)
        told = [_shown(word) for word in words if not logged.other(word)]
        told += [each for each in flags(line) if _is_flag(each) and not logged.knows(each)]
        if told:
            yield _unlogged(told, index, _fix(words))


class _Logged:
    """What the run's parameters show."""

    def __init__(self, record: RunRecord) -> None:
        above = record.lineage.parent_parameters or {}  # of the run that the command logged first
        everything = {**above, **record.parameters, **recorded_seeds(record)}
        self._names: dict[str, list[tuple[str, str]]] = {}
        for name, value in (*record.parameters.items(), *above.items()):
            for each in {_name(name), _last(name)}:
                self._names.setdefault(each, []).append((name, value))
        self._is_child = record.lineage.parent is not None
        self._values = {token for value in everything.values() for token in _tokens(value)}
        self._truncated = record.truncated

    def knows(self, option: str) -> bool:
        """Whether a parameter has the option's name, `--no-` aside."""
        names = (_name(option), _last(option), _name(option).removeprefix("no_"))
        return any(name in self._names for name in names)

    def shows(self, word: Word) -> bool:
        """Whether a parameter has the value, under whatever name, or may have it."""
        if word.key and any(name in self._truncated for name, _ in self._named(word)):
            return True
        if _plain(word.value) in self._values or set(_parts(word.value)) <= self._values:
            return True
        given = _truth(word.value)
        return given is not None and any(_truth(value) == given for _, value in self._named(word))

    def other(self, word: Word) -> tuple[str, str] | None:
        """The parameter of the argument's own name whose number is another one; None: none is.

        A child run is made by its parent's command, and may try another value: a sweep's does.
        """
        if self._is_child:
            return None
        given = _number(word.value)
        found = [
            (name, value) for name, value in self._named(word) if _name(name) == _name(word.key)
        ]
        if not word.key or given is None or len(found) != 1:
            return None
        number = _number(found[0][1])
        return None if number is None or number == given else found[0]

    def _named(self, word: Word) -> list[tuple[str, str]]:
        return self._names.get(_name(word.key)) or self._names.get(_last(word.key)) or []


def _own_words(step: Step) -> list[str]:
    """The words of a step from its script or module on: what launches it has options of its own."""
    line = line_of(step)
    script = next((i for i, word in enumerate(line) if i and _SCRIPT.fullmatch(word)), None)
    if script is None and "-m" in line[:-1]:
        script = line.index("-m") + 1
    return line[script or 0 :]


def _counts(word: Word) -> bool:
    if HIDDEN in word.value:  # nobody should log a secret
        return False
    if word.key:
        return _is_told(word.key) and not _PATH.fullmatch(_plain(word.value))
    return _number(word.value) is not None


def _is_told(option: str) -> bool:
    return not (words_of(option) & _APART or is_device(_name(option)))


def _is_flag(option: str) -> bool:
    """Flags of one letter are -v and the like."""
    return len(option.lstrip("-")) > 1 and _is_told(option)


def _fix(words: Iterable[Word]) -> str:
    if any("." in word.key for word in words):  # Hydra's and OmegaConf's
        return 'mlflow.log_dict(OmegaConf.to_container(cfg), "config.yaml")'
    return ARGUMENTS


def _shown(word: Word) -> str:
    told = f"{word.key}={word.value}" if word.key else word.value
    return told if len(told) <= _LONGEST else told[: _LONGEST - 1] + "…"


def _unlogged(arguments: list[str], step: int, fix: str) -> Finding:
    more = len(arguments) - MOST
    told = ", ".join(arguments[:MOST]) + (f" and {more} more" if more > 0 else "")
    return Finding(
        code=UNLOGGED,
        severity=Severity.NOTE,
        message=f"no logged parameter shows what the command was given: {told}",
        hint="log every argument as a parameter, so that runs can be told apart by them",
        pointer=f"/command/steps/{step}",
        fix=fix,
    )


def _other(word: Word, name: str, value: str) -> Finding:
    return Finding(
        code=UNLOGGED,
        severity=Severity.WARNING,
        message=f"the command was given {_shown(word)}, and the parameter {name} says "
        f"{value[:_LONGEST]}",
        hint="log the value that the training uses, or give the parameter another name",
        pointer=pointer(["parameters", name]),
        fix=ARGUMENTS,
    )


# --- names and values ---------------------------------------------------------------------


def _name(option: str) -> str:
    """A name as all its spellings have it: --model.learning-rate is model.learning_rate."""
    return re.sub(r"[./:]+", ".", option.lstrip("-+~").replace("-", "_").lower())


def _last(option: str) -> str:
    return _name(option).rpartition(".")[2]


def _tokens(value: str) -> Iterator[str]:
    """A value and its parts, numbers and truths in one spelling each."""
    yield from _parts(value)
    yield _plain(value)


def _parts(value: str) -> Iterator[str]:
    return (_plain(part) for part in _SEPARATORS.split(value) if part)


def _truth(value: str) -> bool | None:
    text = _plain(value)
    return {"true": True, "1.0": True, "false": False, "0.0": False}.get(text)


def _plain(value: str) -> str:
    text = value.strip().strip("'\"").lower()
    number = _number(text)
    if number is not None:
        return repr(number)
    for kind, spellings in _SPELLINGS.items():
        if text in spellings:
            return kind
    return text


def _number(text: str) -> float | None:
    with contextlib.suppress(ValueError):
        return float(text.strip().strip("'\""))
    return None


_SPELLINGS: Mapping[str, frozenset[str]] = {"true": _TRUE, "false": _FALSE, "none": _NONE}
