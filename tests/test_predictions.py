"""Files of predictions, and what is wrong with them."""

from __future__ import annotations

import re

import pytest

from reprocheck.errors import ConfigError
from reprocheck.model import Artifact, MetricRule, PredictionsRule
from reprocheck.predictions import check_logged, original_predictions

ROWS = [("x1", "1", "0"), ("x2", "0", "0"), ("x3", "1", "1")]
GOOD = {
    "p.csv": "id,y,p,more\nx1,1,0,a\nx2,0,0,b\nx3,1,1,c\n",
    "semicolon.csv": "\ufeffid;y;p\r\nx1;1;0\r\n\r\nx2;0;0\r\nx3;1;1.0\r\n",
    "p.tsv": "id\ty\tp\nx1\t1\t0\nx2\t0\t0\nx3\t1\t1\n",
    "p.json": '[{"id": "x1", "y": 1, "p": 0.0}, {"p": 0, "y": 0, "id": "x2"}, '
    '{"id": "x3", "y": 1, "p": 1}]',
    "columns.json": '{"id": ["x1", "x2", "x3"], "y": [1, 0, 1], "p": [0, 0, 1], "note": "n"}',
    "pandas.json": '{"id": {"0": "x1", "1": "x2", "2": "x3"}, "y": {"0": 1, "1": 0, "2": 1}, '
    '"p": {"0": 0, "1": 0, "2": 1}}',
    "split.json": '{"columns": ["id", "y", "p"], "data": [["x1", 1, 0], ["x2", 0, 0], '
    '["x3", 1, 1]]}',
    "p.jsonl": '{"id": "x1", "y": 1, "p": 0}\n{"id": "x2", "y": 0, "p": 0}\n\n'
    '{"id": "x3", "y": 1, "p": 1}\n',
}


def rule_of(artifact: str) -> PredictionsRule:
    return PredictionsRule(
        artifact=artifact, id="id", label="y", prediction="p", place="reprocheck.yaml:7"
    )


@pytest.fixture
def read(tmp_path):
    def call(name, content, *rules):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return original_predictions(rule_of(name), file, rules)

    return call


@pytest.mark.parametrize("name", GOOD)
def test_each_form_holds_the_same_predictions(read, name):
    found = read(name, GOOD[name])
    assert list(zip(found.ids, found.labels, found.predicted, strict=True)) == ROWS


def test_parquet_holds_them_too(read, tmp_path):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = arrow.table(
        {"id": ["x1", "x2", "x3"], "y": [1, 0, 1], "p": [0.0, 0.0, 1.0], "z": [0] * 3}
    )
    parquet.write_table(table, tmp_path / "made")
    found = read("p.parquet", (tmp_path / "made").read_bytes())
    assert list(zip(found.ids, found.labels, found.predicted, strict=True)) == ROWS
    with pytest.raises(ConfigError, match="no column p") as caught:
        parquet.write_table(table.rename_columns(["id", "y", "pred", "z"]), tmp_path / "made")
        read("p.parquet", (tmp_path / "made").read_bytes())
    assert "nearest names" in caught.value.hint


BAD = {
    "no rows": ("p.csv", "id,y,p\n", "no rows"),
    "nothing": ("p.csv", "", "no rows"),
    "no records": ("p.json", "[]", "no rows"),
    "no column": ("p.csv", "id,y,prd\nx1,1,1\n", "no column p"),
    "no id": ("p.json", '{"ids": [1], "y": [1], "p": [1]}', "no column id"),
    "twice": ("p.csv", "id,y,p\nx1,1,1\nx2,1,1\nx1,0,0\n", "the id x1 more than once"),
    "ragged": ("p.csv", "id,y,p\nx1,1\n", "a row of 2 cells under 3 columns"),
    "uneven": ("p.json", '{"id": [1, 2], "y": [1, 2], "p": [1]}', "1 values of p and 2 of id"),
    "broken": ("p.json", '{"id": ', "cannot be read as json"),
    "a number": ("p.json", "5", "cannot be read as json"),
    "deep": ("p.json", "[" * 200_000, "cannot be read as json"),
    "no parquet": ("p.parquet", "PAR1PAR1", "cannot be read as parquet"),
    "kind": ("p.pkl", "", "of no kind that is read"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_names_the_line_of_the_config(read, case):
    name, content, told = BAD[case]
    with pytest.raises(ConfigError, match=re.escape(told)) as caught:
        read(name, content)
    assert caught.value.message.startswith("reprocheck.yaml:7: ")
    assert caught.value.hint
    assert caught.value.usage


def test_a_column_that_is_missing_has_near_ones(read):
    with pytest.raises(ConfigError) as caught:
        read("p.csv", "id,label_y,p\nx1,1,1\n")
    assert "label_y" in caught.value.hint


def test_parquet_without_its_package_is_told_with_a_hint(read, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ConfigError, match="pyarrow") as caught:
        read("p.parquet", "")
    assert "reprocheck[parquet]" in caught.value.hint


def test_a_declared_test_size_is_the_number_of_rows(read):
    sizes = [MetricRule(metric=f"m{n}", test_size=n) for n in (4, 5)]
    with pytest.raises(ConfigError, match=r"are 3 rows, .* 4 for m4, 5 for m5"):
        read("p.csv", GOOD["p.csv"], *sizes)
    assert read("p.csv", GOOD["p.csv"], *sizes, MetricRule(metric="test", test_size=3))


def test_an_artifact_that_was_not_logged_has_near_ones():
    artifacts = [Artifact(path=path, size=1) for path in ("eval/predictions.csv", "model.pkl")]
    with pytest.raises(
        ConfigError, match=r"reprocheck.yaml:7: .* no artifact predictions.csv"
    ) as e:
        check_logged(rule_of("predictions.csv"), artifacts)
    assert "eval/predictions.csv" in e.value.hint
    check_logged(rule_of("model.pkl"), artifacts)
    with pytest.raises(ConfigError) as e:
        check_logged(rule_of("p"), [])
    assert e.value.hint == "there is none at all"


def test_identifiers_stay_as_they_are_and_classes_are_numbers(read):
    found = read("p.csv", "id,y,p\n001,1,1.0\n1,01, 1\n1.0,cat,cat\n")
    assert found.ids == ("001", "1", "1.0")
    assert found.labels == found.predicted == ("1", "1", "cat")
