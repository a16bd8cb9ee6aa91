"""Private indexes: without dates, with logins, with certificates of their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from reprocheck.environments.cutoff import Cutoff, attempted
from reprocheck.environments.uv_program import Uv, environment
from reprocheck.errors import RebuildError
from reprocheck.model import EnvironmentKind, Severity
from reprocheck.progress import Silent
from tests.conftest import need
from tests.environments.channels import PYTHON
from tests.environments.indexes import index, wheel
from tests.environments.samples import installed, spec
from tests.lab import copy_of

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


def test_packages_without_dates_that_need_each_other_are_found(tmp_path):
    files = {}
    for number in range(7):
        files |= wheel(f"p{number}", "1.0", *([f"p{number + 1}"] if number < 6 else []))
    with index(files) as place:
        text = f"--index-url http://{place}/simple\np0\n"
        found = attempted(
            lambda cutoff: resolve(tmp_path, text, {}, *cutoff.arguments),
            Cutoff(moment="2020-06-01T00:00:00Z"),
        )
    assert (tmp_path / "lock.txt").read_text().count("==1.0") == 7
    assert "nothing else was held to the run's date" in found.findings("asked.txt")[0].message


def test_pips_share_of_a_conda_file_is_told_too(build, channel, plain):
    content = (
        f"channels: [{channel.url}, nodefaults]\ndependencies:\n- python\n- hello\n"
        f"- pip: ['--index-url {plain}', own]\n"
    )
    asked = spec(content, file="environment.yml", kind=EnvironmentKind.CONDA, python=PYTHON)
    sandbox = build(asked)
    assert installed(sandbox)["own"] == "2.0"
    assert "undated-package" in [finding.code for finding in sandbox.findings]


# --- logins -------------------------------------------------------------------------------

LOGIN = "me:hunter2"


def resolve(folder: Path, text: str, env: dict[str, str], *arguments: str) -> None:
    """Has uv pin a requirements file, as we call it."""
    (folder / "asked.txt").write_text(text)
    given = {**os.environ, "UV_CACHE_DIR": str(folder / "uv"), **env}
    uv = Uv(folder=folder, env=given, progress=Silent())
    uv(
        "pip",
        "compile",
        "asked.txt",
        "-o",
        "lock.txt",
        "--no-header",
        *arguments,
        doing="resolving",
    )


def resolved(folder: Path, text: str, env: dict[str, str]) -> str:
    """The first pin that uv makes of a requirements file."""
    resolve(folder, text, env)
    return (folder / "lock.txt").read_text().split()[0]


def given_by(way: str, place: str, home: Path) -> dict[str, str]:
    """The environment of somebody who names a private index in one of its ways."""
    address = f"http://{LOGIN}@{place}/simple"
    kept = home / ".config/pip/pip.conf"
    kept.parent.mkdir(parents=True)
    match way:
        case "pip.conf":
            kept.write_text(f"[global]\nextra-index-url =\n  {address}\n")
            return {"HOME": str(home)}
        case "PIP_CONFIG_FILE":
            (home / "own.conf").write_text(f"[install]\nindex-url = {address}\n")
            return {way: str(home / "own.conf")}
        case "netrc":
            (home / ".netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
            return {"UV_DEFAULT_INDEX": f"http://{place}/simple", "HOME": str(home)}
        case variable:
            return {variable: address}


@pytest.mark.parametrize(
    "way",
    ["UV_INDEX", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "pip.conf", "PIP_CONFIG_FILE", "netrc"],
)
def test_a_login_is_used_wherever_it_is_kept(tmp_path, way):
    with index(OWN, login=LOGIN) as place:
        assert resolved(tmp_path, "own", given_by(way, place, tmp_path / "home")) == "own==2.0"


def test_a_login_in_the_file_is_used_and_told_nowhere(build):
    with index(OWN, login=LOGIN, dates=BEFORE) as place:
        text = f"--index-url http://{LOGIN}@{place}/simple\nown==1.0\n"
        sandbox = build(spec(text, file="freeze.txt"))
    assert installed(sandbox) == {"own": "1.0"}
    assert "hunter2" not in f"{sandbox.built} {sandbox.findings}"


def test_a_refused_login_is_told_without_it(tmp_path):
    with index(OWN, login="me:other") as place:
        env = given_by("UV_INDEX", place, tmp_path / "home")
        with pytest.raises(RebuildError, match="refused our credentials") as caught:
            resolved(tmp_path, "own", env)
    assert "hunter2" not in caught.value.message


def test_a_refused_login_is_told_also_where_another_index_is_asked_too(build):
    with index(OWN, login="me:other") as place:
        asked = spec(f"--extra-index-url http://{LOGIN}@{place}/simple\nown==1.0\n")
        with pytest.raises(RebuildError, match="refused our credentials"):
            build(asked)


def test_no_report_tells_a_password(lab, tmp_path):
    own = copy_of(lab, tmp_path)
    own.repo.commit(
        {
            "requirements.txt": f"--extra-index-url http://{LOGIN}@127.0.0.1:1/simple\n"
            f"--find-links http://{LOGIN}@x/\n--unknown http://{LOGIN}@x/\n"
            f"-e git+http://{LOGIN}@127.0.0.1:1/x@{'0' * 40}#egg=x\n-e http://me:p@{LOGIN}@x/y\n"
        }
    )
    own.set_tag(own.seeded, "mlflow.source.git.commit", own.repo.git("rev-parse", "HEAD"))
    result = own.verify(own.seeded, "--verbose", "--markdown", str(tmp_path / "report.md"))
    assert (result.exit_code, result.verdict) == (3, "NOT_VERIFIED")
    assert "-e http://***@x/y" in result.stdout
    told = (result.stdout, result.stderr, result.report, (tmp_path / "report.md").read_text())
    assert "hunter2" not in str(told)


def test_uvs_own_settings_go_before_pips(tmp_path):
    caller = {"HOME": str(tmp_path), "PIP_INDEX_URL": "https://pip/simple"}
    assert environment(caller)["UV_DEFAULT_INDEX"] == "https://pip/simple"
    assert "UV_DEFAULT_INDEX" not in environment({**caller, "UV_INDEX": "https://uv/simple"})
    (tmp_path / ".config/uv").mkdir(parents=True)
    (tmp_path / ".config/uv/uv.toml").write_text("[[index]]\nurl = 'https://uv/simple'\n")
    assert "UV_DEFAULT_INDEX" not in environment(caller)


# --- certificates -------------------------------------------------------------------------


def test_a_certificate_of_ones_own_is_refused_until_its_authority_is_named(tmp_path):
    key, authority = signed(tmp_path)
    with index(OWN, certificate=(authority, key)) as place:
        text = f"--index-url https://{place}/simple\nown"
        with pytest.raises(RebuildError, match="certificate of the package index") as caught:
            resolved(tmp_path, text, {"UV_HTTP_RETRIES": "0"})
        assert "SSL_CERT_FILE" in caught.value.hint
        trusting = {"SSL_CERT_FILE": str(authority), "SSL_CERT_DIR": ""}
        assert resolved(tmp_path, text, trusting) == "own==2.0"


def signed(folder: Path) -> tuple[Path, Path]:
    """A key, and a certificate of a server that is its own authority."""
    key, certificate = folder / "key.pem", folder / "ca.pem"
    argv = [need("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    argv += ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=test"]
    argv += ["-addext", "subjectAltName=IP:127.0.0.1"]
    argv += ["-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(argv, check=True, capture_output=True)
    return key, certificate
