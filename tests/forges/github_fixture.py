"""The fake GitHub as a fixture of all tests; loaded by those alone that ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.forges.github_server import FakeGitHub


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    """A GitHub with one repository; what it was asked against its description fails the test."""
    from tests.forges.github_server import FakeGitHub

    with FakeGitHub() as server:
        yield server
