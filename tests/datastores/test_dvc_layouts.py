"""Repositories as DVC itself lays them out: imports, sub-repositories, several remotes."""

import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from reprocheck import datastores, dvc_files
from reprocheck.datastores import Around, dvc_config
from reprocheck.datastores.dvc_objects import Folder, MissingError, Wanted
from reprocheck.errors import RestoreError
from reprocheck.model import Material, Origin, OriginKind
from tests import warm
from tests.conftest import Repo, shared_folder, snapshot
from tests.datastores import storages
from tests.datastores.test_dvc_objects import md5

TAG = Origin(kind=OriginKind.TAG, where="data_md5")

MAKE = """
import os, sys, subprocess
from pathlib import Path
from dvc.cli import main

root = Path(sys.argv[1])

def dvc(*args):
    assert main([*args, "-q"]) == 0, args

def put(name, content):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(content)

def commit():
    subprocess.run(["git", "add", "-A"], check=True)
    subprocess.run(["git", "commit", "-qm", "x"], check=True)

os.chdir(root / "source")
dvc("init")
dvc("remote", "add", "-d", "origin", "../source-remote")
put("data/one.csv", "1"); put("data/deep/two.csv", "2"); put("table.csv", "t")
dvc("add", "data", "table.csv")
put("plain/a.txt", "a"); put("plain/b/c.txt", "c"); put("alone.txt", "alone")
commit()
dvc("push")
os.chdir(root / "project")
dvc("init")
dvc("remote", "add", "-d", "first", "../first")
dvc("remote", "add", "second", "../second")
commit()
for name in ("data", "table.csv", "plain", "alone.txt", "data/deep"):
    dvc("import", str(root / "source"), name, "-o", "i-" + name.replace("/", "-"))
put("../outside/raw.csv", "raw"); put("../outside/dir/x", "x"); put("../outside/dir/y", "y")
dvc("import-url", str(root / "outside/raw.csv"), "raw.csv")
dvc("import-url", str(root / "outside/dir"), "raw-dir")
put("second.csv", "second"); put("first.csv", "first")
dvc("add", "second.csv", "first.csv")
with open("second.csv.dvc", "a") as file:
    file.write("  remote: second\\n")
commit()
dvc("push")
os.makedirs("sub")
os.chdir("sub")
dvc("init", "--subdir")
dvc("remote", "add", "-d", "first", "../../sub-remote")
put("deep/in-sub.csv", "sub")
dvc("add", "deep/in-sub.csv")
commit()
dvc("push")
os.chdir(root / "project")
put("noscm/n.csv", "n")
os.chdir("noscm")
dvc("init", "--no-scm")
dvc("remote", "add", "-d", "first", "../../noscm-remote")
dvc("add", "n.csv")
dvc("push")
commit()
"""


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with shared_folder(tmp_path_factory, "dvc-layouts") as shared:
        if not (shared / "made").exists():
            make(shared)
        own = tmp_path_factory.mktemp("layouts") / "own"
        shutil.copytree(shared, own, symlinks=True)
    (own / "made").write_text(str(shared))
    return own


def make(root: Path) -> None:
    for name in ("source", "project"):
        Repo(root / name)
    env = {**os.environ, "DVC_SITE_CACHE_DIR": str(root / "site")}
    (root / "make.py").write_text(MAKE)
    done = warm.python(str(root / "make.py"), str(root), cwd=root, env=env)
    assert done.returncode == 0, done.stderr.decode()
    for folder in list(root.glob("**/.dvc/cache")):
        shutil.rmtree(folder)
    (root / "made").touch()


FOLDERS = ("source", "source-remote", "project", "first", "second", "sub-remote", "noscm-remote")


def around(laid_out: Path, tmp_path: Path, **changes: object) -> Around:
    tree = tmp_path / "tree"
    if not tree.exists():
        Repo(tmp_path).git("clone", "--quiet", str(laid_out / "project"), str(tree))
        for pointer in tree.glob("[!.]*.dvc"):  # imports name their source in full
            text = pointer.read_text()
            pointer.write_text(text.replace((laid_out / "made").read_text(), str(laid_out)))
    base = Around(tree=tree, repository=laid_out / "project", folder=laid_out / "project")
    return replace(base, **changes)


