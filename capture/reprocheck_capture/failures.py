"""What capturing could not do: counted, told once, and never in the training's way."""

import contextlib
import functools
import warnings
from typing import Any, Callable, Dict, List, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

MISSING: Dict[str, str] = {}
"""What is lacking in this process's record, and why."""

_warned: List[str] = []


def lacks(name: str, why: str) -> None:
    """Counts a fact as missing, without a warning: nothing went wrong."""
    MISSING.setdefault(name, why)


def failed(name: str, error: BaseException) -> None:
    """Counts a fact as missing because of an error; the first one of a process is a warning."""
    MISSING.setdefault(name, "{}: {}".format(type(error).__name__, error)[:300])
    if _warned:
        return
    _warned.append(name)
    with contextlib.suppress(Warning):  # under -W error, too
        warnings.warn(
            "reprocheck-capture could not record {} of this run ({}); the training goes on".format(
                name, MISSING[name]
            ),
            RuntimeWarning,
            stacklevel=3,
        )


def guarded(name: str, otherwise: Callable[[], Any]) -> Callable[[F], F]:
    """A decorator: the function returns `otherwise()` where it fails, and counts the failure."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, **named: Any) -> Any:  # noqa: ANN401  (passed on)
            try:
                return function(*args, **named)
            except Exception as error:
                failed(name, error)
                return otherwise()

        return cast(F, call)

    return decorate
