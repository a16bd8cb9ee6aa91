"""What a team asks for, in a real verification of a run in MLflow."""

import hashlib
import json

from tests.lab import copy_of

DEFINITION = """\
version: 1
hypothesis: |
  More rows raise the accuracy
  above 0.9.
metrics: {primary: {accuracy: {direction: higher}}}
sign_offs: [{role: risk}]
data: [{name: rows, path: data/train.csv, digest: "md5:00000000000000000000000000000000"}]
"""
CONFIG = "version: 1\nrecord: {artifacts: [model_card.md], schema: team.yaml}\n"


def told(result):
    return {each["code"]: each["severity"] for each in result.report["findings"]}


def test_a_verification_tells_what_the_team_asks_for(lab, tmp_path):
    own = copy_of(lab, tmp_path)
    folder = own.root / "artifacts/reprocheck"
    folder.mkdir(parents=True)
    (folder / "experiment.yaml").write_text(DEFINITION)
    own.sql("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", str(folder.parent), own.seeded)
    own.set_tag(own.seeded, "reprocheck.definition.sha256", digest(DEFINITION))
    own.set_tag(own.seeded, "dataset_version", "v3")
    data = [{"path": "data/train.csv", "md5": "f" * 32}]
    own.set_tag(own.seeded, "reprocheck.data", json.dumps(data))
    own.repo.write({"reprocheck.yaml": CONFIG, "team.yaml": "properties: {tags: {required: [a]}}"})

    result = own.verify(own.seeded, "--dry-run", "--verbose")
    found = told(result)
    for code in ("missing-artifact", "team-rule", "missing-approval", "unregistered-data"):
        assert found[code] == "warning", code
    assert "changed-definition" not in found
    record = result.report["record"]
    assert record["dataset_version"] == "v3"
    assert record["definition"]["sha256"] == digest(DEFINITION)
    assert "Hypothesis" in result.stdout
    assert "More rows raise the accuracy above 0.9." in result.stdout

    sensitive = DEFINITION + "sensitive: [personal]\n"
    (folder / "experiment.yaml").write_text(sensitive)
    own.set_tag(own.seeded, "reprocheck.definition.sha256", digest(sensitive))
    result = own.verify(own.seeded, "--dry-run", "--verbose")
    assert told(result)["sensitive-data"] == "note"
    assert result.report["detail"] == "minimal"
    assert "More rows" not in result.stdout + result.stderr

    own.set_tag(own.seeded, "reprocheck.definition.sha256", digest(DEFINITION))
    (folder / "experiment.yaml").write_text(DEFINITION.replace("higher", "lower"))
    result = own.verify(own.seeded, "--dry-run")
    assert result.exit_code == 3
    assert "changed after the run" in result.report["sentence"]


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()
