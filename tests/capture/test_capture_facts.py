"""Packages, locks, DVC inputs, hub revisions, hardware, variables; and failures of any."""

import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import yaml
from reprocheck_capture import container, dvc, failures, hub, locks, machine, packages, variables

from reprocheck import determinism, hardware

CAPTURE = Path(__file__).parents[2] / "capture"

LOCK = """\
schema: '2.0'
stages:
  prepare:
    cmd: python prepare.py
    deps:
    - path: data/raw.csv
      hash: md5
      md5: {md5}
      size: {size}
    outs:
    - path: data/clean.csv
      hash: md5
      md5: b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1
      size: 5
  train:
    cmd: >
      python train.py
      path: no
    deps:
    - path: train.py
      md5: c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2
      size: 9
    params:
      params.yaml:
        lr: 0.1
        deps: 3
"""


def digest(content):
    return hashlib.md5(content).hexdigest()


# --- packages -----------------------------------------------------------------------------


def test_the_freeze_has_the_versions_that_importlib_tells():
    found = packages.installed()
    for name in ("pytest", "numpy", "types-pyyaml", "mlflow-skinny"):
        assert found[name] == f"{name}=={importlib.metadata.version(name)}"
    assert packages.freeze({"b": "b==1", "a": "a==2"}) == b"a==2\nb==1\n"


@pytest.mark.parametrize(
    ("direct", "line"),
    [
        ({"url": "file://{repo}", "dir_info": {"editable": True}}, "-e ."),
        ({"url": "file://{repo}/sub%20a", "dir_info": {"editable": True}}, "-e ./sub a"),
        (
            {
                "url": "https://me:pw@example.com/x.git",
                "vcs_info": {"vcs": "git", "commit_id": "abc"},
            },
            "a-b @ git+https://example.com/x.git@abc",
        ),
        ({"url": "https://example.com/a.whl"}, "a-b @ https://example.com/a.whl"),
        ({"url": "file:///tmp/a.whl"}, "a-b==1.0"),
    ],
)
def test_where_a_package_came_from(tmp_path, monkeypatch, direct, line):
    info = tmp_path / "A_b-1.0.dist-info"
    info.mkdir()
    text = json.dumps(direct).replace("{repo}", str(tmp_path / "repo"))
    (info / "direct_url.json").write_text(text)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert packages.installed(str(tmp_path / "repo")) == {"a-b": line}


def test_it_asks_for_itself_by_version_wherever_it_came_from(
    tmp_path, monkeypatch, nothing_missing
):
    info = tmp_path / "reprocheck_capture-1.0.dist-info"
    info.mkdir()
    (info / "direct_url.json").write_text(json.dumps({"url": "file:///tmp/capture.whl"}))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert packages.installed() == {"reprocheck-capture": "reprocheck-capture==1.0"}
    assert not nothing_missing


