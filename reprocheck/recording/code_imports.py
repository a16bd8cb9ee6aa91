"""The files that scripts import from beside them, transitively, by reading the code alone."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from reprocheck.recording.base import Source

_INSTALLED = frozenset({"site-packages", "dist-packages", "lib-dynload"})
_MOST, _LARGEST = 2000, 1_000_000
_DYNAMIC = frozenset({"import_module", "__import__"})


def search_path(
    scripts: Iterable[Path], named: Iterable[Path], told: Iterable[Path], root: Path | None
) -> tuple[Path, ...]:
    """Where modules of the project may be: beside scripts, in folders that are `named` by hand, and
    on the interpreter's path, as it `told`, below the root. What it finds elsewhere is a package.
    """
    beside = [script.parent for script in scripts]
    inside = [each for each in told if root and each.is_relative_to(root)]
    found = (Path(os.path.normpath(each)) for each in (*beside, *named, *inside))
    return tuple(dict.fromkeys(each for each in found if not _is_installed(each)))


def _is_installed(folder: Path) -> bool:
    return bool(_INSTALLED.intersection(folder.parts))


def read_sources(
    scripts: Sequence[Path], search: Sequence[Path]
) -> tuple[tuple[Source, ...], tuple[Source, ...]]:
    """The scripts with what they import, and imported files that hold no code to read."""
    found: dict[Path, Source] = {}
    opaque: dict[Path, Source] = {}
    waiting: list[tuple[Path, Path | None]] = [(script, None) for script in scripts]
    while waiting and len(found) < _MOST:
        path, importer = waiting.pop(0)
        if path in found or path in opaque:
            continue
        tree = _parsed(path)
        if tree is None:
            opaque[path] = Source(path=path, tree=ast.Module([], []), importer=importer)
            continue
        found[path] = Source(path=path, tree=tree, importer=importer)
        places = (*search, *_added(tree, path))
        waiting += [(each, path) for each in _imported(tree, path, places)]
    return tuple(found.values()), tuple(opaque.values())


def _parsed(path: Path) -> ast.Module | None:
    if path.suffix not in (".py", ".ipynb"):
        return None
    try:
        if path.stat().st_size > _LARGEST:
            return None
        text = path.read_text(encoding="utf-8", errors="replace")
        return ast.parse(_of_notebook(text) if path.suffix == ".ipynb" else text)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    except (AttributeError, KeyError, TypeError):  # JSON, and no notebook
        return None


def _of_notebook(text: str) -> str:
    """The code of the cells; a line of another language is left out."""
    cells = json.loads(text).get("cells", [])
    sources = ("".join(cell["source"]) for cell in cells if cell.get("cell_type") == "code")
    kept = []
    for source in sources:
        if source.lstrip().startswith("%%"):
            continue
        lines = source.splitlines()
        kept += ["pass" if line.lstrip()[:1] in ("%", "!", "?") else line for line in lines]
    return "\n".join(kept)


def _added(tree: ast.Module, path: Path) -> Iterator[Path]:
    """Folders that code adds to sys.path by a literal."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        is_path = ast.unparse(node.func) in ("sys.path.append", "sys.path.insert")
        last = node.args[-1] if is_path and node.args else None
        if isinstance(last, ast.Constant) and isinstance(last.value, str):
            yield from (Path(os.path.normpath(base / last.value)) for base in (path.parent,))


def _imported(tree: ast.Module, path: Path, search: Sequence[Path]) -> Iterator[Path]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for each in names:
                    yield from _files(each.name, search)
            case ast.ImportFrom(module=module, names=names, level=level):
                places = [_package(path, level)] if level else search
                yield from _files(module or "", places)
                for each in names:
                    yield from _files(f"{module or ''}.{each.name}".strip("."), places)
            case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]):
                if _last_name(func) in _DYNAMIC:
                    yield from _files(name, search)


def _last_name(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _package(path: Path, level: int) -> Path:
    return path.parents[min(level, len(path.parents)) - 1]


def _files(name: str, search: Sequence[Path]) -> Iterator[Path]:
    """The files that importing a module by its dotted name runs; none of a package elsewhere."""
    parts = name.split(".") if name else []
    if not all(part.isidentifier() for part in parts):
        return
    for folder in search:
        found = list(_in_folder(parts, folder))
        if found:
            yield from found
            return


def _in_folder(parts: Sequence[str], folder: Path) -> Iterator[Path]:
    if not parts:  # from . import name
        yield from filter(Path.is_file, [folder / "__init__.py"])
    for part in parts:
        package, module = folder / part / "__init__.py", folder / f"{part}.py"
        if package.is_file():
            yield package
        elif module.is_file():
            yield module
            return
        elif not (folder / part).is_dir():
            yield from sorted([*folder.glob(f"{part}.*.so"), *folder.glob(f"{part}.so")])
            return
        folder = folder / part
