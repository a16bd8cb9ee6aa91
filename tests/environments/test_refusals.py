"""refusals: what a failed trial's own words say."""

from __future__ import annotations

import pytest

from reprocheck.environments import refusals


@pytest.mark.parametrize(
    "output",
    [
        "curl: (6) Could not resolve host: data.example.com",
        "wget: unable to resolve host address ‘data.example.com’",
        "HTTPSConnectionPool(host='data.example.com', port=443): Max retries exceeded "
        "(Caused by NameResolutionError(\"Failed to resolve 'data.example.com'\"))",
        'urlopen("https://data.example.com/x")\nsocket.gaierror: [Errno -3] Temporary failure in '
        "name resolution",
    ],
)
def test_the_host_that_was_wanted_is_named(output):
    told = refusals.network(output, refusals.TRIAL, "the sandbox")
    assert told.startswith("the trial wanted the network (data.example.com), which it does not")
    assert "limits.network: full" in told


def test_an_address_alone_is_told_without_a_host(
    output="OSError: [Errno 101] Network is unreachable",
):
    assert refusals.network(output, "the setup", "it").startswith("the setup wanted the network,")


def test_nothing_is_made_up():
    output = "FileNotFoundError: [Errno 2] No such file or directory: 'data/train.csv'"
    assert refusals.network(output, refusals.TRIAL, "the sandbox") == ""
    assert (refusals.written(output), refusals.missed(output)) == (None, None)


@pytest.mark.parametrize(
    ("output", "path"),
    [
        ("OSError: [Errno 30] Read-only file system: '/data/out.csv'", "/data/out.csv"),
        ("cp: cannot create regular file '/data/x': Read-only file system", "/data/x"),
        ("sh: 1: cannot create /data/x: Read-only file system", "/data/x"),
    ],
)
def test_a_place_that_cannot_be_written_is_named(output, path):
    assert refusals.written(output) == path


@pytest.mark.parametrize(
    ("output", "path"),
    [
        ("FileNotFoundError: [Errno 2] No such file or directory: '/a/b c.csv'", "/a/b c.csv"),
        ("cat: /root/.netrc: No such file or directory", "/root/.netrc"),
        ("ls: cannot access '/a/b': No such file or directory", "/a/b"),
    ],
)
def test_a_file_that_is_not_there_is_named(output, path):
    assert refusals.missed(output) == path
