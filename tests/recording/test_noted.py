"""The runs of a command, as capture tells them."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from reprocheck.recording.training import Noted, _noted

CAPTURE = Path(__file__).parents[2] / "capture"


def classes():
    """As MLflow's are: a run that is started is created by a client."""

    class Client:
        tracking_uri = "http://tracker.example"

        def create_run(self, experiment):
            return SimpleNamespace(info=SimpleNamespace(run_id=experiment))

    class Active:
        def __init__(self, run):
            self.info = run.info

    return Active, Client


@pytest.fixture
def noted(monkeypatch):
    monkeypatch.syspath_prepend(str(CAPTURE))
    from reprocheck_capture import noted

    return noted


def test_runs_of_clients_are_noted_once_where_a_file_is_named(noted, tmp_path, monkeypatch):
    file = tmp_path / "runs"
    file.touch()
    monkeypatch.setenv(noted.FILE, str(file))
    active, client = classes()
    noted.watch(active, client)
    noted.watch(active, client)
    client().create_run("a1")
    active(client().create_run("b2"))
    store = "http://tracker.example"
    assert file.read_text().splitlines()[:2] == [f"a1\t{store}", f"b2\t{store}"]
    assert _noted(file.read_text()) == (
        Noted(run_id="a1", uri=store),
        Noted(run_id="b2", uri=store),
    )


def test_nothing_is_wrapped_without_a_file(noted, monkeypatch):
    monkeypatch.delenv(noted.FILE, raising=False)
    active, client = classes()
    before = client.create_run
    noted.watch(active, client)
    assert client.create_run is before


def test_what_is_no_runs_id_is_not_taken_for_one():
    text = "--upload-pack=x\thttp://a\n../b\tx\nok-1\tsqlite:///a.db\n\nok-1\tother\n"
    assert _noted(text) == (Noted(run_id="ok-1", uri="sqlite:///a.db"),)
