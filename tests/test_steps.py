"""Where a rerun of several steps starts, what it restores, and what it refuses."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from reprocheck.command import CommandFound, PipelineStep
from reprocheck.errors import SourceError, UsageError
from reprocheck.model import (
    Argv,
    Command,
    Given,
    Material,
    MaterialPlace,
    Origin,
    OriginKind,
    ShellLine,
    Step,
)
from reprocheck.steps import begin_at, settle

DIGEST = "d41d8cd98f00b204e9800998ecf8427e"
HERE = Origin(kind=OriginKind.CONFIG, where="reprocheck.yaml: data")


def material(path: str, digest: str = DIGEST, where: str = "", *, weak: bool = False) -> Material:
    origin = Origin(kind=OriginKind.FILE, where=where) if where else HERE
    return Material(
        path=path, algorithm="md5", digest=digest, size=None, files=None, origin=origin, weak=weak
    )


def part(name: str, read: str = "", made: str = "", **changes: object) -> PipelineStep:
    defaults: dict[str, object] = {
        "steps": (Step(run=ShellLine(line=name), name=name),),
        "reads": frozenset(read.split()),
        "makes": frozenset(made.split()),
        "proofs": {path: material(path, where="dvc.lock") for path in made.split()},
    }
    return PipelineStep(name=name, **(defaults | changes))  # type: ignore[arg-type]


def pipeline(*parts: PipelineStep) -> CommandFound:
    parts = parts or (
        part("prepare", "raw.csv", "data unused.txt"),
        part("train@a", "data/clean.csv params.txt", "model"),
        part("evaluate", "model test.csv", "scores.json"),
    )
    return CommandFound(
        command=Command(steps=tuple(step for each in parts for step in each.steps)),
        origin=Origin(kind=OriginKind.FILE, where="DVC stages"),
        made=frozenset(path for each in parts for path in each.makes or ()),
        parts=parts,
    )


def names(found: CommandFound) -> list[str]:
    return [step.name for step in found.command.steps]


def test_from_the_first_step_nothing_that_a_step_makes_is_restored(tmp_path: Path) -> None:
    chosen = [material("raw.csv"), material("data/clean.csv"), material("model")]
    settled = settle(begin_at(pipeline(), None), chosen, tmp_path)
    assert [item.path for item in settled.materials] == ["raw.csv"]
    assert [finding.code for finding in settled.findings] == ["made-anew", "made-anew"]
    assert settled.scope
    assert settled.scope.rerun == ("prepare", "train@a", "evaluate")
    assert (settled.scope.skipped, settled.scope.given) == ((), ())


@pytest.mark.parametrize("start", ["train@a", "train"])
def test_from_a_later_step_only_what_it_reads_is_restored(tmp_path: Path, start: str) -> None:
    found = begin_at(pipeline(), start)
    assert names(found) == ["train@a", "evaluate"]
    assert found.made == {"model", "scores.json"}, "what the skipped step made stays"
    chosen = [material("raw.csv", where="dvc.lock"), material("test.csv", where="dvc.lock")]
    settled = settle(found, chosen, tmp_path)
    assert [item.path for item in settled.materials] == ["test.csv", "data"]
    assert settled.scope
    assert settled.scope.skipped == ("prepare",)
    assert settled.scope.given == (Given(path="data", digest=DIGEST, made_by="prepare"),)
    (finding,) = settled.findings
    assert finding.code == "started-later"
    assert "about train@a, evaluate, given data" in finding.message


def test_a_digest_of_the_record_or_config_wins_over_the_lock(tmp_path: Path) -> None:
    found = begin_at(pipeline(), "train")
    settled = settle(found, [material("data/clean.csv", "e" * 32)], tmp_path)
    assert [(item.path, item.digest) for item in settled.materials] == [
        ("data/clean.csv", "e" * 32)
    ]


@pytest.mark.parametrize(
    ("changes", "chosen", "why"),
    [
        ({"unproved": "the lock is stale"}, [], "the lock is stale"),
        ({"proofs": {}}, [], "nothing names its digest"),
        ({"proofs": {}}, [material("data", weak=True)], "nothing names its digest"),
    ],
)
def test_what_nothing_proves_is_refused(
    tmp_path: Path, changes: dict[str, object], chosen: list[Material], why: str
) -> None:
    parts = part("prepare", "raw.csv", "data", **changes), part("train", "data", "model")
    with pytest.raises(SourceError, match=why) as caught:
        settle(begin_at(pipeline(*parts), "train"), chosen, tmp_path)
    assert "path: data, hash:" in caught.value.hint


def test_a_step_that_does_not_say_what_it_makes_cannot_be_skipped(tmp_path: Path) -> None:
    silent = [part(name, reads=None, makes=None) for name in ("prepare", "train")]
    with pytest.raises(SourceError, match="what that step makes") as caught:
        settle(begin_at(pipeline(*silent), "train"), [], tmp_path)
    assert "outs: [PATH]" in caught.value.hint


def test_what_a_listed_step_makes_is_given_where_the_config_names_its_hash(tmp_path: Path) -> None:
    first = part("prepare", "", "clean.csv", reads=None, proofs={})
    found = begin_at(pipeline(first, part("train", reads=None, makes=None)), "train")
    settled = settle(found, [material("clean.csv"), material("raw.csv")], tmp_path)
    assert [item.path for item in settled.materials] == ["clean.csv", "raw.csv"]
    assert settled.scope
    assert [each.path for each in settled.scope.given] == ["clean.csv"]


def test_an_output_that_git_has_stays_where_it_is_what_the_lock_says(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"")
    found = begin_at(pipeline(), "train")
    settled = settle(found, [], tmp_path)
    assert settled.materials == ()
    assert settled.scope
    assert [each.digest for each in settled.scope.given] == [DIGEST]
    (tmp_path / "data").write_bytes(b"x")
    with pytest.raises(SourceError, match=r"the commit has another than dvc\.lock"):
        settle(found, [], tmp_path)


def test_an_input_of_another_pipelines_lock_is_not_restored(tmp_path: Path) -> None:
    other = material("other.csv", where="other/dvc.lock at the commit")
    settled = settle(pipeline(), [other, material("undeclared.csv")], tmp_path)
    assert [item.path for item in settled.materials] == ["undeclared.csv"]


def test_what_lies_outside_of_the_tree_is_no_steps(tmp_path: Path) -> None:
    hub = dataclasses.replace(material("model"), place=MaterialPlace.HUB)
    mounted = material("/data/raw.csv", where="dvc.lock")
    assert settle(pipeline(), [hub, mounted], tmp_path).materials == (hub, mounted)


def test_an_unknown_step_lists_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="no such step") as caught:
        begin_at(pipeline(), "deploy")
    assert "prepare, train@a, evaluate" in caught.value.hint


def test_one_command_has_no_later_step_and_no_scope(tmp_path: Path) -> None:
    found = CommandFound(
        command=Command(steps=(Step(run=Argv(args=("python", "train.py"))),)), origin=HERE
    )
    assert settle(found, [material("a.csv")], tmp_path).scope is None
    with pytest.raises(UsageError, match="no such step") as caught:
        begin_at(found, "train")
    assert "it is one command" in caught.value.hint
