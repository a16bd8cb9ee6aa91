"""locks: what the locks of other tools pin, as requirements."""

from __future__ import annotations

import json

import pytest

from reprocheck.environments.locks import python_of, requirements
from reprocheck.errors import RebuildError

HASH = "sha256:" + "0" * 64
POETRY_1 = f"""
[[package]]
name = "click"
version = "8.1.0"
optional = false
python-versions = ">=3.7"
[package.dependencies]
colorama = {{version = "*", markers = "platform_system == 'Windows'"}}
typing-extensions = {{version = "*", markers = "python_version < '3.8'"}}

[[package]]
name = "colorama"
version = "0.4.4"
optional = false
python-versions = "*"

[[package]]
name = "typing-extensions"
version = "4.1.1"
optional = false
python-versions = "*"

[[package]]
name = "docs"
version = "1.0"
optional = true
python-versions = "*"

[metadata]
python-versions = "^3.7"
[metadata.files]
click = [{{file = "click.whl", hash = "{HASH}"}}]
"""


def names(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines]


def test_an_old_lock_of_poetry_is_followed_along_its_markers():
    assert requirements("poetry.lock", POETRY_1.encode(), b"", "3.7.16") == [
        f"click==8.1.0 --hash={HASH}",
        "typing-extensions==4.1.1",
    ]
    assert names(requirements("poetry.lock", POETRY_1.encode(), b"", "3.11.7")) == ["click==8.1.0"]


def test_what_the_project_names_itself_is_needed_whatever_else_needs_it():
    project = b"[tool.poetry.dependencies]\npython = '^3.7'\ncolorama = '*'\n"
    found = requirements("poetry.lock", POETRY_1.encode(), project, "3.11.7")
    assert names(found) == ["click==8.1.0", "colorama==0.4.4"]


def test_a_new_lock_of_poetry_says_itself_what_is_needed():
    lock = """
[[package]]
name = "numpy"
version = "1.24.0"
optional = false
groups = ["main"]
markers = "python_version < '3.9'"
[[package]]
name = "numpy"
version = "2.0.0"
optional = false
groups = ["main"]
markers = {main = "python_version >= '3.9'", dev = "python_version >= '3.10'"}
[[package]]
name = "own"
version = "1"
optional = false
groups = ["main"]
develop = true
[package.source]
type = "directory"
url = "libs/own"
[[package]]
name = "other"
version = "1"
optional = false
groups = ["main"]
[package.source]
type = "directory"
url = "libs/other"
[[package]]
name = "private"
version = "1"
optional = false
groups = ["main"]
[package.source]
type = "legacy"
url = "https://host/simple"
"""
    found = requirements("poetry.lock", lock.encode(), b"", "3.9.18")
    assert found == [
        "--extra-index-url https://host/simple",
        "numpy==2.0.0",
        "-e libs/own",
        "other @ ./libs/other",
        "private==1",
    ]


def test_a_lock_of_pipenv_keeps_hashes_markers_and_places():
    lock = {
        "_meta": {
            "requires": {"python_version": "3.8"},
            "sources": [
                {"name": "pypi", "url": "https://usual/simple"},
                {"name": "ours", "url": "https://host/simple"},
            ],
        },
        "default": {
            "six": {"version": "==1.15.0", "hashes": [HASH], "markers": "python_version >= '3'"},
            "own": {"editable": True, "path": "."},
            "other": {"path": "libs/other"},
            "far": {"git": "https://host/far", "ref": "a" * 40},
        },
    }
    content = json.dumps(lock).encode()
    assert requirements("Pipfile.lock", content, b"", "3.8.18") == [
        "--extra-index-url https://host/simple",
        f"six==1.15.0 ; python_version >= '3' --hash={HASH}",
        "-e .",
        "other @ ./libs/other",
        f"far @ git+https://host/far@{'a' * 40}",
    ]
    assert python_of("Pipfile.lock", content) == "3.8"


def test_a_lock_of_pdm_is_read():
    lock = f"""
[metadata]
groups = ["default"]
[[package]]
name = "requests"
version = "2.23.0"
dependencies = ["idna<3,>=2.5", "win-inet-pton; sys_platform == 'win32'"]
groups = ["default"]
files = [{{file = "requests.whl", hash = "{HASH}"}}]
"""
    assert requirements("pdm.lock", lock.encode(), b"", "3.11.7") == [
        f"requests==2.23.0 --hash={HASH}"
    ]


def test_a_pylock_is_read():
    lock = f"""
requires-python = ">=3.9"
[[packages]]
name = "six"
version = "1.15.0"
marker = "python_version >= '3'"
wheels = [{{name = "six.whl", hashes = {{sha256 = "{"0" * 64}"}}}}]
"""
    assert requirements("pylock.toml", lock.encode(), b"", "3.11.7") == [
        f"six==1.15.0 ; python_version >= '3' --hash={HASH}"
    ]
    assert python_of("pylock.toml", lock.encode()) == ">=3.9"


@pytest.mark.parametrize(
    ("name", "content"), [("poetry.lock", b"["), ("Pipfile.lock", b"{}"), ("pylock.toml", b"")]
)
def test_a_malformed_lock_is_named(name, content):
    with pytest.raises(RebuildError, match=f"reading {name}"):
        requirements(name, content, b"", "3.11.7")
