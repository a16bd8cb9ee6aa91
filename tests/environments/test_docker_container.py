"""docker_container: what a trial in a container cannot do, tried by containers that do it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from reprocheck.environments import docker_engine, pick
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.docker_container import explanation
from reprocheck.errors import RerunError
from reprocheck.model import Limits
from tests.conftest import Repo, absent
from tests.environments.images import base_image, base_version
from tests.environments.samples import STARTED, command, docker_spec

FORK = """
import os, time
made = 0
try:
    while made < 100:
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        made += 1
except OSError:
    pass
print("children:", made, flush=True)
os.killpg(0, 9)
"""
EAT = "kept = [bytearray(b'x' * 2**20) for _ in range(300)]; print('ate')"


@pytest.fixture(scope="module")
def sandbox(cache, tmp_path_factory):
    spec = docker_spec(base=base_image())
    tree = tmp_path_factory.mktemp("context")
    request = BuildRequest(
        spec=spec, tree=tree, started_at=STARTED, cache=cache, env=dict(os.environ)
    )
    with pick(spec).build(request) as sandbox:
        yield sandbox


@pytest.fixture
def limited(build):
    def enter(**limits):
        return build(docker_spec(base=base_image()), limits=Limits(**limits))

    return enter


def said(sandbox, asked) -> str:
    return sandbox.run(asked).stdout.decode()


def python(code: str):
    return command(("python", "-c", code))


@pytest.mark.parametrize("place", ["/etc/x", "/usr/local/lib/x.py", "/x", "/usr/bin/x"])
def test_nothing_of_the_image_can_be_written(sandbox, trial, place):
    done = sandbox.run(trial(command(f"echo x > {place}")))
    assert done.exit_code != 0
    assert b"Read-only file system" in done.stdout or b"Permission denied" in done.stdout


def test_the_root_file_system_itself_is_read_only(sandbox, trial):
    assert " / overlay ro" in said(
        sandbox, trial(command("cut -d' ' -f2-4 /proc/mounts | sed 's/^/ /'"))
    ).replace(",", " ")


def test_the_machines_files_are_not_there(sandbox, trial, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    assert sandbox.run(trial(command(f"cat {secret}"))).exit_code != 0


def test_the_tree_and_tmp_can_be_written_and_run(sandbox, trial):
    asked = trial(
        command("cp /bin/true /tmp/t && /tmp/t && cp /bin/true $TMPDIR/t && $TMPDIR/t && touch out")
    )
    assert sandbox.run(asked).exit_code == 0
    assert (asked.tree / "out").stat().st_uid == os.getuid()


def test_a_folder_that_is_there_already_belongs_to_the_trial(sandbox, trial):
    asked = trial(command("echo more >> data/sub/input && id -u"))
    (asked.tree / "data/sub").mkdir(parents=True)
    (asked.tree / "data/sub/input").write_text("restored\n")
    assert said(sandbox, asked).strip() != "0"
    assert (asked.tree / "data/sub/input").read_text() == "restored\nmore\n"


def test_a_socket_reaches_nobody(sandbox, trial):
    code = "import socket; socket.create_connection(('1.1.1.1', 53), 3)"
    done = sandbox.run(trial(python(code)))
    assert b"Network is unreachable" in done.stdout
    assert b"limits.network: full" in done.stdout


def test_a_refused_host_is_named_with_the_setting(sandbox, trial):
    code = "import urllib.request; urllib.request.urlopen('http://models.example.org/weights')"
    asked = trial(command(("python", "-c", code)))
    assert "wanted the network" in said(sandbox, asked)
    assert "limits.network: full" in asked.log.read_text()


def test_the_network_is_there_where_it_is_allowed(limited, trial):
    listing = said(limited(network=True), trial(command("cat /proc/net/route")))
    assert "eth0" in listing
    assert "with network" in limited(network=True).built.isolation


def test_it_has_no_capability_and_gains_none(sandbox, trial):
    status = said(sandbox, trial(command("cat /proc/self/status")))
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {int(fields[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapInh")} == {0}
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")


def test_it_is_not_root_and_cannot_mount_or_become_root(sandbox, trial):
    code = "import os; print(os.getuid() != 0); os.setuid(0)"
    done = sandbox.run(trial(python(code)))
    assert b"True\n" in done.stdout  # no order is promised between the two streams
    assert b"PermissionError" in done.stdout
    assert sandbox.run(trial(command("mount -t tmpfs x /tmp"))).exit_code != 0


def test_forks_end_at_the_limit(limited, trial):
    told = said(limited(pids=20), trial(python(FORK)))
    made = int(told.split("children:")[1].split()[0])
    assert 10 < made < 20


def test_memory_ends_at_the_limit_and_the_log_says_so(limited, trial):
    done = limited(memory=64 * 2**20).run(trial(python(EAT)))
    assert done.exit_code != 0
    assert b"ate" not in done.stdout
    assert b"limits.memory" in done.stdout
    assert not done.timed_out


def test_cpus_end_at_the_limit(limited, trial):
    code = (
        "import time\nstart = time.monotonic()\nwhile time.monotonic() < start + 1.5: pass\n"
        "print(time.process_time() / 1.5)"
    )
    assert float(said(limited(cpus=0.3), trial(python(code)))) < 0.6


def test_more_cpus_than_there_are_is_no_error(limited, trial):
    assert limited(cpus=1000).run(trial(command("true"))).exit_code == 0


def test_shared_memory_has_the_size_asked_for(limited, trial):
    told = said(limited(shm=100 * 2**20), trial(command("df -k /dev/shm | tail -1")))
    assert int(told.split()[1]) == 100 * 1024


def test_no_secret_of_the_caller_is_in_the_environment(build, trial):
    env = {**os.environ, "AWS_SECRET_ACCESS_KEY": "hunter2"}
    sandbox = build(docker_spec(base=base_image()), env=env)
    assert "hunter2" not in said(sandbox, trial(command("cat /proc/*/environ; env")))


def test_git_works_inside_a_shared_clone_and_cannot_write_what_it_shares(sandbox, trial, tmp_path):
    origin = Repo(tmp_path / "origin")
    commit = origin.commit({"a.txt": "a"})
    asked = trial(command("git log --format=%H && touch $(cat .git/objects/info/alternates)/x"))
    asked.tree.rmdir()
    origin.git("clone", "--quiet", "--shared", str(origin.path), str(asked.tree))
    done = sandbox.run(asked)
    assert commit in done.stdout.decode()  # no order is promised between the two streams
    assert b"Read-only file system" in done.stdout
    assert done.exit_code != 0


def test_a_timeout_ends_every_process_and_the_container(sandbox, trial):
    started = time.monotonic()
    done = sandbox.run(trial(command("setsid sleep 77777 & sleep 77777"), timeout_s=1))
    assert done.timed_out
    assert time.monotonic() - started < 10
    assert containers() == []


def test_a_deadline_is_inside_too(sandbox, trial):
    asked = trial(command("cat /proc/1/cmdline /proc/7/cmdline | tr '\\0' ' '"), timeout_s=60)
    assert "timeout -k 5 90 /bin/sh" in said(sandbox, asked)


def test_an_exception_in_the_middle_leaves_no_container(sandbox, trial):
    def fail() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sandbox.run(trial(command("sleep 77777"), on_tick=fail))
    assert containers() == []


def test_output_comes_while_it_runs(sandbox, trial):
    seen = []
    asked = trial(command("echo early; sleep 2; echo late"))
    asked = trial(
        asked.command,
        on_tick=lambda: seen.append(asked.log.read_bytes()) if asked.log.exists() else None,
    )
    assert said(sandbox, asked) == "early\nlate\n"
    assert b"early\n" in seen


def test_silent_variables_are_unset_and_given_ones_win(build, trial):
    sandbox = build(docker_spec("ENV A=image B=image", base=base_image()))
    asked = trial(command("echo $A-${B-unset}"), env={"A": "given", "B": ""})
    assert said(sandbox, asked) == "given-unset\n"


def test_an_absolute_python_is_the_images(sandbox, trial):
    asked = trial(command(("/home/alice/venv/bin/python3", "-c", "import sys; print(sys.prefix)")))
    assert said(sandbox, asked) in ("/usr\n", "/usr/local\n")


def test_a_missing_program_is_named(sandbox, trial):
    with pytest.raises(RerunError, match="running nvcc: the image has no such program"):
        sandbox.run(trial(command(("nvcc", "--version"))))


def test_an_exit_code_of_127_of_the_training_is_its_own(sandbox, trial):
    assert sandbox.run(trial(command("exit 127"))).exit_code == 127


def test_gpus_that_are_not_there_are_told_before_the_trial(build):
    from reprocheck.errors import RebuildError

    with pytest.raises(RebuildError, match="GPUs"):
        build(docker_spec(base=base_image()), limits=Limits(gpus=1))


def test_an_old_python_is_used_for_real(build, trial):
    sandbox = build(docker_spec(base=base_image("3.8")))
    assert sandbox.built.python.startswith("3.8.")
    assert said(sandbox, trial(python("import sys; print(sys.version_info[:2])"))) == "(3, 8)\n"


def containers() -> list[object]:
    """Of this process."""
    with docker_engine.connect(os.environ) as engine:
        found = engine.client.containers.list(all=True, filters={"label": "io.reprocheck.owner"})
        return [item for item in found if f"|{os.getpid()}|" in item.labels["io.reprocheck.owner"]]


def test_a_training_that_copes_is_not_explained():
    from reprocheck.environments.docker_container import Ended

    fine = Ended(exit_code=0, duration_s=1, timed_out=False, out_of_memory=False)
    assert explanation(fine, Limits(), "Network is unreachable") == ""


def test_a_place_that_cannot_be_written_is_named_with_those_that_can():
    from reprocheck.environments.docker_container import Ended

    ended = Ended(exit_code=1, duration_s=1, timed_out=False, out_of_memory=False)
    said = explanation(ended, Limits(), "OSError: [Errno 30] Read-only file system: '/outputs/m'")
    assert said.startswith("the trial wanted to write /outputs/m; it can write in its tree")


# --- ways out, tried in one container --------------------------------------------------------

ATTEMPTS = """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)

