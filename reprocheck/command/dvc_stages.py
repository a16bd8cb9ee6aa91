"""The commands of DVC stages, in our own order and never through DVC's cache of runs.

The stages that are needed for the recorded script, or, where the record is `dvc repro` or
`dvc exp run` itself, those that it would reproduce.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from reprocheck import dvc_pipeline, dvc_proofs
from reprocheck.command.base import (
    CommandFound,
    PipelineStep,
    Search,
    mentions,
    missing_command,
    project_folders,
    tool_words,
)
from reprocheck.dvc_pipeline import DvcStage
from reprocheck.dvc_values import PARAMS, UnknownValueError, read_values, select, text_of
from reprocheck.errors import SourceError
from reprocheck.model import Command, Finding, Origin, OriginKind, Severity, ShellLine, Step
from reprocheck.placeholders import parameters_given

_GROUPS = {"exp", "experiments"}
_FLAGS = frozenset(
    (
        *("-f", "--force", "-s", "--single-item", "-p", "--pipeline", "-P", "--all-pipelines"),
        *("-v", "--verbose", "-q", "--quiet", "-m", "--metrics", "-k", "--keep-going", "--temp"),
        *("--no-commit", "--no-run-cache", "--force-downstream", "--downstream", "--pull"),
        *("--allow-missing", "--ignore-errors", "--glob"),
    )
)
_VALUED = frozenset(("-n", "--name", "-j", "--jobs", "-M", "--message", "-C", "--copy-paths"))
_SET = ("-S", "--set-param")


def from_script(search: Search) -> CommandFound | None:
    """The stages that run the recorded script, and all that they depend on."""
    folders = project_folders(search)
    stages = dvc_pipeline.stages(search.tree, folders)
    if not stages:
        return None
    script = PurePosixPath(search.record.code.script or "").name
    wanted = _narrowed(_nearest(_running(script, stages), folders), search)
    if not wanted:
        search.refused.append(f"no stage of dvc.yaml runs '{script}'")
        return None
    return _pipeline(search.tree, wanted, stages, OriginKind.FILE)


def _running(script: str, stages: Mapping[str, DvcStage]) -> list[DvcStage]:
    return [
        stage
        for stage in stages.values()
        if script and any(mentions(line, script) for line in stage.lines)
    ]


def _nearest(running: list[DvcStage], folders: list[str]) -> list[DvcStage]:
    """Those of the file that is nearest to the script: another may run one of the same name."""
    for folder in folders:
        if near := [stage for stage in running if stage.folder == folder]:
            return near
    return running


def _narrowed(running: list[DvcStage], search: Search) -> list[str]:
    """The one stage of a foreach or matrix whose values the run logged, where there is one."""
    logged = parameters_given(search.record)
    alike = [
        stage.name
        for stage in running
        if stage.values.keys() & logged.keys()
        and all(logged.get(name, value) == value for name, value in stage.values.items())
    ]
    return alike if len(alike) == 1 else [stage.name for stage in running]


def _pipeline(
    tree: Path, wanted: Iterable[str], stages: Mapping[str, DvcStage], kind: OriginKind
) -> CommandFound:
    """The command of stages and all that they depend on."""
    order = dvc_pipeline.upstream(wanted, stages)
    proofs = dvc_proofs.proofs(tree, order, stages)
    parts = [
        PipelineStep(
            name=name,
            steps=tuple(
                Step(run=ShellLine(line=line), cwd=stages[name].wdir, name=name)
                for line in stages[name].lines
            ),
            reads=stages[name].deps,
            makes=stages[name].outs,
            proofs=proofs[name].materials,
            unproved=proofs[name].doubt,
        )
        for name in order
    ]
    rerun = tuple(part for part in parts if not stages[part.name].frozen)
    frozen = tuple(part for part in parts if stages[part.name].frozen)
    if not rerun:
        raise SourceError(
            f"every stage of the run is frozen in dvc.yaml: {', '.join(order)}",
            "unfreeze the stage that made the run, or write its command into reprocheck.yaml",
        )
    return CommandFound(
        command=Command(steps=tuple(step for part in rerun for step in part.steps)),
        origin=Origin(
            kind=kind, where=f"DVC stages {', '.join(part.name for part in rerun)} at the commit"
        ),
        findings=tuple(_persistent(stages[part.name] for part in rerun)),
        made=frozenset(path for part in rerun for path in part.makes or ()),
        parts=rerun,
        skipped=frozen,
    )


def _persistent(rerun: Iterable[DvcStage]) -> Iterator[Finding]:
    for stage in rerun:
        for path in sorted(stage.persistent):
            yield Finding(
                code="persistent-output",
                severity=Severity.WARNING,
                message=f"the stage {stage.name} may go on from what {path} held before "
                "(persist: true); the reruns start without it",
                hint="where the run did go on from it, name that state as an input of its own",
                pointer="/command",
            )


# --- dvc repro, dvc exp run ---------------------------------------------------------------


def from_argv(search: Search, step: Step) -> CommandFound | None:
    """The stages that a recorded `dvc repro` or `dvc exp run` reproduces; None for another command.

    Run by itself it would take what it finds unchanged from its cache, and prove nothing.
    Raises `SourceError` for options whose effect is not known.
    """
    words = tool_words(step)
    if words[:1] != ("dvc",):
        return None
    grouped = len(words) > 1 and words[1] in _GROUPS
    rest = words[2:] if grouped else words[1:]
    if rest[:1] != (("run",) if grouped else ("repro",)):
        return None
    flags, targets, given = _taken_apart(search, rest[1:])
    _check_set(search, step.cwd, given)
    stages = dvc_pipeline.stages(search.tree, (".", str(PurePosixPath(step.cwd))))
    wanted = _targets(search, step.cwd, targets, flags, stages)
    if "--downstream" in flags:
        wanted = dvc_pipeline.downstream(wanted, stages)
    return _pipeline(search.tree, wanted, stages, OriginKind.TAG)


def _taken_apart(
    search: Search, words: tuple[str, ...]
) -> tuple[set[str], list[str], list[tuple[str, str]]]:
    """Options without a value, targets, and parameters that are set."""
    flags: set[str] = set()
    targets: list[str] = []
    given: list[tuple[str, str]] = []
    left = list(words)
    while left:
        word, equals, value = left.pop(0).partition("=")
        if not word.startswith("-"):
            targets.append(word + equals + value)
        elif word in _FLAGS and not equals:
            flags.add(word)
        elif word in _SET or word in _VALUED:
            value = value if equals else left.pop(0) if left else ""
            name, _, text = value.partition("=")
            given += [(name, text)] if word in _SET else []
        else:
            said = f"`dvc` was run with {word}, whose effect on the stages is not known"
            raise missing_command(search, said)
    return flags, targets, given


def _check_set(search: Search, cwd: str, given: Iterable[tuple[str, str]]) -> None:
    """Refuses a `--set-param` whose value the files at the commit do not have."""
    for name, text in given:
        file, _, key = name.rpartition(":")
        path = search.tree / cwd / (file or PARAMS)
        try:
            now = text_of(select(read_values(path, search.tree), key.lstrip("+")))
        except UnknownValueError:
            now = "no such value"
        if now.lower() != text.lower():
            raise SourceError(
                f"`dvc exp run --set-param {name}={text}`: {file or PARAMS} at the commit has "
                f"{now}: what the run read is not there",
                f"log {file or PARAMS} with the run, or name the experiment's own commit",
            )


def _targets(
    search: Search, cwd: str, targets: list[str], flags: set[str], stages: Mapping[str, DvcStage]
) -> list[str]:
    if flags & {"-P", "--all-pipelines"}:
        return list(stages)
    folder = str(PurePosixPath(cwd))
    wanted: list[str] = []
    for target in targets or [dvc_pipeline.FILE]:
        found = [stage.name for stage in stages.values() if _is_meant(stage, target, folder)]
        if not found:
            said = f"dvc.yaml at the commit has no stage '{target}', which `dvc` was asked for"
            raise missing_command(search, said)
        wanted += found
    return wanted


def _is_meant(stage: DvcStage, target: str, folder: str) -> bool:
    """Whether a target names the stage, its foreach or matrix, its file or one of its outputs."""
    file, _, name = target.rpartition(":")
    path = dvc_pipeline.inside(folder, file or target)
    if target.endswith(dvc_pipeline.FILE):
        return stage.file == dvc_pipeline.inside(folder, target)
    if file and stage.file != path:
        return False
    if name in (stage.short, stage.group) and (file or stage.folder == folder):
        return True
    return not file and path in stage.outs
