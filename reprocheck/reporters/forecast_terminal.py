"""A forecast in a terminal: the chance of a sure answer first, then what it rests on and costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reprocheck.compare.power import Chance
from reprocheck.durations import format_duration
from reprocheck.hostile import printable, redact
from reprocheck.model import Margin, Scale, SeedPolicy
from reprocheck.numbers import (
    counted,
    format_bytes,
    format_factor_size,
    format_percent,
    format_size,
    format_value,
)
from reprocheck.planning import IDENTICAL, Forecast, MetricForecast, Scenario
from reprocheck.reporters.base import NOTHING, Fact
from reprocheck.reporters.console import laid_out
from reprocheck.reporters.plans import looks
from reprocheck.resources import Resources

_CHANCES = ("REPRODUCED", "CONSISTENT", "INCONCLUSIVE", "False alarm", "Reruns")
_WRAPPING = ("Metric", "Chance of", "Margin", "SD run to run")
"""Columns of names and sources, which may wrap; a number that is cut would be another."""
_TOGETHER = "all together"


def render(forecast: Forecast, *, width: int = 80, color: bool = False) -> str:
    """The forecast as lines of at most `width` columns; with `color`, with ANSI escapes."""
    return laid_out(_parts(forecast), width=width, color=color)


def _parts(forecast: Forecast) -> Iterator[RenderableType]:
    yield Text(printable(_headline(forecast)), style="bold")
    for block in _blocks(forecast):
        if block is not None:
            yield Padding(block, (1, 0, 0, 0))


def _blocks(forecast: Forecast) -> Iterator[RenderableType | None]:
    yield _metrics(forecast)
    yield _chances(forecast)
    yield _scenarios(forecast)
    yield _facts([*_notes(forecast), *_asked(forecast)])
    yield _facts(_costs(forecast))
    yield _facts(_next(forecast))


# --- the chance of an answer --------------------------------------------------------------


def _headline(forecast: Forecast) -> str:
    joint = forecast.joint
    if joint is None:
        return f"No chance can be told: {forecast.joint_lacks}"
    if joint == IDENTICAL:
        return f"An honest run is expected to be IDENTICAL after 1 rerun{_about(forecast)}"
    sure, verdict = max((joint.reproduced, "REPRODUCED"), (joint.consistent, "CONSISTENT"))
    reruns = f"{format_size(round(joint.mean_reruns, 1))} reruns"
    return (
        f"An honest run is called {verdict} with a chance of {_share(sure)}, after {reruns} on "
        f"average{_about(forecast)}"
    )


def _about(forecast: Forecast) -> str:
    seconds = forecast.expected_s
    return "" if seconds is None else f": about {format_duration(seconds)}"


def _metrics(forecast: Forecast) -> RenderableType:
    """What each metric is judged against, and how many reruns that wants."""
    heads = ("Metric", "Original", "Margin", "SD run to run", "Reruns\nfor 80 %", "\n90 %")
    return _table(heads, [_metric(metric) for metric in forecast.metrics])


def _metric(metric: MetricForecast) -> tuple[str, ...]:
    original = NOTHING if metric.original is None else format_value(metric.original)
    needed = metric.reruns
    return (
        metric.metric,
        original,
        _margin(metric),
        _spread(metric),
        _needed(needed.for_80) if needed else NOTHING,
        _needed(needed.for_90) if needed else NOTHING,
    )


def _margin(metric: MetricForecast) -> str:
    margin = metric.margin
    return "none known" if margin is None else f"{_width(margin, metric.scale)}\n{margin.text}"


def _width(margin: Margin, scale: Scale) -> str:
    if margin.low == margin.high:
        return f"±{_size(margin.low, scale)}"
    return f"-{_size(margin.low, scale)}, +{_size(margin.high, scale)}"


def _spread(metric: MetricForecast) -> str:
    spread = metric.spread
    if spread is None:
        return "not known"
    return f"{_size(spread.sigma.value, metric.scale)}\n{spread.text}"


def _size(x: float, scale: Scale) -> str:
    return format_factor_size(x) if scale is Scale.LOG else format_size(x)


def _needed(reruns: int | None) -> str:
    return ">100" if reruns is None else str(reruns)


def _chances(forecast: Forecast) -> RenderableType | None:
    """The chance of each verdict: a row a metric, and one for the run."""
    told = [(each.metric, each.chance) for each in forecast.metrics if each.chance]
    if forecast.joint and len(forecast.metrics) > 1:
        told.append((_TOGETHER, forecast.joint))
    if not told:
        return None
    shown = _shown([chance for _, chance in told])
    rows = [(name, *_chance(chance, shown)) for name, chance in told]
    return _table(("Chance of", *shown), rows)


def _shown(chances: Sequence[Chance]) -> tuple[str, ...]:
    """The columns that say something: REPRODUCED needs a margin, CONSISTENT has none."""
    without = (
        "" if any(chance.reproduced for chance in chances) else "REPRODUCED",
        "" if any(chance.consistent for chance in chances) else "CONSISTENT",
    )
    return tuple(head for head in _CHANCES if head not in without)


def _chance(chance: Chance, shown: tuple[str, ...]) -> tuple[str, ...]:
    texts = (
        _share(chance.reproduced) if not chance.consistent else NOTHING,
        _share(chance.consistent) if not chance.reproduced else NOTHING,
        _share(chance.inconclusive),
        _share(chance.not_reproduced),
        format_size(round(chance.mean_reruns, 1)),
    )
    return tuple(text for head, text in zip(_CHANCES, texts, strict=True) if head in shown)


def _share(x: float) -> str:
    """A simulated chance: no more digits than are known."""
    percent = 100 * x
    if not 0.05 <= percent < 99.95:
        return "<0.1 %" if percent < 50 else ">99.9 %"
    return format_percent(round(percent, 1 if percent < 1 or percent > 99 else 0))


def _scenarios(forecast: Forecast) -> RenderableType | None:
    """What the chance would be where the spread is not known."""
    if not forecast.scenarios:
        return None
    shown = _shown([scenario.chance for scenario in forecast.scenarios])
    rows = [_scenario(forecast, scenario, shown) for scenario in forecast.scenarios]
    return _table(("If the SD is", "80 %", "90 %", *shown), rows)


def _scenario(forecast: Forecast, scenario: Scenario, shown: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [each for each in forecast.metrics if each.margin and not each.spread]
    margin = unknown[0].margin
    if len(unknown) == 1 and margin is not None:
        size = _size(scenario.ratio * min(margin.low, margin.high), unknown[0].scale)
        what = f"{size} ({format_size(scenario.ratio)}×)"
    else:
        what = f"{format_size(scenario.ratio)} × margin"
    reruns = scenario.reruns
    return (
        what,
        _needed(reruns.for_80),
        _needed(reruns.for_90),
        *_chance(scenario.chance, shown),
    )


# --- what it rests on ---------------------------------------------------------------------


def _notes(forecast: Forecast) -> Iterator[Fact]:
    by_note: dict[str, list[str]] = {}
    for metric in forecast.metrics:
        for note in metric.notes:
            by_note.setdefault(note, []).append(metric.metric)
    for note, metrics in by_note.items():
        yield Fact(label="Note", text=f"{', '.join(metrics)}: {note}")


def _asked(forecast: Forecast) -> Iterator[Fact]:
    record, plan = forecast.record, forecast.plan
    yield Fact(label="Run", text=f"{record.ref.run_id} {redact(record.name)}".rstrip())
    yield Fact(label="Judged", text=f"{', '.join(forecast.gates.metrics)}: {forecast.gates.reason}")
    when = looks(plan, [metric.margin for metric in forecast.metrics])
    yield Fact(
        label="Plan",
        text=f"{when}, level {format_percent(100 * plan.alpha)}, {_seeds(forecast)}",
    )
    yield Fact(
        label="Assumed",
        text="normal values, the same process behind run and reruns"
        + (", independent metrics" if len(forecast.metrics) > 1 else "")
        + f"; {forecast.paths:,} verifications simulated",
    )


def _seeds(forecast: Forecast) -> str:
    if forecast.plan.seeds is SeedPolicy.FRESH:
        return "fresh seeds"
    return "same seed; where the first rerun is bit for bit the same, it is the last"


# --- what it costs ------------------------------------------------------------------------


def _costs(forecast: Forecast) -> Iterator[Fact]:
    used = forecast.resources
    yield Fact(label="Time", text=_time(forecast))
    yield Fact(label="Memory", text=_memory(used))
    yield Fact(label="GPUs", text=_gpus(forecast))
    yield Fact(label="Disk", text=_disk(forecast))


def _time(forecast: Forecast) -> str:
    cost = forecast.cost
    limit = (
        f"stopped after {format_duration(cost.trial_timeout_s)} each, "
        f"{format_duration(cost.longest_s)} in all"
    )
    if cost.original_s is None or forecast.most_s is None:
        return f"how long the original took is not recorded; at most {cost.reruns} reruns, {limit}"
    expected = forecast.expected_s
    told = f"about {format_duration(expected)} expected, " if expected is not None else ""
    return (
        f"{told}{format_duration(forecast.most_s)} for all of "
        f"{counted(cost.reruns, 'rerun')} as long as the original "
        f"({format_duration(cost.original_s)}); {limit}; building the environment comes on top"
    )


def _memory(used: Resources) -> str:
    if used.memory is None:
        return _UNRECORDED
    machines = f", on each of {used.machines} machines" if used.machines > 1 else ""
    return f"{format_bytes(used.memory)} in use at most, by the whole machine{machines}"


_UNRECORDED = "not recorded (the run logged no system metrics)"


def _gpus(forecast: Forecast) -> str:
    used = forecast.resources
    if used.gpus is None:
        return "none recorded" if used.memory is not None else _UNRECORDED
    busy = used.gpus if used.gpus_busy is None else used.gpus_busy
    told = counted(used.gpus, "GPU") + (f", {busy} of them busy" if busy < used.gpus else "")
    if used.gpu_memory is not None:
        told += f"; {format_bytes(used.gpu_memory)} in use at most on one"
    if forecast.most_s is not None and busy:
        told += f"; {format_size(round(busy * forecast.most_s / 3600, 2))} GPU-hours at most"
    return told


def _disk(forecast: Forecast) -> str:
    used, reruns = forecast.resources, forecast.cost.reruns
    parts = []
    if used.artifacts is not None:
        total = format_bytes(used.artifacts * reruns)
        parts.append(f"{format_bytes(used.artifacts)} of artifacts a rerun, {total} for all")
    if used.data is not None:
        parts.append(f"{format_bytes(used.data)} of data")
    if used.disk is not None:
        parts.append(f"the original's disk grew by {format_bytes(used.disk)}")
    return "; ".join(parts) or "not recorded"


# --- what to do ---------------------------------------------------------------------------


def _next(forecast: Forecast) -> Iterator[Fact]:
    unknown = [each.metric for each in forecast.metrics if each.margin and not each.spread]
    without = [
        each
        for each in forecast.metrics
        if each.chance and each.chance.consistent and not each.margin
    ]
    if unknown:
        text = f"say how much it varies from run to run: --sigma {unknown[0]}=SD"
        yield Fact(label="Next", text=text)
    if without:
        yield Fact(label="Next", text=f"declare what does not matter{_proposed(without[0])}")
    needed = [each.reruns.for_80 for each in forecast.metrics if each.reruns]
    if any(reruns is None for reruns in needed):
        text = "one original is too noisy for this margin, whatever the number of reruns: widen it"
        yield Fact(label="Next", text=f"{text}, or pool runs with --baseline and rerun more often")


def _proposed(metric: MetricForecast) -> str:
    """An option with a margin; 2.8 standard deviations are ISO 5725's repeatability limit."""
    if metric.spread is None or metric.scale is Scale.LOG:
        return f": --margin {metric.metric}=VALUE"
    value = format_size(float(f"{2.8 * metric.spread.sigma.value:.2g}"))
    return f", for example 2.8 standard deviations: --margin {metric.metric}={value}"


# --- layout -------------------------------------------------------------------------------


def _table(heads: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for head in heads:
        table.add_column(Text(head), overflow="fold", no_wrap=head not in _WRAPPING)
    for row in rows:
        table.add_row(*(Text(_lines(cell)) for cell in row))
    return table


def _lines(cell: str) -> str:
    return "\n".join(map(printable, cell.split("\n")))


def _facts(facts: Iterator[Fact] | Sequence[Fact]) -> RenderableType | None:
    told = list(facts)
    if not told:
        return None
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True, min_width=8)
    table.add_column(overflow="fold")
    for fact in told:
        table.add_row(Text(fact.label), Text(printable(fact.text)))
    return table
