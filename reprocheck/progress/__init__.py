"""Progress of a long verification, told to an object that is passed in; silent by default."""

from reprocheck.progress.base import Progress, Silent, bar, bytes_bar
from reprocheck.progress.growth import Parts, growing, watched
from reprocheck.progress.terminal import Terminal

__all__ = [
    "Parts",
    "Progress",
    "Silent",
    "Terminal",
    "bar",
    "bytes_bar",
    "growing",
    "watched",
]
