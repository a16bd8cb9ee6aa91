"""Every noun that flows through reprocheck: frozen dataclasses and enums.

This module imports the standard library only, so that every other module may import it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


class Stage(enum.StrEnum):
    """The stages of a verification, in the order in which they run."""

    READ = "read"
    VALIDATE = "validate"
    CHECKOUT = "checkout"
    REBUILD = "rebuild"
    RESTORE = "restore"
    RERUN = "rerun"
    COMPARE = "compare"


class StageStatus(enum.StrEnum):
    """How a stage ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Severity(enum.StrEnum):
    """How much a finding matters: an error stops the verification."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class RunStatus(enum.StrEnum):
    """The state of a run in its tracker."""

    FINISHED = "finished"
    RUNNING = "running"
    FAILED = "failed"
    KILLED = "killed"
    SCHEDULED = "scheduled"
    UNKNOWN = "unknown"  # of a record file that does not say


class TreeState(enum.StrEnum):
    """Whether the run's code was exactly the commit's. Unknown is not clean."""

    CLEAN = "clean"
    DIRTY = "dirty"
    UNKNOWN = "unknown"


class OriginKind(enum.StrEnum):
    """The kind of place where a fact of a record was found."""

    TRACKER = "tracker"  # a field of the tracker itself
    TAG = "tag"
    ARTIFACT = "artifact"
    MODEL = "model"  # a file of the run's logged model
    FILE = "file"  # a file at the commit
    CONFIG = "config"
    INFERRED = "inferred"  # guessed, and proved or refused by the trials


class Verdict(enum.StrEnum):
    """The answer for one metric or for a run; see `SEVERITY_ORDER` for which is worse."""

    IDENTICAL = "IDENTICAL"
    NUMERICALLY_EQUAL = "NUMERICALLY_EQUAL"
    REPRODUCED = "REPRODUCED"
    NOT_WORSE = "NOT_WORSE"  # under `noninferiority`: only the harmful side was tested
    CONSISTENT = "CONSISTENT"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_COMPARABLE = "NOT_COMPARABLE"
    NOT_REPRODUCED = "NOT_REPRODUCED"
    NOT_VERIFIED = "NOT_VERIFIED"  # of a run only: a stage could not do its work
    INFORMATIONAL = "INFORMATIONAL"  # of a metric only: never judged


SEVERITY_ORDER = (
    Verdict.IDENTICAL,
    Verdict.NUMERICALLY_EQUAL,
    Verdict.REPRODUCED,
    Verdict.NOT_WORSE,
    Verdict.CONSISTENT,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_COMPARABLE,
    Verdict.NOT_REPRODUCED,
    Verdict.NOT_VERIFIED,
)
"""Verdicts of a run, best first."""


class Change(enum.StrEnum):
    """The way in which a metric was not reproduced."""

    WORSE = "worse"
    BETTER = "better"
    CHANGED = "changed"


class Direction(enum.StrEnum):
    """Which way a metric is better."""

    HIGHER = "higher"
    LOWER = "lower"
    UNKNOWN = "unknown"


class Scale(enum.StrEnum):
    """The scale on which a metric is judged."""

    LINEAR = "linear"
    LOG = "log"  # natural logarithms: for positive metrics that differ by factors


class SeedPolicy(enum.StrEnum):
    """Which seeds the reruns have, and so what their spread measures."""

    SAME = "same"  # the recorded one: the spread is the nondeterminism of the training
    FRESH = "fresh"  # another one each time: the spread is the recipe's


class Outcome(enum.StrEnum):
    """Whether the reruns reach a success criterion."""

    MEETS = "meets"
    MISSES = "misses"
    UNDECIDED = "undecided"


class Require(enum.StrEnum):
    """What exits 0, beyond which every weaker answer does not."""

    CONSISTENT = "consistent"
    REPRODUCED = "reproduced"
    CRITERIA = "criteria"  # at least CONSISTENT, and every success criterion is met


class FailOn(enum.StrEnum):
    """An answer that fails a job, for `fail_on` in the config and the action's input."""

    NOT_REPRODUCED = "not-reproduced"  # exit 10
    NOT_VERIFIED = "not-verified"  # every exit 3, NOT_COMPARABLE included
    INCONCLUSIVE = "inconclusive"  # exit 11
    CRITERIA = "criteria"  # exit 12


USUAL_FAIL_ON = (FailOn.NOT_REPRODUCED, FailOn.NOT_VERIFIED)


class ReportDetail(enum.StrEnum):
    """How much a report tells."""

    FULL = "full"
    MINIMAL = "minimal"  # verdict, metric names, numbers and digests only: for sensitive runs


class BundlePolicy(enum.StrEnum):
    """Who may see what `fetch` writes, where it is uploaded."""

    PRIVATE = "private"
    PUBLIC = "public"  # may be uploaded in a public repository


class CommentMode(enum.StrEnum):
    """When a pull request is commented on."""

    ALWAYS = "always"
    CHANGES = "changes"  # where the verdicts are not those of the last comment
    FAILURES = "failures"  # where the job fails; a comment that exists is kept up to date
    OFF = "off"


