"""Text from a run is hostile: what is taken out of it before it is shown or stored."""

from __future__ import annotations

import dataclasses
import enum
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from reprocheck.model import Argv, Check, Difference, Metric, Report, RunRecord, Validation

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_D = TypeVar("_D", bound="DataclassInstance")

HIDDEN = "***"

SHORTEST_SECRET = 8
"""Characters below which a secret's value is not searched elsewhere: it may be a common word."""

# Linear in the text: each scan ends at the next slash or space.
_USERINFO = re.compile(r"(?<=://)[^/\s]*@")
_SIGNATURE = re.compile(  # of an address that is signed, as clouds' storage has them
    r"(?i)([?&](?:sig|signature|awsaccesskeyid|x-(?:amz|goog)-(?:signature|credential"
    r"|security-token))=)[^&\s]+"
)
_CONDA_TOKEN = re.compile(r"(://[^/\s]+/t/)[^/\s]+(?=/)")
_KEYS = re.compile(
    r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|hf_[A-Za-z0-9]{30,}"
    r"|xox[abprs]-[\w-]{10,}|AKIA[A-Z0-9]{16}|sk-[\w-]{30,})"
)
_BEARER = re.compile(r"(?i)\b(authorization:\s*(?:bearer|basic|token)\s+)\S+")
_ASSIGNED = re.compile(r"(?<![\w.-])(-{0,2}([A-Za-z][\w.-]{0,80})=)[^\s'\"&]+")
_KEY = re.compile(  # of JSON, also of JSON inside of JSON, with the quote that opens its value
    r"""["']([A-Za-z][\w.-]{0,80})\\*["']\s{0,9}:\s{0,9}\\*(["'])"""
)
_VALUES = {quote: re.compile(rf"(?:[^{quote}\\]|\\.)*{quote}?", re.DOTALL) for quote in ("'", '"')}
_OPTION = re.compile(r"(?<![\w.-])(--([A-Za-z][\w.-]{0,80})[ \t])(?!-)[^\s'\"]+")

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = {"password", "passwd", "passphrase", "secret", "secrets", "credential"}
_SECRET_WORDS |= {"credentials", "apikey", "accesskey", "privatekey"}
_KEY_KINDS = {"api", "access", "private", "secret", "account", "storage", "ssh"}
# Names of a vocabulary's special tokens are no secrets: pad_token, eos_token, ...
_VOCABULARY = {"pad", "eos", "bos", "unk", "cls", "sep", "mask", "start", "end", "special"}
_VOCABULARY |= {"per", "max", "min", "num", "next", "first", "last", "image"}


def redacted_record(record: RunRecord) -> RunRecord:
    """The record without secrets; the bytes of its files are left as they are."""
    return _redacted_fields(record, record_secrets(record))


def redacted_report(report: Report) -> Report:
    """The report without secrets, for every renderer."""
    return _redacted_fields(report, report_secrets(report))


def redacted_check(check: Check) -> Check:
    """The check and its reports without secrets."""
    clean = _redacted_fields(dataclasses.replace(check, reports=()), frozenset())
    return dataclasses.replace(clean, reports=tuple(map(redacted_report, check.reports)))


def redacted_validation(validation: Validation) -> Validation:
    """The validation without secrets, for every renderer."""
    return _redacted_fields(validation, record_secrets(validation.record))


def record_secrets(record: RunRecord) -> frozenset[str]:
    """The values of a record that are secrets by their names."""
    env = record.command.env if record.command else {}
    return secret_values(record.parameters, record.tags, env)


def report_secrets(report: Report) -> frozenset[str]:
    """The values of a report's record and trials that are secrets by their names."""
    recorded = record_secrets(report.record) if report.record else frozenset()
    return recorded | secret_values(*(trial.parameters for trial in report.trials))


def is_secret(name: str) -> bool:
    """Whether a value of this name looks like a secret: hf_token, DB_PASSWORD, apiKey."""
    words = [word.lower() for word in _WORDS.findall(name[:200])]
    if _SECRET_WORDS.intersection(words):
        return True
    pairs = list(zip(["", *words], words, strict=False))
    if any(word == "key" and before in _KEY_KINDS for before, word in pairs):
        return True
    return bool(pairs) and pairs[-1][1] == "token" and pairs[-1][0] not in _VOCABULARY


