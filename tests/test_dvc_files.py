from pathlib import Path

from reprocheck import dvc_files
from reprocheck.dvc_files import directory_digest
from tests.datastores.test_dvc_objects import listing, md5


def entry(path: str, digest: str = "a" * 32) -> str:
    return f"{{path: {path}, hash: md5, md5: {digest}}}"


def write(tree: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(content)


def test_the_paths_of_a_lock_count_from_the_folder_of_its_stage(tmp_path: Path) -> None:
    lock = f"""
schema: '2.0'
stages:
  a: {{cmd: x, deps: [{entry("../data/x.csv")}, {entry("in.csv")}], outs: [{entry("out.csv")}]}}
  each@1: {{cmd: x, deps: [{entry("out.csv")}, {entry("more.csv")}]}}
  plain: {{cmd: x, deps: [{entry("w/out.csv")}, {entry("own.csv")}]}}
"""
    stages = """
vars: [{folder: w}]
stages:
  a: {cmd: x, wdir: "${folder}"}
  each: {foreach: [1], do: {cmd: x, wdir: w}}
  plain: {cmd: x}
"""
    write(tmp_path, {"p/dvc.lock": lock, "p/dvc.yaml": stages})
    assert sorted(dvc_files.locked(tmp_path)) == [
        "p/data/x.csv",
        "p/own.csv",
        "p/w/in.csv",
        "p/w/more.csv",
    ]


def test_an_absolute_input_of_a_lock_counts_only_with_the_content_that_the_run_read(
    tmp_path: Path,
) -> None:
    write(tmp_path, {"same": "1", "other": "2"})
    deps = [entry(str(tmp_path / name), md5(b"1")) for name in ("same", "other", "gone")]
    write(tmp_path, {"tree/dvc.lock": f"stages: {{a: {{cmd: x, deps: [{', '.join(deps)}]}}}}"})
    locked = dvc_files.locked(tmp_path / "tree")
    assert sorted(locked) == [str(tmp_path / "gone"), str(tmp_path / "other")]


def test_the_digest_of_a_directory_is_dvcs() -> None:
    files = {"b/ü.txt": b"1", "a": b"2"}
    made = directory_digest({name: md5(content) for name, content in files.items()})
    assert made == f"{md5(listing(files))}.dir"
