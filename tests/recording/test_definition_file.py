import re

import pytest
import yaml

from reprocheck import schema
from reprocheck.errors import UsageError
from reprocheck.recording import definition_file, write_template
from reprocheck.recording.template import TEMPLATE
from tests.recording.conftest import codes

GOOD = "version: 1\nmetrics: {primary: {accuracy: {direction: higher}}}\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (GOOD, None),
        (None, "no-definition"),
        ("version: 1\n", "bad-definition"),
        ("version: 2\n", "bad-definition"),
        ("a: [", "bad-definition"),
        ("a: 1\n" * 300_000, "bad-definition"),
        (b"\xff\xfe", "bad-definition"),
    ],
)
def test_a_definition_has_to_be_there_and_valid(repo, situate, text, code):
    repo.commit({"experiment.yaml": text} if text else {})
    assert codes(definition_file.check(situate())) == ([code] if code else [])


def test_a_definition_that_git_does_not_know_is_not_fixed(repo, situate):
    repo.commit()
    repo.write({"experiment.yaml": GOOD})
    (lack,) = definition_file.check(situate())
    assert lack.finding.fix.startswith("git add -- experiment.yaml")
    kept = frozenset({"experiment.yaml"})
    assert definition_file.check(situate(kept=kept, allow_patch=True)) == ()


def test_the_definition_that_capture_records_is_looked_at(repo, situate):
    repo.commit({"experiment.yaml": "version: 2\n", "sub/experiment.yaml": GOOD, "b.yaml": GOOD})
    assert definition_file.check(situate(cwd=repo.path / "sub")) == ()
    assert definition_file.check(situate(env={"REPROCHECK_DEFINITION": "b.yaml"})) == ()
    assert codes(definition_file.check(situate())) == ["bad-definition"]


def test_the_template_follows_the_schema_as_it_is_and_with_all_that_is_commented(tmp_path):
    write_template(tmp_path / "experiment.yaml")
    text = (tmp_path / "experiment.yaml").read_text()
    assert schema.check(yaml.safe_load(text), "experiment") == ()
    whole = yaml.safe_load(uncommented(text))
    assert schema.check(whole, "experiment") == ()
    shown = schema.load("experiment")
    assert set(whole) >= set(shown["properties"])
    metrics = {**whole["metrics"]["primary"], **whole["metrics"]["secondary"]}
    keys = {key for each in metrics.values() for key in each}
    assert keys >= set(shown["$defs"]["metric"]["properties"])


def uncommented(text):
    """The file with its optional keys; what stands below "# KEY" as a sentence stays a comment."""
    return "\n".join(re.sub(r"^( *)# (?= *(- )?\w+:)", r"\1", line) for line in text.splitlines())


def test_a_definition_that_exists_is_never_overwritten(tmp_path):
    path = tmp_path / "experiment.yaml"
    path.write_text(GOOD)
    with pytest.raises(UsageError, match="exists"):
        write_template(path)
    assert path.read_text() == GOOD
    assert TEMPLATE.startswith("# ")