class EnvironmentKind(enum.StrEnum):
    """What builds an environment."""

    DOCKER = "docker"
    CONDA = "conda"
    VENV = "venv"
    SCRIPT = "script"  # a recorded setup, run in a copy of the tree


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a trial may use, where the sandbox can hold it to that; None: all there is."""

    memory: int | None = None  # bytes, swap included
    cpus: float | None = None
    gpus: int = 0
    pids: int = 4096  # processes and threads
    shm: int | None = None  # bytes of /dev/shm
    network: bool = False
    named: frozenset[str] = frozenset()  # those that the config sets


FIRST_LOOK = 3
"""Reruns below which no test has power, whatever the data."""

# --- the record ---------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRef:
    """A run's address: the kind of tracker and the run's full id there."""

    tracker: str
    run_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a fact was found, for example `Origin(kind=TAG, where="mlflow.source.git.commit")`."""

    kind: OriginKind
    where: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Patch:
    """The uncommitted changes of a dirty tree, as `git apply` takes them."""

    content: bytes
    sha256: str | None  # as recorded, in hexadecimal; checked before the patch is used
    base: str | None = None  # the commit that it applies to; None: the run's
    parts: tuple[bytes, ...] = ()  # the pieces of the content to apply one after the other
    size: int | None = None  # bytes of a content that is not at hand, as in a record file


@dataclass(frozen=True, kw_only=True, slots=True)
class UntrackedFile:
    """A file of the run's tree that git did not know."""

    path: str  # relative to the tree's root
    sha256: str | None  # as recorded, in hexadecimal
    artifact: str | None  # where the run's artifacts hold it; None: it was only listed


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeState:
    """The code of a run. An empty commit means that none was recorded."""

    commit: str
    repository: str | None  # the URL or path that the record names
    branch: str | None
    script: str | None  # the entry script as the tracker names it, often only sys.argv[0]
    entry_point: str | None  # of an MLproject, where the run was started as one
    patch: Patch | None
    tree: TreeState
    subdirectory: str = "."  # of an MLproject, relative to the repository's root
    upstream: Patch | None = None  # all changes since a commit that was pushed, its `base`
    untracked: tuple[UntrackedFile, ...] = ()
    stored: tuple[str, ...] = ()
    """The artifacts (a folder ends in /) that stand in for a commit that could not be had; nothing
    proves that they are the run's code. Empty: the code is the commit's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Argv:
    """A command as a list of arguments; nothing in it is interpreted by a shell."""

    args: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ShellLine:
    """A command that was recorded as a line for `sh -c` (MLproject, DVC stages)."""

    line: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One command and the directory it runs in, relative to the tree's root."""

    run: Argv | ShellLine
    cwd: str = "."
    name: str = ""  # of the step of a pipeline that it is of


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What to rerun: steps in order, in one tree."""

    steps: tuple[Step, ...]
    env: Mapping[str, str] = field(default_factory=dict)  # variables that the record names


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedFile:
    """A small file kept with the run that counts as its record (environment, data, config)."""

    path: str  # inside the run's artifacts or the logged model
    content: bytes
    origin: Origin
    sha256: str = ""  # of a content that is not at hand, as in a record file
    size: int = 0  # bytes of that content


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentSpec:
    """The environment that a run asks for."""

    kind: EnvironmentKind
    file: str  # the name of the file that defines it, for example requirements.txt
    content: bytes  # of that file
    directory: str | None  # of the file, relative to the tree; None: not a file of the tree
    python: str | None  # "3.11.7" or "3.11", where known
    origin: Origin
    companions: tuple[RecordedFile, ...] = ()  # files recorded beside it, for `-r` and `-c`
    sha256: str = ""  # of the file, where `content` is not exactly it, as in a record file


class MaterialPlace(enum.StrEnum):
    """Where a trial finds an input."""

    TREE = "tree"  # at its path in the tree
    HOME = "home"  # at its path below the home folder, as what a library keeps in ~/.cache
    HUB = "hub"  # in a read-only Hugging Face cache


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """A file or directory that the run read, with the digest it had then."""

    path: str  # relative to the tree's root, or to what `place` names
    algorithm: str  # md5, sha256, or another name that is only shown
    digest: str  # DVC's digest of a directory ends in ".dir"
    size: int | None  # bytes
    files: int | None  # of a directory
    origin: Origin
    weak: bool = False  # a digest that does not cover the content (MLflow's dataset digests)
    source: str = ""  # where it is kept: a path or an address; "": to be looked for by its digest
    remote: str | None = None  # name of the DVC remote that has it; None: any
    seen_as: str | None = None  # the absolute path at which the run read it
    place: MaterialPlace = MaterialPlace.TREE
    listing: Mapping[str, str] | None = None
    """Of a directory that a manifest describes: the digest of each file, by its path inside. The
    algorithm is `algorithm`; `digest` is that of the manifest itself."""

    @property
    def label(self) -> str:
        """What it is called in reports: also where trials find it, if not in the tree."""
        match self.place:
            case MaterialPlace.HOME:
                return f"~/{self.path}"
            case MaterialPlace.HUB:
                return f"{self.source.removeprefix('hf://')} (Hugging Face)"
        return f"{self.path} (seen as {self.seen_as})" if self.seen_as else self.path


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One logged value of a metric."""

    step: int
    timestamp_ms: int
    value: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A metric and its history, ordered by step and time; never empty."""

    name: str
    history: tuple[Point, ...]
    points: int = 0  # of the whole history, where `history` is only some of it, as in a report

    @property
    def value(self) -> float:
        """The last value by step, then by time: what a tracker shows as *the* value."""
        return self.history[-1].value


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A file that the run left in its tracker."""

    path: str
    size: int | None  # bytes
    sha256: str = ""  # as recorded, in hexadecimal
    uri: str = ""  # where it is kept, where the record says so


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    """A sign-off recorded with the run."""

    by: str
    what: str
    role: str = ""  # in which the person signed, as "reviewer"
    commit: str = ""  # what was signed; "": not said, so that it binds nothing
    at: datetime | None = None  # UTC


