"""The verification as commands for a shell, from the report alone, and what it does not hold.

A text of the run stands in a command only where a shell takes it for one word, and never as an
option or as an address that starts a program; where that cannot be, a note names it instead.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reprocheck.hostile import HIDDEN, printable
from reprocheck.model import (
    Argv,
    CodeState,
    EnvironmentKind,
    EnvironmentSpec,
    Material,
    MaterialPlace,
    Origin,
    OriginKind,
    Patch,
    Report,
    ReportDetail,
    RunRecord,
    SeedPolicy,
    Step,
    UntrackedFile,
)
from reprocheck.reporters.by_hand_words import (
    fits,
    is_path,
    may_export,
    quoted,
    shown,
)
from reprocheck.reporters.comment_method import AT_HAND, beside_command, verify_again

FOLDER, ENVIRONMENT, LOCK = "by-hand", "../environment", "../requirements.lock"
RECORDED = "../recorded"
MOST = 50
"""Files that have a command of their own."""

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_DIGEST = re.compile(r"[0-9a-f]{32,128}")
_SUMS = {"md5": "md5sum", "sha1": "sha1sum", "sha256": "sha256sum", "sha512": "sha512sum"}
_REPOSITORY = re.compile(
    r"(https?|ssh)://[A-Za-z0-9][\w.:-]*/[\w./~+-]+|git@[A-Za-z0-9][\w.-]*:[\w./~+-]+|/[\w./+-]+"
)
_WEB = re.compile(r"https?://[A-Za-z0-9][\w.:-]*/[\w./~%+=&?,-]*")
_VERSION = re.compile(r"[0-9][0-9.]{0,20}")
_IMAGE = re.compile(r"[a-z0-9][\w./:@-]{0,300}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Commands that belong together, and what else the reader has to know or to do."""

    title: str
    lines: tuple[str, ...]
    notes: tuple[str, ...] = ()
    lock: tuple[str, ...] = ()  # lines of a file that the commands read


def by_hand(report: Report) -> tuple[Part, ...]:
    """All that it takes, in order; () where the report may not tell, or no run was read."""
    record = report.record
    if record is None or report.detail is ReportDetail.MINIMAL:
        return ()
    parts = (
        _code(record),
        _environment(report, record),
        _data(record),
        _variables(report, record),
        _training(report, record),
        _again(report),
    )
    return tuple(part for part in parts if part.lines or part.notes)


# --- the code -----------------------------------------------------------------------------


def _code(record: RunRecord) -> Part:
    state = record.code
    lines, notes = list(_clone(state)), list(_said_of_code(state))
    if _COMMIT.fullmatch(state.commit):
        base = state.upstream.base if state.upstream else None
        known = base if base and _COMMIT.fullmatch(base) else state.commit
        lines.append(f"git checkout --detach {known}")
    patch, pointer = (
        (state.upstream, "/code/upstream") if state.upstream else (state.patch, "/code/patch")
    )
    if patch:
        lines += _patched(record, patch, record.origins.get(pointer))
        notes += _said_of_patch(record.origins.get(pointer))
    for each in state.untracked[:MOST]:
        lines += _untracked(record, each)
    absent = [shown(each.path) for each in state.untracked[:MOST] if not _is_at_hand(each)]
    if absent:
        notes.append(
            f"Untracked files that the run had, and no artifact holds: {', '.join(absent)}."
        )
    if len(state.untracked) > MOST:
        notes.append(f"{len(state.untracked) - MOST} more untracked files are in the JSON report.")
    return Part(title="The code", lines=tuple(lines), notes=tuple(notes))


def _clone(state: CodeState) -> Iterator[str]:
    repository = state.repository or ""
    known = fits(repository) and _REPOSITORY.fullmatch(repository)
    yield f"git clone --no-checkout -- {repository if known else '.'} {FOLDER}"
    yield f"cd {FOLDER}"


def _said_of_code(state: CodeState) -> Iterator[str]:
    repository = state.repository or ""
    if not repository:
        yield "The run names no repository: begin in a clone of the one that has its commit."
    elif not (fits(repository) and _REPOSITORY.fullmatch(repository)):
        yield (
            f"The run names the repository {shown(repository)}, which is not put into a command "
            "here: begin in a clone of it."
        )
    if not _COMMIT.fullmatch(state.commit):
        yield "The run names no commit."
    if state.stored:
        yield f"The reruns had what the run stored instead: {shown(', '.join(state.stored))}."


def _artifact(record: RunRecord, path: str) -> Iterator[str]:
    """A file of the run into the folder of what it recorded, at its path there.

    MLflow's command leaves it in the folder that is named, without the path of the artifact.
    """
    folder = path.rpartition("/")[0]
    if record.ref.tracker == "mlflow" and is_path(path) and fits(record.ref.run_id):
        yield (
            f"mlflow artifacts download --run-id={shlex.quote(record.ref.run_id)} "
            f"--artifact-path={shlex.quote(path)} "
            f"--dst-path={shlex.quote(f'{RECORDED}/{folder}' if folder else RECORDED)}"
        )


