"""A forecast as JSON, by schemas/plan.schema.json."""

from __future__ import annotations

from reprocheck import __version__, hostile
from reprocheck.compare.margins import KNOWN
from reprocheck.compare.power import Chance
from reprocheck.detail import Document, dump, number
from reprocheck.model import Finding, Margin
from reprocheck.planning import Forecast, MetricForecast, Reruns, Scenario, Spread

PLAN_VERSION = 1


def render(forecast: Forecast) -> str:
    """The forecast as strict JSON with a final newline."""
    return dump(plan_document(forecast))


def plan_document(forecast: Forecast) -> Document:
    """The forecast by plan.schema.json."""
    record, plan, cost = forecast.record, forecast.plan, forecast.cost
    return {
        "schema_version": PLAN_VERSION,
        "tool_version": __version__,
        "asked": hostile.redact(forecast.asked),
        "tracker": record.ref.tracker,
        "run_id": record.ref.run_id,
        "name": hostile.redact(record.name),
        "plan": {
            "least": plan.least,
            "most": plan.most,
            "alpha": number(plan.alpha),
            "seeds": plan.seeds.value,
        },
        "gates": {"metrics": list(forecast.gates.metrics), "reason": forecast.gates.reason},
        "metrics": [_metric(metric) for metric in forecast.metrics],
        "joint": _chance(forecast.joint),
        "joint_lacks": forecast.joint_lacks,
        "scenarios": [_scenario(scenario) for scenario in forecast.scenarios],
        "simulated": forecast.paths,
        "cost": {
            "original_s": number(cost.original_s),
            "expected_s": number(forecast.expected_s),
            "most_reruns": cost.reruns,
            "most_s": number(forecast.most_s),
            "trial_timeout_s": number(cost.trial_timeout_s),
            "longest_s": number(cost.longest_s),
        },
        "resources": _resources(forecast),
        "findings": [_finding(finding) for finding in forecast.findings],
    }


def _metric(metric: MetricForecast) -> Document:
    return {
        "metric": metric.metric,
        "original": number(metric.original),
        "scale": metric.scale.value,
        "margin": metric.margin and _margin(metric.margin),
        "sigma": metric.spread and _spread(metric.spread),
        "sigma_in_margins": number(metric.ratio),
        "reruns": metric.reruns and _reruns(metric.reruns),
        "chance": _chance(metric.chance),
        "notes": list(metric.notes),
    }


def _margin(margin: Margin) -> Document:
    return {
        "low": number(margin.low),
        "high": number(margin.high),
        "source": margin.source.value,
        "text": margin.text,
    }


def _spread(spread: Spread) -> Document:
    freedom = spread.sigma.freedom
    return {
        "value": number(spread.sigma.value),
        "df": None if freedom >= KNOWN else freedom,
        "source": spread.source.value,
        "text": spread.text,
    }


def _reruns(reruns: Reruns) -> Document:
    return {"for_80": reruns.for_80, "for_90": reruns.for_90}


def _chance(chance: Chance | None) -> Document | None:
    if chance is None:
        return None
    return {
        "reproduced": number(chance.reproduced),
        "consistent": number(chance.consistent),
        "inconclusive": number(chance.inconclusive),
        "not_reproduced": number(chance.not_reproduced),
        "mean_reruns": number(chance.mean_reruns),
    }


def _scenario(scenario: Scenario) -> Document:
    return {
        "sigma_in_margins": number(scenario.ratio),
        "reruns": _reruns(scenario.reruns),
        "chance": _chance(scenario.chance),
    }


def _finding(finding: Finding) -> Document:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "hint": finding.hint,
    }


def _resources(forecast: Forecast) -> Document:
    used = forecast.resources
    return {
        "machines": used.machines,
        "memory_bytes": number(used.memory),
        "disk_bytes": number(used.disk),
        "gpus": used.gpus,
        "gpus_busy": used.gpus_busy,
        "gpu_memory_bytes": number(used.gpu_memory),
        "artifacts_bytes": used.artifacts,
        "data_bytes": used.data,
    }
