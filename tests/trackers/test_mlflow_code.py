"""The code of a run, from the tags of several habits."""

import pytest

from reprocheck.model import TreeState

COMMIT = "c" * 40


@pytest.mark.parametrize(
    "tag", ["mlflow.source.git.commit", "mlflow.databricks.gitRepoCommit", "git_commit"]
)
def test_a_commit_is_found_in_its_tag(database, tag):
    record = database.read(database.log(tags={tag: COMMIT}))
    assert record.code.commit == COMMIT
    assert record.origins["/code/commit"].where == tag


def test_a_commit_is_found_in_a_parameter(database):
    assert database.read(database.log(parameters={"git_commit": COMMIT})).code.commit == COMMIT


@pytest.mark.parametrize(
    ("tags", "tree"),
    [
        ({}, TreeState.UNKNOWN),
        ({"mlflow.source.git.commit": COMMIT}, TreeState.UNKNOWN),
        ({"reprocheck.tree": "clean"}, TreeState.CLEAN),
        ({"reprocheck.tree": "dirty", "mlflow.source.git.dirty": "false"}, TreeState.DIRTY),
        ({"mlflow.source.git.dirty": "true"}, TreeState.DIRTY),
        ({"mlflow.source.git.dirty": "false"}, TreeState.CLEAN),
        ({"reprocheck.tree": "maybe"}, TreeState.UNKNOWN),
    ],
)
def test_an_unknown_tree_is_not_clean(database, tags, tree):
    assert database.read(database.log(tags=tags)).code.tree is tree


@pytest.mark.parametrize(
    ("name", "repository", "subdirectory"),
    [
        ("https://host/team/code#examples/net", "https://host/team/code", "examples/net"),
        ("file:///home/ann/code#net", "file:///home/ann/code", "net"),
        ("git@host:team/code.git", "git@host:team/code.git", "."),
        ("https://ann:t0ken@host/team/code", "https://host/team/code", "."),
    ],
)
def test_a_projects_source_is_its_repository(database, name, repository, subdirectory):
    tags = {"mlflow.source.name": name, "mlflow.source.type": "PROJECT"}
    tags["mlflow.project.entryPoint"] = "main"
    code = database.read(database.log(tags=tags)).code
    assert (code.repository, code.subdirectory) == (repository, subdirectory)
    assert code.entry_point == "main"


def test_a_script_is_no_repository(database):
    tags = {"mlflow.source.name": "train.py", "mlflow.source.type": "LOCAL"}
    code = database.read(database.log(tags=tags)).code
    assert (code.script, code.repository, code.entry_point) == ("train.py", None, None)


def test_credentials_in_the_repositorys_address_are_dropped(database):
    url = "https://ann:t0ken@host/team/code.git"
    record = database.read(database.log(tags={"mlflow.source.git.repoURL": url}))
    assert record.code.repository == "https://host/team/code.git"
    assert "t0ken" not in repr(record)
