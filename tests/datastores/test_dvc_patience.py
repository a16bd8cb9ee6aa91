"""A web server that takes connections and never answers."""

import socket
import threading
from pathlib import Path

import pytest

from reprocheck.datastores import dvc_config
from reprocheck.errors import RestoreError
from tests.datastores.storages import Storage
from tests.datastores.test_dvc_objects import ROW, material, restore


def test_a_server_that_never_answers_is_tried_a_few_times_and_told(tmp_path: Path) -> None:
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        with pytest.raises(RestoreError, match="Timeout"):
            restore(Storage(url, tmp_path, {"read_timeout": "1"}), tmp_path, material(ROW, "2.txt"))
        server.shutdown(socket.SHUT_RDWR)
    for each in taken:
        each.close()
    assert len(taken) == 2 * dvc_config._TRIES  # HEAD and GET, and not under the older name, too
