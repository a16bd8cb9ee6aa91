"""`reprocheck compare`: record files, runs of a real tracker, and plain values."""

import json

import pytest

from reprocheck import schema
from reprocheck.detail import dump
from reprocheck.documents import record_document, report_document
from reprocheck.model import RunRef
from reprocheck.trackers.mlflow_settings import client_settings
from tests.lab import Lab, Result, copy_of
from tests.reporters.builders import make_definition, make_metric, make_record, make_report

VALUES = ("--original", "accuracy=0.91", "--values", "accuracy=0.91,0.92,0.90")


def told(result: Result) -> str:
    return " ".join((result.stdout + result.stderr).split())


@pytest.fixture
def compare(tmp_path, lab):
    """Runs `reprocheck compare` in an empty folder; the report is beside the result."""

    def run(*args) -> Result:
        out = tmp_path / "out.json"
        out.unlink(missing_ok=True)
        result = lab.reprocheck("compare", *map(str, args), "--json", str(out), cwd=tmp_path)
        if out.exists():
            result.report = json.loads(out.read_text())
            assert schema.check(result.report, "report") == ()
        return result

    return run


@pytest.fixture
def files(tmp_path):
    """Record files of runs with these accuracies, the first is the original's."""

    def write(*accuracies, **changes) -> list[str]:
        paths = []
        for number, value in enumerate(accuracies):
            path = tmp_path / f"run-{number}.json"
            metrics = {"accuracy": make_metric("accuracy", value)}
            ref = RunRef(tracker="mlflow", run_id=f"{number:032x}")
            own = changes if number else {"definition": changes.get("definition")}
            record = make_record(ref=ref, metrics=metrics, siblings=(), **own)
            path.write_text(dump(record_document(record)))
            paths.append(path.name)
        return paths

    return write


# --- plain values -------------------------------------------------------------------------


def test_the_issues_own_line(compare):
    result = compare(*VALUES)
    assert (result.exit_code, result.verdict) == (0, "CONSISTENT")
    assert result.report["plan"] == {"least": 3, "most": 3, "alpha": 0.05, "seeds": "same"}
    assert "judged once, after 3 reruns, level 5 %" in told(result)
    assert result.report["gates"] == {"metrics": ["accuracy"], "reason": "named by --values"}
    statuses = {stage["stage"]: stage["status"] for stage in result.report["stages"]}
    assert [name for name, status in statuses.items() if status == "passed"] == ["read", "compare"]


@pytest.mark.parametrize(
    ("args", "code", "verdict"),
    [
        ((*VALUES, "--margin", "accuracy=0.05"), 0, "REPRODUCED"),
        ((*VALUES, "--margin", "accuracy=0.05", "--alpha", "0.001"), 11, "INCONCLUSIVE"),
        ((*VALUES, "--require", "reproduced"), 11, "CONSISTENT"),
        (("--original", "a=0.91", "--values", "a=0.5,0.51,0.52,0.5,0.51"), 11, "INCONCLUSIVE"),
        (
            ("--original", "a=0.91", "--values", "a=0.5,0.51,0.52,0.5,0.51", "--seeds", "fresh"),
            10,
            "NOT_REPRODUCED",
        ),
        (("--original", "a=0.1234567", "--values", "a=0.1234567,0.1234567"), 0, "IDENTICAL"),
        (("--original", "a=nan", "--values", "a=nan,NaN"), 0, "IDENTICAL"),
        (("--original", "a=1", "--values", "a=inf,1,1"), 11, "INCONCLUSIVE"),
        (("--original", "a=-1e-3", "--values", "a=-.001"), 11, "INCONCLUSIVE"),
    ],
)
def test_plain_values_are_judged(compare, args, code, verdict):
    result = compare(*args)
    assert (result.exit_code, result.verdict) == (code, verdict), told(result)


def test_several_originals_are_pooled(compare):
    result = compare("--original", "a=0.9,0.92,0.91", "--values", "a=0.91,0.92,0.9", "--margin",
                     "a=0.05")  # fmt: skip
    (comparison,) = result.report["comparisons"]
    assert comparison["baseline"] == [0.9, 0.92, 0.91]
    assert result.exit_code == 0


def test_several_metrics_are_judged_together(compare):
    result = compare(*VALUES, "--original", "loss=1", "--values", "loss=1,1.1,0.9")
    assert {each["metric"] for each in result.report["comparisons"]} == {"accuracy", "loss"}
    assert all(each["gated"] for each in result.report["comparisons"])
    one = compare(*VALUES, "--original", "loss=1", "--values", "loss=1,1.1,9", "--gate", "accuracy")
    assert [each["metric"] for each in one.report["comparisons"] if each["gated"]] == ["accuracy"]


