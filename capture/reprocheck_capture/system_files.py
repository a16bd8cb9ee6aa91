"""Small files in which the system tells of itself."""


def read(path: str) -> str:
    """The text; "" of what cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
