"""What a run had when it ended, so that what is written later can be told from it.

MLflow keeps no time for parameters and tags.
"""

import datetime
import hashlib
import math
import re
import time
from typing import Any, Dict, List, Optional

from reprocheck_capture.failures import guarded
from reprocheck_capture.hiding import HIDDEN, is_secret, masked

LONGEST = 250
"""Characters of a text that is kept; of a longer one there is the digest."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_OF_THE_MONITOR = "system/"  # MLflow's own thread writes the last of these after the end
_MOST_STEPS, _BUDGET_S = 2000, 0.2  # of histories that are counted, and the time for all of them


@guarded("the run's end", dict)
def ended(client: Any, run: Any) -> Dict[str, Any]:  # noqa: ANN401  (MLflow's)
    """What a record.json tells of a run that has ended; empty of one that has not."""
    if not run.info.end_time:
        return {}
    last = [m for m in run.data._metric_objs if not m.key.startswith(_OF_THE_MONITOR)]
    counts = _counts(client, run.info.run_id, last)
    return {
        "name": getattr(run.info, "run_name", None) or run.data.tags.get("mlflow.runName", ""),
        "status": run.info.status.lower(),
        "started_at": _time(run.info.start_time) if run.info.start_time else None,
        "ended_at": _time(run.info.end_time),
        "parameters": {name: _masked(name, text) for name, text in run.data.params.items()},
        "metrics": {m.key: _metric(m) for m in last},
        "tags": {name: _masked(name, text) for name, text in run.data.tags.items()},
        "sealed": {
            "at": _time(run.info.end_time),
            "status": run.info.status.lower(),
            "parameters": {name: _text(name, text) for name, text in run.data.params.items()},
            "metrics": {m.key: _sealed_metric(m, counts.get(m.key)) for m in last},
            "tags": {name: _text(name, text) for name, text in run.data.tags.items()},
        },
    }


def _counts(client: Any, run_id: str, last: List[Any]) -> Dict[str, int]:  # noqa: ANN401
    """How many points the histories have, of those that can be had at once."""
    found: Dict[str, int] = {}
    until = time.monotonic() + _BUDGET_S
    for metric in sorted(last, key=lambda each: str(each.key)):
        if time.monotonic() > until:
            break
        if metric.step <= _MOST_STEPS:
            found[metric.key] = len(client.get_metric_history(run_id, metric.key))
    return found


def _metric(metric: Any) -> Dict[str, Any]:  # noqa: ANN401
    """The last point stands for all: the tracker has the history."""
    value = _number(metric.value)
    return {"value": value, "history": [[int(metric.step), int(metric.timestamp), value]]}


def _sealed_metric(metric: Any, points: Optional[int]) -> Dict[str, Any]:  # noqa: ANN401
    kept = {"value": _number(metric.value), "step": metric.step, "timestamp_ms": metric.timestamp}
    return kept if points is None else {**kept, "points": points}


def _number(value: float) -> Any:  # noqa: ANN401  (JSON has no others)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _masked(name: str, text: str) -> str:
    return HIDDEN if is_secret(name) else masked(text)


def _text(name: str, text: str) -> str:
    """The text, or its digest; what is only hidden is known to have been there."""
    if is_secret(name) or masked(text) != text:
        return HIDDEN
    if len(text) <= LONGEST and text != HIDDEN and not _DIGEST.fullmatch(text):
        return text
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _time(milliseconds: int) -> str:
    since = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=milliseconds)
    return since.isoformat(timespec="milliseconds") + "Z"
