"""The package for training environments, imported from its folder; nothing of it is installed."""

import sys
from pathlib import Path

import pytest

CAPTURE = Path(__file__).parents[2] / "capture"
sys.path.insert(0, str(CAPTURE))


@pytest.fixture(autouse=True)
def nothing_missing(monkeypatch):
    """Each test counts anew what is missing; capturing is on here."""
    from reprocheck_capture import failures, record

    monkeypatch.delenv("REPROCHECK_CAPTURE", raising=False)
    monkeypatch.setattr(failures, "_warned", [])
    monkeypatch.setattr(record, "_known", [])
    failures.MISSING.clear()
    return failures.MISSING


@pytest.fixture
def in_repo(repo, monkeypatch):
    """A repository with one commit, in which this process seems to run train.py."""
    repo.commit({"train.py": "print(1)\n", "lib.py": "a = 1\n"})
    monkeypatch.chdir(repo.path)
    script = str(repo.path / "train.py")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", script, raising=False)  # xdist's: none
    return repo
