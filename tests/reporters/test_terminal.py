import dataclasses
import math
from pathlib import Path

import pytest
from rich.cells import cell_len

from reprocheck.exit_codes import EXIT_CODES, exit_code
from reprocheck.model import (
    CodeState,
    Failure,
    Finding,
    Gates,
    Interval,
    Margin,
    MarginSource,
    Outcome,
    PackageLists,
    Require,
    Scale,
    Severity,
    Stage,
    StageResult,
    StageStatus,
    Verdict,
)
from reprocheck.reporters import base, markdown, terminal
from tests.reporters.builders import (
    make_code,
    make_comparison,
    make_criterion,
    make_history,
    make_informational,
    make_product,
    make_record,
    make_report,
    make_stages,
    make_trial,
)
from tests.reporters.cases import (
    CASES,
    consistent,
    crashed,
    identical,
    not_worse,
    reproduced,
    several,
)

HOSTILE = "\x1b[2J\x1b]8;;http://evil.example\x07 [bold]x[/bold] [/] :boom: \u202eesrever\r\n\x9b1m"


@pytest.mark.parametrize("case", CASES)
def test_golden(case, golden):
    golden(f"{case}.txt", terminal.render(CASES[case](), width=80, color=False))


@pytest.mark.parametrize("case", CASES)
def test_a_report_fits_one_screen_of_80_columns(case):
    lines = terminal.render(CASES[case](), width=80).splitlines()
    assert len(lines) <= (32 if case == "several" else 28)
    assert max(map(cell_len, lines)) <= 80


@pytest.mark.parametrize("case", CASES)
def test_the_first_lines_are_verdict_and_reason(case):
    report = CASES[case]()
    first, second = terminal.render(report, width=500).splitlines()[:2]
    assert (report.verdict.value in first) != report.dry_run
    assert second == report.sentence


def test_color_adds_nothing_but_color():
    report = identical()
    colored = terminal.render(report, color=True)
    assert "\x1b[1;32mIDENTICAL" in colored
    import re

    assert re.sub(r"\x1b\[[0-9;]*m", "", colored).split() == terminal.render(report).split()


def test_the_environment_does_not_change_a_report(monkeypatch):
    plain = terminal.render(identical())
    for name, value in {"FORCE_COLOR": "1", "TERM": "dumb", "COLUMNS": "40"}.items():
        monkeypatch.setenv(name, value)
    assert terminal.render(identical()) == plain


def test_a_weaker_verdict_than_required_says_so():
    assert ", but reproduced was required" in terminal.render(consistent()).splitlines()[0]


@pytest.mark.parametrize(
    ("outcomes", "told", "mark"),
    [
        ((Outcome.MEETS,), "", "✓"),
        (
            (Outcome.MEETS, Outcome.UNDECIDED),
            ", but a required success criterion is undecided",
            "?",
        ),
        ((Outcome.UNDECIDED, Outcome.MISSES), ", but a required success criterion is missed", "✗"),
        ((), ", but no success criterion was judged, as required", "?"),
    ],
)
def test_a_shortfall_of_required_criteria_is_told_beside_the_verdict(outcomes, told, mark):
    criteria = tuple(make_criterion(outcome=each) for each in outcomes)
    report = make_report(require=Require.CRITERIA, criteria=criteria)
    assert terminal.render(report).splitlines()[0] == f"REPRODUCED{told}"
    assert markdown.render(report).startswith(f"## {mark} REPRODUCED{told}: <code>")


def test_criteria_that_are_not_required_leave_the_headline_alone():
    report = make_report(criteria=(make_criterion(outcome=Outcome.MISSES),))
    assert terminal.render(report).startswith("REPRODUCED\n")


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.INFORMATIONAL])
@pytest.mark.parametrize("require", Require)
@pytest.mark.parametrize("outcomes", [(), (Outcome.MEETS,), (Outcome.MISSES,)])
def test_a_report_says_what_is_lacking_exactly_where_the_exit_code_does(verdict, require, outcomes):
    criteria = tuple(make_criterion(outcome=each) for each in outcomes)
    report = make_report(verdict=verdict, require=require, criteria=criteria)
    assert bool(base.shortfall(report)) == (EXIT_CODES[verdict] == 0 != exit_code(report))


