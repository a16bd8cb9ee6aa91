import os
from pathlib import Path

import pytest

from reprocheck.git import Git
from tests.conftest import Repo

# An ssh whose host is this machine: it runs the command that git asks for, its last argument.
SSH = '#!/bin/sh\necho "$@" >>"{log}"\nfor last; do :; done\nexec /bin/sh -c "$last"\n'


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the ssh on the PATH was called with."""
    program, log = tmp_path / "bin/ssh", tmp_path / "asked"
    program.parent.mkdir()
    program.write_text(SSH.format(log=log))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    return log


def listed(repo: Repo) -> str:
    done = Git(repo.path, os.environ)("ls-remote", f"ssh://host{repo.path}", trusting=True)
    return done.stdout.decode()


def test_a_silent_ssh_is_not_waited_for_without_end(repo: Repo, asked: Path) -> None:
    commit = repo.commit({"a": "1"})
    assert commit in listed(repo)
    assert "-o ServerAliveInterval=30" in asked.read_text()


@pytest.mark.parametrize("by", ["config", "GIT_SSH_COMMAND"])
def test_an_ssh_of_the_users_own_stays(
    by: str, repo: Repo, asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = repo.commit({"a": "1"})
    if by == "config":
        (tmp_path / "gitconfig").write_text("[core]\nsshCommand = ssh -v\n")
    else:
        monkeypatch.setenv(by, "ssh -v")
    assert commit in listed(repo)
    assert "ServerAlive" not in asked.read_text()
    assert "-v" in asked.read_text().split()
