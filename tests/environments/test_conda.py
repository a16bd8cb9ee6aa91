"""conda: prefixes solved and installed by py-rattler, from a channel that is made here."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime

import pytest

from reprocheck.environments import conda_rattler, pick
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.conda import CondaEnvironment
from reprocheck.environments.venv import VenvEnvironment
from reprocheck.errors import RebuildError
from reprocheck.model import EnvironmentKind
from tests.environments.channels import MINOR, NEW, OLD, PYTHON, SUBDIR, Channel
from tests.environments.samples import STARTED, command, spec


def conda(content: str, file: str = "environment.yml", **fields):
    return spec(content, file=file, **({"kind": EnvironmentKind.CONDA, "python": None} | fields))


def yml(channel: Channel, *dependencies: str, more: str = "") -> str:
    listed = "".join(f"  - {entry}\n" for entry in dependencies)
    return f"channels: [{channel.url}, nodefaults]\ndependencies:\n{listed}{more}"


def versions(sandbox) -> dict[str, str]:
    return {item.name: item.version for item in sandbox.built.packages}


def failure(build, asked, **fields) -> RebuildError:
    with pytest.raises(RebuildError) as caught:
        build(asked, **fields)
    assert caught.value.hint
    return caught.value


def test_it_is_solved_as_of_the_run_and_installed(build, channel, trial):
    sandbox = build(conda(yml(channel, "python", "hello")))
    assert versions(sandbox) == {"python": PYTHON, "hello": "1.0"}
    assert sandbox.built.kind is EnvironmentKind.CONDA
    assert sandbox.built.python == PYTHON
    assert sandbox.built.lock.startswith(f"# platform: {SUBDIR}\n@EXPLICIT\n{channel.url}/")
    text = (
        "import hello, os, sys; print(hello.__version__, sys.prefix == os.environ['CONDA_PREFIX'])"
    )
    done = sandbox.run(trial(command(("python", "-c", text))))
    assert done.stdout == b"1.0 True\n"
    assert not sandbox.changed()
    module = sandbox.folder / f"lib/python{MINOR}/site-packages/hello.py"
    assert not module.is_symlink()  # a copy, which a training may not change the cache through
    assert module.stat().st_nlink == 1


def test_a_later_run_gets_later_packages(build, channel):
    later = datetime(2023, 1, 1, tzinfo=UTC)
    assert versions(build(conda(yml(channel, "hello")), started_at=later))["hello"] == "2.0"


def test_pips_list_is_installed_beside_as_of_the_run(build, channel):
    sandbox = build(conda(yml(channel, "python", "hello", more="  - pip: [six, hello<2]\n")))
    assert versions(sandbox) == {"python": PYTHON, "hello": "1.0", "six": "1.15.0"}
    assert sandbox.built.lock.endswith("# pip six==1.15.0\n")


def test_the_lock_of_the_report_builds_the_same_again(build, channel, tmp_path):
    first = build(conda(yml(channel, "hello", more="  - pip: [six]\n")))
    again = build(
        conda(first.built.lock, file="conda-list.txt"),
        cache=tmp_path / "other",
        started_at=datetime(2025, 1, 1, tzinfo=UTC),
    )
    assert versions(again) == versions(first)
    assert again.built.lock == first.built.lock
    assert again.findings == ()


def test_the_lock_names_the_channel_that_was_asked_also_where_another_served_it(
    build, channel, tmp_path
):
    first = build(conda(yml(channel, "python", "hello")))
    shutil.copytree(channel.folder, tmp_path / "mirror")
    mirror = Channel.at(tmp_path / "mirror")
    again = build(conda(yml(mirror, "python", "hello")))
    assert again.built.digest == first.built.digest
    assert again.built.cached
    assert f"{mirror.url}/noarch/hello-1.0-0" in again.built.lock


def test_a_conda_lock_is_installed_without_solving(build, channel):
    solved = build(conda(yml(channel, "hello"))).built.lock
    lines = [line.split("#sha256:") for line in solved.splitlines() if line.startswith("file:")]
    listed = "".join(
        f"- {{platform: {SUBDIR}, manager: conda, url: '{url}', hash: {{sha256: {digest}}}}}\n"
        for url, digest in lines
    )
    asked = conda(f"version: 1\npackage:\n{listed}", file="conda-lock.yml")
    assert build(asked).built.lock == solved


def test_a_lock_without_digests_is_told(build, channel):
    lock = build(conda(yml(channel, "hello"))).built.lock
    bare = "".join(f"{line.partition('#sha256')[0]}\n" for line in lock.splitlines())
    findings = build(conda(bare, file="conda-list.txt")).findings
    assert [item.code for item in findings] == ["unverified-package"]


def test_a_warm_build_runs_no_solver_and_no_installer(build, channel, monkeypatch):
    asked = conda(yml(channel, "python", "hello"))
    first = build(asked)
    monkeypatch.setattr(conda_rattler, "WORKER", "/nonexistent")
    again = build(asked)
    assert again.built.cached
    assert again.built.digest == first.built.digest


def test_a_prefix_that_was_written_into_is_built_anew(channel, tmp_path):
    (tmp_path / "tree").mkdir()
    request = BuildRequest(
        spec=conda(yml(channel, "python", "hello")),
        tree=tmp_path / "tree",
        started_at=STARTED,
        cache=tmp_path / "cache",
        env=dict(os.environ),
    )
    with CondaEnvironment().build(request) as first:
        module = first.folder / f"lib/python{MINOR}/site-packages/hello.py"
        module.write_text("__version__ = 'changed'")
        assert first.changed()
    with CondaEnvironment().build(request) as second:
        assert not second.built.cached
        assert module.read_text() == "__version__ = '1.0'\n"


def test_a_named_channel_is_where_the_config_says(build, channel):
    asked = conda("channels: [conda-forge, nodefaults]\ndependencies: [conda-forge::hello]\n")
    sandbox = build(asked, channels={"conda-forge": channel.url})
    assert versions(sandbox)["hello"] == "1.0"


def test_a_worse_channel_serves_a_build_that_the_better_one_lacks(build, channel, tmp_path):
    better = Channel(tmp_path / "better")
    better.add_module("hello", "0.5")
    text = f"channels: [{better.url}, {channel.url}, nodefaults]\ndependencies: [%s]\n"
    assert versions(build(conda(text % "hello")))["hello"] == "0.5"
    channel.add("needs", "1", {}, depends=("hello ==1.0",))
    assert versions(build(conda(text % "needs")))["hello"] == "1.0"


def test_condas_default_channels_serve_what_the_named_ones_lack(build, channel, tmp_path):
    named = Channel(tmp_path / "named")
    asked = conda(f"channels: [{named.url}]\ndependencies: [hello]\n")
    assert versions(build(asked, channels={"defaults": channel.url}))["hello"] == "1.0"


def test_activation_scripts_and_variables_are_seen_by_trials(build, channel, tmp_path, trial):
    own = Channel(tmp_path / "own")
    script = b'export GIVEN="$CONDA_PREFIX/share"\n'
    own.add("activated", "1", {"etc/conda/activate.d/a.sh": script}, subdir=SUBDIR)
    text = f"channels: [{own.url}, {channel.url}, nodefaults]\n"
    text += "dependencies: [python, activated]\nvariables: {DEPTH: 3, PATH: /nowhere}\n"
    sandbox = build(conda(text))
    done = sandbox.run(trial(command('echo "$GIVEN $DEPTH $(command -v python) $VIRTUAL_ENV"')))
    assert done.stdout.decode().split() == [
        f"{sandbox.folder}/share",
        "3",
        f"{sandbox.folder}/bin/python",
    ]


def test_the_recorded_python_is_taken_or_the_other_is_told(build, channel):
    text = yml(channel, "hello")
    assert build(conda(text, python=PYTHON)).findings == ()
    other = f"{MINOR}.99"
    found = build(conda(text, python=other))
    assert [item.message for item in found.findings] == [f"python {PYTHON} instead of {other}"]


def test_packages_of_no_known_age_are_told(build, channel, tmp_path):
    own = Channel(tmp_path / "own")
    own.add_module("ageless", "1.0", built=None)
    text = f"channels: [{own.url}, {channel.url}, nodefaults]\ndependencies: [ageless]\n"
    for _ in range(2):  # solved, and from the kept lock
        (finding,) = build(conda(text)).findings
        assert (finding.code, "ageless" in finding.message) == ("undated-package", True)


def test_without_a_start_time_it_is_solved_as_of_now_and_told(build, channel):
    sandbox = build(conda(yml(channel, "hello")), started_at=None)
    assert versions(sandbox)["hello"] == "2.0"
    assert [item.code for item in sandbox.findings] == ["no-start-time"]


# --- failures -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dependency", "said"),
    [
        ("nope", "no channel has a package that is asked for"),
        ("hello>3", "no channel has a package that is asked for"),
        ("hello=2.0", "no fitting version was there when the run started"),
    ],
)
def test_what_cannot_be_solved_is_told_with_its_cause(build, channel, dependency, said):
    error = failure(build, conda(yml(channel, "python", dependency)))
    assert f"solving environment.yml as of 2020-06-01: {said}" in error.message
    assert dependency[:4] in error.message


@pytest.mark.parametrize("other", ["two", '"hello>0.1,!=1.0"'])  # the cut-off is not to blame
def test_packages_that_contradict_each_other_are_told(build, channel, tmp_path, other):
    own = Channel(tmp_path / "own")
    own.add("one", "1", {}, depends=("hello ==1.0",))
    own.add("two", "1", {}, depends=("hello ==0.1",))
    for version, built in (("0.1", OLD), ("1.0", OLD), ("2.0", NEW)):
        own.add_module("hello", version, built=built)
    text = f"channels: [{own.url}, {channel.url}, nodefaults]\ndependencies: [one, {other}]\n"
    assert "the packages contradict each other" in failure(build, conda(text)).message


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:9/channel", "a channel could not be reached"),
        ("file:///nonexistent/channel", "there is no such channel"),
    ],
)
def test_the_channel_that_cannot_be_reached_is_named(build, address, said):
    error = failure(build, conda(f"channels: [{address}, nodefaults]\ndependencies: [hello]\n"))
    assert f"{said} ({address})" in error.message
    assert "environment: {channels: {NAME: ADDRESS}}" in error.hint


def test_the_line_that_the_solver_cannot_read_is_named(build, channel):
    error = failure(build, conda(yml(channel, "python", "hello=>1.2")))
    assert error.message.startswith("reading environment.yml:4: 'hello=>1.2': unable to parse")


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_package_with_another_digest_is_refused(build, channel, algorithm, tmp_path):
    length = {"md5": 32, "sha256": 64}[algorithm]
    lock = f"@EXPLICIT\n{channel.url}/noarch/hello-1.0-0.tar.bz2#{'0' * length}\n"
    error = failure(build, conda(lock, file="conda-list.txt"), cache=tmp_path / "cache")
    assert "not the one whose digest is recorded" in error.message
    assert not list((tmp_path / "cache/conda").glob("*/env"))


def test_a_package_that_is_gone_is_told(build, channel):
    lock = f"@EXPLICIT\n{channel.url}/noarch/hello-0.1-0.tar.bz2#{'0' * 32}\n"
    error = failure(build, conda(lock, file="conda-list.txt"))
    assert "hello-0.1-0.tar.bz2" in error.message
    assert "no longer where the lock says" in error.message


def test_a_broken_package_is_told(build, tmp_path):
    own = Channel(tmp_path / "own")
    address = own.add("broken", "1", {})
    file = tmp_path / "own/noarch/broken-1-0.tar.bz2"
    file.write_bytes(file.read_bytes()[:40])
    error = failure(build, conda(f"@EXPLICIT\n{address}\n", file="conda-list.txt"))
    assert "a package's file is broken" in error.message


def test_an_environment_without_python_is_refused(build, tmp_path):
    own = Channel(tmp_path / "own")
    own.add("data", "1", {"share/data": b"1"}, subdir=SUBDIR)
    asked = conda(f"channels: [{own.url}, nodefaults]\ndependencies: [data]\n")
    assert "holds no Python" in failure(build, asked).message


def test_pips_failure_is_told_as_everywhere(build, channel):
    error = failure(build, conda(yml(channel, "python", "hello", more="  - pip: [six==99]\n")))
    assert "the index does not have a version that is asked for" in error.message


def test_pips_list_never_loses_an_editable_project(build, channel, tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/own.py").write_text("")
    (tmp_path / "tree/pyproject.toml").write_text('[project]\nname = "own"\nversion = "1"\n')
    text = yml(channel, "python", "hello", more="  - pip: ['-e .']\n")
    asked = conda(text, directory=".")
    with pytest.raises(RebuildError, match="-e \\."):
        build(asked)


# --- which specs --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "content", "way"),
    [
        ("environment.yml", "dependencies: [python, numpy]", CondaEnvironment),
        ("environment.yml", "dependencies: [python, pip, {pip: [six]}]", VenvEnvironment),
        ("conda-list.txt", "@EXPLICIT\n", CondaEnvironment),
        ("conda-lock.yml", "version: 1", CondaEnvironment),
        ("requirements.txt", "six", VenvEnvironment),
    ],
)
def test_only_what_asks_for_condas_packages_is_built_by_conda(file, content, way):
    assert isinstance(pick(conda(content, file=file)), way)
