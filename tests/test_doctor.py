"""`reprocheck doctor` on real projects."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reprocheck import schema
from tests.conftest import snapshot
from tests.doctor.conftest import answering
from tests.lab import Lab, copy_of


@pytest.fixture
def ready(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A project on a machine without an engine, whose package index answers."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent.sock")
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    with answering(404) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        yield copy_of(lab, tmp_path)


def doctor(lab: Lab, *args: str, code: int = 0, **options: Any) -> dict[str, dict[str, Any]]:
    """The checks by their names; the document follows its schema."""
    result = lab.reprocheck("doctor", *args, "--json", "-", **options)
    assert (result.exit_code, result.stderr) == (code, "")
    document = json.loads(result.stdout)
    assert not schema.check(document, "doctor")
    assert document["ready"] == (code == 0)
    assert lab.leftovers == []
    return {check["name"]: check for check in document["checks"]}


def test_a_project_that_lacks_nothing_exits_0_and_is_left_as_it_was(ready: Lab) -> None:
    before = snapshot(ready.root / "repo"), (ready.root / "mlflow.db").read_bytes()
    found = doctor(ready, "--tracking-uri", ready.uri)
    assert {check["status"] for check in found.values()} <= {"ok", "missing", "warning"}
    for name in ("tracker", "DVC remote storage", "git", "uv", "package index", "Python"):
        assert found[name]["status"] == "ok", found[name]
    assert found["container engine"]["status"] == "missing"
    assert (snapshot(ready.root / "repo"), (ready.root / "mlflow.db").read_bytes()) == before


def test_what_the_project_needs_and_is_broken_exits_3(ready: Lab) -> None:
    ready.repo.write({"reprocheck.yaml": "version: 1\nbogus: 1\n", "Dockerfile": "FROM scratch\n"})
    (ready.repo.path / "requirements.txt").unlink(missing_ok=True)
    (ready.root / "remote").rename(ready.root / "elsewhere")
    args = ("--tracking-uri", "http://ann:s3cret@127.0.0.1:9")
    found = doctor(ready, *args, code=3)
    for name, words in (
        ("reprocheck.yaml", "unknown key 'bogus'"),
        ("tracker", "cannot be reached"),
        ("DVC remote storage", "no such folder"),
        ("container engine", "Dockerfile needs one"),
    ):
        assert found[name]["status"] == "error"
        assert words in found[name]["found"]
        assert found[name]["mend"]
    assert "s3cret" not in json.dumps(found)
    assert not (ready.root / "remote").exists()


def test_a_server_that_refuses_names_the_variables(ready: Lab) -> None:
    with answering(401) as address:
        found = doctor(ready, "--tracking-uri", address, code=3)
    assert "HTTP 401" in found["tracker"]["found"]
    assert "MLFLOW_TRACKING_USERNAME" in found["tracker"]["mend"]


def test_a_store_that_is_not_there_is_not_made(ready: Lab, tmp_path: Path) -> None:
    found = doctor(ready, "--tracking-uri", f"sqlite:///{tmp_path}/new.db", code=3)
    assert "There is no MLflow store" in found["tracker"]["found"]
    assert not (tmp_path / "new.db").exists()


def test_an_empty_folder_needs_only_what_every_verification_needs(
    ready: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    assert doctor(ready, cwd=tmp_path / "empty")["repository"]["status"] == "missing"
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    found = doctor(ready, cwd=tmp_path / "empty", code=3)
    assert [name for name, check in found.items() if check["status"] == "error"] == ["git"]
    assert list((tmp_path / "empty").iterdir()) == []


def test_the_terminal_shows_every_line_in_80_columns_and_the_file_gets_the_json(
    ready: Lab, tmp_path: Path
) -> None:
    out = tmp_path / "doctor.json"
    args = ("--config", "absent.yaml", "--json", str(out))
    result = ready.reprocheck("doctor", *args)
    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    assert lines[0] == "Needed here, and missing or broken: reprocheck.yaml"
    assert max(map(len, lines)) <= 80
    for check in json.loads(out.read_text())["checks"]:
        assert any(line.startswith(check["name"]) for line in lines), check["name"]
    assert "→ give an existing UTF-8 file to --config" in result.stdout


def test_a_file_that_cannot_be_written_is_wrong_usage(ready: Lab) -> None:
    assert ready.reprocheck("doctor", "--json", "/nowhere/doctor.json").exit_code == 2


def test_every_kind_of_check_is_in_the_schema() -> None:
    from reprocheck.doctor.base import Kind, Status

    check = schema.load("doctor")["$defs"]["check"]["properties"]
    assert check["check"]["enum"] == [kind.value for kind in Kind]
    assert check["status"]["enum"] == [status.value.lower() for status in Status]