@pytest.mark.parametrize(
    ("metric", "told"),
    [("accuracy", "more reruns narrow the bounds"), ("f1", "make the training log f1")],
)
def test_what_would_decide_a_required_criterion_is_told(metric, told):
    criteria = (make_criterion(metric=metric, outcome=Outcome.UNDECIDED),)
    (step,) = base.next_steps(make_report(require=Require.CRITERIA, criteria=criteria))
    assert told in step


def test_not_worse_is_never_called_reproduced():
    text = terminal.render(not_worse())
    assert text.startswith("NOT_WORSE\n")
    assert "reproduced" not in text.lower()
    steps = base.next_steps(make_report(verdict=Verdict.NOT_WORSE, require=Require.REPRODUCED))
    assert steps == ("`--require reproduced` needs both sides tested: remove noninferiority",)


def test_logarithms_are_shown_as_factors_and_several_originals_as_their_mean():
    comparison = make_comparison(
        scale=Scale.LOG,
        baseline=(1.0, 4.0),
        mean=2.04,
        sd=0.05,
        difference=math.log(1.02),
        interval=Interval(low=math.log(0.99), high=math.log(1.05), level=90.0),
        margin=Margin(low=math.log(1.1), high=math.log(1.1), source=MarginSource.DECLARED, text=""),
    )
    [row] = base.rows(make_report(comparisons=(comparison,)))
    assert (row.original, row.reruns, row.spread) == ("2 (mean of 2)", "2.04", "± 5.13 %")
    assert (row.difference, row.interval) == ("+2 %", ("-1 %", "+5 %"))
    assert row.margin == "-9.09 %…+10 %"


def test_several_originals_are_averaged_without_those_that_are_no_number():
    comparison = make_comparison(baseline=(0.9, math.nan, 0.92))
    assert base.original(comparison) == "0.91 (mean of 2)"


def test_no_number_of_a_margin_is_broken():
    margin = Margin(low=0.123456, high=0.0123456, source=MarginSource.DECLARED, text="as declared")
    for width in (60, 70, 80, 120):
        text = terminal.render(
            make_report(comparisons=(make_comparison(margin=margin),)), width=width
        )
        assert "-0.1235…" in text
        assert "+0.01235" in text


def test_verbose_tells_every_sentence_and_curve():
    report = several()
    brief, full = (
        terminal.render(report, width=300),
        terminal.render(report, width=300, verbose=True),
    )
    for words in (
        "loss: Across 4 reruns",
        "accuracy: part at step 3 (20 in common); best",
        "accuracy meets its criterion min 0.95: the reruns average",
        "judged after each of 3 to 8 reruns, level",
        "by name, since neither --gate nor reprocheck.yaml names any",
        "Stages       read 0.4 s · validate",
        "tree clean (tag mlflow.source.git.commit)",
        "data/train.csv md5 9e107d9d372b",
    ):
        assert words not in brief
        assert words in full


def test_a_margin_names_its_source_and_no_number_twice():
    source = make_comparison().margin
    texts = {"0.005 (--margin)": "--margin", "0.52 % (--margin)": "0.52 % (--margin)"}
    for text, told in texts.items():
        margin = dataclasses.replace(source, text=text)
        lines = terminal.render(
            make_report(comparisons=(make_comparison(margin=margin),)), width=200
        )
        assert f"  {told}  " in lines


