"""What cannot be recorded ends no training, and is told once."""

import pytest

TRAIN = """
import mlflow
for _ in range(2):
    with mlflow.start_run():
        mlflow.log_metric("accuracy", 0.5)
        {during}
"""


def refuse_tags(team):
    team.sql(
        "CREATE TRIGGER refuse BEFORE INSERT ON tags WHEN NEW.key LIKE 'reprocheck.%' "
        "BEGIN SELECT RAISE(ABORT, 'these tags are refused'); END"
    )


def break_git(team):
    team.repo.commit({"train.py": ""})
    (team.repo.path / ".git/index").write_bytes(b"no index")


def no_place_for_artifacts(team):
    (team.database.parent / "artifacts").write_text("a file")


def nothing(team):
    pass


@pytest.mark.parametrize(
    ("breaks", "during", "told"),
    [
        (break_git, "", "could not record code"),
        (refuse_tags, "", "could not record tags"),
        (no_place_for_artifacts, "", "could not record artifacts"),
        (nothing, "import tempfile; tempfile.tempdir = '/no/such/folder'", "artifacts"),
        (
            nothing,
            "import shutil; shutil.rmtree(artifacts, True); open(artifacts, 'w')",
            "artifacts",
        ),
        (
            nothing,
            "import os; os.environ['PATH'] = '/no'; os.chdir('/'); os.environ.pop('HOME', 0)",
            "",
        ),
    ],
)
def test_a_training_goes_on_whatever_cannot_be_recorded(team, breaks, during, told):
    breaks(team)
    artifacts = f"artifacts = {str(team.database.parent / 'artifacts')!r}\n"
    team.train(artifacts + TRAIN.replace("{during}", during), commit=False)
    warned = team.stderr.count("reprocheck-capture could not record")
    assert (warned, told in team.stderr) == (1 if told else 0, True), team.stderr
    assert team.sql("SELECT status FROM runs") == [("FINISHED",)] * 2


def test_a_store_that_refuses_a_run_for_another_reason_is_not_asked_again(team):
    team.sql("CREATE TRIGGER no BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'no runs'); END")
    with pytest.raises(AssertionError, match="no runs"):
        team.train(TRAIN.replace("{during}", ""))
    assert team.sql("SELECT count(*) FROM runs") == [(0,)]
