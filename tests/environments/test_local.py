"""local: what changes the digest of a tree."""

from __future__ import annotations

import pytest

from reprocheck.environments.local import digest_of


def change_content(tree):
    (tree / "a/f").write_text("2")


def change_mode(tree):
    (tree / "a/f").chmod(0o755)


def change_link(tree):
    (tree / "link").unlink()
    (tree / "link").symlink_to("elsewhere")


def change_name(tree):
    (tree / "a").rename(tree / "b")


def change_large(tree):
    (tree / "large").write_bytes(b"1" * 1_999_999 + b"2")


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "a/__pycache__").mkdir(parents=True)
    (tmp_path / "a/f").write_text("1")
    (tmp_path / "link").symlink_to("a/f")
    (tmp_path / "large").write_bytes(b"1" * 2_000_000)
    return tmp_path


@pytest.mark.parametrize(
    "change", [change_content, change_mode, change_link, change_name, change_large]
)
def test_what_a_build_could_see_changes_the_digest(tree, change):
    before = digest_of(tree)
    assert digest_of(tree) == before
    change(tree)
    assert digest_of(tree) != before


def test_byte_code_and_gits_own_do_not_count(tree):
    before = digest_of(tree)
    (tree / "a/__pycache__/f.pyc").touch()
    (tree / ".git").mkdir()
    (tree / ".git/index").touch()
    assert digest_of(tree) == before


def test_a_file_has_a_digest_too(tree):
    before = digest_of(tree / "a/f")
    change_content(tree)
    assert digest_of(tree / "a/f") != before
