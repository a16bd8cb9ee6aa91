"""Requirement seed: the run's record, or the code itself, tells which seed it had."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from reprocheck.model import Requirement
from reprocheck.recording.base import Lack, Situation, Source, lack, not_known
from reprocheck.recording.data_files import config_files, values
from reprocheck.recording.programs import lines

_SEED = re.compile(
    r"(?i)(.*[._-])?(seed|random[-_]?state|rng[-_]seed)([-_](everything|value|\d+))?"
)
_GIVEN = re.compile(r"(?i)(?<![\w-])--?[\w-]*(seed|random[-_]state)[ \t=]+[0-9]+\b")
_SETTERS = frozenset(
    {
        *("seed", "manual_seed", "manual_seed_all", "set_seed", "set_random_seed"),
        *("seed_everything", "seed_all", "fix_seed", "default_rng", "RandomState", "PRNGKey"),
        *("Random", "SeedSequence", "enable_full_determinism", "set_global_seed"),
    }
)
_LINES = (
    (("numpy", "pandas", "sklearn", "scipy"), "import numpy; numpy.random.seed(7)"),
    (("torch", "lightning", "pytorch_lightning"), "import torch; torch.manual_seed(7)"),
    (("tensorflow", "keras"), "import tensorflow; tensorflow.random.set_seed(7)"),
)


def check(situation: Situation) -> tuple[Lack, ...]:
    """A lack where no seed is in sight: a look at the code, which is not run."""
    asked = situation.asked
    named = asked.config.seed_env
    if situation.foreseen.seeds or (named and asked.env.get(named)) or _in_configs(situation):
        return ()
    if any(map(_sets_seed, situation.sources)) or _in_lines(situation):
        return ()
    if not situation.sources:
        return (_nothing_read(),)
    return (
        lack(
            Requirement.SEED,
            "no-seed",
            "no seed is in the arguments, in the config files or set by the code",
            hint="let the training take one, and name it in the command; a variable counts where "
            "`reruns.seed_env` in reprocheck.yaml names it",
            fix=_fix(situation),
        ),
    )


def _nothing_read() -> Lack:
    return not_known(
        Requirement.SEED,
        "unknown-seed",
        "no seed is in the arguments, and the command names no script of Python that is here",
        "name the seed in the command",
    )


def _fix(situation: Situation) -> str:
    """The command with the option that the code declares, else what seeds the libraries."""
    for each in situation.sources:
        for node in ast.walk(each.tree):
            if isinstance(node, ast.Call) and (option := _option(node.args)):
                return _with_option(situation, each, option)
    imported = {name for each in situation.sources for name in _imported(each.tree)}
    wanted = [line for names, line in _LINES if imported.intersection(names)]
    return "; ".join(["import random", "random.seed(7)", *wanted])


def _with_option(situation: Situation, source: Source, option: str) -> str:
    (script,) = situation.told([source.path])
    argv = situation.asked.argv
    if script in argv:
        return f"reprocheck record -- {shlex.join([*argv, option, '7'])}"
    return f"python {shlex.join([script, option, '7'])}"


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _in_lines(situation: Situation) -> bool:
    """Whether a stage of DVC or a line of a shell's script gives a seed."""
    asked = situation.asked
    return any(map(_GIVEN.search, lines(asked.argv, asked.cwd)))


def _in_configs(situation: Situation) -> bool:
    paths = [*config_files(situation), *_by_convention(situation)]
    return any(
        _SEED.fullmatch(key) and isinstance(value, int) and not isinstance(value, bool)
        for path in paths
        if situation.is_known(path)
        for key, value in values(path)
    )


def _by_convention(situation: Situation) -> Iterator[Path]:
    """DVC's parameters, and Hydra's folder of configs as the code names it."""
    cwd = situation.asked.cwd
    yield from (path for path in [cwd / "params.yaml"] if path.is_file())
    for source in situation.sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "hydra.main":
                for word in node.keywords:
                    if word.arg == "config_path" and isinstance(word.value, ast.Constant):
                        folder = source.path.parent / str(word.value.value or ".")
                        yield from sorted(folder.rglob("*.yaml"))[:200]


def _sets_seed(source: Source) -> bool:
    constants = _constants(source.tree)
    return any(_is_seeded(node, constants) for node in ast.walk(source.tree))


def _constants(tree: ast.Module) -> frozenset[str]:
    """Names that the module itself binds to a whole number."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and _is_number(node.value, frozenset()):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return frozenset(found)


def _is_seeded(node: ast.AST, constants: frozenset[str]) -> bool:
    match node:
        case ast.Call(func=func, args=args, keywords=keywords):
            name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
            if name in _SETTERS and args and _is_number(args[0], constants):
                return True
            given = {word.arg: word.value for word in keywords if word.arg}
            if _option(args) and _is_number(given.get("default"), constants):
                return True
            return any(
                _SEED.fullmatch(key) and _is_number(value, constants)
                for key, value in given.items()
            )
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            return bool(_SEED.fullmatch(name)) and _is_number(value, constants)
        case ast.arguments():
            return _has_default(node, constants)
    return False


def _option(args: Sequence[ast.expr]) -> str:
    """The option for a seed that a call declares, as add_argument("--seed")."""
    texts = [arg.value for arg in args if isinstance(arg, ast.Constant)]
    named = (
        text
        for text in texts
        if isinstance(text, str) and text.startswith("--") and _SEED.fullmatch(text.lstrip("-"))
    )
    return next(named, "")


def _has_default(node: ast.arguments, constants: frozenset[str]) -> bool:
    plain = [*node.posonlyargs, *node.args]
    pairs = [
        *zip(plain[len(plain) - len(node.defaults) :], node.defaults, strict=True),
        *zip(node.kwonlyargs, node.kw_defaults, strict=True),
    ]
    return any(_SEED.fullmatch(arg.arg) and _is_number(value, constants) for arg, value in pairs)


def _is_number(node: ast.expr | None, constants: frozenset[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in constants
    return isinstance(node, ast.Constant) and type(node.value) is int
