"""Private indexes: without dates, with logins, with certificates of their own."""

from __future__ import annotations

import pytest

from reprocheck.errors import RebuildError
from reprocheck.model import EnvironmentKind, Severity
from tests.environments.channels import PYTHON
from tests.environments.indexes import index, wheel
from tests.environments.samples import installed, spec

OWN = {**wheel("own", "1.0"), **wheel("own", "2.0")}
BEFORE = dict.fromkeys(OWN, "2020-01-01T00:00:00Z") | {
    "own-2.0-py3-none-any.whl": "2021-01-01T00:00:00Z"
}


@pytest.fixture
def plain():
    with index(OWN) as place:
        yield f"http://{place}/simple"


# --- dates --------------------------------------------------------------------------------


def test_an_index_that_tells_dates_is_held_to_the_run(build):
    with index(OWN, dates=BEFORE) as place:
        sandbox = build(spec(f"--extra-index-url http://{place}/simple\nown\nsix\n"))
    assert installed(sandbox) == {"own": "1.0", "six": "1.15.0"}
    assert sandbox.findings == ()


def test_what_an_index_tells_no_date_of_is_resolved_as_of_now_and_told_and_the_rest_as_of_the_run(
    build, plain
):
    asked = spec(f"--extra-index-url {plain}\nown\nsix\n")
    first, again = build(asked), build(asked)
    assert installed(first) == {"own": "2.0", "six": "1.15.0"}
    assert again.built.cached
    for sandbox in (first, again):
        (told,) = sandbox.findings
        assert (told.code, told.severity) == ("undated-package", Severity.WARNING)
        assert "when own was published" in told.message


def test_a_pinned_package_without_a_date_is_no_doubt(build, plain):
    sandbox = build(spec(f"--extra-index-url {plain}\nown==1.0\nsix\n"))
    assert installed(sandbox) == {"own": "1.0", "six": "1.15.0"}
    assert sandbox.findings == ()


def test_a_version_that_such_an_index_lacks_is_still_told(build, plain):
    with pytest.raises(RebuildError, match="does not have a version") as caught:
        build(spec(f"--index-url {plain}\nown==9\n"))
    assert "own==9" in caught.value.message


def test_packages_without_dates_that_need_each_other_are_found(build):
    files = {}
    for number in range(7):
        files |= wheel(f"p{number}", "1.0", *([f"p{number + 1}"] if number < 6 else []))
    with index(files) as place:
        sandbox = build(spec(f"--index-url http://{place}/simple\np0\n"))
    assert set(installed(sandbox)) == {f"p{number}" for number in range(7)}
    assert "nothing else was held to the run's date" in sandbox.findings[0].message


def test_pips_share_of_a_conda_file_is_told_too(build, channel, plain):
    content = (
        f"channels: [{channel.url}, nodefaults]\ndependencies:\n- python\n- hello\n"
        f"- pip: ['--index-url {plain}', own]\n"
    )
    asked = spec(content, file="environment.yml", kind=EnvironmentKind.CONDA, python=PYTHON)
    sandbox = build(asked)
    assert installed(sandbox)["own"] == "2.0"
    assert "undated-package" in [finding.code for finding in sandbox.findings]
