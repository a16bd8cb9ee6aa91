import dataclasses
import os

import pytest

from reprocheck.config import Config
from reprocheck.model import RecordRules, Requirement, TreeState, UntrackedFile
from reprocheck.required import Around, findings
from tests.reporters.builders import make_code, make_definition, make_record

RECORD = make_record(definition=make_definition())
SPEC = RECORD.environment
WEAK = dataclasses.replace(RECORD.data[0], weak=True)


def found(requirement, root=None, **changes):
    rules = RecordRules(require=(Requirement(requirement),), place="reprocheck.yaml:3")
    around = Around(config=Config(record=rules), root=root, env=dict(os.environ))
    return list(findings(dataclasses.replace(RECORD, **changes), around))


@pytest.mark.parametrize("requirement", [each for each in Requirement if each != "pushed-commit"])
def test_a_complete_record_meets_every_requirement(requirement):
    assert found(requirement) == []


@pytest.mark.parametrize(
    ("requirement", "changes", "pointer"),
    [
        ("clean-tree", {"code": make_code(tree=TreeState.DIRTY)}, "/code/tree"),
        ("clean-tree", {"code": make_code(tree=TreeState.UNKNOWN)}, "/code/tree"),
        ("pushed-commit", {"code": make_code(commit="")}, "/code/commit"),
        ("tracked-imports", {"code": make_code(tree=TreeState.UNKNOWN)}, "/code/tree"),
        (
            "tracked-imports",
            {
                "code": make_code(
                    untracked=(UntrackedFile(path="-a.py", sha256=None, artifact=None),)
                )
            },
            "/code/untracked",
        ),
        ("pinned-environment", {"environment": None}, "/environment"),
        (
            "pinned-environment",
            {"environment": dataclasses.replace(SPEC, content=b"numpy>=1\n")},
            "/environment",
        ),
        ("data-hash", {"data": ()}, "/data"),
        ("data-hash", {"data": (WEAK,)}, "/data"),
        ("definition", {"definition": None}, "/definition"),
        ("seed", {"seeds": {}}, "/seeds"),
    ],
)
def test_what_is_required_and_lacks_is_an_error(requirement, changes, pointer):
    (finding,) = found(requirement, **changes)
    assert (finding.code, finding.severity) == (f"required-{requirement}", "error")
    assert finding.message.startswith(f"reprocheck.yaml:3 requires {requirement}: ")
    assert finding.pointer == pointer
    assert finding.fix
    assert finding.hint


def test_files_that_are_no_code_need_not_be_tracked():
    notes = UntrackedFile(path="notes.txt", sha256=None, artifact=None)
    assert found("tracked-imports", code=make_code(untracked=(notes,))) == []


def test_a_commit_that_nobody_here_knows_is_a_warning(repo):
    assert [each.severity for each in found("pushed-commit")] == ["warning"]
    assert [each.severity for each in found("pushed-commit", root=repo.path)] == ["warning"]


def test_a_commit_is_pushed_on_a_branch_or_kept_for_the_run(repo, tmp_path):
    repo.git("init", "--quiet", "--bare", str(tmp_path / "remote"))
    repo.git("remote", "add", "origin", str(tmp_path / "remote"))
    pushed = repo.commit({"train.py": "1"})
    repo.git("push", "--quiet", "origin", "main")
    local = repo.commit({"train.py": "2"})
    changes = {"root": repo.path, "code": make_code(commit=local)}
    assert found("pushed-commit", root=repo.path, code=make_code(commit=pushed)) == []
    (finding,) = found("pushed-commit", **changes)
    assert finding.severity == "error"
    repo.git(*finding.fix.split()[1:])
    assert found("pushed-commit", **changes) == []
