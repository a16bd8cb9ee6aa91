"""A forecast in the terminal and as JSON."""

import dataclasses
import json

import pytest
from rich.cells import cell_len

from reprocheck import schema
from reprocheck.compare.margins import KNOWN
from reprocheck.compare.power import Chance
from reprocheck.model import Cost, Gates, Margin, MarginSource, RerunPlan, Scale, SeedPolicy, Sigma
from reprocheck.planning import (
    IDENTICAL,
    Forecast,
    MetricForecast,
    Reruns,
    Scenario,
    Spread,
    SpreadSource,
)
from reprocheck.reporters import forecast_json, forecast_terminal
from reprocheck.resources import Resources
from tests.reporters.builders import make_record
from tests.reporters.test_terminal import HOSTILE

SURE = Chance(
    reproduced=0.936, consistent=0.0, inconclusive=0.063, not_reproduced=0.001, mean_reruns=4.65
)
SPREAD = Spread(
    sigma=Sigma(value=0.0018, freedom=4),
    source=SpreadSource.SIBLINGS,
    text="4 siblings and the run",
)
MARGIN = Margin(low=0.005, high=0.005, source=MarginSource.DECLARED, text="0.005 (--margin)")
USED = Resources(
    machines=2, memory=9.5e9, disk=2.5e8, gpus=2, gpus_busy=1, gpu_memory=1.4e10,
    artifacts=1_200_000, data=81_920,
)  # fmt: skip


def metric(**changes: object) -> MetricForecast:
    found = MetricForecast(
        metric="accuracy",
        original=0.9611,
        scale=Scale.LINEAR,
        margin=MARGIN,
        spread=SPREAD,
        ratio=0.36,
        reruns=Reruns(for_80=4, for_90=6),
        chance=SURE,
        notes=(),
    )
    return dataclasses.replace(found, **changes)


def made(*metrics: MetricForecast, **changes: object) -> Forecast:
    metrics = metrics or (metric(),)
    found = Forecast(
        asked="5f0c8f6d",
        record=make_record(),
        plan=RerunPlan(),
        gates=Gates(metrics=tuple(each.metric for each in metrics), reason="named by --gate"),
        metrics=metrics,
        joint=SURE,
        joint_lacks="",
        scenarios=(),
        paths=20_000,
        cost=Cost(original_s=200.0, reruns=8, trial_timeout_s=1_200.0, longest_s=10_800.0),
        resources=USED,
    )
    return dataclasses.replace(found, **changes)


def usual() -> Forecast:
    """Two metrics, one with a note."""
    loss = metric(
        metric="val/loss_of_a_name_that_is_long",
        original=0.1342,
        margin=dataclasses.replace(MARGIN, low=0.001, high=0.002, text="-0.001, +0.002 (--margin)"),
        reruns=Reruns(for_80=9, for_90=None),
        notes=("the narrower side of the margin is counted on both",),
    )
    return made(metric(), loss)


def unknown() -> Forecast:
    """A metric whose spread is not known, of a run that recorded little."""
    chance = dataclasses.replace(SURE, reproduced=1.0, inconclusive=0.0, not_reproduced=0.0)
    return made(
        metric(spread=None, ratio=None, reruns=None, chance=None),
        joint=None,
        joint_lacks="how much it varies is not known of accuracy",
        scenarios=(
            Scenario(ratio=0.2, reruns=Reruns(for_80=3, for_90=3), chance=chance),
            Scenario(ratio=0.7, reruns=Reruns(for_80=None, for_90=None), chance=SURE),
        ),
        resources=Resources(),
        cost=Cost(original_s=None, reruns=8, trial_timeout_s=3_600.0, longest_s=32_400.0),
    )


def without_margin() -> Forecast:
    """A metric without a margin, with fresh seeds and one look."""
    chance = dataclasses.replace(SURE, reproduced=0.0, consistent=0.8, mean_reruns=5.0)
    return made(
        metric(margin=None, ratio=None, reruns=None, chance=chance),
        joint=chance,
        plan=RerunPlan(least=5, most=5, seeds=SeedPolicy.FRESH),
    )


CASES = {each.__name__: each for each in (usual, unknown, without_margin)}


@pytest.mark.parametrize("case", CASES)
def test_golden(case, golden):
    golden(f"forecast_{case}.txt", forecast_terminal.render(CASES[case]()))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_its_width(case, width):
    lines = forecast_terminal.render(CASES[case](), width=width).splitlines()
    assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("case", CASES)
def test_the_json_follows_its_schema(case):
    document = json.loads(forecast_json.render(CASES[case]()))
    assert not schema.check(document, "plan")


def test_the_json_has_every_fact_of_the_terminal():
    document = json.loads(forecast_json.render(usual()))
    assert document["joint"]["mean_reruns"] == 4.65
    assert document["metrics"][0]["sigma"]["df"] == 4
    assert document["metrics"][1]["reruns"] == {"for_80": 9, "for_90": None}
    assert document["cost"]["expected_s"] == pytest.approx(930.0)
    assert document["resources"]["gpus_busy"] == 1


def test_a_sigma_that_is_taken_as_known_has_no_degrees_of_freedom():
    known = dataclasses.replace(SPREAD, sigma=Sigma(value=0.0018, freedom=KNOWN))
    document = json.loads(forecast_json.render(made(metric(spread=known))))
    assert document["metrics"][0]["sigma"]["df"] is None
    assert not schema.check(document, "plan")


def test_an_identical_rerun_is_promised_where_siblings_are_all_alike():
    first = forecast_terminal.render(made(metric(chance=IDENTICAL), joint=IDENTICAL))
    assert first.startswith("An honest run is expected to be IDENTICAL after 1 rerun")


def test_numbers_that_are_not_known_are_not_invented():
    assert "<0.1 %" in forecast_terminal.render(unknown())
    assert ">99.9 %" in forecast_terminal.render(unknown())
    assert "100 %" not in forecast_terminal.render(unknown())


def test_text_from_a_run_is_defused():
    hostile = metric(metric=HOSTILE, notes=(HOSTILE,))
    record = dataclasses.replace(make_record(), name=HOSTILE)
    text = forecast_terminal.render(made(hostile, record=record))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]x[/bold]" in text.replace("\n", "")


def test_the_environment_does_not_change_it(monkeypatch):
    plain = forecast_terminal.render(usual())
    for name, value in {"FORCE_COLOR": "1", "TERM": "dumb", "COLUMNS": "40"}.items():
        monkeypatch.setenv(name, value)
    assert forecast_terminal.render(usual()) == plain
    assert "\x1b[1m" in forecast_terminal.render(usual(), color=True)


@pytest.mark.parametrize(
    ("margins", "told"),
    [
        ((None,), "judged once, after 5 reruns, level"),
        ((MARGIN, None), "judged after each of 3 to 8 reruns (without a margin once, after 5)"),
        ((MARGIN,), "judged after each of 3 to 8 reruns, level"),
    ],
)
def test_a_metric_without_a_margin_has_one_look_as_in_a_verification(margins, told):
    metrics = tuple(metric(margin=margin) for margin in margins)
    forecast = dataclasses.replace(usual(), metrics=metrics)
    assert told in " ".join(forecast_terminal.render(forecast).split())
