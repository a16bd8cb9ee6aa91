from pathlib import Path

import pytest

from reprocheck.logged_files import place_of, put_back
from reprocheck.model import Origin, OriginKind, RecordedFile


def logged(path: str, content: str = "new", kind: OriginKind = OriginKind.ARTIFACT) -> RecordedFile:
    origin = Origin(kind=kind, where=path)
    return RecordedFile(path=path, content=content.encode(), origin=origin)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("params.yaml", "data/a.csv.dvc", "requirements.txt", "one/x.dvc", "two/x.dvc"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("old")
    return tmp_path


def test_the_runs_own_file_is_put_back_where_the_commit_has_it(tree: Path) -> None:
    (finding,) = put_back([logged("inputs/params.yaml")], tree)
    assert (tree / "params.yaml").read_text() == "new"
    assert finding.code == "file-from-record"


def test_the_same_content_is_nothing_to_tell(tree: Path) -> None:
    assert put_back([logged("params.yaml", "old")], tree) == ()


def test_several_different_ones_are_a_finding_and_the_commits_stays(tree: Path) -> None:
    (finding,) = put_back([logged("params.yaml"), logged("a/params.yaml", "newer")], tree)
    assert finding.code == "ambiguous-file"
    assert (tree / "params.yaml").read_text() == "old"


@pytest.mark.parametrize(
    "file",
    [
        logged("requirements.txt"),
        logged("other.yaml"),
        logged("params.yaml", kind=OriginKind.MODEL),
    ],
)
def test_other_files_are_left_alone(tree: Path, file: RecordedFile) -> None:
    assert put_back([file], tree) == ()


def test_a_name_that_could_mean_two_files_means_the_one_at_its_path(tree: Path) -> None:
    assert place_of("x.dvc", tree) is None
    assert place_of("two/x.dvc", tree) == "two/x.dvc"


def test_a_logged_path_cannot_lead_outside(tree: Path) -> None:
    (tree.parent / "evil.dvc").write_text("old")
    assert place_of("../evil.dvc", tree) is None
