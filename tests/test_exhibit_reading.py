"""Exhibits back out of a report's file, which anybody may have made."""

import copy
import dataclasses
import json
import math

import pytest

from reprocheck import detail, documents, report_reading
from reprocheck.errors import ReportFileError
from reprocheck.exhibit_documents import LARGE_REPORT
from tests.reporters.builders import make_report, make_trial
from tests.reporters.exhibits import (
    make_curve,
    make_exhibit,
    make_grid,
    make_picture,
)

ALL = (
    make_exhibit("plot.png", make_picture("red"), make_picture("blue", scaled=True), pixels=0.25),
    make_exhibit("confusion.csv", make_grid((math.nan, -math.inf), (0.1, -0.0)), make_grid()),
    make_exhibit("roc.json", make_curve(thinned=7)),
    make_exhibit("gone.png", make_picture(), missing=True),
    make_exhibit("huge.png", make_picture(), left_out="it is large"),
)


def document_of(*exhibits):
    return json.loads(detail.dump(documents.report_document(make_report(exhibits=exhibits))))


def read(tmp_path, document):
    file = tmp_path / "report.json"
    file.write_text(json.dumps(document))
    return report_reading.read_report(file)


def test_exhibits_come_back_as_they_were(tmp_path):
    back = read(tmp_path, document_of(*ALL)).exhibits
    assert repr(back) == repr(ALL)  # NaN equals no NaN


def test_secrets_in_names_are_hidden():
    key = "hf_" + "a" * 34
    grid = make_grid((1.0, 2.0), columns=("a", key), names=(key,))
    text = detail.dump(document_of(make_exhibit(f"{key}.csv", grid)))
    assert key not in text
    assert text.count("***") == 3


def test_a_report_of_an_older_version_has_none(tmp_path):
    document = document_of(*ALL)
    del document["exhibits"], document["kept"]["exhibits"]
    found = read(tmp_path, document)
    assert found.exhibits == ()
    assert documents.report_document(found)["kept"]["points"] == 500


CURVE = ("exhibits", 2, "original", "grid")
PICTURE, GRID = ("exhibits", 0, "original", "picture"), ("exhibits", 1, "original", "grid")


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ((*PICTURE, "png"), "PHN2Zz4=", "no PNG"),
        ((*PICTURE, "png"), "x" * 120_000, "long"),
        ((*PICTURE, "png"), "<script>", "no base64"),
        ((*PICTURE, "width"), 1200, "size that is told"),
        ((*PICTURE, "width"), 10**9, "width"),
        ((*GRID, "values"), [[1, 2], [3, 4], "ab"], "a row that is none"),
        ((*GRID, "values"), [[1, 2], [3, 4], [5]], "other lengths"),
        ((*GRID, "values"), [[1, 2], [3, 4], [5, "<b>"]], "no number"),
        ((*GRID, "values"), [[1, 2], [3, 4], [5, True]], "no number"),
        ((*CURVE, "values"), [[1, 2]] * 501, "larger than any"),
        ((*GRID, "values"), [], "values"),
        ((*GRID, "rows"), ["a"], "other names"),
        (("exhibits", 0, "kind"), "matrix", "no matrix"),
        (("exhibits", 1, "kind"), "curve", "no x and y"),
        (("exhibits", 0, "left_out"), "gone", "left out has a content"),
        (("exhibits", 0, "original", "sha256"), "ab" * 31 + "\n", "sha256"),
        (("exhibits", 0, "pixels"), 2, "pixels"),
    ],
)  # fmt: skip
def test_a_file_with_what_is_never_written_is_refused(tmp_path, place, value, told):
    document = document_of(*ALL)
    at = document
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    with pytest.raises(ReportFileError, match=told):
        read(tmp_path, document)


def test_exhibits_without_end_are_refused_before_they_are_unpacked(tmp_path):
    document = document_of(ALL[0])
    document["exhibits"] *= 1_000
    with pytest.raises(ReportFileError, match="over 800 KB in all"):
        read(tmp_path, copy.copy(document))


def test_a_report_that_is_too_large_gives_them_up_by_name_after_logs_and_before_short_histories():
    rows = tuple(tuple(i / 7 + j for j in range(90)) for i in range(20))
    wide = make_grid(*rows, columns=tuple(map(str, range(90))), names=())
    exhibits = tuple(make_exhibit(f"{i}.csv", wide) for i in range(11))
    report = make_report(exhibits=exhibits, trials=(make_trial(log_tail="x" * 60_000),))
    whole = documents.report_document(report)
    size = len(detail.dump(whole))
    less_log = documents.report_document(report, size - 30_000)
    assert all(each["original"]["grid"] for each in less_log["exhibits"])
    some = documents.report_document(report, size - 75_000)
    kept = [bool(each["original"]["grid"]) for each in some["exhibits"]]
    assert kept == sorted(kept, reverse=True)
    assert 0 < sum(kept) < 11
    assert some["kept"]["exhibits"] == 300_000
    assert some["exhibits"][-1]["left_out"] == LARGE_REPORT
    none = documents.report_document(report, size - 370_000)
    assert (none["kept"]["exhibits"], none["kept"]["points"]) == (0, 100)
    again = dataclasses.replace(report_reading.report(some), kept=some["kept"])
    assert detail.dump(documents.report_document(again)) == detail.dump(some)