def redact(text: str, secrets: frozenset[str] = frozenset()) -> str:
    """The text without userinfo in URLs, well-known kinds of keys, and the given values."""
    for secret in _longest_first(secrets):
        text = text.replace(secret, HIDDEN)
    if "://" in text:
        text = _USERINFO.sub(HIDDEN + "@", text)
        text = _SIGNATURE.sub(r"\1" + HIDDEN, text)
        text = _CONDA_TOKEN.sub(r"\1" + HIDDEN, text)
    text = _BEARER.sub(r"\1" + HIDDEN, text)
    text = _ASSIGNED.sub(_hide_named, text)
    text = _OPTION.sub(_hide_named, text)
    text = _without_pairs(text)
    text = _KEYS.sub(HIDDEN, text)
    # A lone surrogate cannot be written as UTF-8.
    return text.encode("utf-8", "replace").decode("utf-8")


def redact_arguments(args: tuple[str, ...], secrets: frozenset[str]) -> list[str]:
    """The arguments redacted; also the one that follows an option such as --token."""
    before = ("", *args)
    return [
        HIDDEN
        if option.startswith("-") and is_secret(option) and "=" not in option
        else redact(arg, secrets)
        for option, arg in zip(before, args, strict=False)
    ]


def secret_values(*mappings: Mapping[str, str]) -> frozenset[str]:
    """The values whose names look secret, to be hidden wherever else they appear."""
    return frozenset(
        value
        for mapping in mappings
        for name, value in mapping.items()
        if is_secret(name) and len(value) >= SHORTEST_SECRET
    )


def printable(text: str) -> str:
    """The text on one line, without what moves a cursor or reorders what is around it."""
    if text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def cut(text: str, length: int) -> str:
    """The text, shortened to at most `length` characters."""
    return text if len(text) <= length else text[: max(0, length - 1)] + "…"


@lru_cache(maxsize=16)
def _longest_first(secrets: frozenset[str]) -> tuple[str, ...]:
    """One that begins another must not leave the rest of that, nor the order be chance."""
    return tuple(sorted(secrets, key=lambda secret: (-len(secret), secret)))


def _redacted(thing: object, secrets: frozenset[str]) -> object:
    if isinstance(thing, enum.Enum):
        return thing
    match thing:
        case str():
            result: object = redact(thing, secrets)
        case Mapping():
            result = _redacted_mapping(thing, secrets)
        case tuple() | frozenset():
            result = type(thing)(_redacted(item, secrets) for item in thing)
        case Argv():
            result = Argv(args=tuple(redact_arguments(thing.args, secrets)))
        case Metric():  # its history holds no text, and may be long
            result = dataclasses.replace(thing, name=redact(thing.name, secrets))
        case Difference() if is_secret(thing.name):
            result = dataclasses.replace(thing, original=HIDDEN, trial=HIDDEN)
        case _ if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
            result = _redacted_fields(thing, secrets)
        case _:
            result = thing
    return result


def _redacted_mapping(mapping: Mapping[str, object], secrets: frozenset[str]) -> dict[str, object]:
    return {
        redact(name, secrets): HIDDEN
        if isinstance(value, str) and value and is_secret(name)
        else _redacted(value, secrets)
        for name, value in mapping.items()
    }


def _redacted_fields(thing: _D, secrets: frozenset[str]) -> _D:
    names = [field.name for field in dataclasses.fields(thing)]
    changed = {name: _redacted(getattr(thing, name), secrets) for name in names}
    return dataclasses.replace(thing, **changed)


def _visible(character: str) -> str:
    if character in "\t\n\r\v\f\u2028\u2029\x85":
        return " "
    # Control, format (bidi marks, zero-width joiners), surrogate, private use, unassigned.
    return "�" if unicodedata.category(character).startswith("C") else character


def _hide_named(match: re.Match[str]) -> str:
    return match[1] + HIDDEN if is_secret(match[2]) else match[0]


def _without_pairs(text: str) -> str:
    """The text with the values of secret keys hidden, whatever quotes stand in them."""
    parts, at = [], 0
    for key in _KEY.finditer(text):
        if key.start() < at or not is_secret(key[1]):
            continue
        parts += [text[at : key.end()], HIDDEN, key[2]]
        value = _VALUES[key[2]].match(text, key.end())
        at = value.end() if value else len(text)
    return "".join([*parts, text[at:]])
