"""Stores in sqlite are copied, never opened by MLflow."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from reprocheck.errors import MissingStoreError, ReadError
from reprocheck.trackers.mlflow_sqlite import _unreadable

LOGGING = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
with mlflow.start_run(run_name="old") as run:
    mlflow.log_param("lr", 0.1)
    mlflow.log_metric("loss", float("inf"), step=0)
    mlflow.log_metric("loss", 0.5, step=1)
    mlflow.set_tag("mlflow.source.git.commit", "c" * 40)
print(run.info.run_id)
"""


def listing(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file()}


@pytest.fixture(scope="module", params=["1.30.1", "2.22.0"])
def made(request, python_with, tmp_path_factory):
    """A database that an older MLflow made, and the run in it."""
    folder = tmp_path_factory.mktemp("older")
    argv = [python_with(request.param), "-c", LOGGING, f"sqlite:///{folder}/mlflow.db"]
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(argv, check=True, capture_output=True, env=env, cwd=folder)
    return folder / "mlflow.db", done.stdout.decode().split()[-1]


@pytest.fixture
def older(made, database):
    """A store with a copy of it."""
    shutil.copy(made[0], database.folder / "mlflow.db")
    return database, made[1]


def test_an_older_store_is_read_and_its_bytes_stay(older):
    store, run_id = older
    before = listing(store.folder)
    record = store.read(run_id[:8])
    assert (record.name, record.parameters) == ("old", {"lr": "0.1"})
    assert [p.value for p in record.metrics["loss"].history] == [float("inf"), 0.5]
    assert record.code.commit == "c" * 40
    assert listing(store.folder) == before


def test_reading_prints_nothing_and_restores_the_environment(older):
    store, run_id = older
    script = (
        "import os, sys; from pathlib import Path; from reprocheck.trackers import open_tracker\n"
        "assert 'mlflow' not in sys.modules; before = dict(os.environ)\n"
        "tracker = open_tracker(sys.argv[1], {}, Path(sys.argv[2])); tracker.read(sys.argv[3])\n"
        "tracker.close(); assert dict(os.environ) == before"
    )
    scratch = str(store.folder / "scratch")
    done = subprocess.run(
        [sys.executable, "-c", script, store.uri, scratch, run_id],
        check=False,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_reading_changes_neither_the_file_nor_the_folder(database):
    run_id, before = database.log(metrics={"loss": [1.0]}), listing(database.folder)
    database.read(run_id)
    assert listing(database.folder) == before


def test_a_store_with_a_write_ahead_log_is_read_and_stays(database):
    path = database.folder / "mlflow.db"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        run_id = database.log(parameters={"lr": "1"})
        before = listing(database.folder)
        assert "mlflow.db-wal" in before
        assert database.read(run_id).parameters == {"lr": "1"}
        assert listing(database.folder) == before


def test_a_closed_store_with_a_write_ahead_log_gets_no_new_files(database):
    run_id = database.log()
    with closing(sqlite3.connect(database.folder / "mlflow.db")) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
    before = listing(database.folder)
    assert sorted(before) == ["mlflow.db"]
    database.read(run_id)
    assert listing(database.folder) == before


def test_a_store_of_a_newer_mlflow_is_refused(database):
    run_id = database.log()
    with closing(sqlite3.connect(database.folder / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'feedfacefeed'")
    with pytest.raises(ReadError, match=r"newer MLflow .schema feedfacefeed") as caught:
        database.read(run_id)
    assert "Upgrade reprocheck" in caught.value.hint
    assert list((database.folder / "scratch").iterdir()) == []


def test_a_missing_store_is_told_and_not_made(database):
    database.uri = f"sqlite:///{database.folder}/none.db"
    with pytest.raises(MissingStoreError, match=r"no MLflow store at .*none\.db"):
        database.read("0" * 32)
    assert not (database.folder / "none.db").exists()


@pytest.mark.parametrize("content", [b"", b"version: 1\n"])
def test_a_file_that_is_no_database_is_told(database, content):
    (database.folder / "mlflow.db").write_bytes(content)
    with pytest.raises(MissingStoreError, match="not a sqlite database"):
        database.read("0" * 32)


def test_a_database_of_something_else_is_told(database):
    path = database.folder / "mlflow.db"
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    with pytest.raises(MissingStoreError, match="no MLflow store"):
        database.read("0" * 32)


def test_a_damaged_database_is_told(database):
    path = database.folder / "mlflow.db"
    content = path.read_bytes()
    path.write_bytes(content[:200] + b"\xff" * (len(content) - 200))
    with pytest.raises(ReadError, match=r"Reading the MLflow store .* failed"):
        database.read("0" * 32)


def test_a_locked_database_is_told(database):
    with closing(sqlite3.connect(database.folder / "mlflow.db")) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ReadError, match="locked by another process"):
            database.read("0" * 32)


def test_a_write_that_was_cut_off_is_told_and_left_alone(database):
    path = database.folder / "mlflow.db"
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA cache_size=1")
    writer.execute("BEGIN IMMEDIATE")
    writer.executemany(
        "INSERT INTO params (key, value, run_uuid) VALUES (?, 'x', 'r')",
        ((str(i) * 50,) for i in range(2000)),
    )
    crashed = database.folder / "crashed"
    crashed.mkdir()
    for name in ("mlflow.db", "mlflow.db-journal"):
        shutil.copy(database.folder / name, crashed / name)
    writer.close()
    before = listing(crashed)
    database.uri = f"sqlite:///{crashed}/mlflow.db"
    with pytest.raises(ReadError, match="in the middle of a write"):
        database.read("0" * 32)
    assert listing(crashed) == before


def test_a_plain_path_to_a_database_is_read(database):
    run_id = database.log()
    database.uri = str(database.folder / "mlflow.db")
    assert database.read(run_id).ref.run_id == run_id


def test_a_disk_without_space_for_the_copy_is_told(database):
    with closing(sqlite3.connect(":memory:")) as full:
        full.execute("PRAGMA max_page_count=1")
        with pytest.raises(sqlite3.OperationalError) as caught:
            full.execute("CREATE TABLE t (x)")
            full.execute("INSERT INTO t VALUES (zeroblob(9999))")
    told = _unreadable(database.folder / "mlflow.db", caught.value)
    assert "no space" in told.message
    assert "TMPDIR" in told.hint
