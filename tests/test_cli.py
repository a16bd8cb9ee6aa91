"""The command line itself: options, outputs, exit codes, and what its help and README say."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reprocheck import cli
from reprocheck.cli import outputs
from reprocheck.cli.outputs import Outputs
from reprocheck.errors import UsageError
from reprocheck.exit_codes import EXIT_CODES, exit_code
from reprocheck.model import Failure, Require, Stage, StageResult, StageStatus, Verdict
from tests.lab import Lab, Result, copy_of
from tests.reporters.builders import make_report

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPTIONS = ROOT / "docs" / "verify.md"
WIDTH = 96


def told(result: Result) -> str:
    return " ".join((result.stdout + result.stderr).split())


# --- exit codes ---------------------------------------------------------------------------

CODES = {
    Verdict.IDENTICAL: 0,
    Verdict.NUMERICALLY_EQUAL: 0,
    Verdict.REPRODUCED: 0,
    Verdict.NOT_WORSE: 0,
    Verdict.CONSISTENT: 0,
    Verdict.NOT_VERIFIED: 3,
    Verdict.NOT_COMPARABLE: 3,
    Verdict.NOT_REPRODUCED: 10,
    Verdict.INCONCLUSIVE: 11,
}


@pytest.mark.parametrize("verdict", list(CODES))
@pytest.mark.parametrize("require", list(Require))
def test_each_verdict_has_its_exit_code(verdict: Verdict, require: Require) -> None:
    expected = CODES[verdict]
    weaker = verdict in (Verdict.CONSISTENT, Verdict.NOT_WORSE)
    if weaker and require is Require.REPRODUCED:
        expected = 11
    if expected == 0 and require is Require.CRITERIA:  # none was declared: nothing is met
        expected = 11
    assert exit_code(make_report(verdict=verdict, require=require)) == expected


def test_every_verdict_of_a_run_is_in_the_table() -> None:
    assert set(CODES) == set(Verdict) - {Verdict.INFORMATIONAL}


def test_wrong_usage_exits_2_whatever_the_verdict_says() -> None:
    failure = Failure(kind="UnknownRunError", message="no", hint="", usage=True)
    stage = StageResult(
        stage=Stage.READ, status=StageStatus.FAILED, duration_s=0.1, failure=failure
    )
    assert exit_code(make_report(verdict=Verdict.NOT_VERIFIED, stages=(stage,))) == 2


def test_the_readme_and_the_help_list_the_same_exit_codes(lab: Lab) -> None:
    rows = dict(re.findall(r"^\| ([0-9, ]+) \| (.+) \|$", README, re.MULTILINE))
    readme = {int(code) for cell in rows for code in cell.split(",")}
    helped = lab.reprocheck("--help").stdout.partition("Exit codes")[2]
    assert readme == {int(code) for code in re.findall(r"\b[0-9]+\b", helped)}
    assert readme == {*EXIT_CODES.values(), 1, 2, 12, 129, 130, 141, 143}
    for verdict, code in EXIT_CODES.items():
        cell = next(cell for cell in rows if str(code) in cell.split(", "))
        assert verdict.value in rows[cell], verdict


# --- help ---------------------------------------------------------------------------------


def test_the_pages_options_are_the_helps(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """REPROCHECK_GOLDEN=1 writes them into the page instead."""
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    helped, page = lab.reprocheck("verify", "--help").stdout, OPTIONS.read_text(encoding="utf-8")
    before, heading, rest = page.partition("## Options\n\n```\n")
    block, end, after = rest.partition("```")
    if os.environ.get("REPROCHECK_GOLDEN"):
        OPTIONS.write_text(before + heading + helped + end + after, encoding="utf-8")
    assert block == helped


@pytest.mark.parametrize(
    "args",
    [
        ("--help",),
        ("-h",),
        *((command, "-h") for command in ("verify", "plan", "compare", "audit", "doctor", "demo")),
        (),
    ],
)
def test_help_fits_a_terminal(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = lab.reprocheck(*args)
    text = result.stdout + result.stderr
    assert result.exit_code == (0 if args else 2)
    assert text.startswith("Usage: reprocheck")
    assert max(map(len, text.splitlines())) <= 80
    assert "\\b" not in text
    assert "\b" not in text


def test_the_module_is_the_command(lab: Lab) -> None:
    result = lab.spawn("--version")
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.fullmatch(r"reprocheck, version \S+\n", result.stdout)


# --- wrong usage --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["verfy", "x"], "No such command 'verfy'"),
        (["--bogus"], "No such option '--bogus'"),
        (["verify"], "no run is named"),
        (["verify", "a", "b"], "unexpected extra argument"),
        (["verify", "x", "--rerun", "3"], "'--reruns'"),
        (["verify", "x", "--reruns", "none"], "--reruns none"),
        (["verify", "x", "--reruns", "0"], "--reruns 0"),
        (["verify", "x", "--reruns", ""], "--reruns"),
        (["verify", "x", "--reruns", "-1"], "--reruns -1"),
        (["verify", "x", "--reruns", "9..3"], "--reruns 9..3"),
        (["verify", "x", "--margin", "accuracy"], "--margin accuracy"),
        (["verify", "x", "--margin", "accuracy=-1"], "--margin accuracy=-1"),
        (["verify", "x", "--margin", "accuracy=nan%"], "--margin accuracy=nan%"),
        (["verify", "x", "--sigma", "accuracy=0"], "--sigma accuracy=0"),
        (["verify", "x", "--timeout", "soon"], "--timeout: 'soon'"),
        (["verify", "x", "--timeout", "-5"], "--timeout: '-5'"),
        (["verify", "x", "--budget", "0"], "--budget: '0'"),
        (["verify", "x", "--budget", ""], "--budget: ''"),
        (["verify", "x", "--require", "luck"], "'luck' is not one of"),
        (["verify", "x", "--json"], "requires an argument"),
        (["verify", "x", "--json", "-", "--markdown", "-"], "cannot both"),
        (["verify", "x", "--tracking-uri", "ftp://x/y"], "ftp://x/y is not the address"),
        (["verify", "", "--tracking-uri", "sqlite:///../mlflow.db"], "'' is not the name of a run"),
    ],
)
def test_wrong_usage_exits_2_and_names_what_is_wrong(lab: Lab, args: list[str], words: str) -> None:
    result = lab.reprocheck(*args)
    assert result.exit_code == 2, result.stdout
    assert words in told(result)
    assert "Traceback" not in told(result)
    assert lab.leftovers == []


@pytest.mark.parametrize("option", ["--json", "--markdown"])
@pytest.mark.parametrize("place", ["gone/report", "a-file/report", "."])
def test_an_output_that_cannot_be_written_is_refused_before_anything_runs(
    lab: Lab, tmp_path: Path, option: str, place: str
) -> None:
    (tmp_path / "a-file").touch()
    path = str(tmp_path / place)
    result = lab.reprocheck("verify", lab.seeded, "--tracking-uri", lab.uri, option, path)
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
    assert "read" not in result.stderr  # no stage was started


def test_two_outputs_are_two_files(tmp_path: Path) -> None:
    one, other = str(tmp_path / "a"), str(tmp_path / "." / "a")
    with pytest.raises(UsageError, match="--json and --markdown"):
        outputs.check_names({"--json": one, "--markdown": other})
    outputs.check_names({"--json": os.devnull, "--markdown": os.devnull})


@pytest.mark.parametrize("name", ["json", "markdown", "html", "junit", "sarif", "csv"])
def test_every_format_is_checked_before_anything_runs(tmp_path: Path, name: str) -> None:
    named: dict[str, str | None] = {"json": None, "markdown": None} | {name: str(tmp_path)}
    with pytest.raises(UsageError, match="cannot be written"):
        outputs.check(Outputs(**named, verbose=False, quiet=True))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_output_that_cannot_be_written_is_one_line_of_error(option: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "reprocheck", option],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.startswith("Error: writing the output failed: No space left")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_the_verdict_is_told_where_the_report_cannot_be_written_at_the_end(lab: Lab) -> None:
    result = lab.verify(lab.seeded, "--json", "/dev/full")
    assert (result.exit_code, result.stdout[:9]) == (3, "IDENTICAL")
    assert "/dev/full: No space left" in result.stderr


# --- the config file ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 1\nmetrcs: {}\n", "reprocheck.yaml:2"),
        ("version: 1\nmetrics:\n  a:\n    gate: perhaps\n", "reprocheck.yaml:4"),
        ("version: 1\nreruns:\n  budget: 0s\n", "reprocheck.yaml:3"),
        ("version: 1\nlimits: {timeout: 0h}\n", "reprocheck.yaml:2"),
        ("version: [\n", "reprocheck.yaml:"),
    ],
)
def test_a_wrong_config_is_told_with_file_and_line(
    lab: Lab, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "reprocheck.yaml"
    path.write_text(text)
    result = lab.verify(lab.seeded, "--config", str(path))
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Hint: " in result.stderr


@pytest.mark.parametrize(("margin", "code"), [("-1", 2), ("0", 2), ("5", 2), ("0.1", 0)])
def test_a_margin_in_the_config_is_above_zero(
    lab: Lab, tmp_path: Path, margin: str, code: int
) -> None:
    path = tmp_path / "reprocheck.yaml"
    metrics = f"metrics: {{accuracy: {{margin: {{abs: {margin}}}}}}}\n"
    path.write_text(f"version: 1\ncommand: python train.py\n{metrics}")
    result = lab.verify(lab.seeded, "--config", str(path), "--dry-run")
    assert result.exit_code == code, told(result)
    assert "accuracy" in told(result)


@pytest.mark.parametrize("place", ["gone.yaml", "."])
def test_a_config_that_is_no_file_is_told(lab: Lab, tmp_path: Path, place: str) -> None:
    result = lab.verify(lab.seeded, "--config", str(tmp_path / place))
    assert result.exit_code == 2
    assert str(tmp_path) in result.stderr


def test_the_config_in_the_repositorys_root_is_found_from_a_subfolder(lab: Lab) -> None:
    result = lab.verify(lab.seeded, "--dry-run", cwd=lab.repo.path / "data")
    assert result.exit_code == 0
    assert "python train.py --lr 0.005 --seed 7" in told(result)


# --- outputs ------------------------------------------------------------------------------


def test_json_and_markdown_are_both_written_beside_the_terminals_report(
    lab: Lab, tmp_path: Path
) -> None:
    paths = tmp_path / "größe.json", tmp_path / "größe.md"
    result = lab.verify(lab.seeded, "--json", str(paths[0]), "--markdown", str(paths[1]))
    assert (result.exit_code, result.stdout[:9]) == (0, "IDENTICAL")
    assert json.loads(paths[0].read_text("utf-8"))["verdict"] == "IDENTICAL"
    assert "IDENTICAL" in paths[1].read_text("utf-8").splitlines()[0]
    assert (tmp_path / "größe-logs/trial-1.log").read_text().endswith("trained\n")


def test_notes_are_told_only_when_asked_for(lab: Lab) -> None:
    brief, verbose = (lab.verify(lab.seeded, "--dry-run", *more) for more in ((), ("-v",)))
    notes = [item for item in brief.report["findings"] if item["severity"] == "note"]
    assert notes
    for note in notes:
        assert note["code"] not in brief.stdout
        assert note["code"] in verbose.stdout
    assert "--verbose" in brief.stdout


def test_standard_output_may_be_ascii(lab: Lab, tmp_path: Path) -> None:
    lab = copy_of(lab, tmp_path)
    lab.sql("UPDATE runs SET name = 'größe 实验'")
    env = {**lab.env, "PYTHONIOENCODING": "ascii"}
    argv = lab.command("verify", lab.seeded, "--tracking-uri", lab.uri)
    done = subprocess.run(argv, cwd=lab.repo.path, env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert done.stderr.isascii()
    assert done.stdout.startswith(b"IDENTICAL")


@pytest.mark.parametrize(
    "args", [("--help",), ("verify", "--help"), ("verify", "x", "--json", "-")]
)
def test_a_reader_that_goes_away_is_no_defect(lab: Lab, args: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    env = {**lab.env, "MLFLOW_TRACKING_URI": lab.uri}
    argv = lab.command(*args)
    done = subprocess.run(
        argv, cwd=lab.repo.path, env=env, stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert done.returncode == 141
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


def test_closed_streams_change_neither_verdict_nor_report(lab: Lab, tmp_path: Path) -> None:
    command = [*lab.command("verify", lab.seeded), "--json", str(tmp_path / "report.json")]
    env = {**lab.env, "MLFLOW_TRACKING_URI": lab.uri}
    shell = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *command]
    assert subprocess.run(shell, cwd=lab.repo.path, env=env, check=False).returncode == 0
    assert json.loads((tmp_path / "report.json").read_text())["verdict"] == "IDENTICAL"


@pytest.mark.parametrize("no_color", ["", "1"])
def test_colours_are_for_terminals_that_want_them(lab: Lab, no_color: str) -> None:
    env = {**lab.env, "MLFLOW_TRACKING_URI": lab.uri, "TERM": "xterm-256color"}
    env |= {"NO_COLOR": no_color} if no_color else {}
    ours, theirs = pty.openpty()
    argv = lab.command("verify", lab.seeded, "--dry-run", "-q")
    done = subprocess.run(
        argv, cwd=lab.repo.path, env=env, stdout=theirs, stderr=subprocess.PIPE, check=False
    )
    os.close(theirs)
    text = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert done.returncode == 0, done.stderr
    assert bool(re.search(r"\x1b\[[0-9;]*m", text)) is not bool(no_color)
    assert "accuracy" in text


def test_the_commands_that_are_listed_are_there() -> None:
    for name in cli.COMMANDS:
        context = cli.cli.make_context("reprocheck", [name, "--help"], resilient_parsing=True)
        command = cli.cli.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert sys.modules[f"reprocheck.cli.{name}"]


def test_an_error_outside_of_the_stages_moves_no_cursor_and_tells_no_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "reprocheck.yaml"
    config.write_text('version: 1\nreruns: {"\\e]0;x\\a https://me:hunter2@host/": 1}\n')
    assert cli.run(["verify", "abcd", "--config", str(config)]) == 2
    said = capsys.readouterr().err
    assert said.splitlines()[1].startswith("Hint: ")
    assert "\x1b" not in said
    assert "hunter2" not in said
