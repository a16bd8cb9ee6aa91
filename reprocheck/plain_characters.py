"""Characters for streams that cannot show all of Unicode."""

from __future__ import annotations

_PLAIN = str.maketrans(
    {
        **{"✓": "+", "✗": "x", "≈": "~", "○": "o", "●": "*", "◉": "@"},
        **{"├": "[", "┤": "]", "│": "|", "─": "-", "–": "-", "—": "-", "·": "."},
        **{"…": "..", "±": "+-", "→": "->", "≤": "<=", "≥": ">=", "−": "-", "×": "x"},
    }
)
"""Mostly one for one, so that columns stay in line."""


def encodable(text: str, encoding: str) -> str:
    """The text, with what the encoding lacks replaced by something like it, else by `?`."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(_encodable(character, encoding) for character in text)
    return text


def is_unicode(encoding: str) -> bool:
    """Whether an encoding has every character."""
    return encoding.lower().startswith("utf")


def _encodable(character: str, encoding: str) -> str:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return character.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    return character
