import hashlib

import pytest

from reprocheck.model import TreeState, UntrackedFile
from reprocheck.trackers.mlflow_settings import client_settings

ONE = "diff --git a/x b/x\n"


@pytest.mark.parametrize(
    ("artifacts", "content", "parts"),
    [
        ({"reprocheck/source.patch": "own", "diff.patch": "other"}, b"own", ()),
        (
            {"reprocheck/staged.patch": "s", "reprocheck/unstaged.patch": "u"},
            b"su",
            (b"s", b"u"),
        ),
        ({"git/unstaged.patch": "u", "git/staged.patch": "s"}, b"su", (b"s", b"u")),
        ({"staged.patch": "s"}, b"s", ()),
        ({"wandb/diff.patch": ONE}, ONE.encode(), ()),
        ({"a/diff.patch": ONE, "b/diff.patch": ONE}, ONE.encode(), ()),
    ],
)
def test_patches_are_known_by_the_names_that_tools_and_teams_give_them(
    database, artifacts, content, parts
):
    code = database.read(database.log(artifacts=artifacts)).code
    assert (code.patch.content, code.patch.parts, code.tree) == (content, parts, TreeState.DIRTY)


def test_a_tree_that_is_said_to_be_clean_has_no_patch_but_reprochecks_own(database):
    tags = {"reprocheck.tree": "clean", "mlflow.source.git.diff": ONE}
    assert database.read(database.log(artifacts={"diff.patch": ONE}, tags=tags)).code.patch is None


def test_several_different_patches_are_a_finding_and_none_is_used(database):
    record = database.read(database.log(artifacts={"a/diff.patch": "1", "b/diff.patch": "2"}))
    assert record.code.patch is None
    assert "ambiguous-patch" in {finding.code for finding in record.findings}


def test_mlflows_own_tag_counts_unless_it_was_cut(database):
    tags = {"mlflow.source.git.dirty": "true", "mlflow.source.git.diff": ONE}
    record = database.read(database.log(tags=tags))
    assert record.code.patch.content == ONE.encode()
    assert record.origins["/code/patch"].where == "mlflow.source.git.diff"
    record = database.read(database.log(tags=tags | {"mlflow.source.git.diff": "x" * 8000}))
    assert record.code.patch is None
    assert "truncated-patch" in {finding.code for finding in record.findings}


def test_what_mlflows_git_versioning_keeps_with_a_model_counts_for_the_runs_of_its_commit(database):
    from mlflow.entities import LoggedModelInput

    commit = {"mlflow.source.git.commit": "c" * 40}
    state = {"mlflow.source.git.dirty": "true", "mlflow.source.git.diff": ONE}
    with client_settings(database.uri):
        model = database.client.create_logged_model(database.experiment, tags={**commit, **state})
    read = []
    for tags in (commit, {"mlflow.source.git.commit": "d" * 40}):
        run_id = database.log(tags=tags)
        with client_settings(database.uri):
            inputs = [LoggedModelInput(model_id=model.model_id)]
            database.client.log_inputs(run_id, models=inputs)
        read.append(database.read(run_id).code)
    assert [code.tree for code in read] == [TreeState.DIRTY, TreeState.UNKNOWN]
    assert read[0].patch.content == ONE.encode()


def test_the_changes_since_a_pushed_commit_name_it(database):
    base = "ab" * 20
    record = database.read(database.log(artifacts={f"diff_{base}.patch": ONE, "diff.patch": "2"}))
    assert (record.code.upstream.base, record.code.patch.content) == (base, b"2")
    digest = hashlib.sha256(ONE.encode()).hexdigest()
    tags = {"reprocheck.upstream": base, "reprocheck.upstream.sha256": digest}
    record = database.read(database.log(artifacts={"reprocheck/upstream.patch": ONE}, tags=tags))
    assert (record.code.upstream.base, record.code.upstream.sha256) == (base, digest)


def test_a_patch_may_name_the_commit_that_it_is_for(database):
    record = database.read(
        database.log(
            artifacts={"reprocheck/source.patch": ONE}, tags={"reprocheck.patch.base": "ab" * 20}
        )
    )
    assert record.code.patch.base == "ab" * 20


def test_untracked_files_are_those_listed_and_those_kept(database):
    listed = '{"code": {"untracked": [{"path": "a.py", "sha256": "00"}, {"path": "b.bin"}]}}'
    artifacts = {
        "reprocheck/record.json": listed,
        "reprocheck/untracked/a.py": "x",
        "reprocheck/untracked/sub/c.py": "y",
    }
    record = database.read(database.log(artifacts=artifacts))
    folder = "reprocheck/untracked/"
    assert record.code.untracked == (
        UntrackedFile(path="a.py", sha256="00", artifact=f"{folder}a.py"),
        UntrackedFile(path="b.bin", sha256=None, artifact=None),
        UntrackedFile(path="sub/c.py", sha256=None, artifact=f"{folder}sub/c.py"),
    )
    assert [file.path for file in record.files] == ["reprocheck/record.json"]
