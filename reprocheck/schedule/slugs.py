"""Names of runs that may name a job or an artifact."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

LONGEST = 40


def slug(name: str, run_id: str, taken: Iterable[str] = ()) -> str:
    """At most `LONGEST` of [a-z0-9-]: what is left of the name, and 8 hexadecimal digits.

    It is the same each time, unless it is taken.
    """
    plain = unicodedata.normalize("NFKD", name[:200]).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain)[: LONGEST - 9].strip("-") or "run"
    others, salt = frozenset(taken), 0
    while True:
        found = f"{words}-{_digits(run_id, salt)}"
        if found not in others:
            return found
        salt += 1


def is_of(name: str, run_id: str) -> bool:
    """Whether a name that ends in a slug is that of the run."""
    return any(name.endswith(f"-{_digits(run_id, salt)}") for salt in range(3))


def _digits(run_id: str, salt: int) -> str:
    whole = f"{run_id} {salt}" if salt else run_id
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:8]
