"""What a comment remembers of itself: one line that is not shown, for the next check.

Whoever may edit the comment may write there, so that what is read back is checked and never
trusted: it is only shown, as what was said before.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
import re
import zlib
from collections.abc import Mapping
from typing import Any

from reprocheck.model import SEVERITY_ORDER, Check, Earlier, Page, Report, Verdict
from reprocheck.reporters import checked

LARGEST = 4_000
"""Bytes of the line."""

_VERSION = 1
_MOST_UNPACKED = 64_000
_MOST_NAMED = 1_000
_LONGEST_NAME = 500
_LARGEST_ID = 2**63
# A link's definition to which nothing links is not shown.
_LINE = re.compile(
    r"^\[reprocheck-state\]: data:application/gzip;base64,([A-Za-z0-9+/=]{1,8000})\r?$",
    re.MULTILINE,
)
_SHA = re.compile(r"[0-9a-f]{7,64}|")


def remember(check: Check, page: Page) -> str:
    """The line for a comment about the check, at most `LARGEST` bytes, values left out first."""
    reports: dict[str, Report] = {}
    for each in checked.worst_first(check.reports):
        if not each.dry_run:  # the worst of those of one run
            reports.setdefault(checked.run_id(each)[:_LONGEST_NAME], each)
    verdicts = {run: each.verdict.value for run, each in reports.items()}
    values = {run: _means(each) for run, each in reports.items()}
    line = _line(page, check, verdicts, values)
    if len(line) > LARGEST:
        line = _line(page, check, verdicts, {})
    while len(line) > LARGEST:
        verdicts = dict(list(verdicts.items())[: len(verdicts) * 3 // 4])
        line = _line(page, check, verdicts, {})
    return line


def recall(body: str) -> Earlier | None:
    """What the last such line of a comment says; None where there is none, or an odd one."""
    lines = _LINE.findall(body)
    if not lines:
        return None
    try:
        return _earlier(json.loads(_unpacked(lines[-1])))
    except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError, zlib.error):
        return None


def _means(report: Report) -> dict[str, float]:
    return {
        each.metric[:_LONGEST_NAME]: float(f"{each.mean:.8g}")
        for each in report.comparisons
        if each.gated and each.mean is not None and math.isfinite(each.mean)
    }


def _line(
    page: Page, check: Check, verdicts: Mapping[str, str], values: Mapping[str, Mapping[str, float]]
) -> str:
    document = {
        "v": _VERSION,
        "head": page.head_sha or check.head_sha,
        "run": page.run_id,
        "attempt": page.attempt,
        "verdicts": verdicts,
        "values": {run: means for run, means in values.items() if means},
    }
    text = json.dumps(document, separators=(",", ":"))
    packed = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    return f"[reprocheck-state]: data:application/gzip;base64,{packed}"


def _unpacked(text: str) -> bytes:
    """Raises `ValueError` for what is too large or not whole, and the errors of its formats."""
    unpacking = zlib.decompressobj(wbits=31)
    content = unpacking.decompress(base64.b64decode(text, validate=True), _MOST_UNPACKED)
    if not unpacking.eof or unpacking.unused_data:
        raise ValueError("too large, cut, or followed by more")
    return content


# --- what is read back --------------------------------------------------------------------


def _earlier(document: Any) -> Earlier:  # noqa: ANN401 - JSON
    if type(document) is not dict or document["v"] != _VERSION:
        raise ValueError("of another version")
    head = document["head"]
    if type(head) is not str or not _SHA.fullmatch(head):
        raise ValueError("no commit")
    return Earlier(
        head_sha=head,
        run_id=_count(document["run"]),
        attempt=_count(document["attempt"]),
        verdicts={run: _verdict(found) for run, found in _named(document["verdicts"])},
        values={
            run: {name: _finite(value) for name, value in _named(means)}
            for run, means in _named(document["values"])
        },
    )


def _named(found: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - JSON
    if type(found) is not dict or len(found) > _MOST_NAMED:
        raise ValueError("not a mapping, or too large")
    if any(len(name) > _LONGEST_NAME for name in found):
        raise ValueError("a name that is too long")
    return list(found.items())


def _count(found: Any) -> int:  # noqa: ANN401 - JSON
    if type(found) is not int or not 0 <= found < _LARGEST_ID:
        raise ValueError("no number")
    return found


def _verdict(found: Any) -> Verdict:  # noqa: ANN401 - JSON
    verdict = Verdict(found)
    if verdict not in SEVERITY_ORDER:
        raise ValueError("no verdict of a run")
    return verdict


def _finite(found: Any) -> float:  # noqa: ANN401 - JSON
    if type(found) not in (int, float) or not math.isfinite(found):
        raise ValueError("no value")
    return float(found)
