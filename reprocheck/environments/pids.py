"""Process ids for trials that have a namespace of their own, where counting starts anew.

There every trial would have the same ids. A training that seeds itself by `os.getpid()` would then
repeat itself exactly, and look as if it had no noise.
"""

from __future__ import annotations

import itertools
import secrets

_DISTINCT = 61  # a prime; each costs a fork, below a millisecond
_STRIDE = 17  # further apart than the helpers of most trainings
_starts = itertools.count(secrets.randbelow(_DISTINCT))


def script() -> str:
    """Lines for /bin/sh that use up some process ids: another number at each call of this process,
    for as many calls as a verification has trials.
    """
    used = next(_starts) * _STRIDE % _DISTINCT
    # In a shell of its own: the training may have a variable of that name.
    return f"(n={used}; while [ $n -gt 0 ]; do (:); n=$((n-1)); done)\n"
