"""The stream that progress is written to."""

from __future__ import annotations

from contextlib import suppress
from typing import TextIO

from reprocheck.plain_characters import encodable


class Stream:
    """A stream that goes on when its reader is gone: progress is not worth a failure."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:
        """What text becomes bytes by."""
        return self._stream.encoding or "utf-8"

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        with suppress(OSError, ValueError):
            return self._stream.isatty()
        return False

    def fileno(self) -> int:
        """The number of its file."""
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Writes the text as far as the encoding has it."""
        with suppress(OSError, ValueError):
            self._stream.write(encodable(text, self.encoding))
        return len(text)

    def flush(self) -> None:
        """Sends what was written."""
        with suppress(OSError, ValueError):
            self._stream.flush()
