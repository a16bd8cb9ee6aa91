"""The files that a repository starts with: its config, and the workflows that verify its runs."""

from reprocheck.initial.looking import Seen, look
from reprocheck.initial.writing import Answers, NewFile, Written, files, write

__all__ = ["Answers", "NewFile", "Seen", "Written", "files", "look", "write"]
