import shlex
import subprocess

import pytest

from reprocheck import mending
from reprocheck.model import Origin, OriginKind
from tests.reporters.builders import RUN_ID, make_record

TRACKER = {"/metrics": Origin(kind=OriginKind.TRACKER, where="sqlite:///a b.db")}


def test_a_tag_is_set_on_the_runs_own_tracker():
    line = mending.set_tag(make_record(origins=TRACKER), "reprocheck.tree", "clean")
    python, option, code, *words = shlex.split(line)
    assert (python, option) == ("python", "-c")
    assert "MlflowClient(sys.argv[1]).set_tag(*sys.argv[2:])" in code
    assert words == ["sqlite:///a b.db", RUN_ID, "reprocheck.tree", "clean"]


def test_without_an_address_the_environments_tracker_counts():
    words = shlex.split(mending.set_tag(make_record(), "a", "b"))
    assert "MlflowClient().set_tag(*sys.argv[1:])" in words[2]
    assert words[3:] == [RUN_ID, "a", "b"]


@pytest.mark.parametrize("value", ["$(touch x)", "'; touch x; '", "-c", "`id`", '"', "\\", "é ✓"])
def test_a_shell_takes_every_value_as_it_is(value, tmp_path):
    line = mending.shell("printf", "%s", value)
    done = subprocess.run(["sh", "-c", line], capture_output=True, cwd=tmp_path, check=True)
    assert done.stdout.decode() == value
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "\x1b[2J", "\u202e", "x" * 5000])
def test_what_cannot_be_shown_as_it_is_gets_no_line(value):
    assert mending.set_tag(make_record(), "a", value) == ""


@pytest.mark.parametrize("value", ["\u202e", "x" * 5000])
def test_a_line_of_a_file_shows_its_texts_as_they_are(value):
    assert mending.line("mlflow.log_param({}, x)", value) == ""


def test_python_takes_every_text_as_it_is():
    line = mending.line("print({})", 'a"); import os  # {}\n')
    assert line == 'print("a\\"); import os  # {}\\n")'