def _patched(record: RunRecord, patch: Patch, origin: Origin | None) -> Iterator[str]:
    if origin is None or origin.kind is not OriginKind.ARTIFACT or not is_path(origin.where):
        return
    yield from _artifact(record, origin.where)
    file = f"{RECORDED}/{origin.where}"
    if patch.sha256 and _DIGEST.fullmatch(patch.sha256):
        yield f"echo {shlex.quote(f'{patch.sha256}  {file}')} | sha256sum --check -"
    yield f"git apply --binary --whitespace=nowarn {shlex.quote(file)}"


def _said_of_patch(origin: Origin | None) -> Iterator[str]:
    if origin is None or origin.kind is not OriginKind.ARTIFACT or not is_path(origin.where):
        where = f" ({shown(origin.where)})" if origin else ""
        yield f"The run has a patch{where} that the report tells only by its digest: apply it."


def _untracked(record: RunRecord, each: UntrackedFile) -> Iterator[str]:
    if each.artifact is None or not _is_at_hand(each):
        return
    yield from _artifact(record, each.artifact)
    folder = each.path.rpartition("/")[0]
    if folder:
        yield f"mkdir -p {quoted(folder)}"
    yield f"cp {shlex.quote(f'{RECORDED}/{each.artifact}')} {quoted(each.path)}"


def _is_at_hand(each: UntrackedFile) -> bool:
    return each.artifact is not None and is_path(each.path) and is_path(each.artifact)


# --- the environment ----------------------------------------------------------------------


def _environment(report: Report, record: RunRecord) -> Part:
    built, spec = report.environment, record.environment
    kind = built.kind if built else spec.kind if spec else None
    match kind:
        case EnvironmentKind.VENV:
            lines, notes = _venv(report)
        case EnvironmentKind.CONDA:
            lines, notes = _conda(report)
        case EnvironmentKind.DOCKER:
            lines, notes = _docker(spec)
        case EnvironmentKind.SCRIPT:
            lines, notes = (), ("Run the recorded setup: record.environment in the JSON report.",)
        case None:
            lines, notes = (), ("The run records no environment.",)
    if built and HIDDEN in built.lock:
        notes = (*notes, f"What was secret in the lock stands as {HIDDEN}: put it back first.")
    lock = tuple(built.lock.splitlines()) if built else ()
    return Part(title="The environment", lines=lines, notes=notes, lock=lock)


_Found = tuple[tuple[str, ...], tuple[str, ...]]


def _lock(name: str) -> tuple[str, str]:
    """The line that writes it, and the note that says so."""
    return (
        f"jq --raw-output .environment.lock ../report.json > {name}",
        f"{name} is what the reruns had: it is folded below, and in the JSON report, which is "
        "taken to lie beside the clone.",
    )


def _venv(report: Report) -> _Found:
    built = report.environment
    if built is None:
        return (), ("It was not built: install what the run records, at the versions of its day.",)
    python = f" --python {built.python}" if _VERSION.fullmatch(built.python) else ""
    line, note = _lock(LOCK)
    lines = (
        f"uv venv{python} {ENVIRONMENT}",
        line,
        f"uv pip install --python {ENVIRONMENT}/bin/python --requirement {LOCK}",
        f". {ENVIRONMENT}/bin/activate",
    )
    return lines, (note,)


def _conda(report: Report) -> _Found:
    if report.environment is None:
        return (), ("It was not built: create it from the conda file that the run records.",)
    name = "../conda-lock.txt"
    line, note = _lock(name)
    lines = (
        line,
        f"conda create --prefix {ENVIRONMENT} --file {name}",
        f"conda activate {ENVIRONMENT}",
    )
    return lines, (note, "Packages that came by pip stand at the end of it as comments.")


def _docker(spec: EnvironmentSpec | None) -> _Found:
    if spec is None:
        return (), ("The report does not hold how the image was made.",)
    if spec.file == "image":
        name = spec.content.decode("utf-8", "replace").strip()
        if fits(name) and _IMAGE.fullmatch(name):
            return (f"docker pull {shlex.quote(name)}", f"docker tag {name} {FOLDER}"), ()
        return (), (f"The image is {shown(name)}.",)
    folder = spec.directory
    if folder is None or not (folder == "." or is_path(folder)) or not is_path(spec.file):
        return (), ("Its Dockerfile is record.environment.content in the JSON report.",)
    file = shlex.quote(f"{folder}/{spec.file}" if folder != "." else spec.file)
    return (f"docker build --tag {FOLDER} --file={file} .",), ()


# --- the data -----------------------------------------------------------------------------


def _data(record: RunRecord) -> Part:
    lines: list[str] = []
    notes: list[str] = []
    pulled = [each for each in record.data if _is_pulled(each)]
    if pulled:
        names = [quoted(each.path) for each in pulled[:MOST]]
        lines.append(f"dvc pull -- {' '.join(names)}" if names else "dvc pull")
    for each in record.data[:MOST]:
        if each not in pulled:
            lines += _fetched(each)
            notes += _said_of_data(each)
        lines += _checked(each)
    if len(record.data) > MOST:
        notes.append(f"{len(record.data) - MOST} more inputs are in the JSON report.")
    if not record.data:
        notes.append("The run records no data by a digest.")
    return Part(title="The data", lines=tuple(lines), notes=tuple(notes))


