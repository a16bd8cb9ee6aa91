"""Logins and tokens in the addresses of what builders print: no report holds them."""

from __future__ import annotations

import re

# A password may hold an @, too; and uv takes some addresses for paths, with one slash.
_LOGIN = re.compile(r"(\w:/{1,2})[^/\s]+@")
_CONDA_TOKEN = re.compile(r"/t/[^/\s]+/")


def without_secrets(text: str) -> str:
    """The text without the logins of addresses in it, and without the tokens of conda channels."""
    return _CONDA_TOKEN.sub("/t/***/", _LOGIN.sub(r"\1***@", text))
