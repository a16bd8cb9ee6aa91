import dataclasses

import pytest

from reprocheck.model import Argv, Command, Lineage, Severity, ShellLine, Step
from reprocheck.unlogged_arguments import findings
from tests.reporters.builders import make_record

RUN = "python train.py"


def found(line, parameters=None, **changes):
    run = ShellLine(line=line) if changes.pop("shell", False) else Argv(args=tuple(line.split(" ")))
    command = Command(steps=(Step(run=run),))
    record = make_record(command=command, parameters=parameters or {}, **changes)
    return list(findings(record))


@pytest.mark.parametrize(
    ("arguments", "parameters"),
    [
        ("--lr 0.1", {"lr": "0.1"}),
        ("--lr=1e-1", {"lr": "0.1"}),
        ("--learning-rate 0.10", {"learning_rate": "0.1"}),
        ("--lr -0.1", {"lr": "-0.1"}),
        ("lr=0.1", {"lr": "0.1"}),
        ("model.lr=0.1", {"model/lr": "0.1"}),
        ("+model.lr=0.1", {"lr": "0.1"}),
        ("--lr 0.1", {"base_rate": "0.1"}),  # under another name
        ("--layers 10 20", {"layers": "[10, 20]"}),
        ("model.layers=[1,2]", {"model.layers": "[1, 2]"}),
        ("--amp 1", {"amp": "True"}),
        ("--augment", {"augment": "True"}),
        ("--no-augment", {"augment": "False"}),
        ("--lr 0.1", {"lr": "0." + "0" * 498}),  # cut by the store
        ("0.1", {"lr": "0.1"}),
    ],
)
def test_an_argument_that_a_parameter_shows_is_no_finding(arguments, parameters):
    truncated = frozenset(name for name, text in parameters.items() if len(text) > 250)
    assert found(f"{RUN} {arguments}", parameters, truncated=truncated) == []


@pytest.mark.parametrize(
    "arguments",
    [
        "--data data/train.csv",
        "--config base",
        "--output-dir results",
        "--run-name third",
        "--num-workers 4 --device cuda:0 --gpus 2",
        "--seed 42",
        "-v --verbose --debug",
        "fit",
        "~model.dropout",
        "hydra.run.dir=outputs/1",
        "--url http://example.org/x",
    ],
)
def test_what_is_no_hyperparameter_is_no_finding(arguments):
    assert found(f"{RUN} {arguments}", seeds={"seed": "42"}) == []


@pytest.mark.parametrize(
    ("arguments", "told", "fix"),
    [
        ("--lr 0.1", "lr=0.1", "mlflow.log_params(vars(args))"),
        ("--augment --lr=0.1", "lr=0.1, --augment", "mlflow.log_params(vars(args))"),
        ("0.1", "0.1", "mlflow.log_params(vars(args))"),
        ("model.lr=0.1", "model.lr=0.1", "OmegaConf"),
        ("--a 2 --b 3 --c 4 --d 5 --e 6 --f 7", "and 1 more", "vars(args)"),
    ],
)
def test_what_no_parameter_shows_is_a_note(arguments, told, fix):
    (finding,) = found(f"{RUN} {arguments}", {"depth": "9"})
    assert (finding.code, finding.severity) == ("unlogged-argument", Severity.NOTE)
    assert finding.pointer == "/command/steps/0"
    assert told in finding.message
    assert fix in finding.fix


def test_nobody_is_asked_to_log_a_secret():
    assert (
        found("python train.py --api-key=*** --db postgres://***@host/x --lr 0.1", {"lr": "0.1"})
        == []
    )


def test_a_parameter_that_says_another_number_is_a_warning():
    (finding,) = found(f"{RUN} --lr 0.1", {"lr": "0.2"})
    assert (finding.severity, finding.pointer) == (Severity.WARNING, "/parameters/lr")
    assert "lr=0.1" in finding.message
    assert "says 0.2" in finding.message


def test_a_child_run_may_have_tried_another_value_and_its_parents_parameters_count():
    lineage = Lineage(parent="p", depth=1, place=0, parent_parameters={"epochs": "5"})
    assert found(f"{RUN} --lr 0.1 --epochs 5", {"lr": "0.2", "x": "0.1"}, lineage=lineage) == []
    (told,) = found(f"{RUN} --lr 0.1", {"lr": "0.2"}, lineage=lineage)
    assert told.severity is Severity.NOTE


def test_the_options_of_a_launcher_are_not_the_scripts():
    line = "python -m torch.distributed.run --max-restarts 7 train.py --lr 0.1"
    assert found(line, {"lr": "0.1"}) == []
    assert found("python -X 8 -m pkg.train --lr 0.1", {"lr": "0.1"}) == []


def test_a_shell_line_is_read_as_far_as_it_says_what_it_means():
    (finding,) = found("LR=3 python train.py --lr 0.1 --n $N > log.txt", shell=True)
    assert finding.message.endswith("given: lr=0.1")


def test_a_run_without_a_command_has_no_finding():
    assert list(findings(make_record(command=None, parameters={}))) == []


def test_every_step_has_its_own_finding():
    steps = tuple(
        Step(run=Argv(args=("python", "s.py", "--depth", str(depth)))) for depth in (3, 4)
    )
    record = dataclasses.replace(make_record(), command=Command(steps=steps))
    assert [each.pointer for each in findings(record)] == ["/command/steps/0", "/command/steps/1"]
