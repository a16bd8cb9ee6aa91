"""determinism: recorded variables are restored, absent ones told."""

from __future__ import annotations

import pytest

from reprocheck.determinism import missing, settings
from reprocheck.model import Command
from tests.environments.samples import record


@pytest.mark.parametrize(
    "fields",
    [
        {"tags": {"env.PYTHONHASHSEED": "7"}},
        {"tags": {"reprocheck.env.PYTHONHASHSEED": "7"}},
        {"parameters": {"pythonhashseed": "7"}},
        {"parameters": {"env/PYTHONHASHSEED": "7"}},
        {"hardware": {"PYTHONHASHSEED": "7"}},
        {"seeds": {"PYTHONHASHSEED": "7"}},
        {"command": Command(steps=(), env={"PYTHONHASHSEED": "7"})},
    ],
)
def test_a_setting_is_found_wherever_it_is_recorded(fields):
    (found,) = settings(record(**fields))
    assert (found.name, found.value) == ("PYTHONHASHSEED", "7")


def test_the_commands_own_variable_wins():
    command = Command(steps=(), env={"OMP_NUM_THREADS": "2"})
    (found,) = settings(record(command=command, tags={"OMP_NUM_THREADS": "4"}))
    assert found.value == "2"


@pytest.mark.parametrize(
    "tags",
    [{"env.PATH": "/x"}, {"OMP_NUM_THREADS": ""}, {"OMP_NUM_THREADS": "1\n2"}, {"note": "1"}],
)
def test_nothing_else_becomes_a_variable(tags):
    assert settings(record(tags=tags)) == ()


def test_a_value_that_the_store_cut_is_not_restored():
    cut = record(parameters={"XLA_FLAGS": "--xla"}, truncated=frozenset({"XLA_FLAGS"}))
    assert settings(cut) == ()


def test_what_is_not_recorded_is_told_and_not_invented():
    known = settings(record(tags={"OMP_NUM_THREADS": "1"}))
    (finding,) = missing(record(), known)
    assert finding.message.endswith(": PYTHONHASHSEED")
    (finding,) = missing(record(hardware={"gpu": "A100"}), known)
    assert finding.message.endswith(": PYTHONHASHSEED, CUBLAS_WORKSPACE_CONFIG")
    (finding,) = missing(record(hardware={"gpu_count": "0", "gpus": "none"}), known)
    assert finding.message.endswith(": PYTHONHASHSEED")
    both = settings(record(tags={"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}))
    assert missing(record(), both) == ()