def test_the_config_counts_for_the_metrics_that_are_named(compare, tmp_path):
    path = tmp_path / "reprocheck.yaml"
    path.write_text(
        "version: 1\nreruns: {alpha: 0.1}\nbaselines: [abcd]\nmetrics:\n"
        "  accuracy: {margin: {abs: 0.05}}\n  loss: {margin: {abs: 1}, gate: true}\n"
    )
    result = compare(*VALUES)
    assert (result.exit_code, result.verdict) == (0, "REPRODUCED"), told(result)
    assert result.report["comparisons"][0]["margin"]["text"] == "0.05 (reprocheck.yaml)"
    looser = compare(*VALUES, "--margin", "accuracy=0.06")
    assert "looser-margin" in told(looser)


def test_no_option_of_another_command_is_advised(compare):
    result = compare("--original", "a=0.9", "--values", "a=0.9")
    assert "--reruns" not in told(result)
    assert "more reruns, 3 in all" in result.report["needed"]


# --- record files -------------------------------------------------------------------------


def test_record_files_are_judged(compare, files):
    names = files(0.911, 0.912, 0.91, 0.911)
    result = compare(*names, "--margin", "accuracy=0.02")
    assert (result.exit_code, result.verdict) == (0, "REPRODUCED"), told(result)
    assert result.report["comparisons"][0]["reruns"] == [0.912, 0.91, 0.911]
    assert result.report["record"]["run_id"] == "0" * 32
    assert result.report["findings"] == []


def test_a_report_counts_by_its_record(compare, files, tmp_path):
    names = files(0.9611, 0.96, 0.962, 0.961)
    (tmp_path / "report.json").write_text(dump(report_document(make_report())))
    result = compare("report.json", *names[1:], "--margin", "accuracy=0.05", "--gate", "accuracy")
    assert result.verdict == "REPRODUCED"
    assert result.report["comparisons"][0]["baseline"] == [0.9611]


def test_further_originals_are_pooled(compare, files):
    first, more, *reruns = files(0.91, 0.92, 0.912, 0.91, 0.911)
    result = compare(first, *reruns, "--baseline", more)
    assert result.report["comparisons"][0]["baseline"] == [0.91, 0.92]


def test_runs_of_other_parameters_are_told_and_judged(compare, files):
    names = files(0.91, 0.91, 0.92, 0.9, parameters={"lr": "0.2", "seed": "1"})
    result = compare(*names)
    findings = [item["code"] for item in result.report["findings"]]
    assert (result.exit_code, findings) == (0, ["other-recipe"] * 3)


def test_fresh_seeds_are_told_by_the_records(compare, files):
    shifted = (0.91, 0.5, 0.51, 0.52, 0.5, 0.51)
    assert compare(*files(*shifted)).verdict == "INCONCLUSIVE"
    assert compare(*files(*shifted, seeds={"seed": "7"})).verdict == "NOT_REPRODUCED"
    forced = compare(*files(*shifted, seeds={"seed": "7"}), "--seeds", "same")
    assert forced.verdict == "INCONCLUSIVE"


def test_the_definition_of_the_record_counts(compare, files):
    names = files(0.91, 0.91, 0.92, 0.9, definition=make_definition(secondary=()))
    result = compare(*names, "--margin", "accuracy=0.05")
    assert result.report["gates"]["reason"].startswith("the primary and secondary metrics of")
    assert "looser-margin" in [item["code"] for item in result.report["findings"]]


def test_a_thinned_history_is_no_proof_of_identity(compare, tmp_path):
    names = []
    for number in range(2):
        ref = RunRef(tracker="mlflow", run_id=f"{number:032x}")
        metrics = {
            "accuracy": make_metric("accuracy", 0.5),
            "curve": make_metric("curve", *(1 / i for i in range(1, 9)), 0.5),
        }
        document = record_document(make_record(ref=ref, metrics=metrics, siblings=()))
        document["metrics"]["curve"]["points"] += number
        (tmp_path / f"{number}.json").write_text(dump(document))
        names.append(f"{number}.json")
    assert compare(*names, "--gate", "accuracy").verdict == "INCONCLUSIVE"
    whole = json.loads((tmp_path / "1.json").read_text())
    whole["metrics"]["curve"]["points"] -= 1
    (tmp_path / "1.json").write_text(json.dumps(whole))
    assert compare(*names, "--gate", "accuracy").verdict == "IDENTICAL"


# --- runs of a tracker --------------------------------------------------------------------


@pytest.fixture(scope="module")
def logged(lab: Lab, tmp_path_factory) -> Lab:
    """A copy of the lab whose tracker has more runs, by MLflow's own client."""
    return copy_of(lab, tmp_path_factory.mktemp("logged"))


def log(lab: Lab, accuracy: float, **parameters: str) -> str:
    with client_settings(lab.uri):
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=lab.uri, registry_uri=lab.uri)
        run_id = str(client.create_run("1").info.run_id)
        for name, value in parameters.items():
            client.log_param(run_id, name, value)
        client.log_metric(run_id, "accuracy", accuracy)
        client.set_terminated(run_id)
    return run_id


