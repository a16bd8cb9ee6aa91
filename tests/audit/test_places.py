import pytest
import yaml

from reprocheck.audit import places
from reprocheck.audit.places import Places, Reach, reach
from reprocheck.model import Severity
from tests.audit.builders import make_summary


@pytest.mark.parametrize(
    "uri",
    [
        "sqlite:///mlflow.db",
        "sqlite:////home/ann/mlflow.db",
        "sqlite:///C:/Users/ann/mlflow.db",
        "sqlite+pysqlite:///mlflow.db",
        "file:./mlruns",
        "file:///Users/ann/mlruns",
        "file:///C:/Users/ann/mlruns",
        "file://localhost/home/ann/mlruns",
        "C:\\Users\\ann\\mlruns",
        "mlruns",
        "./mlruns/0",
        "/home/ann/mlruns",
        "~/mlruns",
        "file:///C:/data/mlruns",
        "http://localhost:5000",
        "http://127.0.0.1:5000/",
        "http://[::1]:5000",
        "postgresql://me:pw@localhost/mlflow",
    ],
)
def test_one_machine(uri):
    assert reach(uri) is Reach.ONE_MACHINE


@pytest.mark.parametrize(
    "uri",
    [
        "https://mlflow.example:5000",
        "http://10.0.0.3:5000",
        "databricks",
        "databricks://profile",
        "s3://bucket/mlruns",
        "gs://bucket",
        "abfss://c@account.dfs.core.windows.net/x",
        "mlflow-artifacts:/1/x/artifacts",
        "dbfs:/databricks/mlflow",
        "postgresql+psycopg2://me:pw@db.example/mlflow",
        "http://[bad",
    ],
)
def test_others_can_read(uri):
    assert reach(uri) is Reach.OTHERS


@pytest.mark.parametrize(
    "uri",
    [
        "file:///mnt/team/mlruns",
        "/data/mlruns",
        "sqlite:////nfs/mlflow.db",
        "file://nas/share/mlruns",
        r"\\nas\share\mlruns",
        "/Volumes/team/mlruns",
    ],
)
def test_a_folder_that_may_be_shared_is_not_known(uri):
    assert reach(uri) is Reach.UNKNOWN


@pytest.mark.parametrize(
    "uri",
    [
        "/tmp/x/mlruns",
        "file:///tmp/mlruns",
        "file:///home/runner/work/p/mlruns",
        "/var/folders/ab/T/m",
        "file:///C:/Users/ann/AppData/Local/Temp/m",
    ],
)
def test_a_folder_that_is_emptied(uri):
    assert reach(uri) is Reach.PASSING


def findings(tracking_uri, *uris, **kwargs):
    analysis = Places(tracking_uri=tracking_uri, **kwargs)
    for i, uri in enumerate(uris):
        analysis.add(make_summary(i, artifact_uri=uri.format(f"{i:032x}")))
    return analysis.findings()


def test_a_store_on_one_machine_is_told_once_with_the_server_that_mends_it():
    [found] = findings("sqlite:///my db/mlflow.db", "s3://b/{}/artifacts", "s3://b/{}/artifacts")
    assert (found.code, found.severity) == ("laptop-store", Severity.WARNING)
    assert found.message.startswith("2 runs are kept in sqlite:///my db/mlflow.db, which only one")
    assert found.fix == (
        "mlflow server '--backend-store-uri=sqlite:///my db/mlflow.db' "
        "--artifacts-destination=./mlartifacts"
    )


def test_of_a_store_that_may_be_shared_only_a_note_is_made():
    [found] = findings("sqlite:////mnt/team/mlflow.db", "s3://b/{}/artifacts")
    assert found.severity is Severity.NOTE
    assert "only where it is of a shared file system" in found.message


@pytest.mark.parametrize("uri", ["file:///home/ann/mlruns", "/home/ann/mlruns"])
def test_a_file_store_is_made_a_database_first(uri):
    [found] = findings(uri, "s3://b/{}/artifacts")
    assert found.fix == (
        "mlflow migrate-filestore --source=/home/ann/mlruns --target=sqlite:///mlflow.db"
    )


def test_a_server_of_the_team_needs_nothing():
    assert findings("https://mlflow.example", "mlflow-artifacts:/1/{}/artifacts", "") == ()


def test_artifacts_are_told_by_their_root_the_ones_of_most_runs_first():
    few, many = "/mnt/x/1/{}/artifacts", "file:///home/ann/mlruns/1/{}/artifacts"
    first, second = findings("https://mlflow.example", few, many, many)
    assert (first.code, first.severity) == ("laptop-artifacts", Severity.WARNING)
    assert first.message.startswith("the artifacts of 2 runs are in file:///home/ann/mlruns, which")
    mapped = yaml.safe_load(first.fix)["tracker"]["artifact_roots"]
    assert mapped == {"file:///home/ann/mlruns": "./mlruns"}
    assert second.severity is Severity.NOTE
    assert "only where it is of a shared file system (as " in second.message


def test_roots_that_the_config_maps_are_known():
    roots = {"file:///home/ann/mlruns": "./mlruns"}
    uri = "file:///home/ann/mlruns/1/{}/artifacts"
    assert findings("https://mlflow.example", uri, artifact_roots=roots) == ()


def test_many_roots_are_counted(monkeypatch):
    monkeypatch.setattr(places, "MOST_FINDINGS", 2)
    found = findings("https://mlflow.example", *[f"/home/u{i}/{{}}/artifacts" for i in range(5)])
    assert len(found) == 3
    assert found[-1].message == "the artifacts of 3 more runs are in other such folders"


def test_a_password_is_not_told():
    [found] = findings("postgresql://me:pw@localhost/mlflow", "s3://b/{}/artifacts")
    assert "pw" not in f"{found.message}{found.fix}"


def test_no_runs_no_findings():
    assert Places(tracking_uri="sqlite:///mlflow.db").findings() == ()