@dataclass(frozen=True, kw_only=True, slots=True)
class Sibling:
    """Another finished run with its last values.

    Of `RunRecord.siblings`: of the same code, data, environment and parameters except the seed.
    Of `RunRecord.peers`: of the same parent, as the other runs of a sweep.
    """

    run_id: str
    metrics: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Lineage:
    """A run's place among the runs that its command logs, to find its counterpart in a trial."""

    parent: str | None  # run id of the parent
    depth: int  # 0 for a run without a parent
    place: int  # index among the runs of its tree with the same depth, by start time
    parent_parameters: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedMetric:
    """The last point of a metric when its run ended."""

    value: float
    step: int
    timestamp_ms: int
    points: int | None  # of its history; None: not counted


@dataclass(frozen=True, kw_only=True, slots=True)
class Seal:
    """What a run had when it ended for the last time, as it recorded itself.

    Texts are compared by `seals.holds`: of long ones there is a digest, and of what looks secret
    only that it was there. Metrics of MLflow's system monitor are left out: it writes after the
    end.
    """

    at: datetime  # UTC; the run's end
    parameters: Mapping[str, str]
    metrics: Mapping[str, SealedMetric]
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """All that is known about a run, and for each fact where it was found."""

    ref: RunRef
    name: str
    experiment: str
    status: RunStatus
    started_at: datetime | None  # UTC
    ended_at: datetime | None  # UTC
    description: str
    url: str | None  # of the run's page, where the tracker has one
    code: CodeState
    command: Command | None
    parameters: Mapping[str, str]
    truncated: frozenset[str]  # names of parameters that the store cut
    environment: EnvironmentSpec | None
    files: tuple[RecordedFile, ...]
    data: tuple[Material, ...]
    metrics: Mapping[str, Metric]
    artifacts: tuple[Artifact, ...]
    seeds: Mapping[str, str]
    hardware: Mapping[str, str]
    tags: Mapping[str, str]
    approvals: tuple[Approval, ...]
    siblings: tuple[Sibling, ...]
    lineage: Lineage
    peers: tuple[Sibling, ...] = ()
    definition: ExperimentDefinition | None = None
    dataset_version: str = ""  # as the team calls it
    sealed: Seal | None = None  # None: it recorded none, or was resumed and ended since
    origins: Mapping[str, Origin]  # by JSON pointer into the record, for example /code/commit
    findings: tuple[Finding, ...] = ()  # what went wrong while reading, short of an error
    extra: Mapping[str, object] = field(default_factory=dict)
    """What a record file says beside, as it is written there: JSON, with tuples for lists."""

    @property
    def duration_s(self) -> float | None:
        """How long the run took, in seconds, where both times are known."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(0.0, (self.ended_at - self.started_at).total_seconds())


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something about the record or the verification that the reader should know."""

    code: str  # kebab-case, for example missing-commit
    severity: Severity
    message: str
    hint: str
    pointer: str  # JSON pointer into the record, "" for the whole
    fix: str = ""  # the exact line that mends it: a command, or a line of a file; "": none does


# --- what is asked ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Width:
    """How far a rerun may lie below and above the original."""

    below: float
    above: float

    @classmethod
    def both(cls, size: float) -> Width:
        """The same on both sides."""
        return cls(below=size, above=size)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredMargin:
    """A margin as the user declared it; with both forms the larger one counts on each side."""

    absolute: Width | None = None  # in the metric's own unit
    relative: Width | None = None  # fractions of the original's absolute value: 0.01 is 1 %
    source: str  # "--margin", or the name of the file
    place: str = ""  # for messages, as "reprocheck.yaml:12"; "" where the source says it all


@dataclass(frozen=True, kw_only=True, slots=True)
class Sigma:
    """A run-to-run standard deviation that is known from elsewhere."""

    value: float  # in the metric's unit; of the logarithms under scale: log
    freedom: int  # its degrees of freedom: the number of runs behind it, less one


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """A comparison with a number, as in `failure_if: "< 0.5"`."""

    operator: str  # <, <=, > or >=
    value: float

    def holds(self, x: float) -> bool:
        """Whether it is true of a value; never of NaN."""
        match self.operator:
            case "<":
                return x < self.value
            case "<=":
                return x <= self.value
            case ">":
                return x > self.value
            case _:
                return x >= self.value


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricRule:
    """What the config, the experiment definition or an option says about a metric."""

    metric: str
    gate: bool | None = None  # None: decided by default
    margin: DeclaredMargin | None = None
    direction: Direction = Direction.UNKNOWN
    resolution: float | None = None  # the step in which the metric can change
    dtype: str | None = None  # float64, float32, float16, bfloat16
    test_size: int | None = None  # examples that a proportion is over
    scale: Scale = Scale.LINEAR
    expr: str | None = None  # a sum or difference of metrics, as "train_accuracy - accuracy"
    best_of: int | None = None  # the run was chosen as the best of so many
    noninferiority: bool = False  # only a change for the worse counts
    sigma: Sigma | None = None
    failure_if: Condition | None = None  # a run of which this holds has collapsed
    least: float | None = None  # success criterion `min`
    most: float | None = None  # success criterion `max`
    place: str = ""  # where it is declared, as "reprocheck.yaml:12"
    overridden: DeclaredMargin | None = None  # the file's margin, where an option replaced it


