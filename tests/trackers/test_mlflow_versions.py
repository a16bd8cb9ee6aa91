from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from reprocheck.errors import UnknownModelError, UsageError
from reprocheck.trackers import open_tracker
from reprocheck.trackers.mlflow_settings import client_settings
from tests.conftest import snapshot

if TYPE_CHECKING:
    from reprocheck.model import ModelVersion
    from tests.trackers.conftest import Store


def register(store: Store, name: str, *runs: str) -> None:
    with client_settings(store.uri):
        store.client.create_registered_model(name)
        for run_id in runs:
            store.client.create_model_version(name, f"runs:/{run_id}/model", run_id)


def versions(
    store: Store, *names: str, alias: str = "", stage: str = ""
) -> tuple[ModelVersion, ...]:
    tracker = open_tracker(store.uri, {}, store.folder / "scratch")
    with closing(tracker):
        return tracker.versions(names, alias=alias, stage=stage)


@pytest.mark.filterwarnings("ignore")  # MLflow's own, of stages
def test_versions_are_found_by_alias_and_stage_in_every_kind_of_store(store: Store):
    first, second, third = (store.log() for _ in range(3))
    name = f"team's digits {store.folder.name}"
    register(store, name, first, second, third)
    with client_settings(store.uri):
        store.client.set_registered_model_alias(name, "champion", "2")
        for version in ("1", "2"):
            store.client.transition_model_version_stage(name, version, "Production")
    before = snapshot(store.folder)
    (champion,) = versions(store, name, alias="champion")
    assert (champion.version, champion.run_id, champion.aliases) == ("2", second, ("champion",))
    assert [each.run_id for each in versions(store, name, stage="production")] == [second, first]
    assert [each.run_id for each in versions(store, name)] == [third]
    assert snapshot(store.folder) == before


@pytest.mark.parametrize("asked", [{"alias": "no"}, {"stage": "Staging"}, {}])
def test_what_is_not_registered_is_told(store: Store, asked: dict[str, str]):
    name = f"digits {store.folder.name}"
    if asked:
        register(store, name, store.log())
    with pytest.raises(UnknownModelError, match="has no"):
        versions(store, name, **asked)


def test_a_stage_that_is_none_is_wrong_usage(database: Store):
    register(database, "digits", database.log())
    with pytest.raises(UsageError, match="'champion' is no stage"):
        versions(database, "digits", stage="champion")
