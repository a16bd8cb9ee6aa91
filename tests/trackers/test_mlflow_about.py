"""What a store is, told without touching it."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reprocheck.errors import MissingStoreError, ReadError
from reprocheck.trackers import about


def listing(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file()}


@pytest.fixture
def scratch(tmp_path):
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def test_a_store_of_each_kind_is_told_with_its_experiments(store, scratch):
    before = listing(store.folder)
    told = about(store.uri, scratch)
    assert "experiment" in told
    if store.uri.startswith("http"):
        assert told.startswith(f"{store.uri}, MLflow 3.")
    assert listing(store.folder) == before


def test_a_database_with_a_log_of_writes_gets_no_files_beside_it(database, scratch):
    path = database.folder / "mlflow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    before = listing(database.folder)
    assert "2 experiments" in about(database.uri, scratch)
    assert listing(database.folder) == before


def test_an_older_schema_is_told_and_stays(database, scratch):
    path = database.folder / "mlflow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'bf29a5ff90ea'")
        connection.commit()
    before = listing(database.folder)
    assert "older MLflow's schema (bf29a5ff90ea;" in about(str(path), scratch)
    assert listing(database.folder) == before


def test_a_newer_schema_and_no_store_are_refused(database, scratch):
    path = database.folder / "mlflow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffff'")
        connection.commit()
    with pytest.raises(ReadError, match="newer MLflow"):
        about(database.uri, scratch)
    path.unlink()
    with pytest.raises(MissingStoreError):
        about(database.uri, scratch)
    assert not path.exists()
    shutil.rmtree(scratch)