def syscall(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), "refused")

tries = {
    "setuid": lambda: os.setuid(0),
    "mount": lambda: syscall(libc.mount(b"x", b"/tmp", b"tmpfs", 0, None)),
    "remount": lambda: syscall(libc.mount(b"x", b"/", None, 32 | 4096, None)),
    "chroot": lambda: os.chroot("/tmp"),
    "device": lambda: os.mknod("/tmp/disk", 0o60600, os.makedev(8, 0)),
    "raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
    "packet socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0),
    "kernel setting": lambda: open("/proc/sys/kernel/hostname", "w").write("x"),
    "cgroup": lambda: os.mkdir("/sys/fs/cgroup/memory/x"),
    "own a file": lambda: (open("/tmp/f", "w").close(), os.chown("/tmp/f", 0, 0)),
    "namespace": lambda: syscall(libc.unshare(0x00020000)),
    "hostname": lambda: socket.sethostname("x"),
    "clock": lambda: __import__("time").clock_settime(0, 0),
}
for name, attempt in tries.items():
    try:
        attempt()
        print("DONE", name)
    except OSError:
        print("refused", name)
"""


def test_no_way_out_is_open(sandbox, trial):
    told = said(sandbox, trial(python(ATTEMPTS))).splitlines()
    assert [line for line in told if not line.startswith("refused ")] == []
    assert len(told) == 13


def test_a_setuid_program_gives_no_rights(build, trial):
    line = "RUN cp /bin/cat /c && chmod 4755 /c && echo hunter2 >/secret && chmod 600 /secret"
    done = build(docker_spec(line, base=base_image())).run(trial(command("/c /secret")))
    assert done.exit_code != 0
    assert b"hunter2" not in done.stdout


def test_orphans_are_reaped(sandbox, trial):
    line = "(sleep 0.1 &) ; sleep 0.5; grep -l 'State:.Z' /proc/[0-9]*/status || echo none"
    assert said(sandbox, trial(command(line))) == "none\n"


def test_process_ids_differ_from_trial_to_trial(sandbox, trial):
    asked = trial(command(("python", "-c", "import os; print(os.getpid())")))
    assert len({sandbox.run(asked).stdout for _ in range(3)}) == 3


def test_only_its_own_processes_are_seen(sandbox, trial):
    assert len(said(sandbox, trial(command("ls -d /proc/[0-9]*"))).split()) < 6


# --- reprocheck as a user that is not root ---------------------------------------------------

AS_USER = """
import os, shutil, sys
from pathlib import Path
from reprocheck.environments import pick
from reprocheck.environments.base import BuildRequest, TrialRun
from tests.environments.samples import command, docker_spec
here = Path.cwd()
for name in ("tree", "home"):
    (here / name).mkdir()