@dataclass(frozen=True, kw_only=True, slots=True)
class RequiredComparison:
    """A run that the run's result has to be compared with."""

    against: str  # a run id or name, or words as "the model in production"
    metrics: tuple[str, ...]  # () stands for the primary ones
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignOff:
    """Who has to approve a run."""

    role: str
    by: tuple[str, ...] = ()  # people who may; () is anybody in that role


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisteredData:
    """An entry of the team's register of data that the experiment uses."""

    name: str
    version: str = ""
    path: str = ""  # relative to the tree's root
    digest: str = ""  # "sha256:…" or "md5:…"
    sensitive: tuple[str, ...] = ()  # flags as "personal", "medical"
    licence: str = ""
    owner: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExperimentDefinition:
    """What was fixed before the run: the metrics that count, with margins and thresholds."""

    primary: tuple[str, ...]
    secondary: tuple[str, ...]
    rules: Mapping[str, MetricRule]
    origin: Origin
    sha256: str = ""  # of the file as it was recorded, in hexadecimal
    hypothesis: str = ""
    comparisons: tuple[RequiredComparison, ...] = ()
    sign_offs: tuple[SignOff, ...] = ()
    sensitive: tuple[str, ...] = ()  # flags of the experiment as a whole
    data: tuple[RegisteredData, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PredictionsRule:
    """The artifact in which both sides logged a prediction for each example."""

    artifact: str  # a path inside the run's artifacts: CSV, JSON or parquet
    id: str  # names of columns
    label: str
    prediction: str
    place: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductRule:
    """What the config says about products whose path matches a pattern."""

    pattern: str
    gate: bool
    place: str = ""


class Requirement(enum.StrEnum):
    """What a team can require of a run before it starts (`record.require`)."""

    CLEAN_TREE = "clean-tree"
    PUSHED_COMMIT = "pushed-commit"
    TRACKED_IMPORTS = "tracked-imports"
    PINNED_ENVIRONMENT = "pinned-environment"
    DATA_HASH = "data-hash"
    DEFINITION = "definition"
    SEED = "seed"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordRules:
    """What the config says about records (`record`)."""

    require: tuple[Requirement, ...] = ()
    artifacts: tuple[str, ...] = ()  # patterns; each has to match an artifact of the run
    schema: Path | None = None  # a JSON schema of the team's, applied on top of run.schema.json
    place: str = ""


class Grade(enum.StrEnum):
    """How verifiable a recorded run is."""

    VERIFIABLE = "verifiable"
    CAVEATS = "verifiable with caveats"
    NOT_VERIFIABLE = "not verifiable"


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetUse:
    """A data set that a run says it used, as its tracker names it."""

    name: str
    digest: str
    context: str  # what for, as training or evaluation; "": not said
    source: str  # where it was read: an address or a path; "": made by the code, or not known


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSummary:
    """What a tracker's search tells about a run: no histories, and no file is opened for it."""

    ref: RunRef
    name: str
    experiment: str
    status: RunStatus
    started_at: datetime | None  # UTC
    ended_at: datetime | None  # UTC
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]  # last values
    tags: Mapping[str, str]
    datasets: tuple[DatasetUse, ...]
    artifact_uri: str
    commit: str  # "": none is recorded


