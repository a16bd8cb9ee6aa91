import pytest
from rich.cells import cell_len

from reprocheck.model import Grade, Severity
from reprocheck.reporters import audit_terminal
from reprocheck.reporters import audit_words as words
from reprocheck.reporters.audit_words import safe
from tests.audit.builders import make_finding, make_run
from tests.audit.samples import CASES, HOSTILE, a_run, audited, many, three


@pytest.mark.parametrize("case", ["none", "good", "three", "many"])
def test_golden(case, golden):
    golden(f"audit-{case}.txt", audit_terminal.render(CASES[case]()))


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("case", CASES)
def test_an_audit_fits_one_screen(case, width):
    lines = audit_terminal.render(CASES[case](), width=width).splitlines()
    assert len(lines) <= 40 or width < 80
    assert max(map(cell_len, lines)) <= width


def test_the_totals_come_first_and_the_step_that_rescues_most_second():
    totals, step, *_ = audit_terminal.render(three(), width=200).splitlines()
    assert totals == "1 of 3 runs is verifiable now, 1 with caveats, 1 not"
    assert step.startswith("One step could lift 1 run to a better grade: give `command`")


def test_a_grade_that_few_have_still_shows_in_the_bar():
    runs = (a_run(0), a_run(1, 3), *(a_run(i, 0) for i in range(2, 400)))
    text = audit_terminal.render(audited(runs))
    [bar] = [line for line in text.splitlines() if len(line) == 78 and "░░░" in line]
    assert bar == "█▒" + "░" * 76


def test_verbose_tells_every_run_and_what_mends_it_in_whole_lines():
    text = audit_terminal.render(many(), width=80, verbose=True)
    assert text.count("missing-seed") > 10
    mended = text.split("To paste:\n")[1].splitlines()
    served = "mlflow server --backend-store-uri=sqlite:///mlflow.db"
    assert mended[mended.index("# laptop-store") + 1].startswith(served)
    assert max(map(len, mended)) > 80


@pytest.mark.parametrize("verbose", [False, True])
def test_hostile_text_does_nothing_to_a_terminal(verbose):
    text = audit_terminal.render(CASES["hostile"](), verbose=verbose)
    assert not set("\x1b\u202e\r") & set(text)
    assert safe(HOSTILE).startswith("</td><script>")


def test_what_only_the_files_at_the_commit_may_tell_is_a_reason():
    noted = make_finding("missing-command", Severity.NOTE)
    run = make_run(0, Grade.CAVEATS, (noted, make_finding("missing-data", Severity.NOTE)))
    assert words.why(run) == "missing-command"
    assert words.why(make_run(0, Grade.VERIFIABLE, (noted,))) == ""  # the config has it


def test_color_is_only_in_addition():
    plain = audit_terminal.render(three())
    colored = audit_terminal.render(three(), color=True)
    assert "\x1b[" in colored
    assert "\x1b[" not in plain


def test_a_secret_is_not_told():
    assert safe("https://me:hunter22@host/x") == "https://***@host/x"
    assert safe("x" * 9000).endswith("…")
