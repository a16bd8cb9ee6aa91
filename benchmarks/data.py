"""What restoring inputs costs: reprocheck's restore, every digest recomputed, against `dvc pull`
and `cp -r`, in one run: many small files and one large one, cold and warm; and memory by size.

The aim: cold at most 1.1 times `dvc pull`, warm faster than it, memory flat. Run it from the
repository's root, as `python -m benchmarks.data`. Cold is without any cache, also of the kernel's
as far as it lets go what it was asked to; warm is with DVC's and our own, and with the kernel's.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

PIECE = 2**20
SMALL = 4 * 2**10  # bytes of a small file
COLD_AIM, WARM_AIM = 1.1, 1.0
RESTORE = """
import sys
from pathlib import Path
from reprocheck import datastores, dvc_files
from reprocheck.datastores import Around
repo, target, cache = map(Path, sys.argv[1:4])
inputs = datastores.restore(
    dvc_files.tracked(repo), target, Around(tree=repo, repository=repo, folder=repo, cache=cache)
)
if len(sys.argv) > 4:
    inputs.copy_into(Path(sys.argv[4]))
"""
DVC = (sys.executable, "-m", "dvc")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Of one process."""

    seconds: float
    peak_mib: float  # resident


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A repository with one input in a local DVC remote; the workspace itself is empty."""

    folder: Path

    @property
    def repo(self) -> Path:
        return self.folder / "repo"

    @property
    def remote(self) -> Path:
        return self.folder / "remote"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def target(self) -> Path:
        return self.folder / "target"

    def run(self, *argv: str) -> Cost:
        env = {**os.environ, "DVC_NO_ANALYTICS": "1"}
        started = time.perf_counter()
        child = subprocess.Popen(
            argv, cwd=self.repo, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        said = child.stderr.read() if child.stderr else b""
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.stderr:
            child.stderr.close()
        if child.returncode:
            sys.exit(f"{' '.join(argv[:4])} failed: {said.decode(errors='replace')[-800:]}")
        return Cost(seconds=seconds, peak_mib=used.ru_maxrss / 2**10)

    def pull(self) -> Cost:
        return self.run(*DVC, "pull", "--quiet")

    def restore(self) -> Cost:
        paths = (self.repo, self.target, self.cache)
        return self.run(sys.executable, "-c", RESTORE, *map(str, paths))

    def copy(self) -> Cost:
        return self.run("cp", "-r", str(self.remote), str(self.target))

    def clear(self) -> None:
        """Takes away what a restore or pull left, but for caches."""
        shutil.rmtree(self.target, ignore_errors=True)
        shutil.rmtree(self.repo / "data", ignore_errors=True)

    def cool(self) -> None:
        """Takes away all caches; the kernel's only as far as it lets go."""
        self.clear()
        shutil.rmtree(self.cache, ignore_errors=True)
        shutil.rmtree(self.repo / ".dvc/cache", ignore_errors=True)
        shutil.rmtree(self.repo / ".dvc/tmp", ignore_errors=True)
        os.sync()
        for path in self.remote.rglob("*"):
            if path.is_file() and hasattr(os, "posix_fadvise"):
                with path.open("rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def warm(self) -> None:
        """Fills all caches, the kernel's too."""
        for fill in (self.pull, self.restore, self.copy):
            self.clear()
            fill()
        self.clear()


def made(folder: Path, write: Callable[[Path], None]) -> Project:
    project = Project(folder=folder)
    project.repo.mkdir(parents=True)
    write(project.repo / "data")
    project.run("git", "init", "--quiet")
    project.run(*DVC, "init", "--quiet")
    project.run(*DVC, "remote", "add", "--quiet", "--default", "storage", str(project.remote))
    project.run(*DVC, "add", "--quiet", "data")
    project.run(*DVC, "push", "--quiet")
    project.clear()
    return project


def many(count: int) -> Callable[[Path], None]:
    def write(data: Path) -> None:
        for number in range(count):
            path = data / f"{number % 100:02}" / f"{number}.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.urandom(SMALL))

    return write


def one(size: int) -> Callable[[Path], None]:
    def write(data: Path) -> None:
        data.mkdir()
        with (data / "large.bin").open("wb") as file:
            for _ in range(max(1, size // PIECE)):
                file.write(os.urandom(PIECE))

    return write


@dataclass(kw_only=True, slots=True)
class Row:
    """One way, cold and warm."""

    name: str
    run: Callable[[], Cost]
    cold: list[Cost] = field(default_factory=list)
    warm: list[Cost] = field(default_factory=list)


def measured(project: Project, repeats: int) -> list[Row]:
    """All ways, in turns; every other time in the opposite order."""
    rows = [
        Row(name="dvc pull", run=project.pull),
        Row(name="reprocheck", run=project.restore),
        Row(name="cp -r", run=project.copy),
    ]
    for repeat in range(repeats):
        for row in rows[:: -1 if repeat % 2 else 1]:
            project.cool()
            row.cold.append(row.run())
        project.warm()
        for row in rows[:: -1 if repeat % 2 else 1]:
            project.clear()
            row.warm.append(row.run())
    project.cool()
    return rows


def median_s(costs: list[Cost]) -> float:
    return statistics.median(cost.seconds for cost in costs)


def table(title: str, rows: list[Row]) -> Iterator[str]:
    yield f"\n{title}"
    yield f"{'':<14}{'cold':>9}{'x dvc':>8}{'warm':>9}{'x dvc':>8}{'peak':>11}"
    pull, ours, *_ = rows
    for row in rows:
        cold, warm = median_s(row.cold), median_s(row.warm)
        peak = max(cost.peak_mib for cost in (*row.cold, *row.warm))
        yield (
            f"{row.name:<14}{cold:>7.2f} s{cold / median_s(pull.cold):>8.2f}"
            f"{warm:>7.2f} s{warm / median_s(pull.warm):>8.2f}{peak:>7.0f} MiB"
        )
    cold_x = median_s(ours.cold) / median_s(pull.cold)
    warm_x = median_s(ours.warm) / median_s(pull.warm)
    met = cold_x <= COLD_AIM and warm_x < WARM_AIM
    told = f"cold at most {COLD_AIM} x dvc pull, warm faster"
    yield f"{told}: {'yes' if met else 'NO'}"


def memory(folder: Path, sizes: list[float], gib: float) -> Iterator[str]:
    """Our peak memory by the size of one file."""
    yield f"\n{'one file':<14}{'reprocheck':>12}{'dvc pull':>12}   (peak memory, cold)"
    for share in sizes:
        size = int(share * gib * 2**30)
        project = made(folder / f"memory-{share}", one(size))
        costs = []
        for run in (project.restore, project.pull):
            project.cool()
            costs.append(run().peak_mib)
        yield f"{size / 2**20:>9,.0f} MiB {costs[0]:>8.0f} MiB{costs[1]:>8.0f} MiB"
        shutil.rmtree(project.folder)


def main(argv: list[str] | None = None) -> None:
    """Prints a table for each input, and the memory by size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="small files")
    parser.add_argument("--gib", type=float, default=2.0, help="size of the large file")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=("many", "one", "memory"))
    parser.add_argument(
        "--sizes", type=float, nargs="+", default=[0.125, 0.25, 0.5, 1.0], help="shares of --gib"
    )
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="reprocheck-", dir=asked.folder) as folder:
        inputs = {
            "many": (f"{asked.files:,} files of {SMALL // 2**10} KiB", many(asked.files)),
            "one": (f"one file of {asked.gib:g} GiB", one(int(asked.gib * 2**30))),
        }
        for name, (title, write) in inputs.items():
            if asked.only in (None, name):
                project = made(Path(folder) / name, write)
                print(*table(title, measured(project, asked.repeats)), sep="\n", flush=True)
                shutil.rmtree(project.folder)
        if asked.only in (None, "memory"):
            print(*memory(Path(folder), asked.sizes, asked.gib), sep="\n")


if __name__ == "__main__":
    main()
