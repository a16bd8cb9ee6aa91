"""How trials without a container are kept apart: by bubblewrap where it works, else by nothing but
the process group and its supervisor.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck import process
from reprocheck.environments import bubblewrap, refusals
from reprocheck.environments.bubblewrap import Bubblewrap
from reprocheck.environments.hidden import Mounts
from reprocheck.environments.reach import Reach
from reprocheck.model import Finding, Limits, Severity

PLAIN = "process group under a supervisor"
_VISIBLE = (
    "what it reads must be in the tree, in a folder of the home whose name has no dot, outside of "
    "home, /tmp and /var/tmp, or named by a variable of pass_env"
)
_NOT_KEPT = frozenset({"memory", "cpus", "gpus", "pids"})  # by any way but containers


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """What a machine offers for trials without a container."""

    level: str  # "bubblewrap" or `PLAIN`
    version: str = ""  # bubblewrap's, also where it does not work
    reason: str = ""  # why it is not bubblewrap
    hint: str = ""  # what would mend that


@dataclass(frozen=True, kw_only=True, slots=True)
class Isolation:
    """How the trials of an environment are kept apart, and within which limits."""

    offer: Offer
    limits: Limits
    way: Bubblewrap | None  # None: plain

    @property
    def told(self) -> str:
        """What trials cannot reach, in words."""
        if self.way is None:
            return f"{PLAIN}; network not restricted ({self.offer.reason}: {self.offer.hint})"
        network = "with network" if self.limits.network else "no network"
        shm = self.limits.shm if self.way.keeps_shm else None
        more = f", {shm / 2**30:.3g} GiB of /dev/shm" if shm else ""
        return (
            f"bubblewrap {self.offer.version}: {network}, read-only but for the trial's folders, "
            f"secrets of the home hidden, own processes, no capabilities{more}"
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Names the limits that the config sets and that are not kept this way."""
        names = sorted(name for name in self.limits.named if self._is_ignored(name))
        if not names:
            return ()
        listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
        means = "bubblewrap" if self.way else "a plain process group"
        told = f"the limits of {listed} in the config are not kept: the trials ran in {means}"
        return (_not_kept(told, self.offer),)

    def findings_of_setup(self, *, network: bool) -> tuple[Finding, ...]:
        """Says so where a setup was to have no network, and nothing kept it from it."""
        if network or self.way is not None:
            return ()
        told = "environment.network: none is not kept: the setup ran in a plain process group"
        return (_not_kept(told, self.offer),)

    def _is_ignored(self, name: str) -> bool:
        match name:
            case "gpus":
                return self.limits.gpus > 0 or self.way is None
            case "shm":
                return self.way is None or not self.way.keeps_shm
            case "network":
                return self.way is None and not self.limits.network
        return name in _NOT_KEPT

    def run(
        self, call: process.Call, reach: Reach, run: Callable[[process.Call], process.Completed]
    ) -> process.Completed:
        """How a command ends that reaches no more than it may; `run` runs what it is given.

        Raises what `run` does, `FileNotFoundError` when there is no such program, `RerunError` when
        the sandbox could not be made.
        """
        return run(call) if self.way is None else self.way.run(call, reach, run)

    def hidden(self, reach: Reach) -> Callable[[str], bool]:
        """Whether a command finds something of its own at a path, not what the machine has."""
        mounts = None if self.way is None else Mounts(self.way.caller, reach)
        return lambda path: mounts is not None and mounts.hides(Path(path))

    def explanation(self, output: str, reach: Reach, who: str = refusals.TRIAL) -> str:
        """What the sandbox had to do with a failure that printed this; "" where nothing shows."""
        if self.way is None:
            return ""
        if path := refusals.written(output):
            return f"{who} wanted to write {path}; it can write in its tree, HOME and /tmp only"
        path = refusals.missed(output)
        mounts = Mounts(self.way.caller, reach)
        if path and os.access(path, os.F_OK) and mounts.hides(Path(path)):
            return f"{who} wanted {path}, which is hidden from it; {_VISIBLE}"
        return "" if reach.network else refusals.network(output, who, "the sandbox")


def offered(env: Mapping[str, str]) -> Offer:
    """What this machine offers; bubblewrap is tried, not only looked for."""
    return _offer(bubblewrap.find(env))


def chosen(env: Mapping[str, str], limits: Limits) -> Isolation:
    """The best isolation that this machine offers, for trials within limits."""
    found = bubblewrap.find(env)
    way = None
    if isinstance(found, Bubblewrap):
        way = Bubblewrap(program=found.program, version=found.version, caller=env, limits=limits)
    return Isolation(offer=_offer(found), limits=limits, way=way)


def _offer(found: Bubblewrap | bubblewrap.Refusal) -> Offer:
    if isinstance(found, Bubblewrap):
        return Offer(level="bubblewrap", version=found.version)
    return Offer(level=PLAIN, version=found.version, reason=found.reason, hint=found.hint)


def _not_kept(message: str, offer: Offer) -> Finding:
    mend = f"{offer.hint} ({offer.reason}), or " if offer.reason else ""
    return Finding(
        code="limits-not-kept",
        severity=Severity.WARNING,
        message=message,
        hint=f"{mend}record a Dockerfile or an image, or remove the limits",
        pointer="/environment",
    )
