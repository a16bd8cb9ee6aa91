"""Of a report of which only verdict, names of metrics, numbers and digests may be told."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reprocheck.model import Report
from reprocheck.reporters.blocks import Block
from reprocheck.reporters.markup import code, head, row

_DIGEST = re.compile(r"[0-9A-Fa-f]{7,128}(?:\.dir)?")


def digests(report: Report) -> Iterator[Block]:
    """What was verified, by digests: of nothing else can a text of the run be in them."""
    rows = tuple(
        row((what, code(digest))) for what, digest in _digests(report) if _DIGEST.fullmatch(digest)
    )
    if rows:
        yield Block(rank=4, title="digests", before=head(("Digest of", "")), rows=rows)


def _digests(report: Report) -> Iterator[tuple[str, str]]:
    yield "what was asked", report.subject
    if report.record:
        yield "the commit", report.record.code.commit
        for each in report.record.data:
            yield "data", each.digest
    if report.environment:
        yield "the environment", report.environment.digest
