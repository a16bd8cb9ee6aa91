"""What a build may need of the caller's and no image may keep: logins of indexes, certificates."""

from __future__ import annotations

import configparser
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reprocheck.environments import dockerfile

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_BUNDLES = (
    BUNDLE,
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
BUNDLE_NAMES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
FOLDER = "/run/reprocheck-secrets"  # in a build without BuildKit; not in what it makes
_PIP = ("index-url", "extra-index-url", "find-links", "trusted-host", "no-index")
# By the id that a Dockerfile's RUN --mount=type=secret names: where programs look for it, and the
# variable that leads them elsewhere.
_PLACES = {
    "pipconf": ("/etc/pip.conf", "PIP_CONFIG_FILE", "pip.conf"),
    "uvtoml": ("/etc/uv/uv.toml", "UV_CONFIG_FILE", "uv.toml"),
    "netrc": ("/root/.netrc", "NETRC", "netrc"),
}


def certificates(env: Mapping[str, str]) -> Path | None:
    """The certificates that this machine trusts, as one file."""
    named = [env[name] for name in BUNDLE_NAMES if env.get(name)]
    found = (Path(name) for name in (*named, *_BUNDLES))
    return next((path for path in found if path.is_file()), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Secrets:
    """Files of the caller's by the id that a RUN may mount them by, and the words to hide."""

    files: Mapping[str, Path] = field(default_factory=dict)
    words: tuple[str, ...] = ()

    @property
    def indexes(self) -> dict[str, Path]:
        """Those that say where packages come from, and the logins."""
        return {name: path for name, path in self.files.items() if name in _PLACES}

    def hidden(self, text: str) -> str:
        """The text without the secret words."""
        for word in self.words:
            text = text.replace(word, "***")
        return text

    def mounted(self, text: str) -> str:
        """A Dockerfile whose every RUN mounts the indexes, for BuildKit: no layer keeps them."""
        lines = text.splitlines()
        for item in dockerfile.instructions(text):
            if re.match(r"RUN\b", item.text, re.IGNORECASE):
                mounts = " ".join(self._mounts(item.text))
                lines[item.first] = re.sub(
                    r"^(\s*RUN)\b", rf"\1 {mounts}", lines[item.first], flags=re.IGNORECASE
                )
        return "\n".join(lines) + "\n"

    def _mounts(self, run: str) -> Iterator[str]:
        for name in sorted(self.indexes):
            target = _PLACES[name][0]
            if f"id={name}" not in run and target not in run:  # it writes its own, or mounts it
                yield f"--mount=type=secret,id={name},target={target},mode=0444"

    def layer(self) -> tuple[str, dict[str, bytes]]:
        """Lines of a Dockerfile that put the indexes where every program finds them, and the
        files that they copy: for a base whose secrets are taken out of what is made of it.
        """
        names = sorted(self.indexes)
        files = {_PLACES[name][2]: self.indexes[name].read_bytes() for name in names}
        settings = " ".join(f"{_PLACES[name][1]}={FOLDER}/{_PLACES[name][2]}" for name in names)
        copied = json.dumps([*sorted(files), f"{FOLDER}/"])
        return f"COPY {copied}\nENV {settings}", files


def variables() -> frozenset[str]:
    """The names that `Secrets.layer` sets."""
    return frozenset(place[1] for place in _PLACES.values())


def secrets(env: Mapping[str, str], folder: Path) -> Secrets:
    """The caller's; what only variables say is written below a folder of our own."""
    folder.mkdir(mode=0o700, exist_ok=True)
    home = Path(env.get("HOME") or "/nonexistent")
    found = {
        "pipconf": _pip_conf(env, home, folder),
        "uvtoml": _uv_toml(env, home, folder),
        "netrc": _first(Path(env.get("NETRC") or home / ".netrc")),
        "ca": certificates(env),
    }
    files = {name: path for name, path in found.items() if path is not None}
    texts = [path.read_text(errors="replace") for name, path in files.items() if name != "ca"]
    words = dict.fromkeys(word for text in texts for word in _words(text) if len(word) > 3)
    return Secrets(files=files, words=tuple(sorted(words, key=len, reverse=True)))


def _first(*paths: Path) -> Path | None:
    return next((path for path in paths if path.is_file()), None)


def _words(text: str) -> Iterator[str]:
    """The passwords of addresses, and of a .netrc."""
    yield from re.findall(r"://[^/@\s:]*:([^/@\s]+)@", text)
    yield from re.findall(r"\bpassword\s+(\S+)", text)


def _pip_conf(env: Mapping[str, str], home: Path, folder: Path) -> Path | None:
    places = [home / ".config/pip/pip.conf", home / ".pip/pip.conf", Path("/etc/pip.conf")]
    named = env.get("PIP_CONFIG_FILE")
    file = _first(*([Path(named)] if named else []), *places)
    given = {
        name: env[variable]
        for name in _PIP
        if env.get(variable := f"PIP_{name.upper().replace('-', '_')}")
    }
    if not given:
        return file
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(file.read_text(errors="replace") if file else "")
    except configparser.Error:
        parser = configparser.ConfigParser(interpolation=None)
    parser.read_dict({"global": given})
    text = io.StringIO()
    parser.write(text)
    return _written(folder / "pip.conf", text.getvalue())


def _uv_toml(env: Mapping[str, str], home: Path, folder: Path) -> Path | None:
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "uv/uv.toml"
    named = env.get("UV_CONFIG_FILE")
    main = env.get("UV_DEFAULT_INDEX") or env.get("UV_INDEX_URL")
    more = f"{env.get('UV_INDEX', '')} {env.get('UV_EXTRA_INDEX_URL', '')}".split()
    if not main and not more:
        return _first(*([Path(named)] if named else []), config, Path("/etc/uv/uv.toml"))
    lines = [_index(address) for address in more]
    lines += [_index(main) + "default = true\n"] if main else []
    return _written(folder / "uv.toml", "".join(lines))


def _index(address: str) -> str:
    name, equals, rest = address.partition("=")
    named = bool(equals) and re.fullmatch(r"[\w.-]+", name) is not None
    head = f"name = {json.dumps(name)}\n" if named else ""
    return f"[[index]]\n{head}url = {json.dumps(rest if named else address)}\n"


def _written(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text)
    return path
