"""Data sets whose recorded digest proves little: shown, told, and never taken for proved."""

from pathlib import Path

import pytest

from reprocheck import datastores, placeholders
from reprocheck.config import Config
from reprocheck.data_rules import DataRule
from reprocheck.datastores import Around
from reprocheck.datastores.choice import choose
from reprocheck.model import Finding, Material, Origin, OriginKind
from tests.datastores.servers import COMMIT
from tests.reporters.builders import make_record

SHA = "b" * 64


def weak(source: str = "", path: str = "") -> Material:
    return Material(
        path=path or source or "dataset",
        algorithm="mlflow",
        digest="8a1b2c3d",
        size=None,
        files=None,
        origin=Origin(kind=OriginKind.TRACKER, where="dataset train"),
        weak=True,
        source=source,
    )


def chosen(
    tree: Path, *found: Material, rules: tuple[DataRule, ...] = ()
) -> tuple[tuple[Material, ...], tuple[Finding, ...]]:
    return choose(make_record(data=found), Config(data=rules), tree, placeholders.substitute)


@pytest.mark.parametrize("source", ["", "gone.csv", "/mnt/gone.csv", "s3://b/known.csv", "../x"])
def test_data_that_nothing_proves_is_shown_and_told_before_the_rerun(
    tmp_path: Path, source: str
) -> None:
    (tmp_path / "known.csv").write_text("1")
    materials, (finding,) = chosen(tmp_path, weak(source), weak(source))
    assert materials == (weak(source),)
    assert (finding.code, finding.pointer) == ("unproved-data", "/data/0")
    assert "8a1b2c3d" in finding.message
    inputs = datastores.restore(materials, tmp_path / "in", Around(tree=tmp_path, folder=tmp_path))
    assert inputs.materials == ()


@pytest.mark.parametrize(
    "material",
    [
        weak("data/known.csv"),
        weak("./data/known.csv"),
        weak("file:///home/me/project/data/known.csv"),
        weak("/home/me/project/data/known.csv"),
        weak("s3://bucket/x", path="data/known.csv"),
    ],
)
def test_data_that_git_or_dvc_brings_is_proved(tmp_path: Path, material: Material) -> None:
    (tmp_path / "data").mkdir()
    pointer = tmp_path / "data/known.csv.dvc"
    pointer.write_text(f"outs:\n- md5: {'a' * 32}\n  hash: md5\n  path: known.csv\n")
    materials, findings = chosen(tmp_path, material)
    assert [item.path for item in materials] == ["data/known.csv"]
    assert findings == ()
    pointer.unlink()
    (tmp_path / "data/known.csv").write_text("1")
    assert chosen(tmp_path, material) == ((), ())


def test_what_lies_in_a_folder_of_dvcs_is_proved(tmp_path: Path) -> None:
    content = f"outs:\n- md5: {'a' * 32}.dir\n  hash: md5\n  path: data\n"
    (tmp_path / "data.dvc").write_text(content)
    assert chosen(tmp_path, weak("data/part/1.csv"))[1] == ()
    assert [item.code for item in chosen(tmp_path, weak("database/1.csv"))[1]] == ["unproved-data"]


@pytest.mark.parametrize(
    "source", ["https://host/data/train.csv?sig=x", "/mnt/data/train.csv", "lakefs://r/c/train.csv"]
)
def test_a_digest_in_the_config_proves_what_is_read_from_the_logged_source(
    tmp_path: Path, source: str
) -> None:
    rule = DataRule(path="data/train.csv", digest=SHA)
    ((material,), findings) = chosen(tmp_path, weak(source), rules=(rule,))
    assert (material.source, material.digest, material.weak) == (source, SHA, False)
    assert findings == ()


@pytest.mark.parametrize("source", ["data/train.csv", "https://host/data/test.csv"])
def test_another_source_is_not_the_inputs(tmp_path: Path, source: str) -> None:
    rule = DataRule(path="data/train.csv", digest=SHA)
    ((material, *_), _) = chosen(tmp_path, weak(source), rules=(rule,))
    assert material.source == ""


def test_in_a_repository_of_dvcs_the_digest_leads_to_its_remotes(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    rule = DataRule(path="train.csv", digest="a" * 32)
    ((material,), _) = chosen(tmp_path, weak("https://host/train.csv"), rules=(rule,))
    assert material.source == ""


def test_a_commit_of_lakefs_proves_what_it_names(tmp_path: Path) -> None:
    source = f"lakefs://repo/{COMMIT}/train.csv"
    ((material,), findings) = chosen(tmp_path, weak(source, path="data/train.csv"))
    assert (material.path, material.algorithm, material.digest, material.weak, findings) == (
        "data/train.csv",
        "lakefs",
        COMMIT,
        False,
        (),
    )
    rule = DataRule(path="input/train.csv")
    ((material,), findings) = chosen(tmp_path, weak(source), rules=(rule,))
    assert (material.path, material.digest, findings) == ("input/train.csv", COMMIT, ())
    ((material,), findings) = chosen(tmp_path, weak(source))  # nothing says where it belongs
    assert (material.weak, [item.code for item in findings]) == (True, ["unproved-data"])


def test_a_branch_of_lakefs_proves_nothing(tmp_path: Path) -> None:
    (_, findings) = chosen(tmp_path, weak("lakefs://repo/main/x.csv"))
    assert [item.code for item in findings] == ["unproved-data", "mutable-reference"]


def test_a_folder_that_git_keeps_empty_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images/.gitkeep").write_text("")
    assert [item.code for item in chosen(tmp_path, weak("/mnt/images"))[1]] == ["unproved-data"]
    (tmp_path / "images/1.png").write_text("1")
    assert chosen(tmp_path, weak("/mnt/images")) == ((), ())


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        ("s3://bucket/rows.parquet", ["unproved-data"]),
        ("s3://bucket/images/train", []),  # below what the config names as its place
        ("/mnt/train.csv", []),  # a file of that name
        ("/mnt/seen/rows.csv", []),
        ("", []),  # the training made it of what it read
    ],
)
def test_a_source_that_the_configs_list_does_not_cover_is_told(
    tmp_path: Path, source: str, codes: list[str]
) -> None:
    rules = (
        DataRule(path="data/train.csv", digest=SHA, url="https://host/x"),
        DataRule(path="one", digest=SHA, url="s3://bucket/images", seen_as="/mnt/seen"),
    )
    assert [item.code for item in chosen(tmp_path, weak(source), rules=rules)[1]] == codes
