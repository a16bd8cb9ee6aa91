"""Artifacts: taken as hostile, without the token, within bounds."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from reprocheck.errors import ForgeError
from reprocheck.forges.github_nouns import Artifact
from tests.forges.github_server import FakeGitHub, Fault
from tests.forges.hub import hub


def only(github: FakeGitHub) -> Artifact:
    """The artifact of the only run, as it is listed."""
    (run_id,) = github.repository.runs
    (artifact,) = hub(github).artifacts(run_id)
    return artifact


def with_zip(github: FakeGitHub, content: bytes, **about: object) -> Artifact:
    run = github.repository.add_run()
    github.repository.add_zip(run.id, "reprocheck-report", content, **about)
    return only(github)


def zip_of(name: str, content: bytes = b"x", mode: int = 0o644 | stat.S_IFREG) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(name)
        entry.filename = name  # as hostile as it is
        entry.external_attr = mode << 16
        archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return held.getvalue()


def test_an_artifact_is_unpacked_and_the_token_stays_here(
    github: FakeGitHub, tmp_path: Path
) -> None:
    run = github.repository.add_run()
    files = {"report.json": b"{}", "deep/er/a.txt": b"a"}
    github.repository.add_artifact(run.id, "reprocheck-report", files)

    paths = hub(github).download(only(github), tmp_path / "new", 1_000)

    found = {str(path.relative_to(tmp_path / "new")): path.read_bytes() for path in paths}
    assert found == files
    assert all(path.stat().st_mode & 0o077 == 0 for path in paths)


@pytest.mark.parametrize(
    "name",
    ["../out.txt", "/abs.txt", "a/../../out.txt", "a\\..\\out.txt", "C:/x", "a//b", "./a", "a\nb"],
)
def test_a_path_outside_of_the_folder_is_refused(
    github: FakeGitHub, tmp_path: Path, name: str
) -> None:
    artifact = with_zip(github, zip_of(name))

    with pytest.raises(ForgeError, match="no plain path"):
        hub(github).download(artifact, tmp_path / "in", 1_000)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(github: FakeGitHub, tmp_path: Path, kind: int) -> None:
    artifact = with_zip(github, zip_of("report.json", b"/etc/passwd", 0o777 | kind))

    with pytest.raises(ForgeError, match="a link or a device"):
        hub(github).download(artifact, tmp_path, 1_000)


def test_two_files_of_one_path_are_refused(github: FakeGitHub, tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a", b"1")
        archive.writestr("a", b"2")

    with pytest.raises(ForgeError, match="two files of one path"):
        hub(github).download(with_zip(github, held.getvalue()), tmp_path, 1_000)


def test_a_file_that_is_a_folder_too_is_refused(github: FakeGitHub, tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a", b"1")
        archive.writestr("a/b", b"2")

    with pytest.raises(ForgeError, match="cannot be written"):
        hub(github).download(with_zip(github, held.getvalue()), tmp_path, 1_000)


def test_what_unpacks_to_too_much_stops_early(github: FakeGitHub, tmp_path: Path) -> None:
    artifact = with_zip(github, zip_of("bomb", b"\0" * 5_000_000))
    assert artifact.bytes < 10_000

    with pytest.raises(ForgeError, match="more than 10000 bytes"):
        hub(github).download(artifact, tmp_path, 10_000)

    assert (tmp_path / "bomb").stat().st_size < 200_000


def test_what_tells_a_smaller_size_than_it_has_stops_early(
    github: FakeGitHub, tmp_path: Path
) -> None:
    content = zip_of("bomb", b"\0" * 5_000_000)
    size = (5_000_000).to_bytes(4, "little")
    artifact = with_zip(github, content.replace(size, (9).to_bytes(4, "little")))

    with pytest.raises(ForgeError, match=r"bytes|cannot be|no zip file"):
        hub(github).download(artifact, tmp_path, 10_000)


def test_a_zip_that_is_listed_as_too_large_is_not_asked_for(
    github: FakeGitHub, tmp_path: Path
) -> None:
    artifact = with_zip(github, zip_of("a", b"a" * 100))

    with pytest.raises(ForgeError, match="more than 10 bytes"):
        hub(github).download(artifact, tmp_path, 10)

    assert not github.requests("GET", "/zip")


def test_a_zip_that_is_larger_than_listed_is_not_taken(github: FakeGitHub, tmp_path: Path) -> None:
    artifact = with_zip(github, zip_of("a"))
    (held,) = github.repository.artifacts.values()
    held.content = b"P" * 200_000

    with pytest.raises(ForgeError, match="more than 5000 bytes"):
        hub(github).download(artifact, tmp_path, 5_000)


def test_too_many_files_are_refused(github: FakeGitHub, tmp_path: Path) -> None:
    run = github.repository.add_run()
    github.repository.add_artifact(run.id, "many", {f"{n}": b"" for n in range(11)})

    with pytest.raises(ForgeError, match="more than 10 files"):
        hub(github).download(only(github), tmp_path, 10_000, most_files=10)


def test_what_was_changed_on_its_way_is_refused(github: FakeGitHub, tmp_path: Path) -> None:
    artifact = with_zip(github, zip_of("a"), digest=f"sha256:{'0' * 64}")

    with pytest.raises(ForgeError, match="not what was uploaded"):
        hub(github).download(artifact, tmp_path, 1_000)


@pytest.mark.parametrize("content", [b"", b"{}", zip_of("a", b"abc")[:40], zip_of("a")[10:]])
def test_what_is_no_zip_file_is_told(github: FakeGitHub, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ForgeError, match="could not unpack artifact 'reprocheck-report'"):
        hub(github).download(with_zip(github, content), tmp_path, 1_000)


def test_an_expired_artifact_is_told(github: FakeGitHub, tmp_path: Path) -> None:
    listed = with_zip(github, zip_of("a"))
    (held,) = github.repository.artifacts.values()
    held.expired = True

    with pytest.raises(ForgeError, match="it has expired"):
        hub(github).download(only(github), tmp_path, 1_000)
    with pytest.raises(ForgeError, match="410: Artifact has expired"):
        hub(github).download(listed, tmp_path, 1_000)


def test_a_folder_that_has_something_is_left(github: FakeGitHub, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")

    with pytest.raises(ForgeError, match="is not empty"):
        hub(github).download(with_zip(github, zip_of("mine")), tmp_path, 1_000)


@pytest.mark.parametrize("fault", [Fault(path="blobs", status=500), Fault(path="blobs", hang=True)])
def test_storage_that_fails_is_told(github: FakeGitHub, tmp_path: Path, fault: Fault) -> None:
    github.faults.append(fault)

    with pytest.raises(ForgeError, match="could not download artifact 'reprocheck-report'"):
        hub(github).download(with_zip(github, zip_of("a")), tmp_path, 1_000)


def test_a_download_needs_a_token_that_reads_actions(github: FakeGitHub, tmp_path: Path) -> None:
    artifact = with_zip(github, zip_of("a"))
    github.token("comments", pull_requests="write")

    with pytest.raises(ForgeError) as caught:
        hub(github, "comments").download(artifact, tmp_path, 1_000)

    assert caught.value.missing == "actions: read"
