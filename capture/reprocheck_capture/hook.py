"""Takes note of the runs that MLflow starts or resumes in this process, and records them.

MLflow makes an ActiveRun of every run that it starts or resumes, in 1.30 as in 3.x; wrapping its
`__init__` needs no name to be bound anew. The class does not exist yet when MLflow loads our entry
point, half way through its own import: a finder that finds nothing is asked at the next import, and
goes when the class is there.
"""

import sys
from typing import Any, Callable, List, Optional

from reprocheck_capture import noted
from reprocheck_capture.failures import guarded

_FLUENT = "mlflow.tracking.fluent"
_MARK = "_reprocheck_capture"


class _Waiting:
    """A finder of modules that finds none."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[Any]:  # noqa: ANN401, ARG002
        """None; installs the hook once it can be."""
        if _install():
            _remove(self)
        return None


def prepare() -> None:
    """Installs the hook, now or as soon as MLflow is imported so far."""
    if not _install() and not any(isinstance(each, _Waiting) for each in sys.meta_path):
        sys.meta_path.insert(0, _Waiting())


def _remove(waiting: _Waiting) -> None:
    found: List[Any] = sys.meta_path
    if waiting in found:
        found.remove(waiting)


@guarded("resumed runs", lambda: True)
def _install() -> bool:
    """Whether nothing is left to do."""
    fluent = sys.modules.get(_FLUENT)
    active = getattr(fluent, "ActiveRun", None)
    client = getattr(fluent, "MlflowClient", None)
    if active is None or client is None or not hasattr(fluent, "start_run"):
        return False
    noted.watch(active, client)
    _wrap(active, "__init__", after=_started)
    _wrap(client, "set_terminated", before=_ending)
    return True


def _wrap(
    owner: Any,  # noqa: ANN401  (a class of MLflow's)
    name: str,
    before: Optional[Callable[..., None]] = None,
    after: Optional[Callable[..., None]] = None,
) -> None:
    original = getattr(owner, name)
    if getattr(original, _MARK, False):
        return

    def wrapped(self: Any, *args: Any, **named: Any) -> Any:  # noqa: ANN401
        if before is not None:
            before(self, *args, **named)
        result = original(self, *args, **named)
        if after is not None:
            after(self)
        return result

    wrapped.__name__, wrapped.__doc__ = name, original.__doc__
    setattr(wrapped, _MARK, True)
    setattr(owner, name, wrapped)


@guarded("the run", lambda: None)
def _started(run: Any) -> None:  # noqa: ANN401
    from reprocheck_capture import upload

    upload.started(run.info.run_id, dict(run.data.tags))


@guarded("the run's end", lambda: None)
def _ending(client: Any, run_id: str = "", *_: Any, **named: Any) -> None:  # noqa: ANN401, ARG001
    from reprocheck_capture import upload

    upload.ending(run_id or named.get("run_id", ""))
