import dataclasses

import pytest

from reprocheck.audit.completion import doubted
from reprocheck.command_templates import StepTemplate
from reprocheck.config import Config
from reprocheck.grading import grade
from reprocheck.metadata import validate
from reprocheck.model import Grade, Severity
from tests.reporters.builders import make_code, make_record

BARE = make_record(command=None, environment=None, files=(), code=make_code(script=None))
SCRIPT = dataclasses.replace(BARE, code=make_code(script="train.py"))


def severities(record, config=None):
    found = doubted(validate(record), record, config or Config())
    codes = ("missing-command", "missing-environment")
    return {each.code: each.severity for each in found if each.code in codes}


def test_a_run_without_a_command_and_a_script_cannot_be_verified():
    told = severities(BARE)
    assert told["missing-command"] is Severity.ERROR
    assert grade(doubted(validate(BARE), BARE, Config())) is Grade.NOT_VERIFIABLE


def test_what_is_left_to_the_files_at_the_commit_is_a_caveat():
    assert severities(SCRIPT) == {
        "missing-command": Severity.WARNING,
        "missing-environment": Severity.WARNING,
    }


def test_the_config_stands_in_for_the_record():
    config = Config(
        command=(StepTemplate(args=("python", "train.py")),), environment_file="lock.txt"
    )
    assert set(severities(BARE, config).values()) == {Severity.NOTE}


@pytest.mark.parametrize("kind", ["auto", "venv"])
def test_a_kind_alone_names_no_environment(kind):
    config = Config(environment_kind=kind)
    assert severities(SCRIPT, config)["missing-environment"] is Severity.WARNING
