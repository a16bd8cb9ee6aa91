"""Takes note of the runs that MLflow starts or resumes in this process, and records them.

MLflow makes an ActiveRun of every run that it starts or resumes, in 1.30 as in 3.x; wrapping its
`__init__` needs no name to be bound anew. The class does not exist yet when MLflow loads our entry
point, half way through its own import: a finder that finds nothing is asked at the next import, and
goes when the class is there.
"""

import sys
from typing import Any, Callable, Dict, List, Optional

from reprocheck_capture import hub, noted
from reprocheck_capture.failures import failed, guarded

_FLUENT = "mlflow.tracking.fluent"
_MARK = "_reprocheck_capture"
_OURS = "reprocheck."


class _Waiting:
    """A finder of modules that finds none."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[Any]:  # noqa: ANN401, ARG002
        """None; installs the hook once it can be."""
        if _install():
            _remove(self)
        return None


def prepare() -> None:
    """Installs the hook, now or as soon as MLflow is imported so far."""
    hub.watch()
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
    _wrap(client, "set_terminated", before=_ending, after=_ended)
    _wrap_creation(client)
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
            after(self, *args, **named)
        return result

    wrapped.__name__, wrapped.__doc__ = name, original.__doc__
    setattr(wrapped, _MARK, True)
    setattr(owner, name, wrapped)


def _wrap_creation(client: Any) -> None:  # noqa: ANN401  (a class of MLflow's)
    """A store that refuses a run because of our tags is asked again without them."""
    original = client.create_run
    if getattr(original, _MARK, False):
        return

    def create_run(self: Any, *args: Any, **named: Any) -> Any:  # noqa: ANN401
        try:
            return original(self, *args, **named)
        except Exception as error:
            left = _without_ours(named.get("tags"), error)
            if left is None:
                raise
            failed("tags", error)
            _refused()
        return original(self, *args, **{**named, "tags": left})

    create_run.__doc__ = original.__doc__
    setattr(create_run, _MARK, True)
    client.create_run = create_run


@guarded("tags", lambda: None)
def _refused() -> None:
    from reprocheck_capture import upload

    upload.refused.append(_OURS)


def _without_ours(tags: Any, error: Exception) -> Optional[Dict[str, str]]:  # noqa: ANN401
    """The other tags; None where they are not at fault: the store may have made the run then."""
    status = getattr(error, "get_http_status_code", lambda: 500)()
    if not isinstance(tags, dict) or not any(name.startswith(_OURS) for name in tags):
        return None
    if not 400 <= status < 500:
        return None
    return {name: text for name, text in tags.items() if not name.startswith(_OURS)}


@guarded("the run", lambda: None)
def _started(run: Any, *_: Any, **__: Any) -> None:  # noqa: ANN401
    from reprocheck_capture import runs

    runs.started(run.info.run_id, dict(run.data.tags), run.info.artifact_uri)


@guarded("the run's end", lambda: None)
def _ending(client: Any, run_id: str = "", *_: Any, **named: Any) -> None:  # noqa: ANN401, ARG001
    from reprocheck_capture import runs

    runs.ending(run_id or named.get("run_id", ""))


@guarded("the run's end", lambda: None)
def _ended(client: Any, run_id: str = "", *_: Any, **named: Any) -> None:  # noqa: ANN401
    from reprocheck_capture import runs

    runs.ended(client, run_id or named.get("run_id", ""))
