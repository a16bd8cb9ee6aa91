import csv
from io import StringIO

import pytest

from reprocheck.reporters import audit_csv
from tests.audit.builders import make_audit, make_run
from tests.audit.samples import hostile, many, three


def rows(audit):
    return list(csv.DictReader(StringIO(audit_csv.render(audit), newline=""), strict=True))


def test_a_line_a_run():
    audit = many()
    found = rows(audit)
    assert [row["run_id"] for row in found] == [run.ref.run_id for run in audit.runs]
    assert audit_csv.render(audit).count("\r\n") == len(found) + 1


def test_what_a_line_tells():
    row = rows(three())[2]
    assert row | {"metrics": "accuracy=0.9"} == row
    assert (row["experiment"], row["grade"], row["status"]) == (
        "digits",
        "not verifiable",
        "finished",
    )
    assert (row["errors"], row["warnings"], row["notes"]) == ("1", "1", "0")
    assert row["findings"] == "missing-command; missing-seed"
    assert row["fixes"] == 'command: "python train.py --lr {params.lr}"'
    assert row["started_at"] == "2026-03-01T14:00:00+00:00"


@pytest.mark.parametrize("sign", "=+-@\t＝")
def test_no_cell_is_a_formula(sign):
    run = make_run(name=f"{sign}cmd|'/C calc'!A0", metrics={f"{sign}a": -1.0})
    text = audit_csv.render(make_audit((run,)))
    [row] = csv.reader(StringIO(text.splitlines()[1]))
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "＝")) for cell in row)
    if sign != "\t":  # which printing makes a space
        assert row[2] == f"'{sign}cmd|'/C calc'!A0"


def test_hostile_text_stays_in_its_cell():
    [row] = rows(hostile())
    assert row["name"].startswith('</td><script>alert(1)</script><img src=x onerror=alert(1)>"')
    assert row["metrics"].endswith("=NaN")
    assert row["started_at"] == ""


def test_no_runs_are_a_line_of_names():
    assert audit_csv.render(make_audit()) == ",".join(audit_csv.COLUMNS) + "\r\n"