@dataclass(frozen=True, kw_only=True, slots=True)
class Validation:
    """What a record is worth: its grade, and why."""

    asked: str  # as the user named the run or the file
    record: RunRecord
    grade: Grade
    findings: tuple[Finding, ...]  # the worst first
    tool_version: str
    file: Path | None = None  # that the record was read from
    lines: Mapping[str, int] = field(default_factory=dict)  # of the file, by JSON pointer


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditedRun:
    """A run with its grade, and why it has it."""

    ref: RunRef
    name: str
    experiment: str
    status: RunStatus
    started_at: datetime | None  # UTC
    commit: str
    grade: Grade
    findings: tuple[Finding, ...]  # the worst first
    metrics: Mapping[str, float] = field(default_factory=dict)  # last values


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """A finding of several runs."""

    code: str
    severity: Severity
    message: str  # of one of them
    fix: str
    runs: int
    alone: int  # runs that would be of a better grade if it were mended


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """How verifiable an experiment's history is."""

    experiments: tuple[str, ...]
    filter: str
    made_at: datetime  # UTC
    tool_version: str
    runs: tuple[AuditedRun, ...]
    causes: tuple[Cause, ...]  # the commonest first
    rescue: str  # the one step that would rescue most runs; "": there is none
    rescued: int  # how many it would
    findings: tuple[Finding, ...] = ()  # about the runs together, as names that differ

    def count(self, grade: Grade) -> int:
        """How many runs have a grade."""
        return sum(run.grade is grade for run in self.runs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gates:
    """The metrics that are judged, and why these."""

    metrics: tuple[str, ...]
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RerunPlan:
    """How many trials, and at which level.

    With `least` below `most` they are looked at after each one from the third on; else once, after
    `most`.
    """

    least: int = 3
    most: int = 8
    alpha: float = 0.05
    seeds: SeedPolicy = SeedPolicy.SAME

    @property
    def is_sequential(self) -> bool:
        """Whether there is more than one look."""
        return max(self.least, FIRST_LOOK) < self.most

    @property
    def looks(self) -> tuple[int, ...]:
        """The numbers of reruns after which they are judged."""
        first = max(self.least, FIRST_LOOK) if self.is_sequential else self.most
        return tuple(range(first, self.most + 1))


# --- what was found -----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """A file of numbers: all else in it as one digest, and the numbers in their order."""

    skeleton: str  # sha256 of the content with the numbers left out
    values: tuple[float, ...]
    dtype: str | None = None  # of an array file; None: text


@dataclass(frozen=True, kw_only=True, slots=True)
class Tensors:
    """A file of named tensors: for each its type and shape, and a digest of its bytes."""

    digests: Mapping[str, str]  # by name, as "F32[3, 4]:<sha256>"


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """A file that a run wrote into its tracker, by content."""

    path: str
    sha256: str  # "" where it was not read
    size: int  # bytes
    content: Numbers | Tensors | None = None  # None: only the digest is known
    opaque: str = ""  # why only the digest is known, once the content was asked for


@dataclass(frozen=True, kw_only=True, slots=True)
class Predictions:
    """A prediction for each example; the three tuples are equally long, ids are unique."""

    ids: tuple[str, ...]
    labels: tuple[str, ...]
    predicted: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A parameter that the trial logged otherwise than the original."""

    name: str
    original: str | None  # None: not logged there
    trial: str | None
    excuse: str | None  # why it may differ honestly; None: it may not


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One rerun of the command and what it logged."""

    index: int  # from 1
    seed: str | None
    metrics: Mapping[str, Metric]
    parameters: Mapping[str, str]
    differences: tuple[Difference, ...]
    exit_code: int
    duration_s: float
    log: Path
    log_tail: str
    products: tuple[Product, ...]
    predictions: Predictions | None = None
    parent_parameters: Mapping[str, str] | None = None  # of the run's parent, where it has one


class MarginSource(enum.StrEnum):
    """Where a margin comes from, strongest first."""

    DECLARED = "declared"
    SIBLINGS = "siblings"
    TEST_SIZE = "test size"


@dataclass(frozen=True, kw_only=True, slots=True)
class Margin:
    """Half-widths in the metric's unit: a difference d is inside when -low < d < high."""

    low: float
    high: float
    source: MarginSource
    text: str  # as the user wrote it or how it was derived, for example "1 % (--margin)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """An interval and its confidence level in percent."""

    low: float
    high: float
    level: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A summary of a history: the original's, and the mean of the reruns'."""

    original: float
    rerun: float


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryComparison:
    """The curves of a metric on the steps that all of them have; shown, never judged."""

    steps: int  # common ones, two at least
    parted_at: int | None  # the first common step at which a rerun differs; None: none does
    best: Pair | None  # None: which way is better is not known
    area: Pair  # under the curve, by trapezoids over the common steps
    rank_p: float | None = None  # conformal: share of the curves at least as unusual


@dataclass(frozen=True, kw_only=True, slots=True)
class CriterionResult:
    """Whether the reruns reach a success criterion; beside the verdict, never part of it."""

    metric: str
    bound: str  # min or max
    threshold: float
    outcome: Outcome
    mean: float | None  # of the finite reruns
    limit: float | None  # one-sided confidence bound of the mean that decided
    level: float | None  # of that bound, in percent
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductComparison:
    """A product of the original beside those of the reruns."""

    path: str
    gated: bool
    verdict: Verdict  # INFORMATIONAL where it is not gated
    reason: str
    """same, tolerance, numbers, structure, tensors, differs, description, missing, unread; of a
    gated one that is INCONCLUSIVE: too_few, noise, shift_detected."""
    sentence: str
    original: str | None  # sha256; None: not read
    reruns: tuple[str | None, ...]  # sha256 by trial; None: missing


@dataclass(frozen=True, kw_only=True, slots=True)
class PredictionComparison:
    """How many single predictions changed between the original and the reruns."""

    examples: int
    churn: tuple[float, ...]  # share of the examples that each rerun predicts otherwise
    agreement: float | None  # mean share on which two reruns agree; None for one rerun
    flip_sd: float | None  # what flips alone give an accuracy as standard deviation
    sentence: str


class ExhibitKind(enum.StrEnum):
    """What a product shows, so that a reader can look at both sides of it."""

    IMAGE = "image"
    MATRIX = "matrix"  # a table of numbers whose rows and columns have names, as of confusion
    CURVE = "curve"  # numbers over others, as of ROC


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """An image, decoded once and written anew as PNG, so that nothing else is in it."""

    png: bytes
    width: int  # pixels of the PNG
    height: int
    scaled: bool = False  # smaller than the file's


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """A table of numbers, at least one row and one column.

    Of a curve: the first column is x, every other one a y; rows have no names.
    """

    columns: tuple[str, ...]
    rows: tuple[str, ...]  # names; () where they have none
    values: tuple[tuple[float, ...], ...]  # by row, each as long as `columns`
    thinned: int = 0  # points of a curve that the file has besides these


@dataclass(frozen=True, kw_only=True, slots=True)
class ExhibitSide:
    """What one side left at an exhibit's path."""

    sha256: str  # of the file; "" where it is missing or was not read
    size: int | None  # bytes; None: it is missing
    content: Picture | Grid | None = None  # None: left out, missing, or the same as the other's


@dataclass(frozen=True, kw_only=True, slots=True)
class Exhibit:
    """An image, matrix or curve that the original logged, beside the same of one rerun."""

    path: str  # inside the original's artifacts
    kind: ExhibitKind
    original: ExhibitSide
    rerun: ExhibitSide  # where the digest is the original's, so is the content, told once
    trial: int  # index of that rerun
    left_out: str = ""  # why the contents are not here, in words; "": they are
    pixels: float | None = None
    """The share of the files' pixels that differ, 0 to 1: 0 where other bytes show the same, and
    then the content is told once. None: no images, or not of one size."""

    @property
    def same(self) -> bool:
        """Whether both sides show the same; the content is the original's then."""
        equal = bool(self.original.sha256) and self.original.sha256 == self.rerun.sha256
        return equal or self.pixels == 0


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptedMetric:
    """A gated metric whose new values were accepted."""

    metric: str
    old: tuple[float, ...]  # the baseline's values until then
    new: tuple[float, ...]  # the reruns' values, which are the baseline from then on


@dataclass(frozen=True, kw_only=True, slots=True)
class Acceptance:
    """A changed result that somebody made the new baseline of a run."""

    run_id: str
    by: str
    at: datetime  # UTC
    reason: str
    verdict: Verdict  # of the report that was accepted
    metrics: tuple[AcceptedMetric, ...]
    verified_at: datetime  # UTC; when that report was made
    tool_version: str = ""  # that made it


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The judgement of one metric. Statistics that were not computed are None.

    Under scale log, `mean` and the values are the metric's own, and difference, interval, margin
    and standard deviation are of natural logarithms.
    """

    metric: str
    gated: bool
    verdict: Verdict
    change: Change | None  # of NOT_REPRODUCED
    reason: str  # a short code: bits, tolerance, equivalent, noise, shift_detected, too_few, ...
    sentence: str
    baseline: tuple[float, ...]
    reruns: tuple[float, ...]
    mean: float | None = None  # of the finite reruns
    sd: float | None = None  # of the finite reruns, ddof 1, before any floor
    difference: float | None = None  # mean minus baseline
    interval: Interval | None = None  # of the difference
    prediction: Interval | None = None  # for one more value, around the mean
    margin: Margin | None = None
    p_equivalence: float | None = None
    p_difference: float | None = None  # Holm-adjusted
    smallest_margin: float | None = None  # that these data would support
    reruns_needed: int | None = None  # to settle it; None: unknown or more than 100
    max_ulps: int | None = None  # largest distance in units in the last place
    scale: Scale = Scale.LINEAR
    detectable: float | None = None  # true difference found with a probability of 80 %; 0: any
    best_of: int | None = None  # declared, or inferred from the run's sweep
    history: HistoryComparison | None = None
    notes: tuple[str, ...] = ()  # what else the reader should know, as sentences


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """All comparisons after some trials, and whether more trials could change the answer."""

    verdict: Verdict
    comparisons: tuple[Comparison, ...]
    gates: Gates
    decided: bool  # no further trial is wanted
    stopped_by: str
    """identical, deterministic, decided (at a look before the last), planned (at the last look),
    futility, unstable, budget, nothing to compare; or ""."""
    sentence: str
    needed: str  # what would settle it, "" when settled
    criteria: tuple[CriterionResult, ...] = ()
    products: tuple[ProductComparison, ...] = ()
    predictions: PredictionComparison | None = None
    findings: tuple[Finding, ...] = ()
    as_recorded: bool = False  # of the run's own values, though others were accepted


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """An installed package."""

    name: str
    version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltEnvironment:
    """The environment that the trials ran in."""

    kind: EnvironmentKind
    digest: str
    python: str
    asked: str  # the file and where it came from, in words
    lock: str  # what was installed, as a requirements file
    packages: tuple[Package, ...]
    isolation: str
    cached: bool


class PackageGrade(enum.StrEnum):
    """How much a package that is not as recorded matters, most first."""

    PYTHON = "python"
    FRAMEWORK = "framework"  # that the code imports
    NUMERIC = "numeric"  # what frameworks compute with
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageDifference:
    """A package that was not installed as the run's record names it."""

    name: str
    asked: str | None  # a version, or what a version must meet; None: not in the record's list
    landed: str | None  # None: not installed
    grade: PackageGrade


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageLists:
    """What the run's record asks for, beside what was installed."""

    source: str  # the file that lists it
    asked: tuple[tuple[str, str], ...]  # name, and version or specifier; "": any version
    whole: bool  # the list is of a whole environment
    frameworks: tuple[str, ...]  # that the code imports
    differences: tuple[PackageDifference, ...]  # what matters most first


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A recorded variable that decides how a training computes, restored for the trials."""

    name: str
    value: str
    origin: Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class Hardware:
    """What a training computes on. None: not known, which is never the same as anything."""

    cpu_model: str | None = None
    cpu_count: int | None = None  # that may be used
    isa: tuple[str, ...] | None = None  # instruction sets, as avx2 and avx512f
    blas: tuple[str, ...] | None = None  # libraries, as "openblas 0.3.28"; empty: none is loaded
    blas_core: tuple[str, ...] | None = None  # what its kernels are for, as Haswell
    threads: Mapping[str, int] | None = None  # by pool: blas, openmp, torch
    memory_bytes: int | None = None
    gpu_count: int | None = None  # that may be used
    gpus: tuple[str, ...] | None = None  # their models; empty: there are none
    gpu_memory_bytes: int | None = None  # of the smallest
    gpu_driver: str | None = None
    cuda: str | None = None  # that the framework is built for
    world_size: int | None = None  # processes that train together
    platform: str | None = None  # "Linux x86_64"
    os: str | None = None
    libc: str | None = None


class HardwareGrade(enum.StrEnum):
    """How much hardware that is not as recorded matters, most first."""

    DIRECT = "direct"  # decides which numbers come out
    INDIRECT = "indirect"  # goes along with what decides
    SPEED = "speed"  # of times only


@dataclass(frozen=True, kw_only=True, slots=True)
class HardwareDifference:
    """Where the trials' hardware is not the run's. Both sides are known."""

    name: str  # as in the record
    asked: str
    landed: str
    grade: HardwareGrade


@dataclass(frozen=True, kw_only=True, slots=True)
class HardwareSides:
    """What the run computed on, as far as its record tells, beside what the trials do."""

    asked: Hardware
    origins: Mapping[str, Origin]  # of what is asked, by the field's name
    landed: Hardware
    differences: tuple[HardwareDifference, ...]  # what matters most first
    lacking: tuple[str, ...]  # fields that must be known on both sides to call them the same

    @property
    def same(self) -> bool | None:
        """Whether both are the same kind of machine; None: not enough is known."""
        if any(each.name in DECISIVE for each in self.differences):
            return False
        return None if self.lacking else True


DECISIVE = frozenset(
    {
        *("cpu_model", "cpu_count", "isa", "blas", "blas_core", "threads", "gpu_count", "gpus"),
        *("gpu_driver", "cuda", "world_size", "platform", "libc"),
    }
)
"""Fields of `Hardware` in which the same kind of machine may not differ."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a stage could not do its work, and the next thing to try."""

    kind: str  # the error's class name
    message: str
    hint: str
    usage: bool  # wrong usage or config: exit 2


@dataclass(frozen=True, kw_only=True, slots=True)
class StageResult:
    """How a stage went."""

    stage: Stage
    status: StageStatus
    duration_s: float
    summary: str = ""
    findings: tuple[Finding, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What a verification may cost, told before the first trial. Seconds; None: unknown."""

    original_s: float | None
    reruns: int  # at most
    trial_timeout_s: float
    longest_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What an earlier step made, and was restored instead of being made anew."""

    path: str
    digest: str  # "" where nothing proves it
    made_by: str  # the step's name


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Of a run of several steps: what was rerun, and what was taken as given."""

    rerun: tuple[str, ...]  # names of the steps, in order
    skipped: tuple[str, ...] = ()  # steps before those
    given: tuple[Given, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class UndeclaredInput:
    """A file that a trial read from outside of its tree and environment, which nothing declares."""

    path: str  # on this machine
    sha256: str  # after the trial; "" where it could not be read
    size: int | None  # bytes
    hint: str  # what would declare it


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The result of `reprocheck verify`; every renderer works from it alone."""

    schema_version: int
    tool_version: str
    created_at: datetime  # UTC
    asked: str  # the run as the user named it
    record: RunRecord | None
    stages: tuple[StageResult, ...]
    environment: BuiltEnvironment | None
    cost: Cost | None
    trials: tuple[Trial, ...]
    gates: Gates | None
    comparisons: tuple[Comparison, ...]
    verdict: Verdict
    failed_stage: Stage | None  # of NOT_VERIFIED
    sentence: str
    needed: str  # what would decide it
    require: Require
    dry_run: bool
    workspace: Path | None  # kept on request
    plan: RerunPlan | None = None
    seeds: tuple[str | None, ...] = ()  # of all planned trials; None: not known
    stopped_by: str = ""  # as `Judgement.stopped_by`
    criteria: tuple[CriterionResult, ...] = ()
    products: tuple[ProductComparison, ...] = ()
    predictions: PredictionComparison | None = None
    packages: PackageLists | None = None
    settings: tuple[Setting, ...] = ()
    hardware: HardwareSides | None = None
    scope: Scope | None = None  # None: a run of one step
    undeclared: tuple[UndeclaredInput, ...] | None = None  # None: trials were not traced
    subject: str = ""
    """SHA-256 of what was asked to be verified, as `subjects.subject` makes it; "": not read."""
    detail: ReportDetail = ReportDetail.FULL
    kept: Mapping[str, int] | None = None  # the most of long things that its file held; None: all
    exhibits: tuple[Exhibit, ...] = ()
    acceptance: Acceptance | None = None  # whose values the reruns were compared with
    proposed: Acceptance | None = None  # that a pull request adds or changes: it counted nothing

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all stages, in order."""
        return tuple(finding for stage in self.stages for finding in stage.findings)


# --- what is published --------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A run that was asked for, or a file that was needed, of which there is no report."""

    asked: str  # the run as it was named, or the file
    message: str
    hint: str
    exit_code: int  # 2 or 3; 1: a defect; 129, 130, 143: interrupted


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleChange:
    """A rule of judging that a pull request changes; the base branch's was used."""

    key: str  # of the config, as metrics.accuracy.margin
    base: str  # as compact JSON; "": absent
    head: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """What one job verified, as it is handed to the job that publishes it."""

    schema_version: int
    tool_version: str
    created_at: datetime  # UTC
    head_sha: str  # the commit for which runs were looked for; "": unknown
    reports: tuple[Report, ...]
    problems: tuple[Problem, ...] = ()
    rule_changes: tuple[RuleChange, ...] = ()
    fail_on: tuple[FailOn, ...] = USUAL_FAIL_ON
    sought: tuple[str, ...] = ()  # where runs were looked for, in words
    waiting: str = ""  # what has to happen first, as "waiting for a maintainer's fetch"


@dataclass(frozen=True, kw_only=True, slots=True)
class Earlier:
    """What the comment on a thread said before, as it remembers it itself: untrusted."""

    head_sha: str
    run_id: int  # of the workflow
    attempt: int
    verdicts: Mapping[str, Verdict]  # by run id
    values: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Means of the reruns: by run id, then by gated metric."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Where a check is shown, and what the reader can be led to. Addresses are https or ""."""

    server: str = ""  # "https://github.com"
    repository: str = ""  # "owner/name"
    number: int | None = None  # of the pull request; None: not of one
    head_sha: str = ""
    head_repository: str = ""  # of a fork another than `repository`
    workflow_url: str = ""  # of the workflow's run that verified
    artifact_url: str = ""  # of the report there
    html_url: str = ""  # of the report as a page
    run_id: int = 0  # of the workflow
    attempt: int = 1
    untrusted: bool = False  # computed by the code of a fork
    base: Mapping[str, Report] = field(default_factory=dict)
    """By run id: the last verified run of the same experiment on the base branch."""
    earlier: Earlier | None = None
    tracker_hosts: tuple[str, ...] = ()  # that links may lead to, besides `server`


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelVersion:
    """A version of a registered model."""

    name: str
    version: str
    run_id: str
    aliases: tuple[str, ...] = ()
    stage: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A run that is worth verifying again."""

    ref: RunRef
    name: str
    experiment: str
    why: str  # as "best 3 by accuracy", "champion of digits"
    value: float | None  # of the metric that it was chosen by
    subject: str  # as `Report.subject` would be now
    verified_at: datetime | None  # when last; None: never
    verdict: Verdict | None  # then
    slug: str  # [a-z0-9-], unique among those chosen


@dataclass(frozen=True, kw_only=True, slots=True)
class Top:
    """The runs that are worth verifying again, the most urgent first, and those that are not."""

    chosen: tuple[Candidate, ...]
    recent: tuple[Candidate, ...] = ()  # left out: verified lately as they are
    further: int = 0  # left out because no more were asked for
    notes: tuple[str, ...] = ()  # what else the reader should know, as sentences


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """What one verification of a run found, as a trend keeps it."""

    at: datetime  # UTC
    verdict: Verdict
    failed_stage: Stage | None  # of NOT_VERIFIED
    subject: str  # as `Report.subject`
    exit_code: int
    means: Mapping[str, float] = field(default_factory=dict)  # of the reruns, by gated metric


class Standing(enum.StrEnum):
    """What all kept verifications of a run say together."""

    HOLDS = "holds"  # the last one that decided reproduced it
    STOPPED = "stopped"  # it did reproduce; since then two did not, one after the other
    UNCONFIRMED = "unconfirmed"  # it did reproduce; the last one did not
    NEVER = "never"  # none reproduced it, and one at least did not
    UNDECIDED = "undecided"  # none decided


@dataclass(frozen=True, kw_only=True, slots=True)
class Trend:
    """The last verifications of a run."""

    run_id: str
    name: str  # "" for a sensitive run
    experiment: str  # "" for a sensitive run
    history: tuple[Verification, ...]  # at least one, the oldest first
    standing: Standing
    since: datetime  # when what `standing` says began, as far as verifications are kept

    @property
    def last(self) -> Verification:
        """The newest verification."""
        return self.history[-1]


@dataclass(frozen=True, kw_only=True, slots=True)
class PastFact:
    """Something that reruns had: as it was landed, and as the run's record asks for it."""

    landed: str
    asked: str = ""  # "": the record does not say


@dataclass(frozen=True, kw_only=True, slots=True)
class PastChange:
    """What was otherwise in one verification than in the one before; "" is absent."""

    what: str
    asked: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PastEntry:
    """What is kept of one verification."""

    verification: Verification
    counts: Mapping[str, int]  # finished reruns, by gated metric
    environment: str  # its digest; "" where none was built
    tool_version: str
    machine: str
    accepted: bool  # judged against an accepted baseline
    facts: Mapping[str, PastFact] = field(default_factory=dict)
    cut: bool = False  # the report's file was too long to hold every fact
    sensitive: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """All verifications of a run that are known, the oldest first, and the last turn in them."""

    run_id: str
    entries: tuple[PastEntry, ...]
    standing: Standing
    since: datetime
    sentence: str
    before: PastEntry | None = None  # the last that decided otherwise
    after: PastEntry | None = None  # the first that decided as now
    changes: tuple[PastChange, ...] = ()
    older: int = 0  # reports that were not looked at


@dataclass(frozen=True, kw_only=True, slots=True)
class Aggregate:
    """What the verifications of several runs say together."""

    created_at: datetime  # UTC
    tool_version: str
    trends: tuple[Trend, ...]  # what needs a look first
    problems: tuple[Problem, ...] = ()
    verified: int = 0  # runs that their newest verification reproduced
    total: int = 0  # runs, those of which there is only a problem included
    measured: bool = False  # whether the newest verification of any run measured anything
