"""The way in to matplotlib, so that nothing of the user's or of a checkout changes a figure."""

from __future__ import annotations

import contextlib
import importlib
import logging
import sys
from pathlib import Path


def load() -> None:
    """Imports matplotlib without a word, and without the settings of the working directory.

    On import it reads `matplotlibrc` of the working directory, which may be a stranger's
    checkout: one that is no text stops the import, and a wrong line is told to the log.
    """
    if "matplotlib" in sys.modules:
        return
    # Else what it has to say of its cache of fonts, which no figure uses, goes to the terminal.
    logging.getLogger("matplotlib").addHandler(logging.NullHandler())
    # Only then: the working directory is the whole process's.
    elsewhere = contextlib.chdir(Path(__file__).parent)
    with elsewhere if _has_settings() else contextlib.nullcontext():
        importlib.import_module("matplotlib")


def _has_settings() -> bool:
    try:
        return Path("matplotlibrc").exists()
    except OSError:
        return True
