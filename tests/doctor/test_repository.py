"""git, git-lfs and the repository; the commands that mend are run."""

import os
import subprocess

from reprocheck.doctor import Status
from reprocheck.doctor.repository import check_git, check_lfs, check_repository
from tests.conftest import Repo


def test_a_shallow_clone_is_mended_by_the_command_that_is_named(about, repo, tmp_path):
    for _ in range(3):
        repo.commit()
    clone = tmp_path / "clone"
    repo.git("clone", "--quiet", "--depth", "1", repo.path.as_uri(), str(clone))
    (check,) = check_repository(about(root=clone))
    assert check.status is Status.WARNING
    subprocess.run(check.mend.split(), cwd=clone, check=True, capture_output=True)
    (check,) = check_repository(about(root=clone))
    assert check.status is Status.OK
    assert check.told.endswith("3 commits")


def test_a_folder_outside_of_any_repository_is_no_error(about, tmp_path):
    (check,) = check_repository(about({"GIT_CEILING_DIRECTORIES": str(tmp_path)}, root=tmp_path))
    assert check.status is Status.MISSING
    assert "--repo" in check.mend


def test_a_named_repository_elsewhere_is_asked(about, repo, tmp_path):
    repo.commit()
    (check,) = check_repository(about(repo=repo.path.as_uri()))
    assert check.status is Status.OK
    (check,) = check_repository(about(repo=f"{tmp_path.as_uri()}/absent"))
    assert check.status is Status.ERROR
    assert "does not answer" in check.told


def test_lfs_is_needed_where_the_repository_uses_it(about, repo, tmp_path):
    bare = {"PATH": str(tmp_path)}
    assert check_lfs(about(bare))[0].status is Status.MISSING
    repo.write({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    (check,) = check_lfs(about(bare))
    assert check.status is Status.ERROR
    assert "git-lfs" in check.mend


def test_git_is_always_needed_and_installed_by_the_systems_own_manager(about, program):
    (check,) = check_git(about({"PATH": program("dnf", "true")}))
    assert check.status is Status.ERROR
    assert check.mend.removeprefix("sudo ") == "dnf install git"
    assert check.mend.startswith("sudo") == (os.geteuid() != 0)


def test_the_repository_is_left_as_it_was(about, repo: Repo, untouched):
    check_repository(about())
