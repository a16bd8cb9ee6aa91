"""requirements: files as pip reads them."""

from __future__ import annotations

import pytest

from reprocheck.environments.asked import read
from reprocheck.environments.requirements import Reader, decode, is_pinned, logical_lines
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


@pytest.mark.parametrize("line", ["-e .", "-e /home/me/project", "./pkg", "/abs/pkg", "pkg.whl"])
def test_a_local_package_that_is_not_at_the_commit_is_refused_by_name(tmp_path, line):
    with pytest.raises(RebuildError, match="cannot be rebuilt from the commit") as caught:
        read(spec(f"six\n{line}\n"), tmp_path)
    assert line in caught.value.message


HEAD = "1" * 40


def project(tree, path="."):
    """A tree at a commit with a project."""
    (tree / ".git").mkdir(exist_ok=True)
    (tree / ".git/HEAD").write_text(f"{HEAD}\n")
    (tree / path).mkdir(parents=True, exist_ok=True)
    (tree / path / "setup.py").touch()


@pytest.mark.parametrize(
    ("line", "path", "extras"),
    [
        ("-e .", ".", ""),
        ("-e sub[dev]", "sub", "[dev]"),
        ("-e file:///home/me/team/sub", "sub", ""),
        (f"-e git+ssh://git@host/team/own.git@{HEAD}#egg=own", ".", ""),
        (f"-e git+https://host/own@{HEAD}#egg=own&subdirectory=sub", "sub", ""),
    ],
)
def test_an_editable_project_of_the_commit_is_kept_apart(tmp_path, line, path, extras):
    project(tmp_path)
    project(tmp_path, "sub")
    asked = read(spec(f"six\n{line}\n", directory="."), tmp_path)
    assert asked.requirements == ("six",)
    assert [(each.path, each.extras) for each in asked.projects] == [(path, extras)]
    assert asked.findings == ()


def test_the_place_that_a_freeze_names_is_taken_to_be_the_commit_and_told(tmp_path):
    project(tmp_path)
    asked = read(spec("six==1.15.0\n-e /home/me/own\n", file="freeze.txt"), tmp_path)
    assert [(each.path, each.listed) for each in asked.projects] == [(".", True)]
    assert [finding.code for finding in asked.findings] == ["guessed-project"]


def test_another_repository_is_installed_at_its_commit(tmp_path):
    project(tmp_path)
    asked = read(spec(f"-e git+https://host/other@{'2' * 40}#egg=other"), tmp_path)
    assert asked.requirements == (f"other @ git+https://host/other@{'2' * 40}",)
    assert [finding.code for finding in asked.findings] == ["not-editable"]


def test_addresses_get_the_name_that_their_file_tells(tmp_path):
    lines = "https://host/six-1.15.0-py2.py3-none-any.whl\nhttps://host/x.zip\n"
    assert read(spec(lines), tmp_path).requirements == (
        "six @ https://host/six-1.15.0-py2.py3-none-any.whl",
        "https://host/x.zip",
    )


@pytest.mark.parametrize(
    ("line", "kept", "code"),
    [
        ("six @ file:///w/six-1.15.0-py3-none-any.whl", "six==1.15.0", "lost-file"),
        ("numpy @ file:///croot/numpy_and_base_16/work", "numpy", "lost-version"),
    ],
)
def test_a_place_of_another_machine_is_told(tmp_path, line, kept, code):
    asked = read(spec(line, file="freeze.txt"), tmp_path)
    assert asked.requirements == (kept,)
    assert [finding.code for finding in asked.findings] == [code]


@pytest.mark.parametrize(
    ("revision", "pinned"), [("@" + "a" * 40, True), ("@main", False), ("", False)]
)
def test_a_clone_is_pinned_by_its_commit_only(revision, pinned):
    assert is_pinned(f"x @ git+https://me@host/x{revision}") is pinned


def test_options_are_kept_and_others_told(tmp_path):
    asked = read(spec("--extra-index-url https://host/x\n--pre\n--use-pep517\nsix"), tmp_path)
    assert asked.options == ("--extra-index-url https://host/x",)
    assert asked.arguments == ("--prerelease", "allow")
    assert [finding.code for finding in asked.findings] == ["ignored-option"]


def test_options_of_one_requirement_are_dropped_and_told_but_for_hashes(tmp_path):
    line = (
        'six==1.15.0 --config-settings="--x=a b" --global-option=-v --hash=sha256:00 ; extra == "a"'
    )
    found = Reader(spec=spec(""), tree=tmp_path)
    found.take(line, folder="")
    assert found.requirements == ['six==1.15.0 --hash=sha256:00 ; extra == "a"']
    assert "--config-settings" in found.findings[0].message


def test_a_variable_in_an_index_is_not_filled_in(tmp_path):
    found = Reader(spec=spec(""), tree=tmp_path)
    found.take("--extra-index-url https://${AWS_SECRET_ACCESS_KEY}@x/simple", folder="")
    assert found.options == []
    (told,) = found.findings
    assert (told.code, "AWS_SECRET_ACCESS_KEY" in told.message) == ("unset-variable", True)


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
