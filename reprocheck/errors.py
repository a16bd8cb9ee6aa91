"""Errors: a message that says what was being done, to what, and what happened; and a hint.

"Not reproduced" is an answer, not an error. An error means that we could not find out.
"""

from __future__ import annotations

from typing import ClassVar

from reprocheck.model import Stage


class ReprocheckError(Exception):
    """Could not find out. `hint` is the next thing to try."""

    stage: ClassVar[Stage | None] = None
    usage: ClassVar[bool] = False  # wrong usage or config: exit 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ReprocheckError):
    """Wrong options, or options that contradict each other."""

    usage = True


class ConfigError(UsageError):
    """A config file that cannot be read or does not validate."""


class MachineError(ReprocheckError):
    """The machine refused something: no space, no permission, no memory."""


class ReadError(ReprocheckError):
    """The run could not be read from its tracker."""

    stage = Stage.READ


class UnknownRunError(ReadError):
    """No such run, or several that the shortened id could mean."""

    usage = True


class UnknownExperimentError(ReadError):
    """No such experiment, or one that was deleted."""

    usage = True


class UnknownModelError(ReadError):
    """No such registered model, alias or stage."""

    usage = True


class UnfinishedRunError(ReadError):
    """The run has not finished, failed or was deleted: there is no result."""


class RecordFileError(ReadError):
    """A file that holds no record of a run, or a broken one."""

    usage = True


class MissingStoreError(ReadError):
    """The tracker's store does not exist, or none was named."""

    usage = True


class MetadataError(ReprocheckError):
    """The record has errors that make a verification impossible."""

    stage = Stage.VALIDATE


class SourceError(ReprocheckError):
    """The code could not be restored, or does not say how to run it."""

    stage = Stage.CHECKOUT


class RebuildError(ReprocheckError):
    """The environment could not be built."""

    stage = Stage.REBUILD
    disk_full: bool = False  # more room may mend it


class RestoreError(ReprocheckError):
    """The data could not be restored at the recorded digest."""

    stage = Stage.RESTORE


class RerunError(ReprocheckError):
    """The training could not be rerun, or what it logged is not the run's counterpart."""

    stage = Stage.RERUN


class CompareError(ReprocheckError):
    """There is nothing to compare."""

    stage = Stage.COMPARE


class OpaqueError(Exception):
    """A product's content cannot be read; becomes words beside its digest, never a failure."""


class Interruption(BaseException):
    """SIGINT or SIGTERM; passes through every handler so that only cleaning up follows."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"interrupted by signal {signum}")
        self.signum = signum


class ReportFileError(UsageError):
    """A file that holds no report, a broken one, or one of a later version."""


class AcceptError(ReprocheckError):
    """A report whose values cannot be the new baseline of its run."""


class ForgeError(ReprocheckError):
    """A forge refused or did not answer; `missing` is the scope that a token lacks, or ""."""

    def __init__(self, message: str, hint: str = "", missing: str = "") -> None:
        super().__init__(message, hint)
        self.missing = missing

    @property
    def lacking(self) -> str:
        """What `missing` adds to a sentence, "" for nothing."""
        return f"; the job's token lacks `{self.missing}`" if self.missing else ""


class BundleError(ReprocheckError):
    """A bundle that is none, is of another run or version, or was changed."""

    stage = Stage.READ


class WriteBackError(ReprocheckError):
    """A verdict could not be written into the run's tracker."""
