"""The index that pip is told to use here, for uv, which does not read pip's settings."""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from pathlib import Path

_OWN = re.compile(r"UV_(DEFAULT_INDEX|INDEX|EXTRA_INDEX|NO_INDEX|CONFIG|OFFLINE)")
_SECTIONS = ("global", "install")  # the later one counts
_NAMES = ("index-url", "extra-index-url")


def for_uv(caller: Mapping[str, str], uv_config: Path) -> dict[str, str]:
    """The variables that make uv use the indexes that pip would; none where uv has its own."""
    named = any(_OWN.match(name) for name in caller)
    if named or (uv_config.is_file() and "index" in uv_config.read_text(errors="replace")):
        return {}
    settings = _settings(caller)
    main = [each for each in settings["index-url"].split() if _is_address(each)]
    more = [each for each in settings["extra-index-url"].split() if _is_address(each)]
    found = {"UV_DEFAULT_INDEX": main[0]} if main else {}
    if more:
        # pip takes the best version of all indexes; uv by itself that of the first.
        found |= {"UV_INDEX": " ".join(more), "UV_INDEX_STRATEGY": "unsafe-best-match"}
    return found


def _is_address(text: str) -> bool:
    # A folder as an index tells no dates, and is this machine's own.
    return text.startswith(("http://", "https://"))


def _settings(caller: Mapping[str, str]) -> dict[str, str]:
    """As pip finds them: the machine's file, the user's, the one that is named, the variables."""
    found = dict.fromkeys(_NAMES, "")
    if caller.get("PIP_CONFIG_FILE") != "/dev/null":  # with it, pip reads no file
        for file in _files(caller):
            found |= _read(file)
    for name in _NAMES:
        found[name] = caller.get(f"PIP_{name.upper().replace('-', '_')}") or found[name]
    return found


def _files(caller: Mapping[str, str]) -> tuple[Path, ...]:
    home = Path(caller.get("HOME") or "/nonexistent")
    config = Path(caller.get("XDG_CONFIG_HOME") or home / ".config")
    usual = (Path("/etc/pip.conf"), home / ".pip/pip.conf", config / "pip/pip.conf")
    named = caller.get("PIP_CONFIG_FILE")
    return (*usual, Path(named)) if named else usual


def _read(file: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return {}  # pip itself would say so
    return {
        name: parser.get(section, name)
        for section in _SECTIONS
        for name in _NAMES
        if parser.has_option(section, name)
    }