def test_conda_packages_are_listed_by_address_without_tokens(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert packages.conda() == ""
    package = {"name": "a", "url": "https://c/t/tk-1/linux-64/a-1.conda", "md5": "f" * 32}
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta/a.json").write_text(json.dumps({**package, "subdir": "linux-64"}))
    assert packages.conda() == (
        f"# platform: linux-64\n@EXPLICIT\nhttps://c/linux-64/a-1.conda#{'f' * 32}\n"
    )


@pytest.mark.parametrize(
    ("lock", "agrees"),
    [
        ('[[package]]\nname = "Num_py"\nversion = "1.2"\n', True),
        ('[[package]]\nname = "num-py"\nversion = "1.3"\n', False),
        ("num-py[x]==1.2 ; python_version > '3'\nother==9\n", True),
        ("other==9\n", False),
        ("- name: num-py\n  version: 1.2\n", True),
    ],
)
def test_a_lock_counts_where_it_pins_what_is_installed(lock, agrees):
    assert locks.agrees(lock.encode(), {"num-py": "num-py==1.2+cpu"}) is agrees


def test_a_dockerfile_counts_inside_of_a_container(tmp_path, monkeypatch):
    (tmp_path / "Dockerfile").write_text("FROM a")
    for contained in (False, True):
        monkeypatch.setattr(locks, "is_contained", lambda told=contained: told)
        kept, told = locks.found(str(tmp_path), {})
        assert list(kept) == (["Dockerfile"] if contained else [])
        assert told[0]["applies"] is contained


def test_a_containers_image_is_told_by_the_few_variables_that_may(monkeypatch):
    monkeypatch.setattr(container, "is_contained", lambda: True)
    monkeypatch.setattr(container, "read", lambda _: "0::/docker/" + "a" * 64)
    monkeypatch.setenv("CONTAINER_IMAGE", "registry/a:1")
    assert container.container() == {"id": "a" * 64, "image": "registry/a:1"}


# --- data ---------------------------------------------------------------------------------


def test_dvcs_files_are_read_as_yaml_would():
    text = LOCK.format(md5="a" * 32, size=3)
    plain = yaml.safe_load(text)["stages"].values()
    expected = [
        (kind, {key: str(told) for key, told in entry.items()})
        for stage in plain
        for kind in ("deps", "outs")
        for entry in stage.get(kind, ())
    ]
    assert list(dvc.blocks(text)) == expected


def test_inputs_are_what_the_tree_has_as_dvc_says(in_repo, nothing_missing):
    raw, same = b"a,b\n", b"same"
    out = "outs:\n- md5: {}\n  size: {}\n  hash: md5\n  path: '{}'\n"
    in_repo.commit(
        {
            ".gitignore": "*.csv\n",
            "data/raw.csv": raw,
            "dvc.lock": LOCK.format(md5=digest(raw), size=4),
            "sub/kept.csv": same,
            "sub/kept.csv.dvc": out.format(digest(same), 4, "kept.csv"),
            "changed.csv": b"other",
            "changed.csv.dvc": out.format(digest(b"older"), 5, "changed.csv"),
            "out.csv.dvc": out.format(digest(b"x"), 1, "../../out.csv"),
        }
    )
    assert dvc.inputs(str(in_repo.path)) == [
        {"path": "data/raw.csv", "md5": digest(raw), "size": 4},
        {"path": "sub/kept.csv", "md5": digest(same), "size": 4},
    ]
    in_repo.write({"new.csv": b"new", "new.csv.dvc": out.format(digest(b"new"), 3, "new.csv")})
    found = dvc.inputs(str(in_repo.path), ["new.csv.dvc", "a.py"])
    assert found[1] == {"path": "new.csv", "md5": digest(b"new"), "size": 3}
    assert nothing_missing["DVC input changed.csv"] == "it is not what DVC's file says"


def test_a_folders_count_of_files_is_kept():
    text = "outs:\n- md5: {}.dir\n  size: 9\n  nfiles: 2\n  path: images\n".format("a" * 32)
    assert list(dvc.blocks(text)) == [
        ("outs", {"md5": "a" * 32 + ".dir", "size": "9", "nfiles": "2", "path": "images"})
    ]


def test_revisions_of_the_hub_are_those_that_this_process_touched(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    for name, age in (("models--org--new", 0), ("datasets--org--old", 10**6)):
        folder = tmp_path / name / "snapshots" / ("a" * 40)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        then = (folder / "config.json").stat().st_mtime - age
        os.utime(folder / "config.json", (then, then))
    monkeypatch.setattr(hub, "_watched", [])
    monkeypatch.setattr(hub, "_LIBRARIES", ())
    assert hub.revisions() == []
    monkeypatch.setattr(hub, "_LIBRARIES", ("sys",))
    assert hub.revisions() == [{"hub": "org/new", "revision": "a" * 40}]


def test_a_large_folder_has_the_digest_that_dvc_gives_it(in_repo):
    from dvc_data.hashfile.build import build
    from dvc_data.hashfile.db.local import LocalHashFileDB
    from dvc_objects.fs import LocalFileSystem
    from reprocheck_capture import provenance

    in_repo.write({f"data/{'ab'[i % 2]}/{i}.csv": str(i) for i in range(120)})
    (found,) = provenance._dataset("data")
    odb = LocalHashFileDB(LocalFileSystem(), str(in_repo.path / "cache"))
    _, _, tree = build(odb, str(in_repo.path / "data"), odb.fs, "md5")
    assert (found["md5"], found["files"], found["path"]) == (tree.hash_info.value, 120, "data")


HUB = """\
import sys
from reprocheck_capture import hub
hub.watch()
from huggingface_hub import hf_hub_download, try_to_load_from_cache
if "load" in sys.argv:
    hf_hub_download("org/used", "config.json", local_files_only=True)
    hf_hub_download("org/set", "a.csv", repo_type="dataset", local_files_only=True)
print([(each["hub"], each["revision"][:2]) for each in hub.revisions()])
"""


def test_revisions_are_those_that_the_hubs_library_resolved_here(tmp_path):
    for name, file in (
        ("models--org--used", "config.json"),
        ("datasets--org--set", "a.csv"),
        ("models--org--others", "config.json"),  # which another process uses now
    ):
        for commit in ("a" * 40, "b" * 40):
            folder = tmp_path / name / "snapshots" / commit
            folder.mkdir(parents=True)
            (folder / file).write_text("{}")
        (tmp_path / name / "refs").mkdir()
        (tmp_path / name / "refs/main").write_text("b" * 40)
    (tmp_path / "use.py").write_text(HUB)
    env = {**os.environ, "HF_HUB_CACHE": str(tmp_path), "PYTHONPATH": str(CAPTURE)}
    told = [
        subprocess.run(
            [sys.executable, "use.py", *argv],
            cwd=tmp_path,
            env=env,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout.strip()
        for argv in ([], ["load"])
    ]
    assert told == ["[]", "[('datasets/org/set', 'bb'), ('org/used', 'bb')]"]


# --- machine ------------------------------------------------------------------------------


def test_the_hardware_is_told_in_the_records_words():
    found = machine.hardware()
    asked = hardware.parse(found)
    assert set(found) <= set(hardware.NAMES)
    assert asked.cpu_count
    assert asked.platform == f"{os.uname().sysname} {os.uname().machine}"
    assert None not in (asked.memory_bytes, asked.cpu_model or asked.isa)


def test_nvidias_files_tell_the_gpus(tmp_path, monkeypatch):
    for index in (0, 1):
        folder = tmp_path / f"gpus/0000:0{index}:00.0"
        folder.mkdir(parents=True)
        told = f"Model: \t\t NVIDIA T{index}\nGPU UUID: \t GPU-{index}\n"
        (folder / "information").write_text(told)
    version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat\n"
    (tmp_path / "version").write_text(version)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    found = machine.gpus(str(tmp_path))
    assert [(gpu["model"], gpu["driver"]) for gpu in found] == [("NVIDIA T1", "535.104.05")]


def test_no_variables_are_recorded_but_those_that_are_restored():
    assert variables.DETERMINISM == determinism.NAMES
    env = {"PYTHONHASHSEED": "0", "AWS_SECRET_ACCESS_KEY": "x", "OMP_NUM_THREADS": ""}
    assert variables.determinism(env) == {"PYTHONHASHSEED": "0"}
    assert variables.world_size({"WORLD_SIZE": "4"}) == "4"


# --- failures -----------------------------------------------------------------------------


def test_a_failure_is_counted_and_warned_of_once(nothing_missing):
    @failures.guarded("a fact", dict)
    def breaks(name):
        raise ValueError(name)

    with pytest.warns(RuntimeWarning, match="could not record a fact") as told:
        assert breaks("one") == {}
        failures.guarded("another", list)(lambda: 1 / 0)()
    assert len(told) == 1
    assert nothing_missing == {
        "a fact": "ValueError: one",
        "another": "ZeroDivisionError: division by zero",
    }


def test_warnings_that_are_errors_end_no_training():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert failures.guarded("a fact", list)(lambda: 1 / 0)() == []
