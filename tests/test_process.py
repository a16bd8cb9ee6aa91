"""process: real commands, and what is left of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reprocheck.errors import ReprocheckError
from reprocheck.process import Call, Completed, attend, run, supervise

ENV = {"PATH": "/usr/bin:/bin"}
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper and /proc")

# A daemon: leaves its session twice, ignores SIGTERM, says its pid in the file named by argv[1].
DAEMON = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        with open(sys.argv[1] + ".new", "w") as file:
            file.write(str(os.getpid()))
        os.rename(sys.argv[1] + ".new", sys.argv[1])
        time.sleep(120)
    os._exit(0)
"""
STAY = "\ntime.sleep(120)"
WAIT_FOR_FILE = """
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
"""


def python(code: str, *args: str, cwd: Path, timeout_s: float | None = 60) -> Call:
    argv = (sys.executable, "-I", "-S", "-c", code, *args)
    return Call(argv=argv, cwd=cwd, env=ENV, timeout_s=timeout_s)


def shell(line: str, cwd: Path, *, timeout_s: float | None = 60, stdin: bytes = b"") -> Call:
    return Call(argv=("sh", "-c", line), cwd=cwd, env=ENV, timeout_s=timeout_s, stdin=stdin)


def log_of(call: Call, *, limit: int = 1_000_000) -> tuple[Completed, bytes]:
    log = call.cwd / "log"
    completed = supervise(call, log=log, log_limit=limit)
    return completed, log.read_bytes()


def alive(pid_file: Path) -> bool:
    pid = int(pid_file.read_text())
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


# --- run ----------------------------------------------------------------------------------


def test_run_captures_both_streams_and_the_exit_code(tmp_path):
    done = run(shell("echo out; echo err >&2; exit 7", tmp_path))
    assert (done.stdout, done.stderr, done.exit_code) == (b"out\n", b"err\n", 7)
    assert not done.timed_out


def test_run_hands_over_stdin_longer_than_a_pipe(tmp_path):
    given = os.urandom(500_000)
    assert run(shell("sleep 0.3; cat", tmp_path, stdin=given)).stdout == given


def test_run_gives_nothing_of_our_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("REPROCHECK_SECRET", "hidden")
    assert b"hidden" not in run(shell("env", tmp_path)).stdout


def test_run_works_in_the_directory_it_was_given(tmp_path):
    assert run(shell("pwd -P", tmp_path)).stdout.decode().strip() == str(tmp_path.resolve())


def test_run_kills_the_group_at_the_timeout(tmp_path):
    done = run(shell("sleep 100 & echo $! > pid; echo begun; wait", tmp_path, timeout_s=0.5))
    assert done.timed_out
    assert done.exit_code == -signal.SIGKILL
    assert done.stdout == b"begun\n"
    assert done.duration_s < 10
    if sys.platform == "linux":
        wait_until(lambda: not alive(tmp_path / "pid"))


def test_run_does_not_wait_for_a_background_process_that_holds_the_pipe(tmp_path):
    done = run(python(DAEMON + WAIT_FOR_FILE + "print('end')", "pid", cwd=tmp_path))
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert done.stdout == b"end\n"
    assert (done.exit_code, done.timed_out) == (0, False)


def test_run_names_the_missing_program(tmp_path):
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        run(Call(argv=("no-such-program",), cwd=tmp_path, env=ENV))


@linux_only
def test_run_kills_the_group_when_an_exception_passes_through(tmp_path):
    code = f"""
import signal, sys
from pathlib import Path
from reprocheck.errors import Interruption
from reprocheck.errors import ReprocheckError
from reprocheck.process import Call, run
def interrupt(signum, frame):
    raise Interruption(signum)
signal.signal(signal.SIGTERM, interrupt)
line = "sleep 100 & echo $! > new; mv new pid; wait"
run(Call(argv=("sh", "-c", line), cwd=Path({str(tmp_path)!r}), env={ENV!r}))
"""
    caller = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    wait_until((tmp_path / "pid").exists)
    caller.terminate()
    caller.wait(20)
    wait_until(lambda: not alive(tmp_path / "pid"))


# --- supervise ----------------------------------------------------------------------------


def test_supervise_logs_both_streams_and_returns_the_exit_code(tmp_path):
    done, log = log_of(shell("echo out; echo err >&2; exit 7", tmp_path))
    assert log == b"out\nerr\n" == done.stdout
    assert (done.exit_code, done.timed_out, done.stderr) == (7, False, b"")


def test_supervise_reports_a_signal_as_a_negative_exit_code(tmp_path):
    assert log_of(shell("kill -SEGV $$", tmp_path))[0].exit_code == -signal.SIGSEGV


