"""requirements: files as pip reads them."""

from __future__ import annotations

import pytest

from reprocheck.environments.asked import read
from reprocheck.environments.requirements import decode, is_pinned, logical_lines
from reprocheck.errors import RebuildError
from tests.environments.samples import recorded, spec


def test_comments_and_continued_lines_are_read_as_pip_does():
    text = "# a\nsix==1.16.0 \\\n    --hash=sha256:00 # b\n\nurl @ https://x/#frag\n"
    assert list(logical_lines(text)) == [
        "six==1.16.0 --hash=sha256:00",
        "url @ https://x/#frag",
    ]


def test_a_file_that_powershell_wrote_is_read():
    assert decode("six==1.16.0\n".encode("utf-16")) == "six==1.16.0\n"


@pytest.mark.parametrize(
    ("line", "pinned"),
    [
        ("six==1.16.0", True),
        ("six===1.16.0", True),
        ("six==1.16.0 --hash=sha256:00", True),
        ("six==1.16.0; python_version < '4'", True),
        ("six @ https://files/six.whl", True),
        ("six==1.*", False),
        ("six>=1.16.0", False),
        ("six", False),
    ],
)
def test_a_requirement_is_pinned_when_one_version_fits(line, pinned):
    assert is_pinned(line) is pinned


def test_includes_are_found_in_the_tree_relative_to_the_including_file(tmp_path):
    (tmp_path / "req").mkdir()
    (tmp_path / "req/base.txt").write_text("-c ../limits.txt\nidna\n")
    (tmp_path / "limits.txt").write_text("idna<3\n")
    asked = read(spec("-r req/base.txt\nsix\n", directory="."), tmp_path)
    assert asked.requirements == ("idna", "six")
    assert asked.constraints == ("idna<3",)


def test_includes_are_found_among_the_files_recorded_beside(tmp_path):
    beside = recorded("environment/base.txt", "idna\n")
    assert read(spec("-r base.txt", companions=(beside,)), tmp_path).requirements == ("idna",)


def test_an_include_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RebuildError, match=r"base\.txt that it includes is neither"):
        read(spec("--requirement=base.txt", directory="."), tmp_path)


def test_an_include_never_leaves_the_tree(tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "outside.txt").write_text("six")
    with pytest.raises(RebuildError, match="neither at the commit"):
        read(spec("-r ../outside.txt", directory="."), tmp_path / "tree")


def test_includes_that_include_each_other_end(tmp_path):
    (tmp_path / "a.txt").write_text("-r b.txt\nsix")
    (tmp_path / "b.txt").write_text("-r a.txt\nidna")
    asked = read(spec("-r a.txt", directory="."), tmp_path)
    assert asked.requirements == ("idna", "six")


@pytest.mark.parametrize(
    "line",
    ["-e .", "--editable=git+https://host/x", "./pkg", "/abs/pkg", "pkg.whl", "a @ file:///tmp/a"],
)
def test_a_local_or_editable_package_is_refused_by_name(tmp_path, line):
    with pytest.raises(RebuildError, match="cannot rebuild yet") as caught:
        read(spec(f"six\n{line}\n"), tmp_path)
    assert line in caught.value.message


def test_options_are_kept_and_others_told(tmp_path):
    asked = read(spec("--extra-index-url https://host/x\n--pre\n--use-pep517\nsix"), tmp_path)
    assert asked.options == ("--extra-index-url https://host/x",)
    assert asked.arguments == ("--prerelease", "allow")
    assert [finding.code for finding in asked.findings] == ["ignored-option"]


def test_a_freeze_is_complete_and_a_pinned_file_is_not(tmp_path):
    assert read(spec("six==1.16.0", file="pip-freeze.txt"), tmp_path).complete
    assert not read(spec("six==1.16.0"), tmp_path).complete
    assert not read(spec("six>=1.16.0", file="freeze.txt"), tmp_path).complete


def test_a_file_of_hashes_is_complete(tmp_path):
    assert read(spec("six==1.16.0 --hash=sha256:00"), tmp_path).complete


def test_a_phantom_of_a_freeze_is_dropped_and_told(tmp_path):
    asked = read(spec("six==1.16.0\npkg-resources==0.0.0", file="freeze.txt"), tmp_path)
    assert asked.requirements == ("six==1.16.0",)
    assert [finding.code for finding in asked.findings] == ["dropped-requirement"]
