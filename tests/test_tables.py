"""Which files hold a small table of numbers, and what it is."""

import io
import json
import math

import numpy as np
import pytest

from reprocheck import tables
from reprocheck.errors import OpaqueError
from reprocheck.model import ExhibitKind
from reprocheck.tables import NoTableError, is_table, read_table

CURVE, MATRIX = ExhibitKind.CURVE, ExhibitKind.MATRIX
CATS = ("cat", "dog")
ROC = {"fpr": [0, 0.5, 1], "tpr": [0, 0.9, 1], "thresholds": [math.inf, 0.5, 0.1]}


def read(path, content):
    data = content if isinstance(content, bytes | str) else json.dumps(content)
    kind, grid = read_table(path, data.encode() if isinstance(data, str) else data)
    return kind, grid.columns, grid.rows, grid.values


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("confusion_matrix.csv", ",cat,dog\ncat,5,1\ndog,2,4\n"),
        ("cm.csv", "actual;cat;dog\ncat;5;1\ndog;2;4\n"),
        ("table.json", {"columns": ["cat", "dog"], "index": CATS, "data": [[5, 1], [2, 4]]}),
        ("table.json", {"columns": ["", "cat", "dog"], "data": [["cat", 5, 1], ["dog", 2, 4]]}),
        ("cm.json", {"labels": CATS, "matrix": [[5, 1], [2, 4]]}),
        ("confusion.json", [["", *CATS], ["cat", 5, 1], ["dog", 2, 4]]),
        ("confusion.json", {"cat": {"cat": 5, "dog": 2}, "dog": {"cat": 1, "dog": 4}}),
    ],
)
def test_a_matrix_with_names_is_read_in_each_way_to_write_it(path, content):
    assert read(path, content) == (MATRIX, CATS, CATS, ((5, 1), (2, 4)))


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("confusion.csv", "5,1\n2,4\n"),
        ("confusion.csv", "0,1\n5,1\n2,4\n"),
        ("confusion.json", [[5, 1], [2, 4]]),
        ("confusion.npy", npy(np.array([[5, 1], [2, 4]], "int64"))),
        ("confusion.npy", npy(np.asfortranarray([[5.0, 1.0], [2.0, 4.0]]))),
    ],
)
def test_a_matrix_without_names_has_its_columns_counted(path, content):
    assert read(path, content) == (MATRIX, ("0", "1"), (), ((5, 1), (2, 4)))


def test_classes_are_names_of_rows_though_they_are_numbers():
    found = read("per_class_metrics.csv", "positive_class,recall,f1\n0,0.5,1\n1,0.25,nan\n")
    assert found[:3] == (MATRIX, ("recall", "f1"), ("0", "1"))
    assert math.isnan(found[3][1][1])
    assert read("cm.csv", ",0,1\n0,5,1\n1,2,4\n")[1:3] == (("0", "1"), ("0", "1"))


def test_a_report_of_classes_has_a_row_for_each():
    scores = {"precision": 0.5, "recall": 1.0}
    found = read("classification_report.json", {"cat": scores, "accuracy": 0.9, "dog": scores})
    assert found == (MATRIX, ("precision", "recall"), CATS, ((0.5, 1), (0.5, 1)))


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("roc_curve.json", {**ROC, "auc": 0.9}),
        ("eval/roc.json", {"columns": list(ROC), "data": list(zip(*ROC.values(), strict=True))}),
        ("values.csv", "fpr,tpr,thresholds\n0,0,inf\n0.5,0.9,0.5\n1,1,0.1\n"),
        (
            "values.json",
            [dict(zip(ROC, row, strict=True)) for row in zip(*ROC.values(), strict=True)],
        ),
        ("roc.json", {**ROC, "thresholds": ["Infinity", 0.1]}),
    ],
)
def test_a_roc_curve_is_read_in_each_way_to_write_it(path, content):
    assert read(path, content) == (CURVE, ("fpr", "tpr"), (), ((0, 0), (0.5, 0.9), (1, 1)))


def test_recall_is_the_x_of_precision():
    text = "precision,recall\n0.5,1\n0.75,0.5\n1,0\n"
    assert read("pr_curve.csv", text)[1:] == (
        ("recall", "precision"),
        (),
        ((1, 0.5), (0.5, 0.75), (0, 1)),
    )


def test_a_long_curve_is_thinned_and_says_so():
    text = "x,y\n" + "\n".join(f"{i},{i * i}" for i in range(2_000))
    _, grid = read_table("calibration.csv", text.encode())
    assert (len(grid.values), grid.thinned) == (500, 1_500)
    assert (grid.values[0], grid.values[-1]) == ((0, 0), (1_999, 1_999**2))


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("notes.csv", "a,b\n1,hello\n"),
        ("ragged.csv", "a,b\n1,2\n3\n"),
        ("empty.csv", ""),
        ("head.csv", "a,b\n"),
        ("metrics.json", {"accuracy": 0.9}),
        ("flags.json", [[True, False], [True, True]]),
        ("deep.json", [[[1], [2]], [[3], [4]]]),
        ("long.csv", "a,b\n" + "1,2\n" * 60),
        ("cube.npy", npy(np.zeros((2, 2, 2)))),
        ("text.npy", npy(np.array([["a", "b"]]))),
        ("list.json", [1, 2]),
    ],
)  # fmt: skip
def test_what_is_no_small_table_of_numbers_is_no_exhibit(path, content):
    with pytest.raises(NoTableError):
        read(path, content)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("confusion.json", "[" * 100_000),
        ("confusion.json", "{"),
        ("confusion.json", b"\xff\xfe"),
        ("confusion.json", '[[1e999, 2], [3, 1' + "0" * 400 + "]]"),
        ("confusion.csv", b"\xff\xfea,b"),
        ("confusion.npy", npy(np.array([[{}]], "object"))),
        ("confusion.npy", npy(np.zeros((9, 9)))[:-8]),
        ("confusion_matrix.csv", "\n".join(["1," * 100 + "1"] * 101)),
    ],
)  # fmt: skip
def test_what_breaks_a_parser_or_is_too_large_is_left_out(path, content):
    with pytest.raises(OpaqueError):
        read(path, content)


def test_names_of_a_run_are_short_and_on_one_line():
    columns = read("cm.csv", 'n,"a\nb","' + "x" * 500 + '"\nr,1,2\n')[1]
    assert columns == ("a b", "x" * (tables.LONGEST_NAME - 1) + "…")


def test_predictions_and_data_are_no_exhibits():
    assert is_table("a/roc_curve.JSON")
    for path in ("predictions.csv", "eval_results_table.json", "input_example.json", "a.txt", "a"):
        assert not is_table(path)
