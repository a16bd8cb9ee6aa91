"""Absolute paths that the run read from and nothing maps: found, without false alarms."""

from __future__ import annotations

import dataclasses
from pathlib import PurePosixPath

import pytest

from reprocheck.model import (
    Argv,
    Command,
    EnvironmentKind,
    EnvironmentSpec,
    Material,
    Origin,
    OriginKind,
    ShellLine,
    Step,
)
from reprocheck.unmapped_paths import Search, find
from tests.reporters.builders import make_record

ORIGIN = Origin(kind=OriginKind.FILE, where="data.dvc")


def material(path: str = "data/train.csv", seen_as: str | None = None) -> Material:
    return Material(
        path=path,
        algorithm="md5",
        digest="0" * 32,
        size=None,
        files=None,
        origin=ORIGIN,
        seen_as=seen_as,
    )


@pytest.fixture
def found(tmp_path):
    """The findings for a command in a tree."""

    def run(*words: str, parameters=None, line: str = "", **fields):
        what = ShellLine(line=line) if line else Argv(args=("python", "train.py", *words))
        search = Search(
            record=make_record(parameters=parameters or {}),
            command=Command(steps=(Step(run=what),)),
            tree=tmp_path,
            materials=fields.pop("materials", ()),
            **fields,
        )
        return find(search)

    return run


@pytest.mark.parametrize(
    "words",
    [
        ("--data", "/home/me/train.csv"),
        ("--data=/mnt/disk/images",),
        ("data.root=/data",),
        ("/scratch/me/x.parquet",),
        ("--train-file", "/tmp/train.csv"),
        ("--pretrained", "file:///models/bert.pt"),
        ("--images", "/weird/place"),
    ],
)
def test_what_looks_like_data_is_found(found, words):
    (finding,) = found(*words)
    assert finding.code == "unmapped-path"
    assert words[-1].rpartition("=")[2].removeprefix("file://") in finding.message


@pytest.mark.parametrize(
    "words",
    [
        ("--out", "/home/me/results/model.pkl"),
        ("--output-dir=/mnt/disk/run1",),
        ("--save_path", "/home/me/model.pt"),
        ("hydra.run.dir=/scratch/me/out",),
        ("--checkpoint-dir", "/scratch/me/ckpt"),
        ("--model-dir", "/home/me/models/one"),
        ("/home/me/outputs/predictions.csv",),
        ("--data", "https://example.com/home/me/train.csv"),
        ("--data", "s3://bucket/train.csv"),
        ("--pattern", "/foo.*/"),
        ("--pattern", "/home/[a-z]+/x.csv"),
        ("--sed", "s/a/b/g"),
        ("--api", "/v1/models"),
        ("--prefix", "/api/data.json"),
        ("/O",),
        ("--module", "package.module"),
        ("--log", "/dev/null"),
        ("--data", "/dev/stdin"),
        ("--fonts", "/usr/share/fonts/x.ttf"),
        ("--python", "/home/me/venv/bin/python"),
        ("/home/me/tools/run.sh",),
        ("--scratch", "/tmp/x"),
        ("--share", "//server/share/x.csv"),
        ("--text", "see /home/me/x.csv for more"),
        ("--date", "2024/01/01"),
        ("--data", "data/train.csv"),
    ],
)
def test_what_is_no_input_raises_no_alarm(found, words):
    assert found(*words) == ()