def restore(
    laid_out: Path, tmp_path: Path, path: str, **changes: object
) -> tuple[dict[str, str], datastores.Inputs]:
    """What is restored of a tracked path, and that nothing else was touched."""
    beside = around(laid_out, tmp_path, **changes)
    wanted = dvc_files.at_commit(beside.tree)[path]
    before = {name: snapshot(laid_out / name) for name in FOLDERS}
    inputs = datastores.restore((wanted,), tmp_path / "in", beside)
    assert {name: snapshot(laid_out / name) for name in FOLDERS} == before
    top = tmp_path / "in" / path
    files = [top] if top.is_file() else [each for each in top.rglob("*") if each.is_file()]
    return {
        each.relative_to(tmp_path / "in").as_posix(): each.read_text() for each in files
    }, inputs


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("i-table.csv", {"": "t"}),
        ("i-alone.txt", {"": "alone"}),
        ("i-data", {"/one.csv": "1", "/deep/two.csv": "2"}),
        ("i-data-deep", {"/two.csv": "2"}),
        ("i-plain", {"/a.txt": "a", "/b/c.txt": "c"}),
    ],
)
def test_an_import_comes_from_its_source_repository(
    laid_out: Path, tmp_path: Path, path: str, files: dict[str, str]
) -> None:
    restored, inputs = restore(laid_out, tmp_path, path)
    assert restored == {path + name: content for name, content in files.items()}
    assert [finding.code for finding in inputs.findings] == ["data-not-in-remote"]


def test_an_imports_source_that_holds_something_else_is_not_taken(
    laid_out: Path, tmp_path: Path
) -> None:
    beside = around(laid_out, tmp_path)
    pointer = beside.tree / "i-alone.txt.dvc"
    pointer.write_text(pointer.read_text().replace(md5(b"alone"), md5(b"other")))
    with pytest.raises(RestoreError, match=r"source repository .*corrupted, alone\.txt"):
        restore(laid_out, tmp_path, "i-alone.txt")


def test_an_imports_source_that_is_gone_is_told(laid_out: Path, tmp_path: Path) -> None:
    beside = around(laid_out, tmp_path)
    pointer = beside.tree / "i-alone.txt.dvc"
    pointer.write_text(pointer.read_text().replace("/source\n", "/--upload-pack=evil\n"))
    with pytest.raises(RestoreError, match="cloning it failed"):
        restore(laid_out, tmp_path, "i-alone.txt")


@pytest.mark.parametrize("path", ["raw.csv", "raw-dir"])
def test_what_import_url_brought_comes_from_the_remote(
    laid_out: Path, tmp_path: Path, path: str
) -> None:
    restored, inputs = restore(laid_out, tmp_path, path)
    assert "raw" in restored.get("raw.csv", "raw")
    assert not inputs.findings


def test_the_address_of_import_url_is_asked_last_and_counts_by_its_md5(
    laid_out: Path, tmp_path: Path
) -> None:
    lacking = laid_out / "first/files/md5" / md5(b"raw")[:2] / md5(b"raw")[2:]
    lacking.rename(laid_out / "kept")
    try:
        restored, inputs = restore(laid_out, tmp_path, "raw.csv")
        assert restored == {"raw.csv": "raw"}
        assert [finding.code for finding in inputs.findings] == ["data-not-in-remote"]
        (laid_out / "outside/raw.csv").write_text("new")
        with pytest.raises(RestoreError, match=r"imported from, .*corrupted"):
            restore(laid_out, tmp_path / "again", "raw.csv")
    finally:
        (laid_out / "kept").rename(lacking)
        (laid_out / "outside/raw.csv").write_text("raw")


def test_an_address_on_the_web_is_asked(laid_out: Path, tmp_path: Path) -> None:
    beside = around(laid_out, tmp_path)
    pointer = beside.tree / "alone.csv.dvc"
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown/x.csv").write_text("shown")
    with storages.web(tmp_path / "shown") as url:
        pointer.write_text(
            f"deps: [{{path: {url}/x.csv, etag: e}}]\n"
            f"outs: [{{path: alone.csv, hash: md5, md5: {md5(b'shown')}}}]\n"
        )
        restored, _ = restore(laid_out, tmp_path, "alone.csv")
    assert restored == {"alone.csv": "shown"}


def test_an_outs_own_remote_is_the_one_that_is_asked(laid_out: Path, tmp_path: Path) -> None:
    assert restore(laid_out, tmp_path, "second.csv")[0] == {"second.csv": "second"}
    pointer = tmp_path / "tree/second.csv.dvc"
    pointer.write_text(pointer.read_text().replace("remote: second", "remote: first"))
    with pytest.raises(RestoreError, match="remote 'first': not there") as caught:
        restore(laid_out, tmp_path, "second.csv")
    assert "second'" not in caught.value.message


