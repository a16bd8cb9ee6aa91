"""A check that fails or hangs is a line; nothing secret is shown."""

import threading

import pytest

from reprocheck.doctor import Check, Request, Status, examine
from reprocheck.doctor.base import Kind
from reprocheck.doctor.examination import CHECKS
from reprocheck.errors import ReadError


def line(kind: Kind, told: str = "fine") -> Check:
    return Check(kind=kind, name=kind.value, status=Status.OK, told=told)


def test_a_check_that_raises_or_hangs_is_a_line_and_the_others_count(about):
    never = threading.Event()

    def broken(request: Request):
        raise KeyError("what")

    def unreadable(request: Request):
        raise ReadError("reading it failed", "mend it")

    def hanging(request: Request):
        never.wait(20)
        return ()

    checks = [
        (Kind.GPU, "GPU", broken),
        (Kind.TRACKER, "tracker", unreadable),
        (Kind.UV, "uv", hanging),
        (Kind.CPU, "CPU", lambda request: (line(Kind.CPU),)),
    ]
    heard: list[str] = []
    found = examine(about(), heard.append, checks=checks, limit_s=0.5).checks
    never.set()
    assert [check.name for check in found] == ["GPU", "tracker", "uv", "cpu"]
    wanted = [Status.WARNING, Status.ERROR, Status.ERROR, Status.OK]
    assert [check.status for check in found] == wanted
    assert "KeyError" in found[0].told
    assert (found[1].told, found[1].mend) == ("reading it failed", "mend it")
    assert found[2].told == "no answer within 0.5 s"
    assert heard[-1] == "uv"


def test_no_password_of_an_address_or_of_the_environment_is_told(about):
    told = "at http://ann:s3cret@host/x with hunter2hunter2"
    request = about({"DB_PASSWORD": "hunter2hunter2"})
    checks = [(Kind.UV, "uv", lambda request: (line(Kind.UV, told),))]
    (check,) = examine(request, checks=checks).checks
    assert check.told == "at http://***@host/x with ***"


def test_the_folder_for_copies_is_gone_afterwards(about):
    seen = []

    def look(request: Request):
        seen.append(request.scratch)
        (request.scratch / "copy").touch()
        return (line(Kind.UV),)

    examine(about(), checks=[(Kind.UV, "uv", look)])
    assert not seen[0].exists()


@pytest.mark.parametrize(
    "work", [work for _, _, work in CHECKS], ids=[name for _, name, _ in CHECKS]
)
def test_every_check_tells_something_without_any_program_or_home(about, work, tmp_path):
    bare = {"PATH": str(tmp_path), "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    bare |= {
        "DOCKER_HOST": f"unix://{tmp_path}/absent.sock",
        "UV_DEFAULT_INDEX": "http://127.0.0.1:9",
    }
    found = work(about(env=bare) if work else None)
    assert found
    for check in found:
        assert check.told
        assert bool(check.mend) == (check.status is not Status.OK)
