"""A run read out of a bundle, against the same run read from its tracker."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reprocheck import bundle_writing, bundles
from reprocheck.errors import BundleError, ReadError, UnknownRunError
from reprocheck.hidden import is_hidden
from reprocheck.model import RunRecord
from reprocheck.progress import Silent
from reprocheck.trackers import open_tracker
from reprocheck.trackers.keeping import KeepingTracker, KeptRun, bundled
from tests.trackers.conftest import Store

PATCH = "diff --git a/x b/x\n"
DEFINITION = """
version: 1
hypothesis: It is better.
metrics:
  primary: {accuracy: {margin: {abs: 0.01}, direction: higher, min: 0.5}}
  secondary: {loss: {margin: {rel: 0.05}, scale: log}}
comparisons: [{against: the model in production, metrics: [accuracy], reason: it is replaced}]
sign_offs: [{role: reviewer, by: [ann]}]
data: [{name: digits, version: v3, digest: "md5:9e107d9d372bb6826bd81d3542a419d6"}]
"""
# What a document does not tell, and why it does not matter.
EXCEPTIONS = {
    # The line of a file that is not at hand: only messages show it.
    ".definition.rules.accuracy.place",
    ".definition.rules.accuracy.margin.place",
    ".definition.rules.loss.place",
    ".definition.rules.loss.margin.place",
    # The definition says itself where it was found, and the document says it again.
    ".origins./definition",
}


def kept(store: Store, *asked: str, folder: Path) -> dict[str, RunRecord]:
    """Bundles runs with all their artifacts; what the tracker gave, by what was asked."""
    tracker = open_tracker(store.uri, store.artifact_roots, store.folder / "scratch")
    runs: dict[str, KeptRun] = {}
    with bundle_writing.writing(folder) as writer:
        keeping = KeepingTracker(tracker, writer, runs)
        records = {each: keeping.read(each) for each in asked}
        for record in records.values():
            runs[record.ref.run_id].baseline = False
            keeping.files(record, [each.path for each in record.artifacts], store.folder / "f")
            keeping.products(record, store.folder / "p", Silent())
        writer.write(bundled(runs, writer), (), {}, {}, frozenset())
    tracker.close()
    return records


def reopened(folder: Path):
    return open_tracker(str(folder), {}, folder / "unused", kind="bundle")


def differences(one: Any, other: Any, place: str = "") -> Iterator[str]:
    """Where two values differ, field by field."""
    if dataclasses.is_dataclass(one) and type(one) is type(other):
        for field in dataclasses.fields(one):
            ours, theirs = getattr(one, field.name), getattr(other, field.name)
            yield from differences(ours, theirs, f"{place}.{field.name}")
    elif isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from differences(one.get(key), other.get(key), f"{place}.{key}")
    elif isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        for index, (ours, theirs) in enumerate(zip(one, other, strict=True)):
            yield from differences(ours, theirs, f"{place}.{index}")
    elif one != other and not (isinstance(one, float) and math.isnan(one) and math.isnan(other)):
        yield place


def some_runs(store: Store) -> dict[str, str]:
    """Runs of several kinds, by what is special about them."""
    recipe = {"seed": "7", "lr": "0.1"}
    tags = {"mlflow.source.git.commit": "c" * 40, "mlflow.source.name": "train.py"}
    model = "flavors: {}\nrun_id: x\n"
    return {
        "seeded": store.log(
            parameters=recipe,
            metrics={"accuracy": [0.1, math.nan, 0.9], "loss": [0.25 * n for n in range(700)]},
            tags=tags,
        ),
        "sibling": store.log(
            parameters=recipe | {"seed": "8"}, metrics={"accuracy": [0.91]}, tags=tags
        ),
        "dirty": store.log(
            tags=tags,
            artifacts={"reprocheck/staged.patch": PATCH, "reprocheck/unstaged.patch": PATCH * 2},
        ),
        "defined": store.log(tags=tags, artifacts={"experiment.yaml": DEFINITION}),
        "environment": store.log(
            tags=tags,
            artifacts={
                "model/MLmodel": model,
                "model/requirements.txt": "numpy==2.0.0\n-c constraints.txt\n",
                "model/constraints.txt": "scipy==1.0\n",
                "model/python_env.yaml": "python: 3.11.7\n",
                "requirements.txt": "numpy==2.0.0\r\n\ufeff",
            },
        ),
    }


def test_a_record_out_of_a_bundle_is_the_trackers(database: Store, tmp_path: Path) -> None:
    runs = some_runs(database)
    records = kept(database, *runs.values(), folder=tmp_path / "bundle")
    tracker = reopened(tmp_path / "bundle")
    for kind, run_id in runs.items():
        found = set(differences(records[run_id], tracker.read(run_id))) - EXCEPTIONS
        assert not found, kind
    assert len(records[runs["seeded"]].metrics["loss"].history) == 700
    assert records[runs["dirty"]].code.patch.parts
    assert records[runs["defined"]].definition is not None
    assert len(records[runs["environment"]].files) == 4


def test_artifacts_and_products_are_those_that_were_asked_for(
    database: Store, tmp_path: Path
) -> None:
    run_id = database.log(artifacts={"conf/exp.yaml": "lr: 1\n", "weights.json": "[1, 2]"})
    (record,) = kept(database, run_id, folder=tmp_path / "bundle").values()
    tracker = reopened(tmp_path / "bundle")
    files = tracker.files(record, ["conf/exp.yaml"], tmp_path / "files")
    assert files["conf/exp.yaml"].read_text() == "lr: 1\n"
    assert files["conf/exp.yaml"].name == "exp.yaml"
    fetched = tracker.products(record, tmp_path / "products", Silent())
    assert {each.path for each in fetched.products} == {"conf/exp.yaml", "weights.json"}
    assert fetched.files["weights.json"].read_text() == "[1, 2]"
    with pytest.raises(ReadError, match="does not hold it") as caught:
        tracker.file(record, "../../etc/passwd", tmp_path / "files")
    assert "reprocheck fetch" in caught.value.hint


@pytest.mark.parametrize("asked", ["0" * 32, "zz", "", "../x"])
def test_another_run_than_those_of_the_bundle_is_refused(
    database: Store, tmp_path: Path, asked: str
) -> None:
    run_id = database.log()
    kept(database, run_id, folder=tmp_path / "bundle")
    tracker = reopened(tmp_path / "bundle")
    assert tracker.read(run_id[:6]).ref.run_id == run_id
    with pytest.raises(UnknownRunError, match="no such run") as caught:
        tracker.read(asked)
    assert run_id in caught.value.hint


def test_secrets_are_not_in_the_bundle_and_are_named(database: Store, tmp_path: Path) -> None:
    secret = "hunter2hunter2"
    run_id = database.log(
        parameters={"api_key": secret, "url": f"https://me:{secret}@host/x", "lr": "1"},
        tags={"note": f"with {secret}", "mlflow.source.git.repoURL": f"https://x:{secret}@h/r.git"},
        artifacts={"notes.json": f'["{secret}"]'},
    )
    tracker = open_tracker(database.uri, {}, tmp_path / "scratch")
    runs: dict[str, KeptRun] = {}
    with bundle_writing.writing(tmp_path / "bundle") as writer:
        keeping = KeepingTracker(tracker, writer, runs)
        record = keeping.read(run_id)
        keeping.products(record, tmp_path / "p", Silent())
        with pytest.raises(ReadError, match="shows a login"):
            keeping.file(record, "notes.json", tmp_path / "f")
        writer.write(bundled(runs, writer), (), {}, {}, frozenset())
    files = (each for each in (tmp_path / "bundle").rglob("*") if each.is_file())
    assert all(secret.encode() not in each.read_bytes() for each in files)
    found = reopened(tmp_path / "bundle").read(run_id)
    assert (found.parameters["api_key"], found.parameters["lr"]) == ("***", "1")
    assert found.code.repository == "https://h/r.git"
    assert [is_hidden(found, name) for name in ("api_key", "url", "lr")] == [True, True, False]


@pytest.mark.parametrize(
    ("artifacts", "tags", "what"),
    [
        ({"reprocheck/source.patch": "+a = 'https://me:hunter2@host/'\n"}, {}, "its patch"),
        ({"params.yaml": "token: ghp_" + "a" * 36}, {}, "params.yaml"),
        (
            {"requirements.txt": "--extra-index-url https://me:hunter2@host/simple\nnumpy==1\n"},
            {},
            "environment file|requirements.txt",
        ),
    ],
)
def test_what_is_rebuilt_from_a_login_is_refused(
    database: Store, tmp_path: Path, artifacts, tags, what
) -> None:
    run_id = database.log(artifacts=artifacts, tags=tags)
    with pytest.raises(ReadError, match=what):
        kept(database, run_id, folder=tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_a_record_of_another_run_in_its_place_is_told(database: Store, tmp_path: Path) -> None:
    one, other = database.log(), database.log()
    kept(database, one, other, folder=tmp_path / "bundle")
    path = tmp_path / "bundle" / bundles.FILE
    text = path.read_text().replace(f'"run_id": "{one}"', f'"run_id": "{"f" * 32}"')
    path.write_text(text)
    with pytest.raises(BundleError, match="as that of"):
        reopened(tmp_path / "bundle").read("f" * 32)
