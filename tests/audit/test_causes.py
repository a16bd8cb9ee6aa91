from reprocheck.audit.causes import causes, rescue
from reprocheck.model import Grade, Severity
from tests.audit.builders import make_finding, make_run

BAD, FAIR = Grade.NOT_VERIFIABLE, Grade.CAVEATS


def error(code, **changes):
    return make_finding(code, Severity.ERROR, **changes)


def warning(code, **changes):
    return make_finding(code, Severity.WARNING, **changes)


RUNS = (
    make_run(0, BAD, (error("missing-command"), warning("missing-seed"))),
    make_run(1, BAD, (error("missing-command"), error("missing-metrics"))),
    make_run(2, FAIR, (warning("missing-seed"), make_finding("missing-data", Severity.NOTE))),
    make_run(3, FAIR, (warning("missing-seed"), warning("unknown-tree"))),
    make_run(4),
)


def test_causes_tell_how_many_runs_they_concern_the_commonest_first():
    found = [(each.code, each.severity, each.runs) for each in causes(RUNS)]
    assert found == [
        ("missing-seed", Severity.WARNING, 3),
        ("missing-command", Severity.ERROR, 2),
        ("missing-metrics", Severity.ERROR, 1),
        ("unknown-tree", Severity.WARNING, 1),
    ]


def test_causes_tell_how_many_runs_each_alone_holds_back():
    alone = {each.code: each.alone for each in causes(RUNS)}
    assert alone == {
        "missing-command": 1,
        "missing-metrics": 0,
        "missing-seed": 1,
        "unknown-tree": 0,
    }


def test_a_code_of_two_findings_in_one_run_is_one_run_and_the_worst_is_told():
    both = (warning("a"), error("a", message="worse"), error("a", message="worse", fix="do"))
    [cause] = causes([make_run(0, BAD, both)])
    assert (cause.runs, cause.alone, cause.severity) == (1, 1, Severity.ERROR)
    assert (cause.message, cause.fix) == ("worse", "do")


def test_the_step_that_rescues_most_runs_mends_several_codes_at_once():
    both = (error("missing-command"), error("kernel-launcher"))
    runs = [make_run(i, BAD, both) for i in range(2)]
    assert rescue([*runs, *RUNS]) == ("give `command` in reprocheck.yaml", 3)


def test_runs_that_cannot_be_verified_come_before_caveats():
    many = [make_run(i, FAIR, (warning("missing-times"),)) for i in range(9)]
    step, lifted = rescue([*many, make_run(9, BAD, (error("missing-command"),))])
    assert (step, lifted) == ("give `command` in reprocheck.yaml", 1)
    step, lifted = rescue(many)
    assert (step, lifted) == ("give `limits: {timeout: ...}` in reprocheck.yaml", 9)


def test_a_fix_that_is_the_same_for_all_is_told():
    line = 'command: "python train.py"'
    runs = [make_run(i, BAD, (error("missing-command", fix=line),)) for i in range(2)]
    assert rescue(runs) == (f"give `command` in reprocheck.yaml: {line}", 2)
    other = make_run(2, BAD, (error("missing-command", fix="command: other"),))
    assert rescue([*runs, other]) == ("give `command` in reprocheck.yaml", 3)


def test_a_fix_of_a_code_without_a_step_counts_where_runs_share_it():
    runs = [make_run(i, BAD, (error("odd", fix="git fetch upstream"),)) for i in range(2)]
    assert rescue(runs) == ("git fetch upstream", 2)


def test_a_fix_of_one_finding_does_not_mend_another_of_its_code():
    both = (error("odd", fix="git fetch upstream"), error("odd", fix="git fetch fork"))
    assert rescue([make_run(0, BAD, both)]) == ("", 0)


def test_what_mends_only_one_run_by_its_id_is_no_rescue():
    run = make_run(7, BAD, (error("odd", fix=f"mlflow runs restore {7:032x}"),))
    assert rescue([run]) == ("", 0)


def test_what_helps_only_the_runs_to_come_is_no_rescue():
    fixes = ("pip install reprocheck-capture", 'mlflow.log_param("seed", seed)')
    runs = [make_run(i, FAIR, (warning("odd", fix=fix),)) for i, fix in enumerate(fixes * 2)]
    assert rescue(runs) == ("", 0)
    no_command = error("missing-command", fix=fixes[0])
    assert rescue([make_run(0, BAD, (no_command,))]) == ("give `command` in reprocheck.yaml", 1)


def test_where_no_one_step_helps_that_is_said():
    assert rescue([RUNS[1], make_run(8), make_run(9, BAD, (error("missing-metrics"),))]) == ("", 0)
    assert rescue([]) == ("", 0)
    assert causes([]) == ()
