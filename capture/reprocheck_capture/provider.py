"""MLflow's entry point: it loads this class while it is imported, and asks it for each new run."""

from typing import Dict

from reprocheck_capture import hook
from reprocheck_capture.failures import guarded
from reprocheck_capture.variables import is_off


class CaptureContext:
    """A run-context provider.

    It does not inherit from MLflow's: MLflow itself need not be imported for it, and asks for
    nothing but these two methods.
    """

    def __init__(self) -> None:
        # MLflow does not ask providers about a run that is resumed, as those of `mlflow run` are.
        if not is_off():
            hook.prepare()

    def in_context(self) -> bool:
        """Whether there is something to record."""
        return not is_off()

    def tags(self) -> Dict[str, str]:
        """The tags of every run of this process."""
        return _tags()


@guarded("tags", dict)
def _tags() -> Dict[str, str]:
    from reprocheck_capture import record

    hook.prepare()
    record.renew()
    return record.tags(record.facts())
