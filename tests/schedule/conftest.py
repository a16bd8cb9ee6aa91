"""Stores of runs, made here with MLflow's own client, and stores of reports."""

from tests.trackers.conftest import database, empty_database

__all__ = ["database", "empty_database"]
