"""A trial's products and predictions beside the original's."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from reprocheck.compare.contents import kinship
from reprocheck.errors import ConfigError
from reprocheck.model import (
    Artifact,
    Finding,
    Lineage,
    Predictions,
    PredictionsRule,
    Product,
    ProductRule,
    Severity,
)
from reprocheck.originals import Originals, counterparts, gated_patterns
from reprocheck.trackers.base import Fetched, LoggedRun
from tests.reporters.builders import make_record

RULE = PredictionsRule(artifact="p.csv", id="id", label="y", prediction="p")
TRUTH = Predictions(ids=("a", "b"), labels=("1", "0"), predicted=("1", "1"))


def left(folder: Path, files: dict[str, str]) -> tuple[tuple[Product, ...], dict[str, Path]]:
    products, paths = [], {}
    for name, text in files.items():
        path = paths[name] = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        products.append(Product(path=name, sha256=digest, size=len(text)))
    return tuple(products), paths


@pytest.fixture
def run(tmp_path):
    def make(files: dict[str, str]) -> LoggedRun:
        products, paths = left(tmp_path / "trial", files)
        return LoggedRun(
            run_id="r", name="", finished=True, parameters={}, metrics={}, tags={},
            lineage=Lineage(parent=None, depth=0, place=0), products=products, files=paths,
        )  # fmt: skip

    return make


@pytest.fixture
def known(tmp_path):
    def make(files: dict[str, str], rule: PredictionsRule | None = None) -> Originals:
        products, paths = left(tmp_path / "original", files)
        fetched = Fetched(products=products, files=paths, findings=())
        return Originals.of(fetched, rule, TRUTH if rule else None)

    return make


def test_content_is_read_only_where_digests_differ(known, run):
    ours = known({"same.json": "[1]", "other.json": "[1]", "m.pkl": "1", "gone.json": "[1]"})
    trial = run({"same.json": "[1]", "other.json": "[2]", "m.pkl": "2", "new.json": "[1]"})
    found = {product.path: product for product in ours.put_beside(trial)}
    assert [path for path, product in found.items() if product.content] == ["other.json"]
    assert [p for p, product in ours.products.items() if product.content] == ["other.json"]
    assert "never opened" in ours.products["m.pkl"].opaque
    assert kinship(ours.products["other.json"], found["other.json"]).reason == "numbers"


def test_too_many_numbers_in_all_are_compared_by_digest(known, run):
    ours = known({"a.json": "[1, 2]", "b.json": "[1, 2]"})
    ours._left = 5
    found = {p.path: p for p in ours.put_beside(run({"a.json": "[1, 3]", "b.json": "[1, 3]"}))}
    assert found["a.json"].content
    assert not found["b.json"].content
    assert "too many numbers" in kinship(ours.products["b.json"], found["b.json"]).text


def test_what_was_not_read_of_the_original_is_not_read_of_a_trial(known, run):
    ours = known({"a.json": "[1]"})
    ours.products["a.json"] = Product(path="a.json", sha256="", size=9)
    (found,) = ours.put_beside(run({"a.json": "[2]"}))
    assert found.content is None


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (["m/MLmodel", "m/w"], ["models/m/MLmodel", "models/m/w"], ["m/MLmodel", "m/w"]),
        (["models/m/MLmodel"], ["m/MLmodel", "m/w"], ["models/m/MLmodel", "models/m/w"]),
        (
            ["models/m/MLmodel"],
            ["models/m/MLmodel", "m/MLmodel"],
            ["models/m/MLmodel", "m/MLmodel"],
        ),
        (["a/MLmodel"], ["models/b/MLmodel"], ["models/b/MLmodel"]),
        (["m/w"], ["models/m/w"], ["models/m/w"]),
    ],
)
def test_models_pair_up_over_mlflow_versions(ours, theirs, expected):
    assert [counterparts(ours, theirs)[path] for path in theirs] == expected


def test_renamed_products_meet_their_counterparts(known, run):
    ours = known({"model/MLmodel": "1", "model/w.json": "[1]"})
    found = ours.put_beside(run({"models/model/MLmodel": "1", "models/model/w.json": "[2]"}))
    assert [product.path for product in found] == ["model/MLmodel", "model/w.json"]
    assert found[1].content


def test_predictions_come_in_the_originals_order(known, run):
    ours = known({}, RULE)
    found = ours.predictions_of(run({"p.csv": "id,y,p\nb,0,0\na,1,1\n"}), 1)
    assert found == Predictions(ids=("a", "b"), labels=("1", "0"), predicted=("1", "0"))
    assert ours.findings == []
    assert known({}).predictions_of(run({"p.csv": ""}), 1) is None


@pytest.mark.parametrize(
    ("files", "code", "told"),
    [
        ({}, "missing-predictions", "trial 2 logged no p.csv"),
        ({"p.csv": "id,y,p\na,1,1\nc,0,0\n"}, "other-predictions", "other ids or labels"),
        ({"p.csv": "id,y,p\na,1,1\nb,1,0\n"}, "other-predictions", "other ids or labels"),
        ({"p.csv": "id,y\na,1\n"}, "other-predictions", "no column p"),
    ],
)
def test_other_predictions_are_a_finding_and_not_compared(known, run, files, code, told):
    ours = known({}, RULE)
    assert ours.predictions_of(run(files), 2) is None
    (finding,) = ours.findings
    assert (finding.code, finding.severity) == (code, Severity.WARNING)
    assert told in finding.message


def record_with(*paths: str, code: str = ""):
    finding = Finding(code=code, severity=Severity.WARNING, message="", hint="", pointer="")
    artifacts = tuple(Artifact(path=path, size=1) for path in paths)
    return make_record(artifacts=artifacts, findings=(finding,) if code else ())


def gate(pattern: str, gate: bool = True) -> ProductRule:
    return ProductRule(pattern=pattern, gate=gate, place="reprocheck.yaml:9")


def test_the_last_rule_that_matches_a_product_counts():
    record = record_with("m/a.npz", "m/b[1].npz", "c")
    assert gated_patterns([gate("m/*"), gate("m/a*", False)], record) == ("m/b[[]1].npz",)


def test_a_gate_that_nothing_matches_names_its_line():
    with pytest.raises(ConfigError, match=r"reprocheck.yaml:9: .* matches weights.npz") as caught:
        gated_patterns([gate("weights.npz")], record_with("m/weights.npz"))
    assert "m/weights.npz" in caught.value.hint
    assert gated_patterns([gate("x", False)], record_with("y")) == ()


def test_a_gate_stays_open_where_the_artifacts_could_not_be_listed():
    record = record_with(code="artifacts-unreachable")
    assert gated_patterns([gate("*.npz")], record) == ("*.npz",)


# --- exhibits -----------------------------------------------------------------------------


def test_exhibits_are_those_of_the_first_trial_by_the_originals_names(run, known):
    ours = {"confusion.csv": "1,2\n3,4\n", "roc.csv": "x,y\n0,0\n1,1\n2,2\n", "p.csv": "1,2\n"}
    left = known(ours, RULE)
    left.exhibit_beside(run({"confusion.csv": "5,6\n7,8\n", "new.csv": "1,2\n3,4\n"}), 2)
    left.exhibit_beside(run(ours), 3)
    assert left.exhibits is not None
    matrix, curve = left.exhibits
    assert (matrix.path, matrix.trial) == ("confusion.csv", 2)
    assert matrix.rerun.content.values[0] == (5, 6)
    assert (curve.path, curve.rerun.size) == ("roc.csv", None)
