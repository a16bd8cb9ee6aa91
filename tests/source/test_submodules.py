from pathlib import Path

import pytest

from reprocheck.errors import SourceError
from tests.conftest import Repo
from tests.source.conftest import CheckOut, codes
from tests.source.git_host import Host


def with_module(repo: Repo, tmp_path: Path, name: str, url: str, path: str = "sub") -> str:
    """A commit with a submodule that git itself would not have let anybody add."""
    inner = Repo(tmp_path / "secret").commit({"secret.txt": "x"})
    repo.write({".gitmodules": f'[submodule "{name}"]\n\tpath = {path}\n\turl = {url}\n'})
    repo.git("add", "--all")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{inner},sub")
    repo.git("commit", "--quiet", "--message", "x")
    return repo.git("rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("sub", "ext::sh -c touch% {mark}"),
        ("sub", "--upload-pack=touch {mark}"),
        ("../../evil", "{secret}"),
    ],
)
def test_a_submodule_cannot_run_a_command_or_lie_elsewhere(
    repo: Repo, check_out: CheckOut, tmp_path: Path, name: str, url: str
) -> None:
    mark = tmp_path / "mark"
    url = url.format(mark=mark, secret=tmp_path / "secret")
    commit = with_module(repo, tmp_path, name, url)
    try:
        tree = check_out(commit, repo.path).tree
        assert not list((tree / "sub").iterdir())
    except SourceError:
        pass
    assert not mark.exists()
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("form", ["{}", "file://{}"])
@pytest.mark.usefixtures("served")
def test_a_remote_cannot_name_a_folder_of_this_machine(
    repo: Repo, host: Host, check_out: CheckOut, tmp_path: Path, form: str
) -> None:
    commit = with_module(repo, tmp_path, "sub", form.format(tmp_path / "secret"))
    repo.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    with pytest.raises(SourceError, match="submodule sub failed"):
        check_out(commit, repository=host.url("hosted.git"))


def test_symbolic_links_that_lead_out_of_the_tree_are_told(
    repo: Repo, check_out: CheckOut, tmp_path: Path
) -> None:
    (repo.path / "data").symlink_to(tmp_path)
    (repo.path / "up").symlink_to("../x")
    (repo.path / "fine").symlink_to("a")
    (repo.path / "loop").symlink_to("loop")
    done = check_out(repo.commit({"a": "1"}), repo.path)
    (finding,) = done.findings
    assert codes(done) == ["symlink-outside"]
    assert "repository: data, up;" in finding.message
