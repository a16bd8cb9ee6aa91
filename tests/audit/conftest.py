"""The stores that the tests of trackers have."""

from tests.trackers.conftest import database, empty_database, served

__all__ = ["database", "empty_database", "served"]