def test_supervise_sees_the_end_of_the_shortest_command(tmp_path):
    call = Call(argv=("true",), cwd=tmp_path, env=ENV, timeout_s=5)
    assert not any(supervise(call, log=tmp_path / "log").timed_out for _ in range(60))


def test_supervise_gives_the_command_its_environment_and_stdin(tmp_path):
    call = Call(
        argv=("sh", "-c", 'cat; printf "$ODD"; env | grep -c .'),
        cwd=tmp_path,
        env=ENV | {"ODD": os.fsdecode(b"\xff\n")},
        stdin=b"given ",
    )
    out = log_of(call)[1]
    assert out.startswith(b"given \xff\n")
    assert int(out.split()[-1]) <= 6  # PATH, ODD, and what sh itself sets (PWD, SHLVL, _)


def test_supervise_leaves_no_descriptor_or_ignored_signal_in_the_command(tmp_path):
    code = "import os, signal; print(os.listdir('/dev/fd'), signal.getsignal(signal.SIGHUP))"
    assert b"['0', '1', '2', '3'] 0" in log_of(python(code, cwd=tmp_path))[1]


def test_supervise_appends_to_the_log(tmp_path):
    log_of(shell("echo one", tmp_path))
    assert log_of(shell("echo two", tmp_path))[1] == b"one\ntwo\n"


def test_supervise_keeps_bytes_that_are_no_text(tmp_path):
    assert log_of(shell(r"printf '\377\000\201'", tmp_path))[1] == b"\xff\x00\x81"


def test_supervise_cuts_the_log_and_keeps_the_tail(tmp_path):
    done, log = log_of(shell("yes | head -c 300000; echo; echo last", tmp_path), limit=1000)
    assert len(log) < 1100
    assert log.endswith(b"[reprocheck: output beyond 1000 bytes dropped]\n")
    assert done.stdout.endswith(b"\nlast\n")
    assert len(done.stdout) == 65536


def test_supervise_says_once_that_the_log_was_cut(tmp_path):
    log_of(shell("yes | head -c 3000", tmp_path), limit=1000)
    assert log_of(shell("yes | head -c 3000", tmp_path), limit=1000)[1].count(b"dropped") == 1


@pytest.mark.parametrize("what", ["no-such-program", "/no/such/program"])
def test_supervise_names_the_missing_program(tmp_path, what):
    with pytest.raises(FileNotFoundError, match=what):
        supervise(Call(argv=(what,), cwd=tmp_path, env=ENV), log=tmp_path / "log")


