import io
import os
import pty
import re
import subprocess
import sys
import threading

import pytest

from reprocheck.model import Stage, StageResult, StageStatus
from reprocheck.progress import Silent, Terminal

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
PASSED = StageResult(
    stage=Stage.REBUILD, status=StageStatus.PASSED, duration_s=42.0, summary="2 packages"
)
FAILED = StageResult(stage=Stage.RESTORE, status=StageStatus.FAILED, duration_s=0.5)
SKIPPED = StageResult(stage=Stage.RERUN, status=StageStatus.SKIPPED, duration_s=0.0)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Tty:
    """A real terminal: what is written to `stream` is read back from its other side."""

    def __init__(self):
        self._master, slave = pty.openpty()
        self.stream = os.fdopen(slave, "w", encoding="utf-8")
        self._read = bytearray()
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    def _drain(self):
        try:
            while chunk := os.read(self._master, 65536):
                self._read += chunk
        except OSError:  # Linux: the other side was closed
            pass

    def text(self):
        self.stream.close()
        self._reader.join(5)
        return self._read.decode()

    def close(self):
        self.text()
        os.close(self._master)


@pytest.fixture
def tty(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    tty = Tty()
    yield tty
    tty.close()


def _plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_without_a_terminal_each_event_is_a_line():
    out = io.StringIO()
    with Terminal(out) as progress:
        progress.start(Stage.REBUILD, "installing 2 packages")
        progress.say("cost: [bold]4 min[/bold]")
        progress.finish(PASSED)
        progress.finish(FAILED)
    assert out.getvalue().splitlines() == [
        "rebuild: installing 2 packages",
        "cost: [bold]4 min[/bold]",
        "rebuild: passed, 42 s  2 packages",
        "restore: failed, 0.5 s",
    ]


def test_without_a_terminal_updates_are_rare():
    out, clock = io.StringIO(), Clock()
    progress = Terminal(out, clock)
    progress.start(Stage.RERUN, "rerun 1")
    for clock.now in range(100):
        progress.update(f"loss at {clock.now}")
    assert out.getvalue().splitlines() == [
        "rerun: rerun 1",
        "  loss at 30",
        "  loss at 60",
        "  loss at 90",
    ]


def test_a_terminal_keeps_a_line_for_each_stage(tty):
    with Terminal(tty.stream) as progress:
        for result in (PASSED, FAILED, SKIPPED):
            progress.start(result.stage, "working")
            progress.finish(result)
    text = _plain(tty.text())
    assert "✓ rebuild 42 s  2 packages" in text
    assert "✗ restore 0.5 s" in text
    assert "– rerun 0.0 s" in text


def test_a_terminal_shows_the_running_stage_and_its_time(tty):
    clock = Clock()
    with Terminal(tty.stream, clock) as progress:
        progress.start(Stage.RERUN, "rerun 1 of 5")
        clock.now = 75.0
        progress.update("[red]rerun 2[/red] of 5")
        progress.say("kept")
    text = _plain(tty.text())
    assert "rerun 0.0 s  rerun 1 of 5" in text
    assert "rerun 1 min 15 s  [red]rerun 2[/red] of 5" in text
    assert "kept\r\n" in text


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
def test_the_cursor_comes_back_also_after_an_exception(tty, error):
    with pytest.raises(error), Terminal(tty.stream) as progress:
        progress.start(Stage.RERUN, "working")
        raise error
    text = tty.text()
    assert HIDE in text
    assert text.rindex(SHOW) > text.rindex(HIDE)


def test_the_cursor_comes_back_when_nobody_closed(tty):
    script = (
        "import sys; from reprocheck.progress import Terminal; from reprocheck.model import Stage;"
        "Terminal(sys.stderr).start(Stage.READ, 'reading')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], stderr=tty.stream, timeout=60, check=False
    )
    text = tty.text()
    assert done.returncode == 0
    assert text.rindex(SHOW) > text.rindex(HIDE)


def test_no_color_is_respected(tty, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    with Terminal(tty.stream) as progress:
        progress.start(Stage.REBUILD, "working")
        progress.finish(PASSED)
    assert not re.search(r"\x1b\[[0-9;]*[34][0-9]", tty.text())


def test_color_without_no_color(tty):
    with Terminal(tty.stream) as progress:
        progress.finish(PASSED)
    assert "\x1b[32m✓" in tty.text()


def test_a_dumb_terminal_gets_plain_lines(tty, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    with Terminal(tty.stream) as progress:
        progress.start(Stage.READ, "reading")
    assert tty.text() == "read: reading\r\n"


@pytest.mark.parametrize("live", [True, False])
def test_a_runs_text_moves_no_cursor(tty, live):
    out = tty.stream if live else io.StringIO()
    with Terminal(out) as progress:
        progress.say("a\x1b]0;title\x07b\x1b[2Jc https://me:hunter2@example.org")
    text = tty.text() if live else out.getvalue()
    assert text.strip() == "a�]0;title�b�[2Jc https://***@example.org"


@pytest.mark.parametrize("live", [True, False])
def test_a_reader_that_is_gone_is_no_failure(tty, live):
    out = tty.stream if live else io.StringIO()
    progress = Terminal(out)
    out.close()
    with progress:
        progress.start(Stage.READ, "reading")
        progress.say("x")
        progress.finish(PASSED)


def test_text_that_the_stream_cannot_encode_is_replaced():
    raw = io.BytesIO()
    with Terminal(io.TextIOWrapper(raw, encoding="ascii", write_through=True)) as progress:
        progress.say("café")
        assert raw.getvalue() == b"caf?\n"


def test_stdout_stays_the_callers(tty, capsys):
    with Terminal(tty.stream) as progress:
        progress.start(Stage.READ, "reading")
        sys.stdout.write("report")
    assert capsys.readouterr().out == "report"
    assert "report" not in tty.text()


def test_importing_progress_does_not_import_rich():
    script = "import sys, reprocheck.progress; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode == 0


def test_silent_says_nothing(capsys):
    progress = Silent()
    progress.start(Stage.READ, "x")
    progress.update("x")
    progress.say("x")
    progress.finish(PASSED)
    assert capsys.readouterr() == ("", "")