def _is_pulled(each: Material) -> bool:
    """Whether DVC has it, by a file of the commit that names its digest."""
    named = each.origin.kind is OriginKind.FILE and ".dvc" in each.origin.where.split(" ")[0]
    locked = each.origin.kind is OriginKind.FILE and "dvc.lock" in each.origin.where
    return (named or locked) and each.place is MaterialPlace.TREE and is_path(each.path)


def _fetched(each: Material) -> Iterator[str]:
    if each.place is MaterialPlace.TREE and _WEB.fullmatch(each.source) and is_path(each.path):
        yield (
            f"curl --fail --location --create-dirs --output {quoted(each.path)} "
            f"{shlex.quote(each.source)}"
        )


def _said_of_data(each: Material) -> Iterator[str]:
    if not list(_fetched(each)):
        kept = f", kept at {shown(each.source)}" if each.source else ""
        yield f"Put {shown(each.label)} in its place{kept}: the report holds its digest alone."


def _checked(each: Material) -> Iterator[str]:
    """The line that proves a file; of folders and weak digests there is none."""
    program = _SUMS.get(each.algorithm)
    whole = not each.weak and each.files is None and each.place is MaterialPlace.TREE
    if program and whole and is_path(each.path) and _DIGEST.fullmatch(each.digest):
        yield f"echo {shlex.quote(f'{each.digest}  {each.path}')} | {program} --check -"


# --- the training -------------------------------------------------------------------------


def _variables(report: Report, record: RunRecord) -> Part:
    wanted = {each.name: each.value for each in report.settings}
    wanted |= record.command.env if record.command else {}
    known = {name: value for name, value in wanted.items() if may_export(name, value)}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in known.items()]
    left = [name for name in wanted if name not in known]
    notes = (f"Also set, and not shown here: {shown(', '.join(left))}.",) if left else ()
    if record.ref.tracker == "mlflow":
        lines.append('export MLFLOW_TRACKING_URI="file:$PWD/../mlruns"')
        notes = (*notes, "The training logs into a folder of its own, not where the team does.")
    return Part(title="The variables", lines=tuple(lines), notes=notes)


def _training(report: Report, record: RunRecord) -> Part:
    if record.command is None:
        return Part(title="The training", lines=(), notes=("The run records no command.",))
    steps = record.command.steps
    lines = [line for step in steps for line in _step(step, _container(report))]
    notes = list(_said_of_steps(report, steps))
    return Part(title="The training", lines=tuple(lines), notes=tuple(notes))


def _container(report: Report) -> str:
    """What runs a command in the image, "" where there is none."""
    built = report.environment
    if built is None or built.kind is not EnvironmentKind.DOCKER:
        return ""
    return f'docker run --rm --network=none --volume="$PWD":/work --workdir=/work {FOLDER} '


def _step(step: Step, container: str) -> Iterator[str]:
    if not _may_run(step):
        return
    texts = _texts(step)
    line = shlex.join(texts if isinstance(step.run, Argv) else ("sh", "-c", *texts))
    inside = step.cwd not in ("", ".")
    if container and inside:
        line = shlex.join(("sh", "-c", f"cd {quoted(step.cwd)} && {line}"))
    yield f"(cd {quoted(step.cwd)} && {line})" if inside and not container else container + line


def _texts(step: Step) -> tuple[str, ...]:
    return step.run.args if isinstance(step.run, Argv) else (step.run.line,)


def _may_run(step: Step) -> bool:
    """Whether it may be pasted; its words may be long."""
    texts = (*_texts(step), step.cwd)
    inside = step.cwd in ("", ".") or is_path(step.cwd)
    return inside and all(printable(text) == text and HIDDEN not in text for text in texts)


def _said_of_steps(report: Report, steps: Sequence[Step]) -> Iterable[str]:
    plan, built = report.plan, report.environment
    if not all(map(_may_run, steps)):
        yield (
            "What was hidden, has several lines or leads out of the code is not to be pasted: the "
            "JSON report has it."
        )
    if len(steps) > 1:
        yield "The steps, in order, in one tree."
    if plan and plan.seeds is SeedPolicy.FRESH:
        seeds = ", ".join(str(each.seed) for each in report.trials if each.seed is not None)
        yield f"The reruns had other seeds than the command has: {shown(seeds) or 'unknown ones'}."
    if built and built.isolation:
        yield f"The reruns were isolated further: {shown(built.isolation)}."
    yield "Repeat it from a clean tree as often as the table above has reruns."


def _again(report: Report) -> Part:
    lines = verify_again(report)
    return Part(
        title="Or all of it by one command",
        lines=tuple(lines),
        notes=(f"{AT_HAND}.", *beside_command(report)) if lines else (),
    )
