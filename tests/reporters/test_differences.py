from reprocheck.model import Difference
from reprocheck.reporters.differences import set_aside
from reprocheck.reporters.terminal import render
from tests.reporters.builders import make_report, make_trial


def difference(name: str, excuse: str | None) -> Difference:
    return Difference(name=name, original="a", trial="b", excuse=excuse)


def test_what_was_set_aside_is_told_once_by_its_reason() -> None:
    found = (difference("out", "a path"), difference("log", "a path"), difference("host", "a host"))
    report = make_report(
        trials=(make_trial(1, differences=found), make_trial(2, differences=found))
    )
    assert set_aside(report) == "3 parameters: out, log (a path); host (a host)"
    assert "Set aside    3 parameters" in render(report)


def test_nothing_set_aside_is_nothing_told() -> None:
    assert set_aside(make_report()) == ""
    assert "Set aside" not in render(make_report())
