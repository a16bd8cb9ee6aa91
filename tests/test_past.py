"""Since when a run no longer reproduces, and what changed then."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import pytest

from reprocheck import discretion, past, schema
from reprocheck.model import DECISIVE, Hardware, HardwareSides, Package, Standing, Verdict
from reprocheck.reporters import history_json, history_terminal
from tests.reporters import cases
from tests.reporters.builders import (
    RUN_ID,
    make_acceptance,
    make_comparison,
    make_environment,
    make_record,
    make_report,
)

GOOD, BAD, OPEN = cases.reproduced(), cases.not_reproduced(), cases.inconclusive()


def on(day, report, **changes):
    at = make_report().created_at + timedelta(days=day)
    return dataclasses.replace(report, created_at=at, subject="a" * 64, **changes)


def alike(report):
    """With all but the answer as the reproduced one has it."""
    return dataclasses.replace(
        report,
        record=GOOD.record,
        comparisons=tuple(
            dataclasses.replace(each, verdict=report.verdict) for each in GOOD.comparisons
        ),
    )


def told(*reports):
    return past.past(RUN_ID, map(past.entry_of, reports))


def test_it_tells_until_when_it_reproduced_and_since_when_not():
    found = told(on(0, GOOD), on(7, BAD), on(3, GOOD), on(9, BAD), on(5, OPEN))
    assert found.sentence == "Reproduced until 2026-02-04, no longer since 2026-02-08."
    assert (found.standing, len(found.entries)) == (Standing.STOPPED, 5)
    assert [each.verification.at.day for each in (found.before, found.after)] == [4, 8]


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        ([GOOD], "Reproduced in 1 verification since 2026-02-01."),
        ([GOOD, GOOD], "Reproduced in all of 2 verifications since 2026-02-01."),
        ([BAD, BAD], "Reproduced in none of 2 verifications since 2026-02-01."),
        ([OPEN, OPEN], "None of 2 verifications decided."),
        ([BAD, GOOD], "Reproduces since 2026-02-02; on 2026-02-01 it did not."),
        (
            [GOOD, BAD],
            "Reproduced until 2026-02-01, no longer since 2026-02-02. It was found once: verify "
            "the run again to confirm it.",
        ),
        (
            [GOOD, cases.not_verified()],
            "Reproduced in 1 verification since 2026-02-01. The last one, on 2026-02-02, decided "
            "nothing (NOT_VERIFIED).",
        ),
    ],
)
def test_each_past_has_its_sentence(days, sentence):
    assert told(*(on(day, report) for day, report in enumerate(days))).sentence == sentence


def test_one_report_twice_confirms_nothing():
    found = told(on(0, GOOD), on(1, BAD), on(1, BAD))
    assert (found.standing, len(found.entries)) == (Standing.UNCONFIRMED, 2)


def what(*reports):
    return {each.what: (each.before, each.after) for each in told(*reports).changes}


def test_what_changed_in_between_is_listed():
    packages = (Package(name="numpy", version="2.1.0"), Package(name="new", version="1"))
    hardware = HardwareSides(
        asked=Hardware(cpu_model="A"),
        origins={},
        landed=Hardware(cpu_model="B"),
        differences=(),
        lacking=tuple(DECISIVE),
    )
    data = tuple(dataclasses.replace(each, digest="f" * 32) for each in GOOD.record.data)
    after = dataclasses.replace(
        alike(BAD),
        tool_version="0.2.0",
        environment=make_environment(packages=packages, python="3.12.1"),
        hardware=hardware,
        record=make_record(data=data),
        gates=dataclasses.replace(GOOD.gates, metrics=("accuracy", "loss")),
        acceptance=make_acceptance(),
    )
    found = what(on(0, GOOD), on(1, after))
    assert found["reprocheck"] == ("0.1.0", "0.2.0")
    assert found["Python"][1] == "3.12.1"
    assert found["package new"] == ("", "1")
    assert found["hardware: cpu_model"] == ("", "B")
    assert found[f"data {data[0].label}"][1].endswith("f" * 12)
    assert found["judged metrics"] == ("accuracy", "accuracy, loss")
    assert found["acceptance"] == ("", "by Jo <jo@x.org> of 2026-05-03")
    gone = {each.name for each in GOOD.environment.packages} - {"numpy"}
    assert {f"package {name}" for name in gone} <= found.keys()
    row = next(e for e in told(on(0, GOOD), on(1, after)).changes if e.what.startswith("hardware"))
    assert row.asked == "A"


def test_margins_and_baselines_are_rules_that_change():
    wider = make_comparison(baseline=(0.9,), margin=None, verdict=Verdict.NOT_REPRODUCED)
    others = [each for each in GOOD.comparisons if not each.gated]
    after = dataclasses.replace(alike(BAD), comparisons=(wider, *others))
    assert what(on(0, GOOD), on(1, after)) == {
        "margin of accuracy": ("±0.005", "none"),
        "baseline of accuracy": ("0.9611", "0.9"),
    }


def test_where_nothing_recorded_changed_it_says_what_is_not_recorded():
    found = told(on(0, GOOD), on(1, alike(BAD)), on(2, alike(BAD)))
    assert found.changes == ()
    text = " ".join(history_terminal.render(found).split())
    assert "Nothing that was recorded changed between 2026-02-01 and 2026-02-02." in text
    assert "Not recorded, so that it may have" in text


def test_what_a_cut_report_lacks_is_no_change():
    few = make_environment(packages=GOOD.environment.packages[:1])
    cut = dataclasses.replace(alike(BAD), environment=few, kept={"items": 50})
    assert what(on(0, GOOD), on(1, cut)) == {}


def test_a_sensitive_run_is_told_by_numbers_and_digests():
    good, bad = (discretion.minimal(on(day, each)) for day, each in enumerate((GOOD, alike(BAD))))
    found = told(good, bad)
    assert found.changes == ()
    text = history_terminal.render(found) + history_json.render(found)
    assert "accuracy" in text
    for secret in ("train.csv", "scikit", "digits"):
        assert secret not in text
    marked = (dataclasses.replace(each, detail=good.detail) for each in (on(0, GOOD), on(1, BAD)))
    assert not [each for each in told(*marked).changes if "package" in each.what]  # as if whole
    facts = past.entry_of(dataclasses.replace(GOOD, detail=good.detail)).facts
    assert not [name for name in facts if name.startswith(("package", "variable", "command"))]
    mixed = told(on(0, GOOD), discretion.minimal(on(1, alike(BAD))))
    assert mixed.changes == ()


def test_the_table_fits_80_columns_and_hostile_names_do_nothing():
    odd = dataclasses.replace(
        alike(BAD),
        comparisons=(make_comparison(metric="a\x1b[31m|" + "x" * 90, verdict=BAD.verdict),),
        environment=make_environment(
            packages=(Package(name="\x1b]0;t\x07p" * 20, version="\u202e1" * 99),)
        ),
    )
    found = told(on(0, GOOD), on(1, odd))
    text = history_terminal.render(found, width=80)
    assert text.splitlines()[0].startswith("Reproduced until 2026-02-01, no longer since")
    assert max(map(len, text.splitlines())) <= 80
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    document = json.loads(history_json.render(found))
    assert schema.check(document, "history") == ()
    assert document["turn"]["before"] == "2026-02-01T09:30:00Z"


def test_two_verifications_of_one_day_are_told_apart_by_their_times():
    found = told(on(0, GOOD), on(0.25, alike(BAD)))
    assert (
        found.sentence.partition(" It was")[0]
        == "Reproduced until 2026-02-01 09:30:00 UTC, no longer since 2026-02-01 15:30:00 UTC."
    )
    assert "between 2026-02-01 09:30:00 UTC and" in " ".join(
        history_terminal.render(found, width=200).split()
    )
