"""reprocheck-capture as a folder for PYTHONPATH: an environment may not have it installed."""

from __future__ import annotations

import importlib.util
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from reprocheck import __version__
from reprocheck.errors import ReprocheckError

NAME, MODULE = "reprocheck-capture", "reprocheck_capture"
GROUP = "mlflow.run_context_provider"
_TREE = Path(__file__).parents[2] / "capture"  # of a source tree


@dataclass(frozen=True, kw_only=True, slots=True)
class _Package:
    folder: Path
    version: str
    entry: str  # what MLflow loads


def capture_folder(folder: Path) -> Path:
    """A folder below `folder` with the package and what MLflow finds it by, and nothing else.

    Raises `ReprocheckError` where this installation lacks the package.
    """
    package = _of_the_tree() or _installed()
    if package is None:
        raise ReprocheckError(
            f"switching capture on: {NAME} is not installed beside reprocheck",
            f"install it: python -m pip install {NAME}=={__version__}",
        )
    made = folder / "capture"
    info = made / f"{MODULE}-{package.version}.dist-info"
    info.mkdir(parents=True)
    (made / MODULE).symlink_to(package.folder.resolve(), target_is_directory=True)
    metadata = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {package.version}\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    entry = f"[{GROUP}]\nreprocheck = {package.entry}\n"
    (info / "entry_points.txt").write_text(entry, encoding="utf-8")
    return made


def _of_the_tree() -> _Package | None:
    """Before an installed one: both are of one version."""
    try:
        project = tomllib.loads((_TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        entry = project["entry-points"][GROUP]["reprocheck"]
    except (OSError, ValueError, KeyError):  # another folder of that name
        return None
    return _Package(folder=_TREE / MODULE, version=__version__, entry=str(entry))


def _installed() -> _Package | None:
    try:
        found = distribution(NAME)
    except PackageNotFoundError:
        return None
    spec = importlib.util.find_spec(MODULE)
    entries = [each.value for each in found.entry_points if each.group == GROUP]
    if spec is None or spec.origin is None or not entries:
        return None
    return _Package(folder=Path(spec.origin).parent, version=found.version, entry=entries[0])
