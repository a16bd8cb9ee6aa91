"""Stages as DVC itself reads them, and their order."""

from __future__ import annotations

import posixpath
from pathlib import Path

import pytest

from reprocheck import dvc_pipeline, dvc_values
from reprocheck.errors import SourceError

RICH = {
    "params.yaml": "lr: 0.1\nrate: 1e-3\noff: off\n"
    "model: {name: cnn, layers: [3, 5], fast: true}\n",
    "more.toml": "[prep]\nrows = 7\n",
    "extra.json": '{"kept": {"deep": "yes"}, "dropped": 1}',
    "dvc.yaml": r"""
vars: [more.toml, "extra.json:kept", {size: 3, model: {kind: mlp}}]
stages:
  prepare:
    wdir: prep
    cmd: ["python prepare.py ${prep.rows}", "echo ${kept.deep} ${rate} ${off}"]
    deps: [../raw.csv, prepare.py]
    outs: [../data/clean.csv, own.csv]
  featurize:
    foreach: [train, test]
    do: {cmd: "python f.py ${item}", deps: [data/clean.csv], outs: ["data/${item}.npy"]}
  pair:
    foreach: {a: {x: 1}, b: {x: 2}}
    do: {cmd: "python p.py ${key} ${item.x}", outs: ["pairs/${key}"]}
  numbered:
    foreach: [{x: 1}, {x: 2}]
    do: {cmd: "python n.py ${item.x}"}
  train:
    matrix: {size: [1, 2], model: "${model.layers}", opts: [{a: 1}]}
    cmd: >-
      python train.py ${item.size} ${item.model} ${item.opts.a} ${model.layers[1]} \${HOME}
    deps: [data/train.npy]
    params: [lr, {other.yaml: [x]}]
    outs: ["models/${item.size}-${item.model}": {persist: true}]
    metrics: ["m-${key}.json": {cache: false}]
  last:
    cmd: |
      python a.py ${model}
      python b.py ${model.fast}
    deps: [models, sub/out]
    plots: [curve.csv: {x: step}]
    frozen: true
""",
    "sub/params.yaml": "rate: 2\n",
    "sub/dvc.yaml": "stages:\n"
    "  make: {cmd: 'echo ${rate}', deps: [../data/clean.csv], outs: [out]}\n",
}


def tree(tmp_path: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


def test_stages_are_those_that_dvc_itself_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dvc.repo import Repo

    root = tree(tmp_path, RICH | {"prep/prepare.py": "", "other.yaml": "x: 1"})
    monkeypatch.chdir(root)  # DVC's addresses count from here
    with Repo.init(str(root), no_scm=True) as repo:
        theirs = {stage.addressing: stage for stage in repo.index.stages}
    ours = dvc_pipeline.stages(root)
    assert set(ours) == set(theirs)
    for name, stage in theirs.items():
        lines = stage.cmd if isinstance(stage.cmd, list) else stage.cmd.splitlines()
        paths = {
            kind: {
                posixpath.relpath(each.fs_path, root)
                for each in getattr(stage, kind)
                if each.protocol == "local" and type(each).__name__ != "ParamsDependency"
            }
            for kind in ("deps", "outs")
        }
        mine = ours[name]
        assert mine.lines == tuple(lines), name
        assert (mine.deps, mine.outs) == (paths["deps"], paths["outs"]), name
        assert (mine.wdir, mine.frozen) == (posixpath.relpath(stage.wdir, root), stage.frozen)
    train = ours["train@1-3-opts0"]
    assert (train.values["size"], train.group, train.persistent) == (
        *("1", "train"),
        frozenset({"models/1-3"}),
    )


def test_a_stage_runs_after_all_that_it_depends_on_in_any_file(tmp_path: Path) -> None:
    stages = dvc_pipeline.stages(tree(tmp_path, RICH))
    assert dvc_pipeline.upstream(["train@1-3-opts0"], stages) == [
        *("prepare", "featurize@train", "train@1-3-opts0")
    ]
    assert dvc_pipeline.upstream(["sub/dvc.yaml:make"], stages) == ["prepare", "sub/dvc.yaml:make"]
    assert dvc_pipeline.upstream(["last"], stages) == ["last"], "a frozen stage needs nothing"
    assert dvc_pipeline.downstream(["featurize@train"], stages)[0] == "featurize@train"
    assert len(dvc_pipeline.downstream(["featurize@train"], stages)) == 5


def test_a_circle_is_one_clear_error(tmp_path: Path) -> None:
    pipeline = """stages:
      a: {cmd: a, deps: [z], outs: [x]}
      b: {cmd: b, deps: [x], outs: [y]}
      c: {cmd: c, deps: [y], outs: [z]}"""
    stages = dvc_pipeline.stages(tree(tmp_path, {"dvc.yaml": pipeline}))
    with pytest.raises(SourceError, match="in a circle: b > a > c > b"):
        dvc_pipeline.upstream(["b"], stages)


@pytest.mark.parametrize(
    "content", ["stages: 3", "stages: {a: 3}", "stages: {a: {cmd: '${x}'}}", "{}", "vars: {a: 1}"]
)
def test_what_is_no_stage_is_none(tmp_path: Path, content: str) -> None:
    assert dvc_pipeline.stages(tree(tmp_path, {"dvc.yaml": content})) == {}


def test_a_broken_file_counts_only_where_stages_are_looked_for(tmp_path: Path) -> None:
    files = {"dvc.yaml": "stages: {a: {cmd: a}}", "template/dvc.yaml": "stages: {{ x }}: ["}
    root = tree(tmp_path, files)
    assert list(dvc_pipeline.stages(root)) == ["a"]
    with pytest.raises(SourceError):
        dvc_pipeline.stages(root, ["template"])


def test_stages_without_end_are_refused(tmp_path: Path) -> None:
    axis = f"[{', '.join(map(str, range(60)))}]"
    content = f"stages: {{a: {{matrix: {{x: {axis}, y: {axis}, z: {axis}}}, cmd: a}}}}"
    with pytest.raises(SourceError, match="more than"):
        dvc_pipeline.stages(tree(tmp_path, {"dvc.yaml": content}))


def test_nothing_outside_the_tree_is_read_or_named(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("password: hunter2")
    content = """
    vars: [../secret.yaml, {path: /etc}]
    stages:
      a: {cmd: 'echo ${password}'}
      b: {cmd: b, deps: [../secret.yaml, /etc/passwd, s3://x/y, .git/config], outs: ['${path}/x']}
    """
    (tmp_path / "dvc.yaml").write_text("stages: {a: {cmd: a}}")
    root = tree(tmp_path / "tree", {"dvc.yaml": content, "sub/x": ""})
    (root / "sub/dvc.yaml").symlink_to("../../dvc.yaml")
    (stage,) = dvc_pipeline.stages(root).values()
    assert (stage.deps, stage.outs) == (frozenset(), frozenset())


@pytest.mark.parametrize("name", ["a.b.c", "list[9]", "list.x", "", "a..b"])
def test_a_name_that_nothing_gives_a_value_is_unknown(name: str) -> None:
    with pytest.raises(dvc_values.UnknownValueError):
        dvc_values.select({"a": {"b": 1}, "list": [1]}, name)


def test_values_that_name_values_do_not_grow_without_end() -> None:
    values = {"big": "x" * 60_000}
    with pytest.raises(dvc_values.UnknownValueError):
        dvc_values.resolved("${big} ${big}", values)
