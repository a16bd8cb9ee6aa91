"""DVC's remotes are reached for reading; nothing is written to them."""

import importlib.util
import socket

import pytest

from reprocheck.datastores import dvc_remotes
from reprocheck.doctor import Status
from reprocheck.doctor.data import check_dvc
from tests.conftest import snapshot
from tests.doctor.conftest import answering


@pytest.fixture
def with_remotes(repo, about):
    """Makes a DVC repository with remotes by their names; returns the lines about them."""

    def make(default=None, **urls):
        repo.write({".dvc/config": "" if default is None else f"[core]\n    remote = {default}\n"})
        with (repo.path / ".dvc/config").open("a") as file:
            for name, settings in urls.items():
                lines = [settings] if isinstance(settings, str) else settings
                file.write(f"['remote \"{name}\"']\n    url = " + "\n    ".join(lines) + "\n")
        before = snapshot(repo.path)
        _, *lines = check_dvc(about())
        assert snapshot(repo.path) == before
        return {line.name.removeprefix("DVC remote "): line for line in lines}

    return make


def test_a_folder_is_looked_at_and_the_default_one_is_needed(with_remotes, tmp_path):
    (tmp_path / "there").mkdir()
    urls = {"there": f"{tmp_path}/there", "gone": f"{tmp_path}/gone"}
    found = with_remotes(default="there", **urls)
    assert list(found) == ["there", "gone"]
    assert found["there"].status is Status.OK
    assert found["gone"].status is Status.WARNING
    found = with_remotes(default="gone", **urls)
    assert list(found) == ["gone", "there"]
    assert found["gone"].status is Status.ERROR
    assert "there is no such folder" in found["gone"].told
    assert "dvc push --remote gone" in found["gone"].mend
    assert with_remotes(**urls)["gone"].status is Status.ERROR
    assert not (tmp_path / "gone").exists()


def test_the_remotes_of_sub_repositories_are_looked_at_too(repo, about, tmp_path):
    for folder in ("one", "deep/er"):
        repo.write({f"{folder}/.dvc/config": "['remote \"r\"']\n    url = ../../../../gone\n"})
    _, *lines = check_dvc(about())
    assert [line.name for line in lines] == ["DVC remote deep/er/r", "DVC remote one/r"]
    assert all(line.status is Status.ERROR for line in lines)


@pytest.mark.parametrize(
    ("status", "verdict", "told"),
    [
        (200, Status.OK, "it answers"),
        (404, Status.OK, "it answers"),
        (401, Status.ERROR, "it refuses us (HTTP 401)"),
        (503, Status.ERROR, "it fails (HTTP 503)"),
    ],
)
def test_a_server_is_asked_for_its_head(with_remotes, status, verdict, told):
    with answering(status) as address:
        found = with_remotes(web=f"{address}/data")["web"]
    assert found.status is verdict
    assert told in found.told


def test_a_dead_server_is_told(with_remotes, dead):
    found = with_remotes(web=f"http://{dead}/data")["web"]
    assert found.status is Status.ERROR
    assert "no answer" in found.told


@pytest.mark.parametrize("scheme", ["gs", "azure"])
def test_an_absent_plugin_is_named_with_its_command(with_remotes, scheme):
    if importlib.util.find_spec(f"dvc_{scheme}"):
        pytest.skip(f"dvc-{scheme} is installed")
    found = with_remotes(store=f"{scheme}://bucket/path")["store"]
    assert found.status is Status.ERROR
    assert found.mend == f"pip install 'dvc[{scheme}]'"


def test_an_open_port_of_ssh_is_enough(dead):
    remote = dvc_remotes.Remote(name="r", url="ssh://me@127.0.0.1/p", default=True, settings={})
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        open_one = dvc_remotes._ssh(remote, {"host": "127.0.0.1", "port": port}, {})
    closed = dvc_remotes._ssh(remote, {"host": "127.0.0.1", "port": dead.split(":")[1]}, {})
    assert open_one.usable
    assert not closed.usable
    assert closed.mend.startswith("check it with  ssh -p")


def test_a_repository_without_remotes_or_with_a_broken_config_is_told(repo, about):
    repo.write({".dvc/config": ""})
    (check,) = check_dvc(about())
    assert check.status is Status.WARNING
    assert check.mend.startswith("dvc remote add")
    repo.write({".dvc/config": "[nonsense"})
    (check,) = check_dvc(about())
    assert check.status is Status.ERROR