def test_a_shell_lines_words_count_and_what_it_writes_does_not(found):
    (finding,) = found(line="python train.py '/home/me/a b.csv' > /home/me/seen.csv 2>&1")
    assert "/home/me/a b.csv" in finding.message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("conf.yaml", "data: {path: /home/me/x.csv, out: /home/me/y.csv}"),
        ("conf.json", '{"data": {"path": "/home/me/x.csv", "n": 3}}'),
        ("conf.toml", '[data]\npath = "/home/me/x.csv"\n'),
        ("conf.ini", "[data]\npath = /home/me/x.csv\n"),
    ],
)
def test_a_config_file_that_the_command_names_is_looked_into(found, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    (finding,) = found("--config", name)
    assert f"/home/me/x.csv ({name}: data.path)" in finding.message
    assert found() == ()


def test_hydras_own_files_are_looked_into(found, tmp_path):
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra/overrides.yaml").write_text("- lr=0.1\n- data.path=/home/me/x.csv\n")
    (finding,) = found()
    assert ".hydra/overrides.yaml: data.path" in finding.message


@pytest.mark.parametrize("content", ["{", "a: [" * 5000, "&a [*a, *a]", "\xff" * 9])
def test_a_config_file_that_cannot_be_read_is_passed_over(found, tmp_path, content):
    (tmp_path / "conf.yaml").write_text(content)
    assert found("conf.yaml") == ()


def test_a_config_file_of_very_many_aliases_ends(found, tmp_path):
    lines = ["a0: &a0 [/home/me/x.csv]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    (tmp_path / "conf.yaml").write_text("\n".join(lines))
    assert len(found("conf.yaml")) <= 1


def test_a_config_file_outside_of_the_tree_is_not_read(found, tmp_path):
    outside = tmp_path.parent / "outside.yaml"
    outside.write_text("data: /home/me/x.csv")
    (tmp_path / "link.yaml").symlink_to(outside)
    assert found("link.yaml", "../outside.yaml") == ()


def test_a_parameter_counts_and_is_told_with_the_argument(found):
    path = "/home/me/x.csv"
    (finding,) = found("--input", path, parameters={"input": path, "out_dir": "/home/me/o"})
    assert "(the command's input, the parameter input)" in finding.message


def test_the_entry_to_write_is_told_also_for_a_tracked_file_of_that_name(found):
    (tracked,) = found("/home/me/data/train.csv", materials=(material(),))
    assert "if it is data/train.csv, which is restored by its digest" in tracked.hint
    entry = 'data: [{path: "data/train.csv", seen_as: "/home/me/data/train.csv"}]'
    assert entry in tracked.hint
    weak = dataclasses.replace(material("/home/me/data/train.csv"), weak=True)
    assert "DIGEST" in found("/home/me/data/train.csv", materials=(weak,))[0].hint
    (other,) = found("/home/me/other.csv", materials=(material(),))
    assert '{path: "data/other.csv", url: "/home/me/other.csv", sha256: DIGEST' in other.hint


@pytest.mark.parametrize("seen", ["/home/me/data", "/home/me/data/train.csv"])
@pytest.mark.parametrize("named", ["/home/me/data/train.csv", "/home/me/data"])
def test_what_an_input_is_seen_as_is_mapped(found, seen, named):
    assert found("--data", named, materials=(material(seen_as=seen),)) == ()


def test_the_runs_own_tree_is_known(found, tmp_path):
    (tmp_path / "conf.csv").touch()
    roots = (PurePosixPath("/home/me/proj"),)
    own = ("/home/me/proj/conf.csv", "/home/me/proj/data/train.csv", "/home/me/proj/new")
    assert found(*own, materials=(material(),), roots=roots) == ()
    (finding,) = found("/home/me/proj/data/gone.csv", materials=(material(),), roots=roots)
    assert "gone.csv" in finding.message


def test_what_an_image_has_is_known(found):
    spec = EnvironmentSpec(
        kind=EnvironmentKind.DOCKER,
        file="Dockerfile",
        content=b'FROM x\nWORKDIR /data/app\nCOPY ["a", "/srv/b"]\nADD x.csv /home/x.csv\n',
        directory=None,
        python=None,
        origin=ORIGIN,
    )
    own = ("/data/app/x.csv", "/srv/b/x.csv", "/home/x.csv")
    assert found(*own, environment=spec) == ()
    assert len(found("/srv/c/x.csv", environment=spec)) == 1