def test_the_named_remote_is_the_only_one_that_is_asked(laid_out: Path, tmp_path: Path) -> None:
    assert restore(laid_out, tmp_path, "first.csv", remote="first")[0] == {"first.csv": "first"}
    with pytest.raises(RestoreError, match="remote 'second': not there"):
        restore(laid_out, tmp_path, "first.csv", remote="second")


def test_a_wrong_object_of_a_remote_is_told_where_another_has_it(
    laid_out: Path, tmp_path: Path
) -> None:
    name = Path("files/md5", md5(b"second")[:2], md5(b"second")[2:])
    wrong = laid_out / "first" / name
    wrong.parent.mkdir(parents=True, exist_ok=True)
    wrong.write_text("other")
    pointer = around(laid_out, tmp_path).tree / "second.csv.dvc"
    pointer.write_text(pointer.read_text().replace("  remote: second\n", ""))
    try:
        restored, inputs = restore(laid_out, tmp_path, "second.csv")
        content = wrong.read_text()
    finally:
        wrong.unlink()
    assert (restored, content) == ({"second.csv": "second"}, "other")
    assert [finding.code for finding in inputs.findings] == ["data-remote-corrupt"]


def test_an_unknown_remote_is_an_error_that_names_the_others(
    laid_out: Path, tmp_path: Path
) -> None:
    with pytest.raises(RestoreError, match="no DVC remote is named 'third'") as caught:
        restore(laid_out, tmp_path, "first.csv", remote="third")
    assert "first, second" in caught.value.hint


def test_a_relative_remote_of_the_commit_counts_from_the_users_repository(tmp_path: Path) -> None:
    """Also when their present config calls it otherwise, or no longer has it."""
    for place, text in (("tree", "['remote \"old\"']\n    url = ../../kept\n"), ("own", "")):
        (tmp_path / place / ".dvc").mkdir(parents=True)
        (tmp_path / place / ".dvc/config").write_text(text)
    own = Repo(tmp_path / "deeper/own").path
    shutil.copytree(tmp_path / "own/.dvc", own / ".dvc")
    around = Around(tree=tmp_path / "tree", repository=own, folder=own)
    (found,) = dvc_config.remotes_for(dvc_config.TOP, around, None).places
    assert isinstance(found, Folder)
    assert found.root == tmp_path / "deeper/kept"
    with pytest.raises(MissingError, match=r"there is no folder .*deeper/kept"):
        found.fetch(Wanted(digest="0" * 32), tmp_path / "x", threading.Event())


@pytest.mark.parametrize(
    ("path", "content"), [("sub/deep/in-sub.csv", "sub"), ("noscm/n.csv", "n")]
)
def test_an_input_is_looked_for_in_the_remotes_of_the_nearest_repository(
    laid_out: Path, tmp_path: Path, path: str, content: str
) -> None:
    assert restore(laid_out, tmp_path, path)[0] == {path: content}


def test_a_hash_with_no_dvc_at_the_commit_is_looked_for_in_the_configs_repository(
    laid_out: Path, tmp_path: Path
) -> None:
    bare = Repo(tmp_path / "bare")
    bare.commit({"x": "y"})
    wanted = Material(
        path="data/in.csv",
        algorithm="md5",
        digest=md5(b"sub"),
        size=None,
        files=None,
        origin=TAG,
    )
    beside = Around(tree=bare.path, folder=laid_out / "project/sub/deep")
    datastores.restore((wanted,), tmp_path / "in", beside)
    assert (tmp_path / "in/data/in.csv").read_text() == "sub"


def test_a_commits_config_cannot_name_commands_or_credentials(
    laid_out: Path, tmp_path: Path
) -> None:
    from reprocheck.datastores import dvc_config

    tree = tmp_path / "bare"
    (tree / ".dvc").mkdir(parents=True)
    (tree / ".dvc/config").write_text(
        "['remote \"a\"']\nurl = s3://b/c\nconfigpath = evil\nprofile = x\n"
        "['remote \"b\"']\nurl = webdavs://h/x\nbearer_token_command = touch /tmp/x\n"
    )
    (config,) = dvc_config.of_the_commit(dvc_config.TOP, Around(tree=tree, folder=tree))
    assert {name: set(remote) - {"url"} for name, remote in config["remote"].items()} == {
        "a": {"use_ssl", "verify", "listobjects", "allow_anonymous_login"},
        "b": {"verify"},
    }


def test_an_external_out_is_no_path_of_the_tree() -> None:
    content = b"outs: [{path: /data/x, md5: abc}, {path: 's3://b/x', etag: e}, {path: y}]"
    paths = [item.path for item in dvc_files.pointers(content, "a/b.dvc")]
    assert paths == ["/data/x", "s3://b/x", "a/y"]
