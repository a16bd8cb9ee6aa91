"""Siblings, and a run's place below its parent."""

import pytest

from reprocheck.trackers.mlflow_lineage import place_runs

SAME = {
    "mlflow.source.git.commit": "c" * 40,
    "reprocheck.tree": "clean",
    "reprocheck.data": "[]",
    "reprocheck.environment.sha256": "e" * 64,
}


def log(store, seed="1", metrics=None, parameters=None, **tags) -> str:
    tags = {name.replace("__", "."): value for name, value in tags.items()}
    known = {name: value for name, value in {**SAME, **tags}.items() if value}
    return store.log(
        parameters={"lr": "0.1", "seed": seed, **(parameters or {})},
        metrics=metrics or {"acc": [0.5]},
        tags=known,
    )


def test_a_run_that_differs_only_in_its_seed_is_a_sibling(store):
    run_id, other = log(store), log(store, seed="2", metrics={"acc": [0.1, 0.75]})
    (sibling,) = store.read(run_id).siblings
    assert (sibling.run_id, sibling.metrics) == (other, {"acc": 0.75})


@pytest.mark.parametrize(
    "different",
    [
        {"mlflow__source__git__commit": "d" * 40},
        {"reprocheck__tree": "dirty"},
        {"reprocheck__data": '[{"path": "a"}]'},
        {"reprocheck__environment__sha256": "f" * 64},
        {"reprocheck__environment__sha256": None},
        {"parameters": {"extra": "1"}},
        {"mlflow__parentRunId": "1" * 32},
    ],
)
def test_a_run_that_differs_otherwise_is_none(database, different):
    run_id = log(database)
    log(database, seed="2", **different)
    assert database.read(run_id).siblings == ()


@pytest.mark.parametrize("missing", ["reprocheck__environment__sha256", "reprocheck__data"])
def test_what_is_unknown_on_both_sides_makes_no_sibling(database, missing):
    run_id = log(database, **{missing: None})
    log(database, seed="2", **{missing: None})
    assert database.read(run_id).siblings == ()


def test_failed_runs_and_other_experiments_have_no_siblings(database):
    run_id = log(database)
    database.log(parameters={"lr": "0.1", "seed": "2"}, tags=SAME, status="FAILED")
    database.experiment = database.client.create_experiment("other")
    log(database, seed="2")
    assert database.read(run_id).siblings == ()


def test_a_child_knows_its_place_among_the_starts(store):
    parent = store.log(parameters={"cv": "3"})
    children = [
        store.log(tags={"mlflow.parentRunId": parent}, start=1_700_000_000_000 + 1000 * number)
        for number in (2, 1, 3)
    ]
    grandchild = store.log(tags={"mlflow.parentRunId": children[0]})
    lineages = [store.read(run_id).lineage for run_id in children]
    assert [lineage.place for lineage in lineages] == [1, 0, 2]
    assert {(lin.parent, lin.depth) for lin in lineages} == {(parent, 1)}
    assert lineages[0].parent_parameters == {"cv": "3"}
    assert store.read(grandchild).lineage.depth == 2
    assert store.read(parent).lineage.depth == 0


def test_a_parent_that_is_gone_is_still_named(database):
    lineage = database.read(database.log(tags={"mlflow.parentRunId": "1" * 32})).lineage
    assert (lineage.parent, lineage.depth, lineage.parent_parameters) == ("1" * 32, 1, None)


def test_places_count_within_a_tree_and_a_depth():
    parents = {"a": None, "a1": "a", "b": None, "b1": "b", "a2": "a", "a1x": "a1"}
    lineages = place_runs(parents, {"a": {"lr": "1"}})
    assert [lineages[run].place for run in parents] == [0, 0, 0, 0, 1, 0]
    assert [lineages[run].depth for run in parents] == [0, 1, 0, 1, 1, 2]


def test_parents_in_a_circle_end():
    assert place_runs({"a": "b", "b": "a"}, {})["a"].depth > 1


def test_the_finished_runs_of_a_sweep_are_peers(store):
    sweep = store.log()
    under = {"mlflow.parentRunId": sweep}
    run_id = store.log(metrics={"acc": [0.9]}, tags=under, start=1_700_000_000_001)
    other = store.log(metrics={"acc": [0.1, 0.8], "more": [1.0]}, tags=under)
    store.log(metrics={"acc": [0.99]}, tags=under, status="FAILED")
    store.log(metrics={"acc": [0.99]}, tags=under, status=None)
    store.log(metrics={"acc": [0.99]}, tags={"mlflow.parentRunId": other})
    store.log(metrics={"acc": [0.99]})
    (peer,) = store.read(run_id).peers
    assert (peer.run_id, peer.metrics) == (other, {"acc": 0.8})
    assert store.read(sweep).peers == ()


def test_peers_of_a_grandchild_are_those_of_its_own_parent(database):
    top = database.log()
    folds = [database.log(tags={"mlflow.parentRunId": top}) for _ in range(2)]
    own, twin, cousin = (
        database.log(metrics={"acc": [0.5]}, tags={"mlflow.parentRunId": parent})
        for parent in (folds[0], folds[0], folds[1])
    )
    assert [peer.run_id for peer in database.read(own).peers] == [twin]
    assert cousin not in {peer.run_id for peer in database.read(own).peers}


def test_a_deleted_run_is_no_peer(database):
    under = {"mlflow.parentRunId": database.log()}
    run_id, other = (database.log(metrics={"acc": [0.9]}, tags=under) for _ in range(2))
    database.client.delete_run(other)
    assert database.read(run_id).peers == ()


def test_a_step_that_a_project_started_is_made_by_the_projects_main_entry_point(database):
    commit = {"mlflow.source.git.commit": "c" * 40, "mlflow.source.name": "file:///proj"}
    main = database.log(tags={**commit, "mlflow.project.entryPoint": "main"})
    step = {**commit, "mlflow.project.entryPoint": "load", "mlflow.parentRunId": main}
    child = database.read(database.log(tags=step))
    assert child.code.entry_point == "main"
    assert child.tags["mlflow.project.entryPoint"] == "load"
    elsewhere = {**step, "mlflow.source.git.commit": "d" * 40}
    assert database.read(database.log(tags=elsewhere)).code.entry_point == "load"


def test_a_step_that_a_script_started_is_made_by_the_scripts_arguments(database):
    commit = {"mlflow.source.git.commit": "c" * 40}
    argv = {"reprocheck.argv": '["python", "all.py"]', "mlflow.source.name": "all.py"}
    script = database.log(tags={**commit, **argv})
    step = {**commit, "mlflow.project.entryPoint": "load", "mlflow.parentRunId": script}
    child = database.read(database.log(tags=step))
    assert child.code.entry_point is None
    assert child.command.steps[0].run.args == ("python", "all.py")
