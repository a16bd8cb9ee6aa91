import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reprocheck.errors import ReprocheckError
from reprocheck.temporary import remove_dead, temporary_folder

INTERRUPTED = """
import os, signal, subprocess
from pathlib import Path
from reprocheck.cli import _interrupt
from reprocheck.errors import Interruption
from reprocheck.temporary import temporary_folder

signal.signal(signal.SIGTERM, _interrupt)
try:
    with temporary_folder() as folder:
        for number in range(5_000):
            (folder / str(number)).touch()
        killer = subprocess.Popen(["sh", "-c", f"sleep 0.02; kill -TERM {os.getpid()}"])
    killer.wait()
    signal.sigtimedwait([], 0.1)
except Interruption as interruption:
    print(interruption.signum, folder.exists())
"""


def test_it_is_removed_at_the_end_and_after_an_error() -> None:
    with pytest.raises(KeyError), temporary_folder() as folder:
        (folder / "file").touch()
        raise KeyError
    assert not folder.exists()


def test_it_stays_when_it_is_to_be_kept() -> None:
    with temporary_folder(keep=True) as folder:
        pass
    folder.rmdir()


def test_a_signal_during_the_removal_waits_for_its_end(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", INTERRUPTED]
    env = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(argv, env=env, capture_output=True, check=False)
    assert done.stdout.split() == [b"15", b"False"], done.stderr.decode()
    assert list(tmp_path.iterdir()) == []


def test_signals_arrive_in_the_block_and_after_it() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with temporary_folder():
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


def test_a_folder_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/dev/null/tmp")
    told = pytest.raises(ReprocheckError, match="making a temporary folder")
    with told as caught, temporary_folder():
        pass
    assert "TMPDIR" in caught.value.hint


def test_a_folder_of_a_killed_process_is_removed_and_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = "import os, tempfile, sys\nfrom reprocheck.temporary import temporary_folder\n"
    code += "with temporary_folder(keep=bool(sys.argv[1:])):\n    os.kill(os.getpid(), 9)\n"
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    for argument in ((), ("keep",)):
        subprocess.run([sys.executable, "-c", code, *argument], env=env, check=False)
    (tmp_path / "reprocheck-mine.tmp").mkdir()
    with temporary_folder() as alive:
        assert remove_dead() == 1
        assert alive.is_dir()
    assert len(list(tmp_path.iterdir())) == 2
