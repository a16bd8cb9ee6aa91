"""What counts of option, experiment definition and config; and what is told as looser."""

import pytest

from reprocheck import config
from reprocheck.config import Config, Overrides
from reprocheck.errors import ConfigError
from reprocheck.metric_rules import metric_rule, parse_margin
from reprocheck.model import Direction, Gates, Scale, Width
from reprocheck.precedence import combine, left_out
from tests.reporters.builders import make_definition, make_metric

METRICS = {"accuracy": make_metric("accuracy", 0.5), "loss": make_metric("loss", 2.0)}


def rule(metric="accuracy", place="reprocheck.yaml:3", **entry):
    return metric_rule(metric, entry, place.partition(":")[0], place)


def defined(**entry):
    place = "experiment.yaml:5"
    return make_definition(
        primary=("accuracy",), secondary=(), rules={"accuracy": rule(place=place, **entry)}
    )


def combined(*options, definition=None, **entry):
    """The rule of accuracy and the codes of the findings, with these options and config."""
    rules = {"accuracy": rule(**entry)} if entry else {}
    margins = tuple(parse_margin(f"accuracy={text}") for text in options)
    metrics = config.override(Config(metrics=rules), Overrides(margins=margins)).metrics
    found, findings = combine(metrics, definition, METRICS)
    return found["accuracy"], [(each.code, each.message) for each in findings]


TIGHT, WIDE = {"abs": 0.005}, {"abs": 0.05}


@pytest.mark.parametrize(
    ("options", "in_definition", "in_config", "counts", "told"),
    [
        (["0.01"], TIGHT, WIDE, 0.01, 2),
        (["0.001"], TIGHT, TIGHT, 0.001, 0),
        (["0.02"], None, WIDE, 0.02, 0),
        (["0.02"], None, TIGHT, 0.02, 1),
        (["0.02"], None, None, 0.02, 0),
        ([], TIGHT, WIDE, 0.005, 1),
        ([], WIDE, TIGHT, 0.05, 0),
        ([], TIGHT, None, 0.005, 0),
        ([], None, WIDE, 0.05, 0),
        (["0.05"], WIDE, TIGHT, 0.05, 1),
    ],
)
def test_the_first_margin_counts_and_a_later_looser_one_is_told(
    options, in_definition, in_config, counts, told
):
    definition = defined(margin=in_definition) if in_definition else None
    entry = {"margin": in_config} if in_config else {}
    found, findings = combined(*options, definition=definition, **entry)
    assert found.margin.absolute == Width.both(counts)
    assert [code for code, _ in findings] == ["looser-margin"] * told


def test_the_finding_names_both_and_what_counts():
    (_, message), _ = combined("2%", definition=defined(margin=TIGHT), margin=WIDE)[1]
    assert message == (
        "the margin of accuracy 0.05 (reprocheck.yaml:3) is wider than 0.005 (experiment.yaml:5), "
        "which was declared before; 2 % (--margin) counts"
    )


@pytest.mark.parametrize(
    ("option", "looser"),
    [("1%", False), ("1.1%", True), ("0.005", False), ("-0.005,+0.006", True), ("0.9%", False)],
)
def test_a_fraction_is_compared_at_the_originals_value(option, looser):
    _, findings = combined(option, definition=defined(margin=TIGHT))
    assert bool(findings) is looser


def test_the_definition_says_what_it_says_and_the_config_the_rest():
    definition = defined(direction="higher", test_size=360, min=0.9)
    entry = {"direction": "lower", "test_size": 10, "max": 1, "best_of": 3, "gate": True}
    found, findings = combined(definition=definition, **entry)
    assert (found.direction, found.test_size) == (Direction.HIGHER, 360)
    assert (found.least, found.most, found.best_of, found.gate) == (0.9, 1.0, 3, True)
    assert findings == []


def test_a_metric_of_one_side_is_kept_whole():
    rules, _ = combine({"loss": rule("loss", scale="log")}, defined(margin=TIGHT), METRICS)
    assert rules["loss"].scale is Scale.LOG
    assert rules["accuracy"].margin.source == "experiment.yaml"
    assert combine({}, None, METRICS) == ({}, ())


@pytest.mark.parametrize(
    ("in_definition", "in_config", "code", "counts"),
    [
        ({"min": 0.9}, {"min": 0.8}, "looser-criterion", (0.9, None)),
        ({"min": 0.9}, {"min": 0.95}, None, (0.9, None)),
        ({"max": 0.9}, {"max": 0.95}, "looser-criterion", (None, 0.9)),
        ({"max": 0.9}, {"max": 0.8}, None, (None, 0.9)),
        ({}, {"min": 0.8}, None, (0.8, None)),
    ],
)
def test_criteria_are_the_definitions_first(in_definition, in_config, code, counts):
    found, findings = combined(definition=defined(**in_definition), **in_config)
    assert (found.least, found.most) == counts
    assert [each for each, _ in findings] == ([code] if code else [])


def test_asking_for_the_harmful_side_alone_is_looser():
    definition = defined(margin=TIGHT, direction="higher")
    _, findings = combined(definition=definition, noninferiority=True, direction="higher")
    assert [code for code, _ in findings] == ["looser-margin"]
    assert combined(definition=defined(noninferiority=True, direction="higher"))[1] == []


def test_what_contradicts_is_a_config_error_that_names_the_line():
    with pytest.raises(ConfigError, match=r"reprocheck\.yaml:3: accuracy: an absolute margin"):
        combined(definition=defined(margin=TIGHT), scale="log")


def test_a_margin_for_a_metric_that_the_run_lacks_is_no_wrong_usage():
    rules, findings = combine({}, defined(margin=TIGHT), {})
    assert rules["accuracy"].margin is None
    assert [finding.code for finding in findings] == ["undelivered-metric"]


@pytest.mark.parametrize(
    "entry",
    [
        {"margin": {"abs": 0.001}, "test_size": 100},
        {"margin": {"rel": 3}},
        {"margin": {"rel": 0.1}, "scale": "log", "min": -1},
    ],
)
def test_what_does_not_fit_the_run_is_a_finding_and_does_not_count(entry):
    found, findings = combined(definition=defined(**entry), margin=TIGHT)
    assert found.margin.source == "reprocheck.yaml"
    assert [code for code, _ in findings] == ["broken-definition"]


def test_a_computed_metric_is_delivered():
    rules = {"accuracy": rule(expr="a - b")}
    assert combine(rules, defined(), {})[1] == ()


def test_a_primary_metric_that_is_not_judged_is_told():
    gates = Gates(metrics=("loss",), reason="named by --gate")
    (finding,) = left_out(make_definition(), gates)
    assert (finding.code, finding.pointer) == ("ungated-primary", "/definition/metrics/accuracy")
    assert left_out(make_definition(primary=("loss",)), gates) == ()
    assert left_out(None, gates) == ()


@pytest.mark.parametrize(
    ("metric", "margin", "told"),
    [
        ("accuracy", {"abs": 0.25}, True),  # of 0.5
        ("accuracy", {"abs": 0.24}, False),
        ("loss", {"rel": 0.5}, True),
        ("loss", {"rel": 0.4}, False),
        ("loss", {"abs": 1.5}, False),  # no share: it may be meant
        ("loss", {"abs": {"below": 1.9, "above": 0.1}, "rel": 0.1}, False),
    ],
)
def test_a_margin_of_half_the_value_is_told(metric, margin, told):
    rules = {metric: rule(metric, margin=margin)}
    codes = [finding.code for finding in combine(rules, None, METRICS)[1]]
    assert codes == ["wide-margin"] * told
