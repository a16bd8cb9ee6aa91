"""docs/records.md: its examples do what it says, and its tables name what there is."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
import yaml

from reprocheck import config, schema
from reprocheck.definition import read_definition
from reprocheck.model import (
    Approval,
    Material,
    Origin,
    OriginKind,
    RecordedFile,
    RecordRules,
    TreeState,
)
from reprocheck.record_files import read_record_file
from reprocheck.record_template import KEYS, SHARED
from reprocheck.team_rules import team_findings
from tests.reporters.builders import make_code, make_definition, make_metric, make_record

TEXT = (Path(__file__).parents[1] / "docs/records.md").read_text()


def blocks(language, part):
    found = re.findall(rf"^```{language}\n(.*?)^```$", section(part), re.MULTILINE | re.DOTALL)
    assert found
    return found


def section(name):
    return TEXT.split(f"\n## {name}\n")[1].split("\n## ")[0]


def test_the_template_is_read_without_a_finding(tmp_path):
    (example,) = blocks("json", "The usual template")
    (tmp_path / "record.json").write_text(example)
    record = read_record_file(tmp_path / "record.json")
    assert (record.data[0].path, record.dataset_version) == ("data/train.csv", "labels v3")
    assert record.findings == ()
    assert set(json.loads(example)) == set(KEYS)


def test_the_tables_name_every_key():
    text = section("The usual template")
    assert set(re.findall(r"^\| `(\w+)`", text, re.MULTILINE)) == set(KEYS)
    assert [key for key in SHARED if f"`{key}`" not in text] == []
    whole = TEXT.split("\n## ")[0]
    known = set(schema.load("run")["properties"]) - {"schema_version", "lineage", "capture"}
    assert {key for key in known if f"`{key}`" not in whole} <= {"siblings", "peers"}
    keys = set(re.findall(r"^\| `(\w+)`", section("The experiment definition"), re.MULTILINE))
    assert keys == set(schema.load("experiment")["properties"]) - {"version"}


def test_the_config_is_one(tmp_path):
    path = tmp_path / "reprocheck.yaml"
    path.write_text(blocks("yaml", "Rules of your team")[0])
    assert config.load(path).record.artifacts == ("model_card.md", "risk/*.pdf")


REVIEW = Approval(by="ann", what="", role="reviewer", commit="0123456")
GOOD = {
    "tags": {"owner": "ann", "risk": "low"},
    "approvals": (REVIEW,),
}


@pytest.mark.parametrize(
    ("index", "changes", "pointers"),
    [
        (1, {}, []),
        (1, {"tags": {"owner": "ann"}}, ["/tags"]),
        (1, {"tags": {"owner": "ann", "risk": "some"}}, ["/tags/risk"]),
        (1, {"metrics": {"Val Acc": make_metric("Val Acc", 1.0)}}, ["/metrics"]),
        (2, {}, []),
        (2, {"approvals": (dataclasses.replace(REVIEW, commit=""),)}, ["/approvals"]),
        (2, {"approvals": (dataclasses.replace(REVIEW, role="author"),)}, ["/approvals"]),
        (2, {"tags": {"risk": "high"}}, ["/approvals"]),
        (2, {"tags": {"risk": "high"}, "approvals": (REVIEW, REVIEW)}, []),
        (3, {}, []),
        (3, {"seeds": {}}, ["/seeds"]),
        (3, {"data": ()}, ["/data"]),
        (3, {"code": make_code(tree=TreeState.UNKNOWN)}, ["/code/tree"]),
    ],
)
def test_the_schemas_refuse_what_they_should(tmp_path, index, changes, pointers):
    path = tmp_path / "team.schema.yaml"
    path.write_text(blocks("yaml", "Rules of your team")[index])
    found = team_findings(make_record(**{**GOOD, **changes}), RecordRules(schema=path))
    assert [finding.pointer for finding in found] == pointers


def test_a_weak_digest_is_refused_by_the_example(tmp_path):
    weak: Material = dataclasses.replace(make_record().data[0], weak=True)
    path = tmp_path / "team.schema.yaml"
    path.write_text(blocks("yaml", "Rules of your team")[3])
    (finding,) = team_findings(make_record(data=(weak,)), RecordRules(schema=path))
    assert finding.message == "/data/0/weak: must be false, not true (team.schema.yaml)"


def test_the_words_of_a_schema_are_told(tmp_path):
    path = tmp_path / "team.schema.yaml"
    path.write_text(blocks("yaml", "Rules of your team")[1])
    record = make_record(tags=GOOD["tags"], metrics={"Acc": make_metric("Acc", 1.0)})
    (finding,) = team_findings(record, RecordRules(schema=path))
    assert finding.hint == "Metrics are written in lower case: val_accuracy."


def test_the_definition_is_one():
    (text,) = blocks("yaml", "The experiment definition")
    origin = Origin(kind=OriginKind.ARTIFACT, where="experiment.yaml")
    found, findings = read_definition(
        [RecordedFile(path="experiment.yaml", content=text.encode(), origin=origin)]
    )
    assert findings == ()
    assert set(yaml.safe_load(text)) == set(schema.load("experiment")["properties"])
    assert (found.sign_offs[0].by, found.data[0].owner) == (("ann", "bob"), "vision")
    assert found.sensitive == ("personal",)
    assert make_definition().sensitive == ()