def test_the_source_of_a_margin_yields_to_an_unbroken_interval_in_the_short_report():
    interval = Interval(low=-0.02072, high=-0.005669, level=97.7)
    margins = [
        dataclasses.replace(make_comparison().margin, low=width, high=width, text=text)
        for width, text in ((0.025, "0.025 (reprocheck.yaml)"), (0.05736, "40 % (reprocheck.yaml)"))
    ]
    names, originals = ("accuracy", "loss"), (0.972222, 0.143388)
    report = make_report(
        comparisons=tuple(
            make_comparison(metric=name, baseline=(x,), margin=margin, interval=interval)
            for name, x, margin in zip(names, originals, margins, strict=True)
        )
    )
    brief, full = (terminal.render(report, width=76, verbose=each) for each in (False, True))
    assert "-0.02072…-0.005669  declared  " in brief
    assert "-0.02072…-0.005669  40 %  " in brief
    assert "(reprocheck.yaml)" in full
    assert "(reprocheck.yaml)" not in brief


def test_packages_are_told_shortly_where_all_are_as_asked():
    lists = PackageLists(
        source="freeze.txt", asked=(("a", "1"),), whole=True, frameworks=(), differences=()
    )
    brief, full = (
        terminal.render(make_report(packages=lists), width=200, verbose=each)
        for each in (False, True)
    )
    assert "; all packages landed as asked\n" in brief
    assert "Packages     1 package asked for by freeze.txt; all landed as asked" in full
    assert "Packages" not in brief


def test_the_time_is_one_line_where_every_stage_passed():
    brief = terminal.render(several())
    assert "Took         22 min 50 s in all, reruns 6 min 28 s\n" in brief
    assert "rerun 6 min 28 s failed" in terminal.render(crashed())


def test_a_crash_shows_the_end_of_the_log():
    assert "  FileNotFoundError: data/val.csv" in terminal.render(crashed()).splitlines()


def test_verbose_tells_every_finding_metric_and_more_of_the_log():
    log = "\n".join(f"line {i}" for i in range(50))
    report = make_report(
        stages=reproduced().stages,
        comparisons=reproduced().comparisons,
        trials=(make_trial(log_tail=log),),
        failed_stage=Stage.RERUN,
    )
    brief, full = terminal.render(report), terminal.render(report, verbose=True)
    for words in ("note missing-repository", "docs/findings.md", "layer15/grad_norm", "line 3\n"):
        assert words not in brief
        assert words in full


def test_a_line_that_mends_a_finding_is_shown_where_it_stays_whole():
    short, long = (
        Finding(
            code=f"is-{size}",
            severity=Severity.WARNING,
            message="m",
            hint="",
            pointer="",
            fix="x" * size,
        )
        for size in (70, 80)
    )
    report = make_report(stages=make_stages(Stage.RERUN, findings=(short, long)))
    lines = terminal.render(report).splitlines()
    assert "    " + "x" * 70 in lines
    assert not any("x" * 71 in line for line in lines)
    assert "x" * 80 in terminal.render(report, width=120, verbose=True)


def test_what_reprocheck_itself_says_of_a_failed_rerun_is_not_cut():
    ours = f"[reprocheck: {'the trial wanted the network ' * 5}limits.network: full allows it]"
    failure = Failure(kind="E", message=f"it failed\n{'x' * 300}\n{ours}", hint="", usage=False)
    stage = StageResult(
        stage=Stage.RERUN,
        status=StageStatus.FAILED,
        duration_s=1,
        summary="",
        findings=(),
        failure=failure,
    )
    text = terminal.render(make_report(stages=(stage,)), width=80)
    assert ours in " ".join(text.split())
    assert "x" * 80 not in text


def test_output_inside_a_message_keeps_its_lines():
    failure = Failure(kind="E", message="building: no disk\n  one\n  two", hint="", usage=False)
    report = make_report(
        sentence=failure.message,
        stages=make_stages(Stage.REBUILD, failure=failure),
        failed_stage=Stage.REBUILD,
    )
    lines = terminal.render(report).splitlines()
    assert lines[1:5] == ["building: no disk", "", "    one", "    two"]


