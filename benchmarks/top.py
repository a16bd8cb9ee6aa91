"""What it costs to choose among 5,000 runs of a local sqlite store.

The aim: seconds. Run it from the repository's root, as `python -m benchmarks.top`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.audit import Lab

SECONDS_AIM = 20.0


def main(argv: list[str] | None = None) -> None:
    """Prints seconds and memory of `reprocheck top`, by a metric and by a tag."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5_000)
    given = parser.parse_args(argv)
    wishes = {
        "by a metric": ("--metric", "metric_0", "--direction", "higher"),
        "by a tag that all have": ("--tag", "reprocheck.argv"),
    }
    with tempfile.TemporaryDirectory(prefix="reprocheck-benchmark-") as name:
        lab = Lab(folder=Path(name), runs=given.runs).make()
        print(f"{given.runs} runs of a sqlite store, 50 chosen at most")
        for told, wish in wishes.items():
            cost = lab.python(
                *("-m", "reprocheck", "top", "--reports", str(Path(name, "reports")), *wish),
                *("--tracking-uri", f"sqlite:///{lab.store}"),
            )
            met = "yes" if cost.seconds < SECONDS_AIM else "NO"
            print(f"{told:24}{cost.seconds:6.1f} s {cost.peak_mib:8.0f} MiB", end="   ")
            print(f"under {SECONDS_AIM:.0f} s: {met}")


if __name__ == "__main__":
    main()
