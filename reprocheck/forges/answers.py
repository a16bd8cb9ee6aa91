"""Answers of a forge that are not of its form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reprocheck.errors import ForgeError


@contextmanager
def reading(doing: str, forge: str = "GitHub") -> Iterator[None]:
    """Turns an answer of another shape than the forge's into a `ForgeError`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as failure:
        raise ForgeError(
            f"could not {doing}: the answer is not of {forge}'s form "
            f"({type(failure).__name__}: {str(failure)[:80]})",
            "check the address of its interface, and proxies on the way there",
        ) from failure