def test_runs_of_a_tracker_are_judged_and_mixed_with_files(logged, compare, tmp_path):
    runs = [log(logged, value, lr="1", seed=str(i)) for i, value in enumerate((0.91, 0.9, 0.92))]
    named = [runs[0][:8], f"runs:/{runs[1]}", runs[2]]
    result = compare(*named, "--tracking-uri", logged.uri, "--margin", "accuracy=0.2")
    assert (result.report["record"]["run_id"], result.exit_code) == (runs[0], 11), told(result)
    assert runs[1][:8] in result.report["stages"][0]["summary"]
    (tmp_path / "first.json").write_text(json.dumps(result.report))
    args = ("first.json", *named[1:], log(logged, 0.915, lr="1", seed="7"))
    more = compare(*args, "--tracking-uri", logged.uri, "--margin", "accuracy=0.2")
    assert (more.verdict, more.exit_code) == ("REPRODUCED", 0), told(more)
    assert more.report["findings"] == []


def test_an_unknown_run_is_wrong_usage(logged, compare):
    result = compare(logged.seeded, "f" * 32, "--tracking-uri", logged.uri)
    assert result.exit_code == 2
    assert "f" * 32 in told(result)


def test_the_tracker_of_the_repository_is_found(logged):
    result = logged.reprocheck("compare", logged.seeded, logged.unseeded, "-q")
    assert result.exit_code == 2
    assert "no tracker is named" in result.stderr
    (logged.repo.path / "mlflow.db").symlink_to(logged.root / "mlflow.db")
    result = logged.reprocheck("compare", logged.seeded, logged.unseeded, "-q")
    (logged.repo.path / "mlflow.db").unlink()
    assert result.exit_code in (10, 11), told(result)


# --- wrong usage --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "there is nothing to compare"),
        (("a.json",), "there is nothing to compare"),
        (("gone.json", "b.json"), "reading gone.json: No such file"),
        (("abcd1234", "abcd1235"), "no tracker is named"),
        (("--original", "a=1"), "--values gives no values of a"),
        (("--values", "a=1"), "--original gives no values of a"),
        (("--original", "a=1", "--values", "b=1"), "--values gives no values of a"),
        (("--original", "a=x", "--values", "a=1"), "--original a=x: expected METRIC=VALUE"),
        (("--original", "a=1", "--values", "a="), "--values a=: expected"),
        (("--original", "a=1", "--values", "a=1,,2"), "--values a=1,,2: expected"),
        (("--original", "a=1", "--values", "a=1_0"), "expected METRIC=VALUE"),
        (("--original", "a=1", "--values", "a=1e999"), "--values a=1e999: expected"),
        (("--original", "=1", "--values", "a=1"), "--original =1: expected"),
        (("--original", "a=1", "--original", "a=2", "--values", "a=1"), "a is given twice"),
        ((*VALUES, "--original", "b=1", "--values", "b=1"), "accuracy has 3, b has 1"),
        (("x.json", *VALUES), "runs (x.json) and plain values cannot be compared"),
        ((*VALUES, "--baseline", "x"), "plain values cannot be compared"),
        ((*VALUES, "--alpha", "0.5"), "0.5 is not in the range"),
        ((*VALUES, "--alpha", "nan"), "--alpha nan: expected a number"),
        ((*VALUES, "--gate", "acuracy"), "--gate acuracy: the run never logged it"),
        ((*VALUES, "--alpha", "0"), "0.0 is not in the range"),
        ((*VALUES, "--margin", "loss=1"), "margin is declared for loss"),
        ((*VALUES, "--margin", "accuracy=0"), "--margin accuracy=0"),
        ((*VALUES, "--sigma", "accuracy"), "--sigma accuracy"),
        ((*VALUES, "--sigma", "loss=1"), "given for loss (--sigma), which the run never logged"),
        ((*VALUES, "--config", "gone.yaml"), "gone.yaml"),
        ((*VALUES, "--markdown", "gone/x.md"), "cannot be written"),
    ],
)
def test_wrong_usage_exits_2_and_names_what_is_wrong(compare, args, words):
    result = compare(*args)
    assert result.exit_code == 2, told(result)
    assert words in told(result)
    assert "Traceback" not in told(result)


def test_a_gated_metric_that_a_rerun_lacks_is_not_comparable(compare, files, tmp_path):
    names = files(0.91, 0.92)
    document = json.loads((tmp_path / names[1]).read_text())
    document["metrics"] = {"other": document["metrics"]["accuracy"]}
    (tmp_path / names[1]).write_text(json.dumps(document))
    assert compare(*names).exit_code == 3


def test_a_hostile_record_moves_no_cursor(compare, files, tmp_path):
    names = files(0.91, 0.92, 0.9, 0.91)
    document = json.loads((tmp_path / names[0]).read_text())
    document["name"] = "\x1b[31mred"
    document["run_id"] = "a\x1b]0;x\x07"
    (tmp_path / names[0]).write_text(json.dumps(document))
    result = compare(*names)
    assert "\x1b" not in result.stdout + result.stderr
