"""docker_secrets, docker_flatten: logins and certificates serve a build and stay in no image."""

from __future__ import annotations

import dataclasses
import io
import os
import tarfile
import time

import pytest

from reprocheck.environments import docker_engine, docker_flatten, docker_image, docker_owned
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.docker_failures import Cause, ImageError
from reprocheck.environments.docker_image import Builder
from reprocheck.environments.docker_secrets import secrets
from reprocheck.model import Limits
from tests.environments.images import base_image, engine
from tests.environments.index import PASSWORD, https_server, private_index
from tests.environments.samples import STARTED, command, docker_spec


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    engine()
    with private_index(tmp_path_factory.mktemp("index")) as address:
        yield address


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def needing(address: str, package: str = "secretpkg==1.0", uv: bool = False):
    """A Dockerfile, never built before, that finds an index where it has no login."""
    host = address.rpartition("@")[2]
    known = f"RUN printf '[global]\\nindex-url = http://{host}\\n' >/etc/pip.conf"
    options = (
        "--disable-pip-version-check --no-input --retries 0 --no-cache-dir --break-system-packages"
    )
    run = f"RUN python3 -m pip install {options} --trusted-host {host.partition(':')[0]} {package}"
    if uv:
        known = "RUN mkdir -p /etc/uv && printf '[[index]]\\nurl = \"http://%s\"\\ndefault = true' "
        known += f"{host} >/etc/uv/uv.toml"
        run = f"RUN uv pip install --system --break-system-packages --no-cache {package}"
    lines = (f"ENV NOW={time.time_ns()}", known, run, "ENV SAID='a \"b\" $c'", 'CMD ["x y"]')
    return docker_spec(*lines, base=base_image())


def has_it(sandbox, trial) -> bool:
    what = ("python", "-c", "import secretpkg; print(secretpkg.VALUE)")
    return sandbox.run(trial(command(what))).stdout == b"42\n"


def holds(image: str, word: str) -> bool:
    """Whether a word is anywhere in an image: settings, history, or a file of any of its layers."""
    found = engine().images.get(image)
    if word in str(found.attrs) + str(found.history()):
        return True
    saved = io.BytesIO(b"".join(found.save()))
    with tarfile.open(fileobj=saved) as layers:
        return any(
            word.encode() in layers.extractfile(item).read() for item in layers if item.isfile()
        )


def configured(address: str, home) -> dict[str, str]:
    """By pip.conf."""
    (home / ".config/pip").mkdir(parents=True)
    (home / ".config/pip/pip.conf").write_text(f"[global]\nindex-url = {address}\n")
    return {}


def by_netrc(address: str, home) -> dict[str, str]:
    """By a variable for the address, and .netrc for the login."""
    host = address.rpartition("@")[2]
    machine = host.partition(":")[0]
    (home / ".netrc").write_text(f"machine {machine}\nlogin robot\npassword {PASSWORD}\n")
    return {"PIP_INDEX_URL": f"http://{host}"}


def test_a_private_index_serves_a_dockerfile_as_it_is_and_is_in_no_layer(
    build, trial, builder, index, home
):
    way = configured if builder["PATH"] == os.environ["PATH"] else by_netrc
    env = {**builder, "HOME": str(home), **way(index, home)}
    sandbox = build(needing(index), env=env)
    assert has_it(sandbox, trial)
    assert not holds(sandbox.image, PASSWORD)
    config = engine().images.get(sandbox.image).attrs["Config"]
    assert (config["Cmd"], 'SAID=a "b" $c' in config["Env"]) == (["x y"], True)
    assert no_secret_image_is_left()


def test_uv_gets_the_index_too(build, trial, index, home):
    env = {**os.environ, "HOME": str(home), "UV_DEFAULT_INDEX": index}
    sandbox = build(needing(index, uv=True), env=env)
    assert has_it(sandbox, trial)


def test_a_secret_is_mounted_where_the_dockerfile_says(build, trial, index, home):
    asked = needing(index)
    where = b"RUN --mount=type=secret,id=pipconf,target=/x.conf PIP_CONFIG_FILE=/x.conf python3"
    asked = dataclasses.replace(asked, content=asked.content.replace(b"RUN python3", where))
    env = {**os.environ, "HOME": str(home), **configured(index, home)}
    assert has_it(build(asked, env=env), trial)


