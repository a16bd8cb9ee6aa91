import dataclasses
import re

import pytest
from markdown_it import MarkdownIt

from reprocheck.model import Failure, Finding, Gates, Severity, Stage, StageResult, StageStatus
from reprocheck.reporters import markdown, markup, terminal
from tests.reporters.builders import (
    make_comparison,
    make_criterion,
    make_environment,
    make_history,
    make_informational,
    make_product,
    make_record,
    make_report,
    make_stages,
    make_trial,
)
from tests.reporters.cases import CASES, crashed, not_reproduced, reproduced, several

HOSTILE = (
    "x|y\n## heading\n```\n</details></code><img src=x onerror=a()> ![i](http://e.example/i)"
    " [l](http://e.example) http://e.example www.e.example a@e.example @team #12 &copy; \\| `c`"
    " **b** _i_ ~~s~~ <!-- c --> $x$ :boom: \u202eesrever\u202c\r1. one\n- two\n> three\n\t- four"
)


def _html(text):
    return MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)


def _hostile_report():
    failure = Failure(kind="RerunError", message=HOSTILE, hint=HOSTILE, usage=False)
    finding = Finding(
        code="bad", severity=Severity.WARNING, message=HOSTILE, hint=HOSTILE, pointer=""
    )
    stages = make_stages(Stage.RERUN, failure=failure, findings=(finding,), summary=HOSTILE)
    return make_report(
        asked=HOSTILE,
        record=make_record(name=HOSTILE, experiment=HOSTILE),
        comparisons=(
            make_comparison(metric=HOSTILE, sentence=f"{HOSTILE}.", notes=(HOSTILE,)),
            make_comparison(metric=f"{HOSTILE}2", history=make_history(), detectable=0.1),
            make_informational(HOSTILE),
        ),
        gates=Gates(metrics=(HOSTILE,), reason=HOSTILE),
        criteria=(make_criterion(sentence=HOSTILE),),
        products=(make_product(HOSTILE, gated=True),),
        sentence=HOSTILE,
        needed=HOSTILE,
        stages=stages,
        failed_stage=Stage.RERUN,
        environment=make_environment(asked=HOSTILE, isolation=HOSTILE),
        trials=(make_trial(log_tail=HOSTILE + "\n````\n~~~~\n</pre>"),),
    )


@pytest.mark.parametrize("case", CASES)
def test_golden(case, golden):
    golden(f"{case}.md", markdown.render(CASES[case]()))


def test_a_runs_text_adds_no_element():
    html = _html(markdown.render(_hostile_report()))
    tags = set(re.findall(r"<(/?[a-z0-9]+)", html))
    allowed = {"h2", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "strong", "em"}
    allowed |= {"details", "summary", "pre", "ul", "li", "sub", "br", "blockquote"}
    assert {tag.removeprefix("/") for tag in tags} <= allowed
    assert html.count("<h2") == 1


def test_a_runs_text_adds_no_cell_or_row():
    plain = _html(markdown.render(not_reproduced()))
    report = not_reproduced()
    hostile = tuple(
        make_comparison(metric=HOSTILE, verdict=each.verdict, change=each.change)
        for each in report.comparisons
    )
    html = _html(markdown.render(make_report(record=report.record, comparisons=hostile)))
    first = html.split("</table>")[0]
    assert first.count("<td") == plain.split("</table>")[0].count("<td") == 12


def test_a_runs_text_is_shown_as_it_is():
    text = markup.prose("a|b `c` <d> [e](f) 0.5 -1")
    assert _html("x " + text) == "<p>x a|b `c` &lt;d&gt; [e](f) 0.5 -1</p>\n"


@pytest.mark.parametrize("text", ["@team", "a@e.example", "#12", "owner/repo#12"])
def test_no_mention_or_issue_survives_decoding(text):
    import html

    shown = html.unescape(markup.prose(text))
    assert not re.search(r"[@#]\w", shown)


@pytest.mark.parametrize("text", ["http://e.example", "www.e.example", "https://a.b"])
def test_no_address_becomes_a_link(text):
    assert "www." not in markup.prose(text)
    assert "://" not in markup.prose(text)


@pytest.mark.parametrize("start", ["# a", "1. a", "- a", "+ a", "> a", "===", "---", "<b>", "~~~"])
def test_prose_starts_no_block(start):
    assert _html(markup.prose(start)).startswith("<p>")


def test_a_log_cannot_end_its_fence():
    report = crashed()
    log = "one\n```\n</details>\n`````\n# two"
    html = _html(
        markdown.render(
            make_report(
                failed_stage=Stage.RERUN, stages=report.stages, trials=(make_trial(log_tail=log),)
            )
        )
    )
    block = re.search(r"<pre><code[^>]*>(.*?)</code></pre>", html, re.S)
    assert block[1] == "one\n```\n&lt;/details&gt;\n`````\n# two\n"


def test_a_report_stays_below_the_size_of_a_comment():
    finding = [
        Finding(code="f", severity=Severity.NOTE, message="@" * 5000, hint=f"{i}", pointer="")
        for i in range(500)
    ]
    stage = StageResult(
        stage=Stage.READ, status=StageStatus.PASSED, duration_s=1.0, findings=tuple(finding)
    )
    comparisons = tuple(
        make_comparison(metric=f"{i}" + "@" * 500, sentence="@" * 500 + f"{i}") for i in range(500)
    )
    criteria = tuple(make_criterion(sentence="@" * 500) for _ in range(500))
    text = markdown.render(make_report(stages=(stage,), comparisons=comparisons, criteria=criteria))
    assert len(text.encode()) <= markdown.LARGEST
    assert (
        "Left out here for its length, but in the report: What was found of each metric; 500"
        in text
    )
    assert re.search(r"^4\d\d more in the report$", text, re.M)


def test_criteria_stand_apart_from_the_verdict():
    html = _html(markdown.render(several()))
    first, after = html.split("<p><strong>Success criteria</strong></p>")
    assert "its criterion" not in first
    assert after.lstrip().startswith("<ul>\n<li>✓ accuracy meets its criterion min 0.95:")


def test_a_short_and_a_long_report_have_the_same_words_as_the_terminal():
    text = re.sub(r"&#(\d+);\u200b?", lambda m: chr(int(m[1])), markdown.render(several()))
    for line in terminal.render(several(), width=1000, verbose=True).split("\n\n")[2].splitlines():
        assert line.split(maxsplit=1)[-1].strip() in text


def test_a_finding_has_the_line_that_mends_it_escaped_and_whole():
    note = Finding(
        code="missing-seed",
        severity=Severity.NOTE,
        message="m",
        hint="",
        pointer="",
        fix="a `b` <c>",
    )
    mail = dataclasses.replace(note, code="other", fix="git push git@example.com")
    stages = make_stages(Stage.RERUN, findings=(note, mail))
    text = markdown.render(make_report(stages=stages))
    assert "Mend it: <code>a &#96;b&#96; &#60;c&#62;</code>" in text
    assert "git push" not in text


def test_findings_are_folded_with_their_hints():
    text = markdown.render(reproduced())
    assert "<details><summary>2 findings</summary>" in text
    assert "reprocheck&#46;tree with clean or dirty" in text


def test_a_secret_is_not_shown():
    text = markdown.render(make_report(sentence="from https://me:hunter2@host"))
    assert "hunter2" not in text
    assert "&#42;&#42;&#42;" in text


def test_output_inside_a_message_is_a_block_of_code():
    text = markdown.render(make_report(sentence="building: no disk\n  # one", failed_stage=None))
    assert "> building&#58; no disk\n" in text
    assert "```text\n  # one\n```" in text
