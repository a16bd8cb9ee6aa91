"""Files on web servers.

By `requests`, not by fsspec's own HTTP: it knows ~/.netrc, proxies and certificates as other
programs of the user do, and drops a login when a redirect leads to another host.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from reprocheck.datastores.addresses import below, shown
from reprocheck.datastores.fetching import CHUNK, AbsentError, TransientError
from reprocheck.errors import RestoreError

_CONNECT_S, _SILENCE_S = 15.0, 60.0
_BUSY = (408, 425, 429)
_LOGIN = "put the login into ~/.netrc, or use an address that needs none"


class Web:
    """An http or https address."""

    def __init__(self, address: str, connections: int) -> None:
        import requests

        self._address = address
        self.shown = shown(address)
        self._session = requests.Session()
        self._session.max_redirects = 10
        # The digest is that of the file as it is kept, so nothing is to be packed on its way.
        self._session.headers["Accept-Encoding"] = "identity"
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=connections)
        for start in ("http://", "https://"):
            self._session.mount(start, adapter)

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[Iterator[bytes]]:
        """The body of an answer, as it was sent."""
        address = below(self._address, name) if name else self._address
        with self._failures(shown(address)), self._get(address) as answer:
            self._refuse(answer.status_code, shown(address))
            yield answer.raw.stream(CHUNK, decode_content=False)

    def _get(self, address: str) -> Any:  # noqa: ANN401 - requests.Response
        return self._session.get(address, stream=True, timeout=(_CONNECT_S, _SILENCE_S))

    @contextlib.contextmanager
    def _failures(self, told: str) -> Iterator[None]:
        import requests
        import urllib3

        try:
            yield
        except requests.exceptions.SSLError as error:
            raise RestoreError(
                f"{told}: its certificate was refused",
                "name the authority's file in REQUESTS_CA_BUNDLE",
            ) from error
        except (
            requests.exceptions.ConnectionError,
            requests.exceptions.Timeout,
            requests.exceptions.ChunkedEncodingError,
            urllib3.exceptions.HTTPError,
        ) as error:
            raise TransientError(f"{told}: {_reason(error)}") from error
        except requests.exceptions.RequestException as error:
            raise RestoreError(f"{told}: {_reason(error)}", "check the address") from error

    def _refuse(self, status: int, told: str) -> None:
        if status in (404, 410):
            raise AbsentError
        if status in _BUSY or status >= 500:
            raise TransientError(f"{told} fails (HTTP {status})")
        if status in (401, 403, 407):
            raise RestoreError(f"{told} refuses us (HTTP {status})", _LOGIN)
        if status != 200:
            raise RestoreError(f"{told} does not send the file (HTTP {status})", "check it")


def _reason(error: Exception) -> str:
    """What happened, in few words: the libraries' own text repeats the address with its query."""
    seen: BaseException | None = error
    while seen is not None:
        for inner in (seen, *seen.args, getattr(seen, "reason", None)):
            if isinstance(inner, OSError) and inner.strerror:
                return f"no answer: {inner.strerror}"
        seen = seen.__cause__ or seen.__context__
    if "IncompleteRead" in repr(error):
        return "it broke off in the middle"
    return f"no answer: {type(error).__name__}"
