"""The experiment definition that `reprocheck record --init` writes, to be filled in."""

from __future__ import annotations

from pathlib import Path

from reprocheck.errors import ReprocheckError, UsageError

FILE_NAME = "experiment.yaml"

TEMPLATE = """\
# What is fixed before the run. Commit this file: its digest is recorded with each run, so that a
# margin that is loosened once the result is known shows. Keys that start with # are optional.
version: 1

# What the run is meant to show, in words.
hypothesis: ""

metrics:
  # The metrics that decide. One that is missing from a run is an error.
  primary:
    accuracy:
      direction: higher        # what counts as better: higher or lower
      margin: {abs: 0.005}     # differences that do not matter; or {rel: 0.02}
      # min: 0.9               # the value to reach; max for a metric that is better lower
      # max: 1.0
      # test_size: 360         # examples that it is measured on: gives a margin where none is named
      # noninferiority: true   # only the harmful side is tested
  # Further metrics that must hold.
  # secondary:
  #   loss:
  #     direction: lower
  #     margin: {rel: 0.05}
  #     scale: log             # of positive metrics that differ by factors

# What the result has to be compared with, and why.
# comparisons:
#   - against: the model in production   # or a run's id or name
#     metrics: [accuracy]                # left out: the primary ones
#     reason: it is replaced where this one is better

# Who has to approve a run, by role.
# sign_offs:
#   - role: reviewer
#     by: [alice, bob]                   # left out: anybody in that role

# Flags of the experiment as a whole.
# sensitive: [personal]

# Entries of the team's register of data that are used.
# data:
#   - name: digits
#     version: "2026-01"
#     path: data/digits.csv              # from the repository's root
#     digest: "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#     sensitive: [personal]
#     licence: CC-BY-4.0
#     owner: data-team@example.com
"""


def write_template(path: Path) -> None:
    """Writes the file. Raises `UsageError` where one exists, `ReprocheckError` where it cannot."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError as error:
        raise UsageError(
            f"writing {path}: it exists, and is left as it is",
            "name another file, or edit that one",
        ) from error
    except OSError as error:
        raise ReprocheckError(
            f"writing {path}: {error.strerror}", "name a file in a folder that can be written"
        ) from error
