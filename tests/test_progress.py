import dataclasses
import io
import os
import pty
import re
import subprocess
import sys
import threading
import time

import pytest
from rich.cells import cell_len

from reprocheck.model import Stage, StageResult, StageStatus
from reprocheck.progress import Silent, Terminal, lines
from reprocheck.workflow_log import TOKEN

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


def _words(text):
    """The lines without escapes, each with single blanks."""
    return [" ".join(line.split()) for line in _plain(text).replace("\r", "\n").split("\n")]


@pytest.fixture(autouse=True)
def no_job(monkeypatch):
    for name in ("GITHUB_ACTIONS", TOKEN):
        monkeypatch.delenv(name, raising=False)


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
    with Terminal(out, clock) as progress:
        progress.start(Stage.RERUN, "rerun 1")
        for clock.now in range(100):
            progress.update(f"loss at {clock.now}\nnext look after 3")
    assert out.getvalue().splitlines() == [
        "rerun: rerun 1",
        "  rerun 30 s: loss at 30; next look after 3",
        "  rerun 1 min: loss at 60; next look after 3",
        "  rerun 1 min 30 s: loss at 90; next look after 3",
    ]


def test_without_a_terminal_a_stage_that_says_nothing_is_seen_to_live(monkeypatch):
    monkeypatch.setattr(lines, "_BEAT_S", 0.001)
    out, clock = io.StringIO(), Clock()
    with Terminal(out, clock) as progress:
        progress.start(Stage.REBUILD, "building")
        clock.now = 31.0
        for _ in range(5000):
            if out.getvalue().count("\n") > 1:
                break
            time.sleep(0.001)
    assert out.getvalue() == "rebuild: building\n  rebuild 31 s: building\n"


def test_in_a_job_each_stage_is_a_group_and_no_text_is_a_command(monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    out = io.StringIO()
    with Terminal(out) as progress:
        progress.start(Stage.REBUILD, "::error::a\n100 %")
        progress.say("::set-env name=x::y\n ::error::x\nsee ##[error]z")
        progress.finish(PASSED)
        progress.start(Stage.RERUN, "at most 8 trials")
        progress.finish(dataclasses.replace(FAILED, summary="::error::x"))
        progress.start(Stage.RERUN, "interrupted")
    assert out.getvalue().splitlines() == [
        "::group::rebuild: ::error::a 100 %25",
        ": :set-env name=x::y",
        " : :error::x",
        "see ## [error]z",
        "::endgroup::",
        "✓ rebuild 42 s  2 packages",
        "::group::rerun: at most 8 trials",
        "::endgroup::",
        "✗ restore 0.5 s  ::error::x",
        "::group::rerun: interrupted",
        "::endgroup::",
    ]


def test_for_a_process_that_writes_the_log_groups_begin_with_its_word(monkeypatch):
    monkeypatch.setenv(TOKEN, "word")
    out = io.StringIO()
    with Terminal(out) as progress:
        progress.start(Stage.READ, "r")
        progress.finish(PASSED)
    assert out.getvalue() == "word::group::read: r\nword::endgroup::\n✓ rebuild 42 s  2 packages\n"


def test_a_terminal_keeps_a_line_for_each_stage(tty):
    with Terminal(tty.stream, stages=tuple(Stage)) as progress:
        for result in (PASSED, FAILED, SKIPPED):
            progress.start(result.stage, "working")
            progress.finish(result)
    seen = _words(tty.text())
    for line in ("✓ rebuild 42 s 2 packages", "✗ restore 0.5 s", "– rerun 0.0 s"):
        assert line in seen
    assert "compare" in seen  # to come
    assert seen.index("– rerun 0.0 s") > len(seen) - 6  # the list stays, without it


def test_a_terminal_shows_the_running_stage_and_its_time(tty):
    clock = Clock()
    with Terminal(tty.stream, clock) as progress:
        progress.start(Stage.RERUN, "at most 5 trials")
        clock.now = 75.0
        progress.update("[red]trial 2[/red]\nnext look after trial 3")
        progress.say("kept")
        progress._view._live.refresh()
    seen = _words(tty.text())
    assert "⠋ rerun 0.0 s at most 5 trials" in seen
    assert "⠋ rerun 1 min 15 s at most 5 trials" in seen
    assert "[red]trial 2[/red]" in seen
    assert "next look after trial 3" in seen
    assert "kept" in seen


@pytest.mark.parametrize(("width", "height"), [(80, 24), (30, 6), (12, 3)])
def test_the_list_fits_the_terminal(tty, monkeypatch, width, height):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("LINES", str(height))
    with Terminal(tty.stream, stages=tuple(Stage)) as progress:
        for stage in tuple(Stage)[:4]:
            result = dataclasses.replace(PASSED, stage=stage, summary="数" * 100)
            progress.start(stage, "x" * 200)
            progress.finish(result)
        progress.start(Stage.RESTORE, "数" * 100)
        progress.update("y" * 500 + "\nz\nz")
        frame = _plain(str(progress._view._frame())).split("\n")
    assert max(map(cell_len, frame)) < width
    assert len(frame) < height
    assert any("restore" in line for line in frame)


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
