"""Shared by all tests: a scrubbed environment, real git repositories, and honest skips."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests import finding_codes, warm

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.lab import Lab

pytest_plugins = ("tests.mlflow_versions", "tests.forges.github_fixture")

REQUIRE_ALL = os.environ.get("REPROCHECK_REQUIRE_ALL") == "1"
SCRUBBED = ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "CLICOLOR", "MLFLOW_", "GITHUB_", "GIT_")
KEPT = ("GIT_SSL_CAINFO",)
# For what is committed before a test's own environment is set.
AUTHOR = ("-c", "user.name=Test", "-c", "user.email=test@example.com")


WATCHER = finding_codes.Watcher()

# The same examples in every run, however slow the machine: another one is no reason to be red.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")


def pytest_configure() -> None:
    WATCHER.install()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Fails a test in which a finding has a code without a section in docs/findings.md."""
    try:
        yield
    finally:
        unknown, WATCHER.unknown = sorted(WATCHER.unknown), set()
    assert not unknown, f"codes without a section in docs/findings.md: {', '.join(unknown)}"


# It is installed with us, and would record the tests' trainings as runs of this repository.
# Fixtures of a wider scope than a test's are set up before the test's own variables.
UNRECORDED = ("REPROCHECK_CAPTURE", "off")
os.environ.update([UNRECORDED])


@pytest.fixture(autouse=True, scope="session")
def own_state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every `verify` keeps its report, and none belongs among the user's own."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(autouse=True)
def scrubbed_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(SCRUBBED) and name not in KEPT:
            monkeypatch.delenv(name)
    set_author(monkeypatch)


def set_author(patch: pytest.MonkeyPatch) -> None:
    """A git author that needs no configuration, and tools that report to nobody."""
    for name in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{name}_NAME", "Test")
        patch.setenv(f"GIT_{name}_EMAIL", "test@example.com")
    patch.setenv("DVC_NO_ANALYTICS", "1")
    patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    patch.setenv(*UNRECORDED)


def need(program: str) -> str:
    """The path of a program; without it the test is skipped, or fails where all are required."""
    found = shutil.which(program)
    if found is None:
        absent(f"{program} is not installed")
    return str(found)


def absent(reason: str) -> None:
    if REQUIRE_ALL:
        pytest.fail(f"required here: {reason}")
    pytest.skip(reason)


class Repo:
    """A real git repository."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    @classmethod
    def at(cls, path: Path) -> Repo:
        """One that exists."""
        repo = object.__new__(cls)
        repo.path = path
        return repo

    def git(self, *args: str) -> str:
        argv = ("git", "-c", "protocol.file.allow=always", *AUTHOR, *args)
        done = subprocess.run(argv, cwd=self.path, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def write(self, files: dict[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: dict[str, str | bytes] | None = None, message: str = "Change") -> str:
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def dvc(self, *args: str) -> None:
        done = warm.python("-m", "dvc", *args, cwd=self.path)
        assert done.returncode == 0, done.stderr.decode()


@contextmanager
def shared_folder(factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """A folder that all workers of xdist share; one of them at a time is in the block.

    Whoever finds it absent makes it. Git's author is set here, for session fixtures.
    """
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"shared-{name}"
    shared.parent.mkdir(exist_ok=True)
    with shared.with_suffix(".lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        set_author(patch)
        yield shared


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A project with a seeded and an unseeded run; made once, copied by the workers of xdist."""
    from tests.lab import Lab, copy_of

    with shared_folder(tmp_path_factory, "lab") as shared:
        ids = shared / "ids"
        if not ids.exists():
            made = Lab(shared)
            ids.write_text(f"{made.train('--seed', '7')} {made.train()}")
        original = Lab.at(shared)
        original.seeded, original.unseeded = ids.read_text().split()
    return copy_of(original, tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium, one for all tests of a worker, which ask it for pages of their own."""
    chromium = need("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def bubblewrap() -> None:
    from reprocheck.environments.isolation import offered

    need("bwrap")
    offer = offered(os.environ)
    if offer.level != "bubblewrap":
        absent(offer.reason)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder with its mode and content: for proofs that nothing was touched."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            str(path.readlink()).encode() if path.is_symlink() else path.read_bytes(),
        )
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture
def untouched(repo: Repo) -> Iterator[None]:
    """Fails the test when the user's repository is not byte for byte as before."""
    before = snapshot(repo.path)
    yield
    assert snapshot(repo.path) == before
