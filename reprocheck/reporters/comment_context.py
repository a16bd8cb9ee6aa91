"""Around the reports of a comment: links, the run's own words, the base branch, what was before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from reprocheck.hostile import cut
from reprocheck.model import Check, Earlier, Material, OriginKind, Page, Report, RunRecord, Verdict
from reprocheck.numbers import format_value
from reprocheck.reporters import base, checked
from reprocheck.reporters.blocks import Block
from reprocheck.reporters.markup import code, link, prose

DESCRIPTION = 400
NAME = 80
MATERIALS = 3

_SHA = re.compile(r"[0-9a-f]{7,64}")
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+")
_PATH = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_./-]*")
_AT_COMMIT = " at the commit"
_DVC = (".dvc", "dvc.lock", "dvc.yaml")


# --- links --------------------------------------------------------------------------------


def hosts(page: Page) -> tuple[str, ...]:
    """Where links may lead."""
    return (page.server.removeprefix("https://").partition("/")[0], *page.tracker_hosts)


def links(report: Report, page: Page) -> Iterator[Block]:
    """The run in its tracker, its commit and the files that name its data; as text where no link
    may lead there."""
    record = report.record
    if record is None:
        return
    told = [f"run {link(code(record.ref.run_id, NAME), record.url or '', hosts(page))}"]
    commit = record.code.commit
    if commit:
        url = _at(page, report, "commit", commit)
        told.append(f"commit {link(code(commit[:12]), url, hosts(page))}")
    files = dict.fromkeys(filter(None, (_named_by(each, record) for each in record.data)))
    for name in list(files)[:MATERIALS]:
        inside = _PATH.fullmatch(name) and ".." not in name.split("/")
        url = _at(page, report, "blob", f"{commit}/{name}") if inside else ""
        told.append(f"data {link(code(name), url, hosts(page))}")
    yield Block(rank=2, title="links", before=" · ".join(told))


def _named_by(material: Material, record: RunRecord) -> str:
    """DVC's file at the commit that names the digest, "" where none is known."""
    if material.origin.kind is not OriginKind.FILE:
        name = f"{material.path}.dvc"
        kept = any(f"/{each.path}".endswith(f"/{name}") for each in record.files)
        return name if kept else ""
    name = material.origin.where.removesuffix(_AT_COMMIT)
    return name if name.endswith(_DVC) else ""


def _at(page: Page, report: Report, kind: str, rest: str) -> str:
    """An address in the repository of the run's commit, where that is known to be the page's."""
    record = report.record
    repository = _repository(page, record.code.repository or "") if record else ""
    commit = rest.partition("/")[0]
    if not page.server or not repository or not _SHA.fullmatch(commit):
        return ""
    return f"{page.server}/{repository}/{kind}/{rest}"


def _repository(page: Page, recorded: str) -> str:
    """The page's repository or the fork, whichever the run names; the page's where it names none
    that is an address."""
    known = [
        each for each in (page.repository, page.head_repository) if _REPOSITORY.fullmatch(each)
    ]
    if "://" not in recorded and "@" not in recorded:
        return known[0] if known else ""
    path = recorded.rstrip("/").removesuffix(".git")
    return next((each for each in known if path.endswith((f"/{each}", f":{each}"))), "")


def whole(page: Page) -> Iterator[Block]:
    """The link to the page that tells all."""
    told = link("Open the full report", page.html_url, hosts(page))
    if told.startswith("["):
        before = f"**{told}**: plots, what was the same and what was not, logs"
        yield Block(rank=0, title="the full report", before=before)


def footer(page: Page) -> str:
    """Links to the verifying workflow and what it left."""
    told = (
        ("workflow run", page.workflow_url),
        ("the report as JSON", page.artifact_url),
    )
    found = [link(words, url, hosts(page)) for words, url in told if url]
    return " · ".join(each for each in found if each.startswith("["))


# --- what the run says of itself ------------------------------------------------------------


def description(report: Report) -> Iterator[Block]:
    """The run's own description, quoted and cut."""
    text = " ".join(report.record.description[: 10 * DESCRIPTION].split()) if report.record else ""
    if text:
        before = f"The run says of itself:\n\n> {prose(cut(text, DESCRIPTION))}"
        yield Block(rank=4, title="the run's description", before=before)


# --- what was before ------------------------------------------------------------------------


def since(check: Check, page: Page) -> Iterator[Block]:
    """What is otherwise than in the comment before."""
    earlier = page.earlier
    if earlier is None or not (earlier.verdicts or check.reports):
        return
    head = page.head_sha or check.head_sha
    again = bool(head) and head == earlier.head_sha
    commit = f" ({code(earlier.head_sha[:7])})" if earlier.head_sha else ""
    when = "verification of this commit" if again else "push"
    lines = [*_changes(check, earlier), *_gone(check, earlier)]
    title = f"**Since the last {when}**{commit}"
    if not lines:
        yield Block(rank=1, title="what changed", before=f"{title}: the same answers.")
    else:
        yield Block(rank=1, title="what changed", before=f"{title}\n\n", rows=tuple(lines))


def _changes(check: Check, earlier: Earlier) -> Iterator[str]:
    for report in checked.worst_first(check.reports):
        run = checked.run_id(report)
        before = earlier.verdicts.get(run)
        if before is None:
            yield f"- {code(run, NAME)} is new: {_verdict(report.verdict)}"
            continue
        told = list(_moved(report, earlier.values.get(run, {})))
        if before is not report.verdict:
            told.insert(0, f"{_verdict(before)} → {_verdict(report.verdict)}")
        if told:
            yield f"- {code(run, NAME)}: {'; '.join(told)}"


def _moved(report: Report, values: Mapping[str, float]) -> Iterator[str]:
    """Means of the reruns that are not what they were, as far as they are shown."""
    for each in [each for each in report.comparisons if each.gated][:NAME]:
        before = values.get(each.metric)
        if before is None or each.mean is None:
            continue
        old, new = format_value(before), format_value(each.mean)
        if old != new:
            yield f"{code(each.metric)} {old} → {new}"


def _gone(check: Check, earlier: Earlier) -> Iterator[str]:
    here = {checked.run_id(report) for report in check.reports}
    for run, verdict in earlier.verdicts.items():
        if run not in here:
            yield f"- {code(run, NAME)} was {_verdict(verdict)}, and is not verified now"


def _verdict(verdict: Verdict) -> str:
    return prose(f"{base.MARKS[verdict]} {verdict.value}")
