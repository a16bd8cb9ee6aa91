"""The ways to name a run."""

import sqlite3

import pytest

from reprocheck.errors import ReadError, UnknownRunError
from reprocheck.trackers import uri_of_page
from reprocheck.trackers.mlflow_settings import client_settings


def test_a_beginning_of_an_id_is_enough(store):
    run_id = store.log()
    store.log(parameters={"other": "1"})
    assert store.read(run_id[:10].upper()).ref.run_id == run_id


def test_an_ambiguous_beginning_lists_the_runs(database):
    first, second = database.log(), database.log()
    similar = first[:6] + ("0" if first[6] != "0" else "1") + first[7:]
    with sqlite3.connect(database.folder / "mlflow.db") as connection:
        connection.execute("UPDATE runs SET run_uuid = ? WHERE run_uuid = ?", (similar, second))
    connection.close()
    with pytest.raises(UnknownRunError, match="2 runs begin with") as caught:
        database.read(first[:6])
    assert f"{first}  a run  2023-11-14 22:13 UTC" in caught.value.message
    assert similar in caught.value.message
    assert caught.value.usage


def test_a_beginning_shorter_than_four_is_refused(database):
    with pytest.raises(UnknownRunError, match="too short"):
        database.read("abc")


def test_a_beginning_that_nothing_has_is_unknown(database):
    with pytest.raises(UnknownRunError, match="begins with ffffff"):
        database.read("ffffff")


@pytest.mark.parametrize("asked", ["runs:/{}", "runs:/{}/model/weights", " {} "])
def test_a_run_is_found_by_its_uri(database, asked):
    run_id = database.log()
    assert database.read(asked.format(run_id)).ref.run_id == run_id


def test_a_run_is_found_by_its_registered_model(store, monkeypatch):
    run_id, name = store.log(), f"digits-{store.folder.name}"
    with client_settings(store.uri):
        client = store.client
        client.create_registered_model(name)
        client.create_model_version(name, f"runs:/{run_id}/model", run_id)
        client.set_registered_model_alias(name, "champion", "1")
    (elsewhere := store.folder / "elsewhere").mkdir()
    monkeypatch.chdir(elsewhere)
    assert store.read(f"models:/{name}/1").ref.run_id == run_id
    assert store.read(f"models:/{name}@champion").ref.run_id == run_id
    with pytest.raises(UnknownRunError):
        store.read(f"models:/{name}/2")
    assert list(elsewhere.iterdir()) == []  # MLflow's default store would be made here


def test_a_model_without_a_run_says_so(database):
    database.client.create_registered_model("m")
    database.client.create_model_version("m", (database.folder / "m").as_uri())
    with pytest.raises(ReadError, match="does not say which run"):
        database.read("models:/m/1")


def test_a_run_is_found_by_its_logged_model(database):
    run_id = database.log()
    model = database.client.create_logged_model(database.experiment, "net", source_run_id=run_id)
    assert database.read(f"models:/{model.model_id}").ref.run_id == run_id


def test_a_run_is_found_by_its_page(served):
    run_id = served.log()
    page = served.read(run_id).url
    assert uri_of_page(page) == served.uri
    assert served.read(page + "/model-metrics").ref.run_id == run_id


@pytest.mark.parametrize(
    ("asked", "uri"),
    [
        ("https://host/team.mlflow/#/experiments/0/runs/abc123", "https://host/team.mlflow"),
        ("http://host:5000/?x=1#/experiments/7/runs/abc123/artifacts", "http://host:5000"),
        ("http://host:5000/", None),
        ("abcdef", None),
    ],
)
def test_the_address_of_a_page_is_the_tracker(asked, uri):
    assert uri_of_page(asked) == uri


@pytest.mark.parametrize("asked", ["", "../etc", "runs:/", "models:/", "a b", "x' OR '1'='1"])
def test_what_is_no_name_of_a_run_is_told(database, asked):
    with pytest.raises(UnknownRunError):
        database.read(asked)
