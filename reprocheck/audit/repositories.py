"""Which commits git repositories have: each repository is asked once for all of them."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from reprocheck.errors import SourceError
from reprocheck.git import Git, last_lines
from reprocheck.hostile import redact
from reprocheck.process import Completed
from reprocheck.source import ids

LIST_S = 20.0
"""Seconds that a remote has to list its refs."""
BY_ID_S = 30.0
"""Seconds in which a remote is asked for commits by their ids."""

_ASKERS = 6  # requests at a time to one remote
_LACKS = re.compile(rb"not our ref ([0-9a-f]{40,64})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a repository has of the commits it was asked for. Of the rest nothing is known."""

    words: str
    has: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    problem: str = ""  # why it could not be asked at all


def present(git: Git, wanted: Iterable[str]) -> dict[str, str]:
    """The commits that a local repository has: in full, by the ids that were asked for."""
    asked = list(wanted)
    full = [each for each in asked if len(each) in ids.LENGTHS]
    found = dict(zip(full, _commits(git, full), strict=True))
    found |= {each: _resolved(git, each) for each in asked if len(each) not in ids.LENGTHS}
    return {each: name for each, name in found.items() if name}


def _commits(git: Git, names: list[str]) -> list[str]:
    """What each id is as a commit; "" for what is none, or is not there."""
    if not names:
        return []
    lines = "".join(f"{name}^{{commit}}\n" for name in names).encode()
    done = git("cat-file", "--batch-check=%(objectname)", trusting=True, check=False, stdin=lines)
    told = done.stdout.decode(errors="replace").splitlines()
    if len(told) != len(names):
        return [""] * len(names)
    return [line if " " not in line else "" for line in told]


def _resolved(git: Git, name: str) -> str:
    try:
        return ids.resolve(git, name) or ""
    except SourceError:
        return ""  # of several commits: none is meant for sure


def in_folder(folder: Path, words: str, wanted: Iterable[str], env: Mapping[str, str]) -> Answer:
    """What a repository on this machine has."""
    git, asked = Git(folder, env), frozenset(wanted)
    if not git.text("rev-parse", "--git-dir", trusting=True):
        return Answer(words=words, problem="it is no git repository, or git does not trust it")
    has = frozenset(present(git, asked))
    return Answer(words=words, has=has, lacks=asked - has)


@dataclass(frozen=True, kw_only=True, slots=True)
class Remote:
    """A repository that is asked over the network."""

    url: str
    env: Mapping[str, str]
    scratch: Path
    home: Git | None = None  # a clone here, which knows what the remote's refs lead to

    @property
    def words(self) -> str:
        """What it is, for messages."""
        return redact(self.url)

    def answer(self, wanted: Mapping[str, str]) -> Answer:
        """Which commits it has; `wanted` maps ids as recorded to ids in full, where known.

        Nothing is written but to `scratch`.
        """
        listed = Git(self.scratch, self.env, LIST_S)(
            "ls-remote", "--quiet", "--", self.url, trusting=True, check=False
        )
        if listed.timed_out or listed.exit_code:
            late = f"it did not answer within {LIST_S:.0f} s"
            said = late if listed.timed_out else redact(last_lines(listed.stderr, 2))
            return Answer(words=self.words, problem=said)
        tips = {line.split()[0] for line in listed.stdout.decode(errors="replace").splitlines()}
        has = {asked for asked, full in wanted.items() if _is_tip(full, tips)}
        led, lacks = self._by_history({a: f for a, f in wanted.items() if a not in has}, tips)
        has |= led
        left = {a: f for a, f in wanted.items() if a not in has | lacks}
        sent, refused = self._by_id({f for f in left.values() if len(f) in ids.LENGTHS})
        return Answer(
            words=self.words,
            has=frozenset(has | {asked for asked, full in left.items() if full in sent}),
            lacks=frozenset(lacks | {asked for asked, full in left.items() if full in refused}),
        )

    def _by_history(self, wanted: Mapping[str, str], tips: set[str]) -> tuple[set[str], set[str]]:
        """What the remote's refs lead to, and what none leads to, as the clone here says."""
        if self.home is None:
            return set(), set()
        here = present(self.home, {full for full in wanted.values() if len(full) in ids.LENGTHS})
        known = [name for name in _commits(self.home, sorted(tips)) if name]
        lines = "".join([*(f"{name}\n" for name in here), *(f"^{name}\n" for name in known)])
        done = self.home("rev-list", "--stdin", trusting=True, check=False, stdin=lines.encode())
        if done.exit_code or not here:
            return set(), set()
        apart = set(done.stdout.decode(errors="replace").split())
        led = {a for a, f in wanted.items() if f in here and f not in apart}
        whole = len(known) == len(tips)  # else a ref that is new to us may lead there
        return led, {a for a, f in wanted.items() if f in apart} if whole else set()

    def _by_id(self, wanted: set[str]) -> tuple[set[str], set[str]]:
        """What the remote sends when it is asked for a commit alone, and what it says it lacks."""
        has: set[str] = set()
        lacks: set[str] = set()
        deadline = time.monotonic() + BY_ID_S
        parts = [sorted(wanted)[start::_ASKERS] for start in range(_ASKERS)]
        with ThreadPoolExecutor(_ASKERS) as pool:
            for sent, refused in pool.map(lambda part: self._sent(part, deadline), parts):
                has |= sent
                lacks |= refused
        return has, lacks

    def _sent(self, wanted: list[str], deadline: float) -> tuple[set[str], set[str]]:
        """A request fails at the first commit that is not there, and names it."""
        left, lacks = set(wanted), set[str]()
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        try:
            while left:
                seconds = deadline - time.monotonic()
                done = self._fetch(folder, sorted(left), seconds) if seconds > 0 else None
                if done is None or done.timed_out:
                    return set(), lacks
                if done.exit_code == 0:
                    return left, lacks
                named = {name.decode() for name in _LACKS.findall(done.stderr)} & left
                if not named:
                    return set(), lacks  # it does not tell, as servers that send refs alone
                lacks |= named
                left -= named
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return set(), lacks

    def _fetch(self, folder: Path, wanted: list[str], seconds: float) -> Completed:
        git = Git(folder, self.env, seconds)
        if not (folder / "HEAD").exists():
            kind = "sha256" if len(wanted[0]) == ids.LENGTHS[1] else "sha1"
            git("init", "--quiet", "--bare", "--template=", f"--object-format={kind}")
        options = ("--quiet", "--no-tags", "--depth=1", "--filter=tree:0", "--no-write-fetch-head")
        return git("fetch", *options, "--", self.url, *wanted, trusting=True, check=False)


def _is_tip(wanted: str, tips: set[str]) -> bool:
    if len(wanted) in ids.LENGTHS:
        return wanted in tips
    return sum(tip.startswith(wanted) for tip in tips) == 1
