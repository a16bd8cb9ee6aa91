"""What a trial finds at absolute paths, under bubblewrap and in a container."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from reprocheck import process
from reprocheck.environments import mount_points
from reprocheck.environments.base import Shown
from reprocheck.environments.isolation import chosen
from reprocheck.environments.reach import Reach, refuse_cover
from reprocheck.errors import RerunError
from reprocheck.model import Limits
from tests.environments.images import base_image
from tests.environments.samples import command, docker_spec

PLACES = (
    "/reprocheck-data/x.csv",  # at the root
    "/home/reprocheck-alice/data/deep/x.csv",  # of a user who is unknown here
    "/mnt/disk/x.csv",
    "/tmp/x/x.csv",
    "/var/tmp/x.csv",
    "/srv/a/b/x.csv",
    "/usr/src/app/data/x.csv",
    "{home}/.cache/x/x.csv",  # below the caller's home, where it is hidden
    "{home}/data/new.csv",  # and where it is put back
    "{home}/data/train.csv",  # there is another file
    "{home}/link/y.csv",  # through a link
    "/etc-link-free/dir",
)


@pytest.fixture
def inside(bubblewrap, home, tmp_path):
    """Runs a line of shell in a sandbox that shows things; returns how it ended."""
    env = {**os.environ, "HOME": str(home)}
    own = tmp_path / "own"
    own.mkdir()

    def run(line: str, *shown: Shown) -> process.Completed:
        call = process.Call(argv=("/bin/sh", "-c", line), cwd=own, env={}, timeout_s=30)
        reach = Reach(writable=(own,), shown=shown)
        return chosen(env, Limits()).run(call, reach, process.run)

    return run


@pytest.fixture
def file(tmp_path) -> Path:
    (tmp_path / "restored.csv").write_text("restored")
    return tmp_path / "restored.csv"


def test_a_file_is_shown_wherever_the_run_had_it(inside, home, file):
    (home / "link").symlink_to("data")
    shown = [Shown(source=file, target=place.format(home=home)) for place in PLACES]
    names = " ".join(each.target for each in shown)
    done = inside(
        f"cat {names} && cat {home}/data/train.csv && ls /etc/passwd /usr/bin/env", *shown
    )
    assert done.stdout == b"restored" * (len(shown) + 1) + b"/etc/passwd\n/usr/bin/env\n"
    assert (home / "data/train.csv").read_text() == "the content of data/train.csv"
    assert not Path("/reprocheck-data").exists()


def test_what_is_around_it_stays_as_it_is(inside, home, file):
    (home / "data/other").write_text("other")
    (home / "data/to-other").symlink_to("other")
    place = home / "data/sub/x.csv"
    line = f"cat {home}/data/to-other; ls {home}/data; ls -d /* | sort; cat {home}/.netrc"
    before = inside(line).stdout.decode()
    done = inside(line, *(Shown(source=file, target=str(each)) for each in (place, "/zz-data/x")))
    expected = [*before.split(), "sub", "/zz-data"]
    assert sorted(done.stdout.decode().split()) == sorted(expected)


def test_nothing_of_it_can_be_written(inside, file):
    place = "/reprocheck-data/x.csv"
    tries = (f"echo x > {place}", f"rm {place}", "echo x > /reprocheck-data/y", "mkdir /y")
    shown = Shown(source=file, target=place)
    done = inside("; ".join(f"({each}) && echo done" for each in tries), shown)
    assert done.stdout == b""
    assert done.stderr.count(b"Read-only file system") == len(tries)
    assert file.read_text() == "restored"


def test_a_folder_is_shown_over_another(inside, home, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.png").write_text("a")
    shown = Shown(source=tmp_path / "images", target=str(home / "data"))
    assert inside(f"ls {home}/data", shown).stdout == b"a.png\n"


def test_what_the_trial_needs_cannot_be_covered(inside, file, tmp_path):
    with pytest.raises(RerunError, match=r"it would hide .*own, which the trial needs"):
        inside("true", Shown(source=file, target=str(tmp_path)))
    refuse_cover(Shown(source=file, target=str(tmp_path / "x")), (tmp_path,))


def test_a_folder_of_very_many_files_is_not_put_back(monkeypatch, tmp_path):
    monkeypatch.setattr(mount_points, "_MOST_ENTRIES", 2)
    for number in range(4):
        (tmp_path / str(number)).touch()
    with pytest.raises(RerunError, match="has 3 entries") as caught:
        list(mount_points.others(tmp_path, tmp_path / "0/x"))
    assert "or verify in a container" in caught.value.hint


ORDINARY = """
import os, pwd, sys
from pathlib import Path
from reprocheck import process
from reprocheck.environments.base import Shown
from reprocheck.environments.isolation import chosen
from reprocheck.environments.reach import Reach
from reprocheck.model import Limits
os.setgroups([]), os.setgid(65534), os.setuid(65534)
own = Path(sys.argv[1])
shown = [Shown(source=own / "x", target=each) for each in ("/zz/x", "/root/x", "/home/zz/x")]
call = process.Call(
    argv=("/bin/sh", "-c", "cat /zz/x /root/x /home/zz/x"), cwd=own, env={}, timeout_s=30
)
found = chosen({"PATH": os.environ["PATH"], "HOME": str(own)}, Limits())
print(found.offer.reason or found.run(call, Reach(writable=(own,), shown=shown), process.run))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_is_shown_it_also_in_a_home_of_others(bubblewrap):
    with tempfile.TemporaryDirectory() as name:
        own = Path(name)
        (own / "x").write_text("shown.")
        for path in (own, own / "x"):
            os.chown(path, 65534, 65534)
        done = subprocess.run(
            [sys.executable, "-c", ORDINARY, name], capture_output=True, text=True, check=False
        )
    if "bubblewrap does not work here" in done.stdout:
        pytest.skip(done.stdout)
    assert "shown.shown.shown." in done.stdout, done.stderr


def test_a_container_shows_it_too(build, trial, tmp_path, file):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.png").write_text("a")
    places = ("/data/x.csv", "/home/alice/x.csv", "/tmp/x.csv")
    shown = [Shown(source=file, target=place) for place in places]
    shown.append(Shown(source=tmp_path / "images", target="/mnt/images"))
    view, kept = tmp_path / "view", tmp_path / "kept"  # as a cache of the hub
    view.mkdir()
    kept.mkdir()
    (kept / "blob").write_text("blob.")
    (view / "blobs").symlink_to(kept)
    shown += [Shown(source=each, target=str(each)) for each in (view, kept)]
    sandbox = build(docker_spec(base=base_image()))
    names = f"{' '.join(places)} {view}/blobs/blob"
    line = f"cat {names} && ls /mnt/images && echo x > /data/x.csv"
    asked = trial(command(line), shown=tuple(shown))
    done = sandbox.run(asked)
    assert sandbox.shows
    assert done.stdout.startswith(b"restored" * 3 + b"blob.a.png\n")
    assert b"Read-only file system" in done.stdout
    own = dataclasses.replace(asked, shown=(Shown(source=file, target=str(tmp_path)),))
    with pytest.raises(RerunError, match="which the trial needs"):
        sandbox.run(own)