asked = docker_spec(base=sys.argv[1])
request = BuildRequest(spec=asked, tree=here / "tree", started_at=None, cache=here / "cache",
                       env=dict(os.environ))
what = command("id -u; mkdir -p shut/in && touch shut/in/f && chmod 0 shut/in && chmod 500 shut")
with pick(asked).build(request) as sandbox:
    done = sandbox.run(TrialRun(command=what, tree=here / "tree", home=here / "home", env={},
                                timeout_s=60, log=here / "log"))
print(done.exit_code, done.stdout.decode().strip(), os.getuid(), sandbox.built.python)
shutil.rmtree(here / "tree")
print(sorted(path.name for path in here.iterdir()))
"""


def test_a_user_in_the_engines_group_removes_what_the_trial_wrote():
    base = base_image()
    python = next((name for name in (sys.executable, "/usr/bin/python3") if runs(name)), None)
    if os.getuid() != 0 or python is None:
        absent("no Python that another user may start, or no other user")
    socket = Path(docker_engine.address(os.environ).removeprefix("unix://"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chown(folder, OTHER, OTHER)
        packages = [str(Path(__file__).parents[2]), *(p for p in sys.path if "site-packages" in p)]
        done = subprocess.run(
            [python, "-c", AS_USER, base],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": name, "PYTHONPATH": ":".join(packages)},
            user=OTHER,
            group=OTHER,
            extra_groups=[socket.stat().st_gid],
            capture_output=True,
            check=False,
        )
    told = done.stdout.decode().splitlines()
    assert done.returncode == 0, done.stderr.decode()
    assert told[0].startswith(f"0 {OTHER} {OTHER} {base_version()}"), told
    assert told[1] == "['cache', 'home', 'log']"


OTHER = 12345


def runs(program: str) -> bool:
    """Whether another user may start a Python of this version."""
    argv = [program, "-c", "import sys; print(sys.version_info[:2])"]
    with contextlib.suppress(OSError):
        done = subprocess.run(argv, user=OTHER, group=OTHER, capture_output=True, check=False)
        return done.stdout.decode().strip() == str(sys.version_info[:2])
    return False