def test_the_workspaces_path_is_not_broken():
    path = Path("/work") / ("long" * 40)
    assert str(path) in terminal.render(make_report(workspace=path))


def test_stages_that_did_not_run_are_not_told():
    skipped = StageResult(stage=Stage.RERUN, status=StageStatus.SKIPPED, duration_s=0.0)
    text = terminal.render(make_report(stages=(*make_stages()[:2], skipped)))
    assert "Stages       read 0.4 s · validate 3.5 s\n" in text


def test_a_runs_text_moves_no_cursor_and_is_no_markup():
    record = make_record(name=HOSTILE, code=make_code(commit=HOSTILE))
    assert isinstance(record.code, CodeState)
    comparisons = (
        make_comparison(metric=HOSTILE, history=make_history(), sentence=HOSTILE, notes=(HOSTILE,)),
        make_comparison(metric=HOSTILE + "2", history=make_history(), detectable=0.1),
        make_informational(HOSTILE),
    )
    report = make_report(
        record=record,
        comparisons=comparisons,
        sentence=HOSTILE,
        gates=Gates(metrics=(HOSTILE,), reason=HOSTILE),
        criteria=(make_criterion(sentence=HOSTILE),),
        products=(make_product(HOSTILE, gated=True),),
    )
    text = terminal.render(report, width=300) + terminal.render(report, width=300, verbose=True)
    assert all(character.isprintable() or character == "\n" for character in text)
    assert "[bold]x[/bold] [/] :boom:" in text


def test_no_digit_of_a_number_is_cut_in_a_narrow_terminal():
    comparison = make_comparison(metric="m", baseline=(1.23457e-17,), difference=-9.87654e-21)
    text = terminal.render(make_report(comparisons=(comparison,)), width=50)
    table = text.split("\n\n")[1]
    assert "…" not in table.replace("-0.00121…", "").replace("121…", "").replace("1…", "")
    assert table.count("7") >= 2


@pytest.mark.parametrize("width", [20, 40, 79, 200])
def test_any_width_holds(width):
    lines = terminal.render(make_report(), width=width).splitlines()
    assert max(map(cell_len, lines)) <= width


def test_a_hidden_secret_is_not_shown():
    record = make_record(
        code=make_code(repository="https://me:hunter2@example.org/x"),
        parameters={"api_key": "abcdefgh1234"},
    )
    report = make_report(record=record, sentence="https://me:hunter2@example.org abcdefgh1234")
    text = terminal.render(report)
    assert "https://***@example.org ***" in text


def test_every_verdict_has_its_mark_and_color():
    for verdict in Verdict:
        assert terminal.COLORS[verdict]
        assert terminal.base.MARKS[verdict]


def test_each_interval_is_drawn_once_in_the_order_of_the_metrics_with_one_legend():
    undrawn = make_comparison(metric="b", interval=None, verdict=Verdict.INCONCLUSIVE)
    wide = Interval(low=0.003, high=0.0045, level=90.0)
    off = make_comparison(metric="c", difference=0.004, interval=wide)
    text = terminal.render(make_report(comparisons=(off, undrawn, make_comparison())))
    drawn = [line.split()[-1] for line in text.splitlines() if line.endswith("│")]
    assert drawn == ["│·····○···├─●│", "│····├◉┤·····│"]
    assert text.count(terminal.LEGEND) == 1
    assert "○" not in terminal.render(make_report(comparisons=(undrawn,)))


def test_many_findings_are_told_on_two_lines_each():
    findings = tuple(
        Finding(code=f"c{i}", severity=Severity.WARNING, message="m " * 200, hint="h", pointer="")
        for i in range(3)
    )
    few, many = (
        terminal.render(make_report(stages=make_stages(Stage.RERUN, findings=findings[:count])))
        for count in (2, 3)
    )
    assert few.count("m m") > 100
    assert sum("m m" in line for line in many.splitlines()) == 6