def test_supervise_names_a_missing_directory(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        supervise(shell("true", tmp_path / "nowhere"), log=tmp_path / "log")


def test_supervise_calls_on_tick_about_twice_a_second(tmp_path):
    ticks: list[float] = []
    call = shell("sleep 1.8", tmp_path)
    supervise(call, log=tmp_path / "log", on_tick=lambda: ticks.append(time.monotonic()))
    assert 2 <= len(ticks) <= 4


def test_supervise_keeps_ticks_and_timeout_under_a_flood(tmp_path):
    ticks: list[float] = []
    call = shell("yes", tmp_path, timeout_s=2)
    done = supervise(
        call, log=tmp_path / "log", log_limit=1000, on_tick=lambda: ticks.append(time.monotonic())
    )
    assert done.timed_out
    assert done.exit_code < 0
    assert len(ticks) >= 2
    assert done.duration_s < 15


@linux_only
def test_supervise_ends_a_daemon_that_ignores_sigterm_at_the_timeout(tmp_path):
    done, _ = log_of(python(DAEMON + STAY, "pid", cwd=tmp_path, timeout_s=2))
    assert done.timed_out
    assert not alive(tmp_path / "pid")


@linux_only
def test_supervise_ends_what_a_finished_command_left_behind(tmp_path):
    done, _ = log_of(python(DAEMON + WAIT_FOR_FILE, "pid", cwd=tmp_path))
    assert (done.exit_code, done.timed_out) == (0, False)
    assert done.duration_s < 1.5  # the leftovers' time is not the command's
    assert not alive(tmp_path / "pid")


def test_supervise_lets_a_stopped_command_clean_up(tmp_path):
    code = (
        """
import signal, sys, time
def clean(*_):
    print("cleaned", flush=True)
    sys.exit(3)
signal.signal(signal.SIGTERM, clean)
print("begun", flush=True)
"""
        + STAY
    )
    done, log = log_of(python(code, cwd=tmp_path, timeout_s=1))
    assert log == b"begun\ncleaned\n"
    assert (done.exit_code, done.timed_out) == (3, True)


@linux_only
def test_supervise_ends_all_when_on_tick_raises(tmp_path):
    def tick() -> None:
        if (tmp_path / "pid").exists():
            raise RuntimeError("from on_tick")

    call = python(DAEMON + STAY, "pid", cwd=tmp_path)
    with pytest.raises(RuntimeError, match="from on_tick"):
        supervise(call, log=tmp_path / "log", on_tick=tick)
    assert not alive(tmp_path / "pid")


# The first thread ends: its process looks like a zombie while the other thread goes on.
HALF_GONE = """
import ctypes, os, sys, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
with open("pid", "w") as file:
    file.write(str(os.getpid()))
ctypes.CDLL(None).pthread_exit(None)
"""


@linux_only
def test_supervise_ends_a_command_whose_first_thread_ended(tmp_path):
    done, _ = log_of(python(HALF_GONE, cwd=tmp_path, timeout_s=1))
    assert (done.exit_code, done.timed_out) == (-signal.SIGTERM, True)


# The command ends between the supervisor's last look for ended ones and its look for living ones.
ENDS_UNSEEN = """
import os, socket, sys
from reprocheck import supervisor
ours, theirs = socket.socketpair()
one = supervisor.Supervisor(theirs)
one.start({"argv": ["sleep", "60"], "cwd": ".", "env": {"PATH": os.environ["PATH"]}})
look = one.living
def late():
    os.kill(one.main, 9)
    while supervisor.state_and_parent(str(one.main))[0] != "Z":
        pass
    return look()
one.living = late
print(one.end_all(), one.exit_code)
"""


@linux_only
def test_a_command_that_ends_at_the_last_moment_is_still_reaped():
    argv = [sys.executable, "-c", ENDS_UNSEEN]
    printed = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    assert printed.stdout == "[] -9\n"


@linux_only
def test_supervise_says_that_its_supervisor_was_killed(tmp_path):
    call = shell("echo $$ > pid; kill -9 $PPID; sleep 100", tmp_path)
    with pytest.raises(ReprocheckError, match="supervises it was killed"):
        supervise(call, log=tmp_path / "log")
    wait_until(lambda: not alive(tmp_path / "pid"))


@linux_only
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT])
def test_supervise_ends_all_when_the_caller_dies(tmp_path, signum):
    code = f"""
import signal
from pathlib import Path
from reprocheck.process import Call, supervise
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
folder = Path({str(tmp_path)!r})
argv = ({sys.executable!r}, "-I", "-S", "-c", {DAEMON + STAY!r}, "pid")
supervise(Call(argv=argv, cwd=folder, env={{}}), log=folder / "log")
"""
    caller = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    wait_until((tmp_path / "pid").exists)
    caller.send_signal(signum)
    caller.wait(20)
    wait_until(lambda: not alive(tmp_path / "pid"))


# --- attend -------------------------------------------------------------------------------

CHILD = """
import os, signal, sys, time
seen = []
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
    signal.signal(number, lambda number, _: seen.append(number))
print("ready", os.isatty(1), flush=True)
end = time.monotonic() + 10
while not seen and time.monotonic() < end:
    time.sleep(0.01)
time.sleep(0.2)  # a second one would come in this time
print("seen", *map(int, seen), flush=True)
sys.exit(5)
"""
ATTENDED = f"""
import fcntl, os, sys, termios
from pathlib import Path
from reprocheck.process import Call, attend
if os.isatty(0):
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
call = Call(argv=(sys.executable, "-S", "-c", {CHILD!r}), cwd=Path.cwd(), env=dict(os.environ))
sys.exit(attend(call).exit_code)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_attend_passes_a_signal_on_and_lets_the_command_end_as_it_wants(number):
    outer = subprocess.Popen([sys.executable, "-c", ATTENDED], stdout=subprocess.PIPE, text=True)
    with outer:
        assert outer.stdout.readline() == "ready False\n"
        outer.send_signal(number)
        assert outer.stdout.read() == f"seen {int(number)}\n"
        assert outer.wait() == 5


def test_attend_leaves_the_terminal_to_the_command_whose_keys_it_gets_once():
    ours, theirs = os.openpty()
    outer = subprocess.Popen(
        [sys.executable, "-c", ATTENDED],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    with outer, os.fdopen(ours, "rb+", buffering=0) as terminal:
        read_until(terminal, b"ready True\r\n")
        terminal.write(b"\x03")
        read_until(terminal, b"seen 2\r\n")
        assert outer.wait() == 5


def read_until(terminal, words):
    told = b""
    while words not in told:
        told += terminal.read(1000)


def test_attend_names_what_cannot_start(tmp_path):
    with pytest.raises(FileNotFoundError):
        attend(Call(argv=("no-such-program",), cwd=tmp_path, env={"PATH": "/bin"}))
