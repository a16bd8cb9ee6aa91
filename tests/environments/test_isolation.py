"""isolation: setups in the sandbox, which way is chosen, and what is told of it."""

from __future__ import annotations

import contextlib
import os
import sys

import pytest

from reprocheck.environments import isolation
from reprocheck.environments.isolation import Isolation, Offer, chosen, offered
from reprocheck.errors import RebuildError
from reprocheck.model import Limits
from tests.environments.samples import FETCH, command, spec
from tests.environments.test_script import setup

# --- setups -------------------------------------------------------------------------------


def test_a_setup_cannot_write_outside_or_read_secrets(bubblewrap, build, home):
    env = {**os.environ, "HOME": str(home)}
    with pytest.raises(RebuildError) as caught:
        build(setup(("sh", "-c", f"cat {home}/.netrc; echo x > {home}/data/x")), env=env)
    assert "the content" not in caught.value.message
    assert not (home / "data/x").exists()


def test_a_program_that_a_setup_made_runs_in_the_sandbox_too(bubblewrap, build, home, tmp_path):
    (tmp_path / "tree").mkdir()
    fake = f'#!/bin/sh\necho x > {home}/data/x\nexec {sys.executable} "$@"\n'
    (tmp_path / "tree/python").write_text(fake)
    line = 'rm "$VIRTUAL_ENV/bin/python" && cp python "$VIRTUAL_ENV/bin" && chmod +x "$_"/python'
    with contextlib.suppress(RebuildError):  # this one is of no use
        build(setup(("sh", "-c", line)), env={**os.environ, "HOME": str(home)})
    assert not (home / "data/x").exists()


def test_a_setup_has_no_network_where_that_is_forbidden(bubblewrap, build, tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/fetch.py").write_text(FETCH)
    with pytest.raises(RebuildError) as caught:
        build(setup(("python", "fetch.py")), network=False)
    assert "the setup wanted the network (data.example.com)" in caught.value.hint
    assert "environment.network: build" in caught.value.hint


# --- without it ---------------------------------------------------------------------------


@pytest.fixture
def without(tmp_path) -> dict[str, str]:
    """An environment in which bubblewrap is not on PATH."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").symlink_to("/bin/sh")
    return {**os.environ, "PATH": str(tmp_path / "bin")}


def test_without_it_trials_run_and_the_report_says_how_to_get_it(build, trial, without, tmp_path):
    sandbox = build(spec("six\n"), env=without)
    done = sandbox.run(trial(command(f"echo x > {tmp_path}/outside")))
    assert (done.exit_code, (tmp_path / "outside").exists()) == (0, True)
    told = "bubblewrap is not installed: apt-get install bubblewrap"
    assert sandbox.built.isolation.endswith(f"network not restricted ({told})")
    assert sandbox.findings == ()


def test_one_that_cannot_make_namespaces_is_not_used(tmp_path):
    program = tmp_path / "bwrap"
    program.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2; exit 1"
    )
    program.chmod(0o755)
    offer = offered({"PATH": f"{tmp_path}:/bin"})
    assert offer.level == isolation.PLAIN
    assert "does not work here: No permissions to create" in offer.reason
    assert offer.hint


LIMITED = Limits(memory=1, cpus=2, shm=2**30, named=frozenset({"memory", "cpus", "shm", "network"}))


def test_the_limits_that_are_not_kept_are_named(bubblewrap):
    (finding,) = chosen(os.environ, LIMITED).findings
    assert finding.message.startswith("the limits of cpus and memory in the config are not kept")
    plain = Isolation(offer=Offer(level=isolation.PLAIN), limits=LIMITED, way=None)
    assert "cpus, memory, network and shm" in plain.findings[0].message
    assert "environment.network" in plain.findings_of_setup(network=False)[0].message
    assert plain.findings_of_setup(network=True) == ()
    assert chosen(os.environ, Limits(named=frozenset({"network"}))).findings == ()
