"""Secrets in names, arguments and addresses. The rules are those of reprocheck's hostile.py."""

import re
from typing import List, Sequence

HIDDEN = "***"

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET = {"password", "passwd", "passphrase", "secret", "secrets", "credential", "credentials"}
_SECRET |= {"apikey", "accesskey", "privatekey", "pwd"}
_KEY_KINDS = {"api", "access", "private", "secret", "account", "storage", "ssh"}
_VOCABULARY = {"pad", "eos", "bos", "unk", "cls", "sep", "mask", "start", "end", "special"}
_VOCABULARY |= {"per", "max", "min", "num", "next", "first", "last", "image"}
_USERINFO = re.compile(r"(?<=://)[^/\s]*@")
_QUERY = re.compile(r"(?i)([?&](?:sig|signature|token|x-(?:amz|goog)-[\w-]+)=)[^&\s]+")
_KEYS = re.compile(
    r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|hf_[A-Za-z0-9]{30,}"
    r"|xox[abprs]-[\w-]{10,}|AKIA[A-Z0-9]{16}|sk-[\w-]{30,})"
)
_ASSIGNED = re.compile(r"([A-Za-z_][\w.-]{0,80})(\s*[=:]\s*['\"]?)([^\s'\"&,;)]+)")
_FILES = re.compile(
    r"(?i)(^|/)(\.env(\..*)?|\.netrc|\.pypirc|\.npmrc|id_(rsa|dsa|ecdsa|ed25519)|kubeconfig"
    r"|[^/]*\.(pem|key|p12|pfx|jks|keystore|kdbx)|[^/]*(secrets?|credentials?|passwords?)[^/]*"
    r"\.(json|ya?ml|toml|ini|cfg|txt|env))$|(^|/)\.(aws|ssh|gnupg)/"
)


def is_secret(name: str) -> bool:
    """Whether a value of this name looks like a secret: --hf-token, DB_PASSWORD, apiKey."""
    words = [word.lower() for word in _WORDS.findall(name[:200])]
    if _SECRET.intersection(words):
        return True
    before = ["", *words]
    if any(word == "key" and before[i] in _KEY_KINDS for i, word in enumerate(words)):
        return True
    return bool(words) and words[-1] == "token" and before[-2] not in _VOCABULARY


def is_secret_file(path: str) -> bool:
    """Whether a file of this name usually holds secrets: .env, id_rsa, credentials.json."""
    return _FILES.search(path) is not None


def without_login(url: str) -> str:
    """The address without user and password; git's `user@host:path` stays, it holds none."""
    return _USERINFO.sub("", url)


def masked(text: str) -> str:
    """The text without logins in addresses, signatures and well-known kinds of keys."""
    text = _QUERY.sub(r"\1" + HIDDEN, _USERINFO.sub(HIDDEN + "@", text))
    return _KEYS.sub(HIDDEN, _ASSIGNED.sub(_hidden, text))


def _hidden(match: "re.Match[str]") -> str:
    return match[1] + match[2] + HIDDEN if is_secret(match[1]) else match[0]


def masked_arguments(args: Sequence[str]) -> List[str]:
    """The arguments without secrets: what follows --token, stands behind --token= or token=."""
    found = []
    for before, word in zip(["", *args], args):
        name, equals, _ = word.partition("=")
        if equals and is_secret(name) and re.fullmatch(r"[\w.+~/@-]+", name):
            found.append(name + "=" + HIDDEN)
        elif before.startswith("-") and "=" not in before and is_secret(before):
            found.append(word if word.startswith("--") else HIDDEN)
        else:
            found.append(masked(word))
    return found
