"""conda_files: environment.yml, lists of packages and conda-lock.yml."""

from __future__ import annotations

import pytest

from reprocheck.environments.conda_files import CondaPackage, file_parts, read, subdir
from reprocheck.errors import RebuildError
from tests.environments.samples import spec

MD5, SHA = "0" * 31 + "a", "0" * 63 + "b"
BASE = "https://channel.invalid/conda-forge"
EXPORTED = """name: train
channels:
  - conda-forge
  - nodefaults
dependencies:
  - _libgcc_mutex=0.1=main
  - numpy=1.16.4=py36h99e49ec_0
  - r-base >= 3.5
  - pip
  - pip:
    - six==1.15.0
    - -r more.txt
variables:
  DEPTH: 3
prefix: /home/somebody/miniconda3/envs/train
"""


def asked(content: str, file: str = "environment.yml"):
    return read(spec(content, file=file))


def test_an_exported_environment_is_read():
    found = asked(EXPORTED)
    assert found.channels == ("conda-forge",)
    assert not found.defaults
    assert found.specs == (
        "_libgcc_mutex=0.1=main",
        "numpy=1.16.4=py36h99e49ec_0",
        "r-base >= 3.5",
        "pip",
    )
    assert found.pip == ("six==1.15.0", "-r more.txt")
    assert found.variables == {"DEPTH": "3"}


@pytest.mark.parametrize(
    ("channels", "defaults"),
    [("[pytorch]", True), ("[pytorch, defaults]", False), ("[pytorch, nodefaults]", False)],
)
def test_condas_default_channels_are_looked_into_unless_the_file_says_otherwise(channels, defaults):
    assert asked(f"channels: {channels}\ndependencies: [numpy]").defaults is defaults


def test_nodefaults_may_also_stand_among_the_packages():
    assert asked("dependencies: [numpy, nodefaults]").specs == ("numpy",)


@pytest.mark.parametrize(
    ("digest", "package"),
    [
        ("", CondaPackage(url=f"{BASE}/noarch/a-b-1.0-py_0.conda")),
        (f"#{MD5}", CondaPackage(url=f"{BASE}/noarch/a-b-1.0-py_0.conda", md5=MD5)),
        (f"#sha256:{SHA}", CondaPackage(url=f"{BASE}/noarch/a-b-1.0-py_0.conda", sha256=SHA)),
        (f"#{SHA}", CondaPackage(url=f"{BASE}/noarch/a-b-1.0-py_0.conda", sha256=SHA)),
    ],
)
def test_an_explicit_list_is_read_with_its_digests(digest, package):
    text = f"# platform: {subdir()}\n@EXPLICIT\n{package.url}{digest}\n"
    found = asked(text, "conda-list.txt")
    assert found.packages == (package,)
    assert not found.is_open
    assert file_parts(package.url) == ("a-b", "1.0", "py_0")


def test_what_conda_lock_lists_for_pip_as_comments_is_read():
    text = f"@EXPLICIT\n{BASE}/noarch/a-1-0.conda\n# pip six==1.15.0 --hash=sha256:{SHA}\n"
    assert asked(text, "conda-list.txt").pip == (f"six==1.15.0 --hash=sha256:{SHA}",)


def test_a_plain_export_is_read_with_what_pip_installed():
    text = f"# platform: {subdir()}\nnumpy=1.16.4=py36h99e49ec_0\nsix=1.15.0=pypi_0\n"
    found = asked(text, "conda-list.txt")
    assert found.specs == ("numpy=1.16.4=py36h99e49ec_0",)
    assert found.pip == ("six==1.15.0",)
    assert found.defaults


def lock(*entries: str, platform: str | None = None) -> str:
    listed = "".join(f"- {{platform: {platform or subdir()}, {entry}}}\n" for entry in entries)
    return f"version: 1\nmetadata: {{}}\npackage:\n{listed}"


def test_a_conda_lock_is_read_for_this_platform():
    text = lock(
        f"name: a, manager: conda, url: '{BASE}/noarch/a-1-0.conda', hash: {{md5: {MD5}}}",
        f"name: c, manager: conda, category: docs, url: '{BASE}/noarch/c-1-0.conda', hash: {{}}",
        f"name: six, manager: pip, url: 'https://x.invalid/six.whl', hash: {{sha256: {SHA}}}",
    ) + (f"- {{platform: win-64, name: b, manager: conda, url: '{BASE}/win-64/b-1-0.conda'}}\n")
    found = asked(text, "conda-lock.yml")
    assert found.packages == (CondaPackage(url=f"{BASE}/noarch/a-1-0.conda", md5=MD5),)
    assert found.pip == (f"six @ https://x.invalid/six.whl --hash=sha256:{SHA}",)
    assert found.pip_complete


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("conda-list.txt", "# platform: win-64\n@EXPLICIT\nhttps://x/a-1-0.conda\n", "win-64"),
        ("conda-lock.yml", lock("name: a, url: u", platform="win-64"), "win-64"),
    ],
)
def test_a_lock_of_another_platform_is_refused(file, content, said):
    with pytest.raises(RebuildError, match=f"is a lock for {said}, and this machine is") as caught:
        asked(content, file)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        (
            "environment.yml",
            "dependencies:\n- a\n- foo bar baz qux\n",
            "environment.yml:3: 'foo bar",
        ),
        ("environment.yml", "dependencies:\n- npm:\n  - left-pad\n", "environment.yml:2: 'npm'"),
        ("environment.yml", "dependencies: numpy\n", "environment.yml:1: 'dependencies' is not a"),
        ("environment.yml", "dependencies: [a]\nvariables: [b]\n", "environment.yml:2"),
        ("environment.yml", "dependencies: [", "environment.yml"),
        ("environment.yml", "dependencies: [a, null]\n", "'None' is no package"),
        ("environment.yml", "dependencies: [a, [b]]\n", "'['b']' is no package"),
        (
            "conda-list.txt",
            "@EXPLICIT\nhttps://x/a-1-0.conda\nnumpy\n",
            "conda-list.txt:3: 'numpy'",
        ),
        ("conda-list.txt", "@EXPLICIT\nhttps://x/a-1-0.conda#12\n", "conda-list.txt:2"),
        ("conda-list.txt", "@EXPLICIT\n", "lists no package"),
        ("conda-lock.yml", lock("name: a, manager: conda, url: 'nowhere'"), "conda-lock.yml:4"),
    ],
)
def test_the_line_that_is_wrong_is_named(file, content, said):
    with pytest.raises(RebuildError) as caught:
        asked(content, file)
    assert said in caught.value.message
    assert caught.value.hint
