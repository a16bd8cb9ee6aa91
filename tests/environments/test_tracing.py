"""tracing: what a trial opens is seen in each kind of sandbox, and the trial is the same."""

from __future__ import annotations

import dataclasses
import os
import signal
import time

import pytest

from reprocheck.environments import isolation, tracing
from reprocheck.environments.isolation import Isolation, Offer, chosen
from reprocheck.errors import RerunError
from reprocheck.model import Limits
from tests.conftest import need
from tests.environments.images import base_image
from tests.environments.samples import command, docker_spec
from tests.environments.test_bubblewrap import environment as environment  # noqa: PLC0414

PLAIN = Isolation(offer=Offer(level=isolation.PLAIN), limits=Limits(), way=None)


@pytest.fixture(params=["plain", "bubblewrap"])
def sandbox(request, environment, home):
    need("strace")
    env = {**os.environ, "HOME": str(home)}
    if request.param == "plain":
        return dataclasses.replace(environment, env=env, isolation=PLAIN)
    request.getfixturevalue("bubblewrap")
    return dataclasses.replace(environment, env=env, isolation=chosen(env, Limits()))


@pytest.fixture
def traced(trial, tmp_path):
    def make(what, **fields):
        (tmp_path / "trace").mkdir()
        return trial(what, trace=tmp_path / "trace", **fields)

    return make


def python(code: str):
    return command(("python", "-c", code))


def test_a_file_from_elsewhere_is_seen_and_nothing_else(sandbox, traced, home):
    code = f"""
import os, six, subprocess, tempfile, threading
for path in ("a", os.environ["HOME"] + "/b", tempfile.mkstemp()[1], "/tmp/reprocheck-own"):
    open(path, "w").write("x")
    assert open(path).read()
def read():
    open("{home}/data/train.csv").read()
threads = [threading.Thread(target=read) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
os.listdir("{home}/data")
os.path.exists("{home}/data/absent.csv")
subprocess.run(["cat", "/etc/hostname"])
os.remove("/tmp/reprocheck-own")
"""
    asked = traced(python(code))
    done = sandbox.run(asked)
    assert done.exit_code == 0, done.stdout
    seen = sandbox.observed(asked)
    assert seen.files == (f"{home}/data/train.csv",)
    assert (seen.by[:7], seen.missing) == ("strace ", "")


def test_a_symlink_of_the_tree_and_an_odd_name_are_told_by_the_real_path(sandbox, traced, home):
    real = home / 'data/é <q"\n> x.csv'
    real.write_text("x")
    asked = traced(python("open('link').read()"))
    (asked.tree / "link").symlink_to(real)
    assert sandbox.run(asked).exit_code == 0
    assert sandbox.observed(asked).files == (str(real),)


def test_a_sandboxs_own_tmp_is_not_the_machines(bubblewrap, environment, traced):
    need("strace")
    sandbox = dataclasses.replace(environment, isolation=chosen(os.environ, Limits()))
    code = "import os; open('/tmp/a', 'w'); os.rename('/tmp/a', '/tmp/b.csv'); open('/tmp/b.csv')"
    asked = traced(python(code))
    assert sandbox.run(asked).exit_code == 0
    seen = sandbox.observed(asked)
    assert (seen.files, seen.missing) == ((), "")


@pytest.mark.parametrize(("how", "code"), [("exit 7", 7), ("kill -TERM $$", -signal.SIGTERM)])
def test_exit_codes_and_signals_pass_through(sandbox, traced, how, code):
    asked = traced(command(how))
    assert sandbox.run(asked).exit_code == code


def test_a_limit_of_time_and_what_is_left_behind_end_as_without(sandbox, traced):
    asked = traced(command(("sleep", "30")), timeout_s=1)
    started = time.monotonic()
    assert sandbox.run(asked).timed_out
    asked = dataclasses.replace(asked, command=command("sleep 30 & exit 0"), timeout_s=30)
    done = sandbox.run(asked)
    assert (done.exit_code, done.timed_out) == (0, False)
    assert time.monotonic() - started < 15


def test_a_program_that_is_not_there_is_told_as_without(sandbox, traced):
    with pytest.raises(RerunError, match="no-such-program: No such file"):
        sandbox.run(traced(command(("no-such-program",))))


def test_where_nothing_can_observe_the_trial_runs_and_the_reason_is_told(
    environment, traced, tmp_path
):
    liar = tmp_path / "bin/strace"
    liar.parent.mkdir()
    liar.write_text("#!/bin/sh\necho 'strace: ptrace(PTRACE_SEIZE): not permitted' >&2; exit 1\n")
    liar.chmod(0o755)
    env = {**os.environ, "PATH": f"{liar.parent}:{os.environ['PATH']}"}
    sandbox = dataclasses.replace(environment, env=env, isolation=PLAIN)
    asked = traced(command("echo ran; exit 3"))
    done = sandbox.run(asked)
    assert (done.stdout, done.exit_code) == (b"ran\n", 3)
    seen = sandbox.observed(asked)
    assert seen.missing == ("strace cannot observe here: ptrace(PTRACE_SEIZE): not permitted")
    sandbox = dataclasses.replace(environment, env={"PATH": str(tmp_path)}, isolation=PLAIN)
    assert sandbox.observed(asked).hint == "install it: apt-get install strace"


def test_a_trial_leaves_no_symlink_that_is_read_as_its_trace(environment, traced, home):
    asked = traced(command("true"))
    (asked.trace / tracing.OPENED).symlink_to("/etc/passwd")
    assert environment.observed(asked).missing


def test_in_a_container_data_of_the_image_is_seen(build, traced):
    need("strace")
    made = "RUN mkdir /data && echo 1,2 > /data/norm.csv"
    sandbox = build(docker_spec(made, base=base_image()))
    asked = traced(
        python("print(open('/data/norm.csv').read()); open('/tmp/x', 'w'); open('/tmp/x')")
    )
    done = sandbox.run(asked)
    assert (done.exit_code, done.stdout) == (0, b"1,2\n\n")
    seen = sandbox.observed(asked)
    assert (seen.files, seen.image, seen.missing) == (("/data/norm.csv",), True, "")


def test_the_folder_of_a_systems_python_hides_no_data():
    known = tracing.below("/usr", "/usr/bin", "/opt/conda", "/")
    assert known("/opt/conda/lib/x") and known("/usr/bin/cat")
    assert not known("/usr/share/corpora/words.csv")
    assert not known("/opt/condabin")
