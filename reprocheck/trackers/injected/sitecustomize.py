"""Put in front of a trial's PYTHONPATH; Python imports it before anything of the trial's."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

# Found beside this file in the trial; imported for what it does.
import reprocheck_redirect  # type: ignore[import-not-found]  # noqa: F401


def _run_the_next_one() -> None:
    # A project's or a distribution's own sitecustomize, hidden by this one, runs as it always did.
    ours = Path(__file__).absolute().parent
    others = [path for path in sys.path if Path(path).absolute() != ours]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


_run_the_next_one()
