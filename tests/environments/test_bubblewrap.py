"""bubblewrap: what a trial tries under it, and what it still can do."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import tempfile
from pathlib import Path

import pytest

from reprocheck import process
from reprocheck.environments import bubblewrap, pick
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.bubblewrap import Bubblewrap
from reprocheck.environments.isolation import chosen
from reprocheck.environments.reach import Reach
from reprocheck.errors import RerunError
from reprocheck.model import Limits
from tests.conftest import Repo
from tests.environments.samples import FETCH, STARTED, command, spec


@pytest.fixture(scope="module")
def environment(cache, tmp_path_factory):
    """Built once: what differs between the tests is how its trials are kept apart."""
    request = BuildRequest(
        spec=spec("six\n"),
        tree=tmp_path_factory.mktemp("tree"),
        started_at=STARTED,
        cache=cache,
        env=dict(os.environ),
    )
    with pick(request.spec).build(request) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(bubblewrap, environment, home):
    return of_caller(environment, {**os.environ, "HOME": str(home)})


def of_caller(environment, env, **limits):
    """The same environment as another caller, or with other limits, gets it."""
    isolation = chosen(env, Limits(**limits))
    return dataclasses.replace(environment, env=env, isolation=isolation)


@pytest.fixture
def told(sandbox, trial):
    """Runs a Python text as a trial; returns its exit code and what it printed."""

    def run(code: str, **fields) -> tuple[int, str]:
        asked = trial(command(("python", "-c", code)), **fields)
        done = sandbox.run(asked)
        return done.exit_code, done.stdout.decode()

    return run


@contextlib.contextmanager
def listening(kind=socket.AF_INET, address=("127.0.0.1", 0)):
    with socket.socket(kind) as server:
        server.bind(address)
        server.listen()
        yield server.getsockname()


def alive(sign: str) -> list[str]:
    """The processes of the machine whose command line has a word."""
    found = []
    for each in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if each.name.isdigit() and sign.encode() in (each / "cmdline").read_bytes():
                found.append(each.name)
    return found


# --- what it is ---------------------------------------------------------------------------


def test_trials_have_process_ids_of_their_own_as_if_nothing_isolated_them(told):
    # A training that is seeded by its process id must not repeat itself exactly.
    seen = {told("import os; print(os.getpid())") for _ in range(3)}
    assert {code for code, _ in seen} == {0}
    assert len(seen) == 3


# --- what it tries ------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["/etc/x", "/usr/x", "{home}/data/x", "{environment}/x"])
def test_nothing_outside_can_be_written_and_that_is_told(told, sandbox, home, place):
    place = place.format(home=home, environment=sandbox.folder)
    code, output = told(f"open({place!r}, 'w')")
    assert (code, Path(place).exists()) == (1, False)
    assert f"the trial wanted to write {place}; it can write in its tree" in output


@pytest.mark.parametrize("place", ["/proc/sys/kernel/core_pattern", "/sys/power/state"])
def test_the_kernel_cannot_be_told_anything(told, place):
    code, output = told(f"open({place!r}, 'w')")
    assert (code, "OSError" in output or "PermissionError" in output) == (1, True)


def test_the_hook_cannot_be_written(told, tmp_path):
    (tmp_path / "tracking/injected").mkdir(parents=True)
    hook = tmp_path / "tracking/injected/hook.py"
    hook.write_text("old")
    assert told(f"open({str(hook)!r}, 'w')", tracking=tmp_path / "tracking")[0] == 1
    assert hook.read_text() == "old"
    assert told(f"open('{tmp_path}/tracking/x', 'w')", tracking=tmp_path / "tracking")[0] == 0


def test_the_network_is_refused_and_the_host_and_the_setting_are_named(sandbox, trial):
    asked = trial(command(("python", "train.py")))
    (asked.tree / "train.py").write_text(FETCH)
    done = sandbox.run(asked)
    output = done.stdout.decode()
    assert done.exit_code == 1
    assert "the trial wanted the network (data.example.com)" in output
    assert "limits.network: full" in output


def test_a_server_of_this_machine_is_out_of_reach_unless_allowed(sandbox, trial):
    with listening() as (_, port):
        asked = trial(command(("python", "-c", _CONNECT.format(to=("127.0.0.1", port)))))
        assert sandbox.run(asked).exit_code == 1
        allowed = of_caller(sandbox, sandbox.env, network=True)
        assert allowed.run(asked).exit_code == 0
        assert "with network" in allowed.isolation.told


_CONNECT = "import socket; socket.create_connection({to!r})"


def test_a_socket_of_this_machine_is_out_of_reach(told, tmp_path):
    path = str(tmp_path / "docker.sock")
    with listening(socket.AF_UNIX, path):
        assert told(f"import socket; socket.socket(socket.AF_UNIX).connect({path!r})")[0] == 1


@pytest.mark.parametrize("name", [".ssh/id", ".config/gcloud/key.json", ".netrc", "token.txt"])
def test_no_secret_of_the_home_can_be_read_and_that_is_told(told, home, name):
    code, output = told(f"print(open('{home}/{name}').read())")
    assert (code, "the content of" in output) == (1, False)
    assert f"the trial wanted {home / name}, which is hidden from it" in output


def test_a_home_is_hidden_wherever_it_is(environment, bubblewrap, trial):
    home = Path(__file__).parent.parent  # not below /tmp, which is hidden anyway
    sandbox = of_caller(environment, {**os.environ, "HOME": str(home)})
    line = f"cat {home}/environments/__init__.py && cat {home}/conftest.py"
    assert b"conftest.py: No such file" in sandbox.run(trial(command(line))).stdout


def test_a_link_to_a_secret_does_not_lead_there(told, home):
    (home / "keys").symlink_to(".ssh")
    assert told(f"print(open('{home}/keys/id').read())")[0] == 1


def test_no_other_process_is_seen_or_signalled(told):
    numbers = "[each for each in os.listdir('/proc') if each.isdigit()]"
    code, output = told(f"import os; print(*{numbers}); os.kill({os.getpid()}, 0)")
    assert code == 1
    assert "ProcessLookupError" in output
    assert len(output.splitlines()[0].split()) < 5


def test_no_capability_is_left(told):
    code, output = told("print(open('/proc/self/status').read())")
    assert code == 0
    assert "CapEff:\t0000000000000000" in output
    assert "NoNewPrivs:\t1" in output


@pytest.mark.parametrize("line", ["setsid sleep 98765 &", "(setsid sleep 98765 &) &", "fork"])
def test_no_daemon_is_left(sandbox, trial, line):
    forks = "import os; [os.fork() for _ in range(4)]; os.execlp('sleep', 'sleep', '98765')"
    line = f'python -c "{forks}" &' if line == "fork" else line
    asked = trial(command(f"{line} sleep 0.5; pgrep -f 'sleep 98765' >/dev/null && echo there"))
    assert sandbox.run(asked).stdout == b"there\n"
    assert not alive("98765")


def test_an_interruption_ends_everything(sandbox, trial):
    def interrupt() -> None:
        assert alive("98764")
        raise KeyboardInterrupt

    asked = trial(command("setsid sleep 98764 & sleep 98764"), on_tick=interrupt)
    with pytest.raises(KeyboardInterrupt):
        sandbox.run(asked)
    assert not alive("98764")


def test_the_timeout_ends_everything(sandbox, trial):
    assert sandbox.run(trial(command("trap '' TERM; sleep 98763"), timeout_s=1)).timed_out
    assert not alive("98763")


def test_no_library_of_a_record_is_loaded_outside(sandbox, trial, home):
    traced = home / "data/trace"
    env = {"LD_DEBUG": "libs", "LD_DEBUG_OUTPUT": str(traced)}
    asked = trial(command("true", env=env), env=env)
    sandbox.run(asked)
    assert [path.name for path in traced.parent.iterdir()] == ["train.csv"]


def test_no_variable_is_seen_by_other_users(sandbox, trial):
    seen: list[str] = []
    asked = trial(
        command("sleep 1"), env={"TOKEN": "hunter2"}, on_tick=lambda: seen.extend(alive("hunter2"))
    )
    assert sandbox.run(asked).exit_code == 0
    assert seen == []


def test_a_recorded_variable_shows_nothing_that_is_hidden(sandbox, trial, home):
    env = {"KEYS": f"{home}/.ssh"}
    asked = trial(command('cat "$KEYS/id"', env=env), env=env)
    assert sandbox.run(asked).exit_code == 1


# --- what it still can do -----------------------------------------------------------------


def test_servers_of_its_own_work(told):
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); "
    assert told(code + "socket.create_connection(s.getsockname()); s.accept()")[0] == 0


def test_git_works_inside_and_finds_the_objects_elsewhere(sandbox, trial, tmp_path):
    repo = Repo(tmp_path / "elsewhere")
    repo.commit({"a": "1"}, "The first")
    repo.git("clone", "--quiet", "--shared", str(repo.path), str(tmp_path / "tree"))
    done = sandbox.run(trial(command("git log --format=%s && git status --short && git diff")))
    assert (done.exit_code, done.stdout) == (0, b"The first\n")


def test_shared_memory_and_semaphores_work(told):
    code = (
        "import multiprocessing as m, os; from multiprocessing.shared_memory import SharedMemory;"
        "s = SharedMemory(create=True, size=2 ** 20); s.close(); s.unlink(); m.Semaphore();"
        "print(sum(m.get_context('fork').Pool(2).map(abs, range(4))), len(os.listdir('/dev/shm')))"
    )
    assert told(code) == (0, "6 0\n")


def test_its_temporary_files_are_its_own_and_on_disk(told, tmp_path):
    shared = Path("/tmp/reprocheck-test-shared")
    code, _ = told(f"import os, tempfile; open('{shared}', 'w'); os.listdir('/var/tmp')")
    assert (code, shared.exists()) == (0, False)


def test_a_trials_own_tmp_is_beside_its_tree(sandbox, trial, tmp_path):
    folder = tmp_path / "trial-1"
    own = {name: folder / name for name in ("tree", "home", "tracking")}
    for path in own.values():
        path.mkdir(parents=True)
    line = 'echo x > "$TMPDIR/x" && python -c "import os; os.rename(os.environ[\'TMPDIR\'] + '
    asked = trial(command(line + "'/x', 'x')\" && echo y > /tmp/y"), **own)
    assert sandbox.run(asked).exit_code == 0
    assert (own["tree"] / "x").read_text() == "x\n"
    assert (folder / "tmp/y").read_text() == "y\n"


@pytest.mark.parametrize("where", ["{home}/.cache", "{home}/link", "/var/tmp", "/dev/shm"])
def test_the_workspace_may_be_anywhere(sandbox, trial, home, where):
    (home / ".cache").mkdir()
    (home / "link").symlink_to(".cache")
    with tempfile.TemporaryDirectory(dir=where.format(home=home)) as folder:
        own = {name: Path(folder, name) for name in ("tree", "home", "tracking")}
        for path in own.values():
            path.mkdir()
        asked = trial(command('echo x > x && echo x > "$HOME/x" && echo x > "$TMPDIR/x"'), **own)
        assert sandbox.run(asked).exit_code == 0
        places = ("tree/x", "home/x", "home/tmp/x")
        assert [Path(folder, place).read_text() for place in places] == ["x\n"] * 3


def test_data_of_the_home_can_be_read(told, home):
    assert told(f"print(open('{home}/data/train.csv').read())")[1].startswith("the content of")


def test_what_a_passed_variable_names_can_be_read(sandbox, trial, home):
    (home / ".cache").mkdir()
    (home / "elsewhere").mkdir()
    (home / "elsewhere/model").write_text("weights")
    (home / ".cache/models").symlink_to("../elsewhere")
    asked = trial(command('cat "$MODELS/model"'), env={"MODELS": f"{home}/.cache/models"})
    assert sandbox.run(asked).stdout == b"weights"


def test_a_program_of_the_home_is_found(sandbox, trial, home):
    (home / ".local/share/uv/tools/x/bin").mkdir(parents=True)
    program = home / ".local/share/uv/tools/x/bin/own-tool"
    program.write_text("#!/bin/sh\necho went\n")
    program.chmod(0o755)
    (home / ".local/bin").mkdir()
    (home / ".local/bin/own-tool").symlink_to(program)
    done = sandbox.run(trial(command((str(home / ".local/bin/own-tool"),))))
    assert done.stdout == b"went\n"


def test_users_and_the_system_can_be_looked_up(told):
    code = "import os, pwd; pwd.getpwuid(os.getuid()); os.listdir('/sys/class'); os.cpu_count()"
    assert told(f"{code}; os.readlink('/proc/self/exe'); os.makedirs(os.path.expanduser('~/.c'))")[
        0
    ] == (0)


def test_a_failure_and_a_signal_are_told_as_without_it(sandbox, trial):
    assert sandbox.run(trial(command("exit 7"))).exit_code == 7
    assert sandbox.run(trial(command("kill -9 $$"))).exit_code == -9


def test_shared_memory_has_its_limit(sandbox, trial):
    asked = trial(command("head -c 2M /dev/zero > /dev/shm/x"))
    assert sandbox.run(asked).exit_code == 0
    assert of_caller(sandbox, sandbox.env, shm=2**20).run(asked).exit_code != 0


MOVED = b"""bwrap: Can't bind mount /oldroot/ on /newroot/: Unable to apply mount flags: \
remount "/newroot/var/lib/docker/buildkit/executor/56ny95x41g08yulkmsa195ss/rootfs": \
Invalid argument
"""


@pytest.mark.parametrize("moves", [1, 9])
def test_a_start_among_mounts_that_come_and_go_is_repeated(moves, monkeypatch, tmp_path):
    monkeypatch.setattr(bubblewrap, "_PAUSE_S", 0)
    left = [MOVED] * moves

    def run(call: process.Call) -> process.Completed:
        said, code = (left.pop(), 1) if left else (b"trained\n", 0)
        return process.Completed(
            argv=call.argv, exit_code=code, duration_s=0, stdout=said, stderr=b"", timed_out=False
        )

    way = Bubblewrap(program="bwrap", version="0.8.0", caller={})
    call = process.Call(argv=("true",), cwd=tmp_path, env={}, timeout_s=9)
    if moves > 5:
        with pytest.raises(RerunError, match="Unable to apply mount flags"):
            way.run(call, Reach(), run)
    else:
        assert way.run(call, Reach(), run).stdout == b"trained\n"
