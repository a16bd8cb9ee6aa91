"""The package index is asked by uv, with uv's own settings."""

import http.server
import ssl
import subprocess
import threading

import pytest

from reprocheck.doctor import Status
from reprocheck.doctor.network import check_index
from tests.conftest import need
from tests.doctor.conftest import answering


def look(about, index: str, **env: str):
    (check,) = check_index(about({"UV_NO_CONFIG": "1", "UV_DEFAULT_INDEX": index, **env}))
    return check


def test_an_index_that_answers_is_fine_also_without_the_package(about):
    with answering(404) as address:
        check = look(about, f"{address}/simple")
    assert (check.status, check.told) == (Status.OK, f"{address}/simple answers")


@pytest.mark.parametrize(("status", "mend"), [(401, "netrc"), (403, "netrc"), (503, "HTTPS_PROXY")])
def test_an_index_that_refuses_names_what_to_set(about, status, mend):
    with answering(status) as address:
        check = look(about, f"{address}/simple")
    assert check.status is Status.WARNING
    assert mend in check.mend


def test_an_index_that_cannot_be_reached_is_named(about, dead):
    check = look(about, f"http://{dead}/simple")
    assert check.status is Status.WARNING
    assert check.told == f"http://{dead}/simple: the package index could not be reached"
    assert "UV_DEFAULT_INDEX" in check.mend


def test_an_index_that_uv_is_told_not_to_ask_is_not_asked(about, dead):
    check = look(about, f"http://{dead}/simple", UV_OFFLINE="1")
    assert (check.status, check.told) == (Status.OK, "not asked: UV_OFFLINE is set")


def test_a_refused_certificate_names_the_variable_that_mends_it(about, tmp_path):
    certificate, key = tmp_path / "ca.pem", tmp_path / "key.pem"
    openssl = [need("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    openssl += ["-keyout", key, "-out", certificate, "-subj", "/CN=localhost"]
    openssl += ["-addext", "subjectAltName=DNS:localhost"]
    openssl += ["-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(openssl, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    handler = http.server.SimpleHTTPRequestHandler
    handler = type("Quiet", (handler,), {"log_message": lambda *args: None})
    with http.server.ThreadingHTTPServer(("localhost", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *args: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"https://localhost:{server.server_port}/absent"
        refused = look(about, address)
        trusted = look(about, address, SSL_CERT_FILE=str(certificate))
        server.shutdown()
    assert refused.status is Status.WARNING
    assert "certificate of the package index was refused" in refused.told
    assert "SSL_CERT_FILE" in refused.mend
    assert "UV_SYSTEM_CERTS" in refused.mend
    assert trusted.status is Status.OK
