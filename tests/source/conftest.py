from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from reprocheck.model import Artifact, CodeState, TreeState
from reprocheck.progress import Silent
from reprocheck.source import Checkout, CheckoutRequest, Kept, checkout
from tests.conftest import Repo
from tests.reporters.builders import make_code
from tests.source.git_host import Host, serving

CheckOut = Callable[..., Checkout]


@pytest.fixture
def check_out(tmp_path: Path) -> CheckOut:
    """Checks out from a directory in no repository, unless told otherwise."""

    def make(commit: str = "", cwd: Path = tmp_path, **changes: object) -> Checkout:
        names = {field.name for field in dataclasses.fields(CheckoutRequest)}
        if isinstance(changes.get("tree"), TreeState):
            names.remove("tree")  # the code's state, not where to put it
        of_request = {name: changes.pop(name) for name in names & set(changes)}
        code: CodeState = make_code(**{"commit": commit, "repository": None, **changes})
        request = CheckoutRequest(
            code=code, repo=None, cwd=cwd, env=dict(os.environ), tree=tmp_path / "w" / "tree"
        )
        return checkout(dataclasses.replace(request, **of_request), Silent())

    return make


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with serving(tmp_path) as found:
        yield found


@pytest.fixture
def served(repo: Repo, tmp_path: Path) -> Repo:
    """A bare repository that the host serves as hosted.git."""
    repo.git("init", "--quiet", "--bare", str(tmp_path / "hosted.git"))
    repo.git("remote", "add", "origin", str(tmp_path / "hosted.git"))
    return Repo.at(tmp_path / "hosted.git")


def kept(folder: Path, files: Mapping[str, str | bytes], *, whole: bool = True) -> Kept:
    """A run's artifacts, as files in a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def fetch(paths: Sequence[str], _: Path) -> Mapping[str, Path]:
        return {path: folder / path for path in paths}

    artifacts = tuple(Artifact(path=name, size=len(content)) for name, content in files.items())
    return Kept(artifacts=artifacts, fetch=fetch, whole=whole)


def codes(done: Checkout) -> list[str]:
    return [finding.code for finding in done.findings]
