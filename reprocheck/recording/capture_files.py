"""reprocheck-capture as a folder for PYTHONPATH: an environment may not have it installed."""

from __future__ import annotations

import importlib.util
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from reprocheck.errors import ReprocheckError

NAME, MODULE = "reprocheck-capture", "reprocheck_capture"
GROUP = "mlflow.run_context_provider"
_TREE = Path(__file__).parents[2] / "capture"


def capture_folder(folder: Path) -> Path:
    """A folder below `folder` with the package and what MLflow finds it by, and nothing else.

    Raises `ReprocheckError` where this installation lacks the package.
    """
    package, version, entry = _installed() or _of_the_tree()
    made = folder / "capture"
    info = made / f"{MODULE}-{version}.dist-info"
    info.mkdir(parents=True)
    (made / MODULE).symlink_to(package.resolve(), target_is_directory=True)
    metadata = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version}\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nreprocheck = {entry}\n", encoding="utf-8")
    return made


def _installed() -> tuple[Path, str, str] | None:
    try:
        found = distribution(NAME)
    except PackageNotFoundError:
        return None
    spec = importlib.util.find_spec(MODULE)
    entries = [each.value for each in found.entry_points if each.group == GROUP]
    if spec is None or spec.origin is None or not entries:
        return None
    return Path(spec.origin).parent, found.version, entries[0]


def _of_the_tree() -> tuple[Path, str, str]:
    try:
        project = tomllib.loads((_TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except OSError as error:
        raise ReprocheckError(
            f"switching capture on: {NAME} is not installed beside reprocheck",
            f"install it: python -m pip install {NAME}",
        ) from error
    return _TREE / MODULE, "0", str(project["entry-points"][GROUP]["reprocheck"])