def test_a_wrong_login_is_told_without_it(build, builder, index, home):
    wrong = index.replace(PASSWORD, "wrong-password-of-mine")
    env = {**builder, "HOME": str(home), "UV_DEFAULT_INDEX": wrong}
    with pytest.raises(ImageError) as caught:
        build(needing(index, uv=True), env=env)
    assert caught.value.cause is Cause.LOGIN, caught.value.output
    assert "login" in caught.value.hint
    assert "wrong-password-of-mine" not in f"{caught.value.message} {caught.value.output}"
    assert no_secret_image_is_left()


def test_a_version_that_is_gone_is_told_from_no_login(build, index, home):
    env = {**os.environ, "HOME": str(home), "PIP_INDEX_URL": index}
    with pytest.raises(ImageError) as caught:
        build(needing(index, "secretpkg==99"), env=env)
    assert caught.value.cause is Cause.GONE
    assert "login" in caught.value.hint  # pip says the same of a refused one


def test_an_image_with_secrets_has_a_name_of_its_owner_alone(
    build, index, home, tmp_path, monkeypatch
):
    """Another reprocheck that builds the same at this moment would take it, or remove it."""
    env = {**os.environ, "PATH": str(tmp_path), "HOME": str(home), **configured(index, home)}
    seen = []

    def look(found, secretive, tag, labels):
        seen.append((secretive != tag, found.client.images.list(name=tag)))
        docker_flatten.flatten(found, secretive, tag, labels)

    monkeypatch.setattr(docker_image, "flatten", look)
    build(needing(index), env=env)
    assert seen == [(True, [])]


def test_a_base_with_secrets_is_not_shared_between_owners(tmp_path):
    engine()
    with docker_engine.connect(os.environ) as found:
        asked = docker_spec(base=base_image())
        request = BuildRequest(
            spec=asked, tree=tmp_path, started_at=STARTED, cache=tmp_path, env=dict(os.environ)
        )
        builder = Builder(engine=found, request=request, folder=tmp_path)
        owners = ({docker_owned.SECRETIVE: name} for name in ("one", "two"))
        tags = {builder._derived(base_image(), "a base", "ENV A=1", {}, who) for who in owners}
        docker_owned.remove_secrets(found, lambda owner: owner in ("one", "two"))
    assert len(tags) == 2


def no_secret_image_is_left() -> bool:
    with docker_engine.connect(os.environ) as found:
        label = docker_owned.secret_label()[docker_owned.SECRETIVE]
        listed = found.client.images.list(
            all=True, filters={"label": f"{docker_owned.SECRETIVE}={label}"}
        )
    return listed == []


def test_passwords_are_hidden_wherever_they_are_printed(home, tmp_path):
    (home / ".netrc").write_text("machine a.test login me password of-netrc")
    env = {"HOME": str(home), "PIP_EXTRA_INDEX_URL": "https://me:of-pip@b.test/simple"}
    found = secrets(env, tmp_path / "own")
    assert found.hidden("say of-netrc and of-pip") == "say *** and ***"
    assert (tmp_path / "own/pip.conf").stat().st_mode & 0o077 == 0


# --- certificates -------------------------------------------------------------------------


def fetch(address: str) -> str:
    return f"import urllib.request as u; print(u.urlopen('{address}').status)"


def test_a_certificate_of_this_machine_is_tried_and_reaches_trials(build, tmp_path, builder, trial):
    with https_server(tmp_path) as (address, authority):
        now = f"ENV NOW={time.time_ns()}"
        asked = docker_spec(now, f'RUN python3 -c "{fetch(address)}"', base=base_image())
        with pytest.raises(ImageError) as caught:
            build(asked, env={**builder, "SSL_CERT_FILE": "/dev/null"})
        assert caught.value.cause is Cause.CERTIFICATE
        env = {**builder, "SSL_CERT_FILE": str(authority)}
        sandbox = build(asked, env=env)
        assert authority.read_text().splitlines()[1] not in str(
            engine().images.get(sandbox.image).history()
        )
        online = build(docker_spec(base=base_image()), env=env, limits=Limits(network=True))
        what = command(("python", "-c", fetch(address)))
        assert online.run(trial(what)).stdout == b"200\n"
