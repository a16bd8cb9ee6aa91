"""Fixtures that the tests of several stores share."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from reprocheck import datastores
from reprocheck.datastores import Around
from reprocheck.model import Material
from tests.datastores.servers import Folder, Objects, Shelf, s3_server, s3_variables, site

__all__ = ["s3_server", "site"]

Restore = Callable[..., datastores.Inputs]


@pytest.fixture(params=["path", "http", "s3"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Each kind of place in turn."""
    match request.param:
        case "path":
            return Folder(tmp_path / "a b")
        case "http":
            return request.getfixturevalue("site")
        case kind:
            server = request.getfixturevalue("s3_server")
            s3_variables(monkeypatch, server)
            return Objects(server, f"b{uuid.uuid4().hex}", lakefs=kind == "lakefs")


@pytest.fixture
def restore(tmp_path: Path) -> Restore:
    """Restores materials into the folder `inputs`."""

    def restore(
        *materials: Material, env: dict[str, str] | None = None, **around: object
    ) -> datastores.Inputs:
        tree = tmp_path / "tree"
        tree.mkdir(exist_ok=True)
        given = {"tree": tree, "folder": tmp_path, "env": env or {}, **around}
        return datastores.restore(materials, tmp_path / "inputs", Around(**given))

    return restore
