"""Every code that a finding of the package can have: read from its source, and seen at run time."""

from __future__ import annotations

import ast
import dataclasses
import functools
import itertools
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import reprocheck
from reprocheck.model import Finding, Severity

PACKAGE = Path(reprocheck.__file__).parent
PAGE = Path(__file__).parents[1] / "docs/findings.md"
KEBAB = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_SEVERITIES = {severity.name: severity.value for severity in Severity}
_ALL = set(_SEVERITIES.values())
_DEPTH = 5  # of functions that hand a code on

Function = ast.FunctionDef | ast.AsyncFunctionDef | None


def sections(text: str) -> dict[str, str]:
    """The text below each heading of the page that is a finding's code."""
    parts = re.split(r"^## (\S+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@functools.cache
def documented() -> frozenset[str]:
    return frozenset(sections(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else ())


# --- at run time --------------------------------------------------------------------------


class Watcher:
    """Remembers the codes without a section that the package, not a test, gives to findings."""

    def __init__(self) -> None:
        self.unknown: set[str] = set()
        self._invented: set[str] = set()  # by tests, of what is only rendered or read back

    def install(self) -> None:
        original = Finding.__init__

        def init(finding: Finding, **given: str) -> None:
            original(finding, **given)  # type: ignore[arg-type]
            if finding.code not in documented():
                self._note(finding.code, sys._getframe(1).f_code.co_filename)

        Finding.__init__ = init  # type: ignore[method-assign,assignment]

    def _note(self, code: str, file: str) -> None:
        if not Path(file).is_relative_to(PACKAGE):
            self._invented.add(code)
        elif code not in self._invented:
            self.unknown.add(code)


# --- in the source ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Call:
    node: ast.Call
    function: Function  # that it is in
    module: Module


@dataclass(kw_only=True)
class Module:
    path: Path
    tree: ast.Module
    calls: list[Call] = field(default_factory=list)
    rows: list[ast.Tuple | ast.List] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a finding's code and severity are at one place, as expressions there."""

    code: ast.expr
    severity: ast.expr
    function: Function
    module: Module


@dataclass(kw_only=True)
class Severities:
    """Those that a code has, and those that it may have: which one may only show at run time."""

    sure: set[str] = field(default_factory=set)
    possible: set[str] = field(default_factory=set)


def source_codes(package: Path = PACKAGE) -> dict[str, Severities]:
    """Each code that the source gives to a finding, with the severities that it gives with it."""
    source = _Source(package)
    found: dict[str, Severities] = {}
    for code, severities, is_sure in source.pairs():
        told = found.setdefault(code, Severities())
        told.possible |= severities
        told.sure |= severities if is_sure else set()
    return found


class _Source:
    def __init__(self, package: Path) -> None:
        paths = sorted(package.rglob("*.py"))
        self._modules = [_module(path) for path in paths]
        self._calls: dict[str, list[Call]] = {}
        for call in itertools.chain.from_iterable(module.calls for module in self._modules):
            self._calls.setdefault(_name(call.node.func), []).append(call)
        self._constants = _constants(self._modules)

    def pairs(self) -> Iterator[tuple[str, set[str], bool]]:
        for call in self._calls["Finding"]:
            given = {word.arg: word.value for word in call.node.keywords}
            if not {"code", "severity"} <= given.keys():
                continue  # read back from a document
            made = Made(
                code=given["code"],
                severity=given["severity"],
                function=call.function,
                module=call.module,
            )
            yield from self._followed(made, _DEPTH)

    def _followed(self, made: Made, depth: int) -> Iterator[tuple[str, set[str], bool]]:
        """Follows a code that is a parameter to where the function is called."""
        made = dataclasses.replace(
            made,
            code=_expanded(made.code, made.function),
            severity=_expanded(made.severity, made.function),
        )
        asked = _parameters(made.function) & (_names(made.code) | _names(made.severity))
        if not asked or not depth:
            yield from self._resolved(made)
            return
        for call in self._callers(made):
            given = _arguments(call.node, made.function)
            yield from self._followed(
                Made(
                    code=_substituted(made.code, given),
                    severity=_substituted(made.severity, given),
                    function=call.function,
                    module=call.module,
                ),
                depth - 1,
            )

    def _callers(self, made: Made) -> list[Call]:
        assert made.function is not None
        calls = self._calls.get(made.function.name, [])
        return [call for call in calls if _is_of(call, made.function, made.module)]

    def _resolved(self, made: Made) -> Iterator[tuple[str, set[str], bool]]:
        codes = self._texts(made.code, made)
        known = self._texts(made.severity, made) & _ALL
        severities = known or _named_severities(made.function)
        if codes:
            yield from ((code, severities, bool(known)) for code in codes)
            return
        # Of a table or of what another function yields: rows that begin with a code.
        for row in made.module.rows:
            for code in self._texts(row.elts[0], made):
                if "-" in code and KEBAB.fullmatch(code):
                    told = [self._texts(part, made) for part in row.elts[1:]]
                    own = set().union(*told) & _ALL
                    yield code, own or severities, bool(own) or len(known) == 1

    def _texts(self, expression: ast.expr, made: Made) -> set[str]:
        """All texts that an expression can be."""
        found: set[str] = set()
        match expression:
            case ast.Constant(value=str(text)):
                found = {text}
            case ast.Attribute(value=ast.Name(id="Severity"), attr=name):
                found = {_SEVERITIES[name]}
            case ast.IfExp(body=one, orelse=other):
                found = self._texts(one, made) | self._texts(other, made)
            case ast.JoinedStr(values=parts):
                told = [self._texts(part, made) for part in parts]
                found = {"".join(texts) for texts in itertools.product(*told)}
            case ast.FormattedValue(value=value):
                found = self._texts(value, made)
            case ast.Name(id=name):
                own = self._constants.get((made.module.path, name))
                found = own or self._constants.get(name, set())
        return found


def _module(path: Path) -> Module:
    module = Module(path=path, tree=ast.parse(path.read_text(encoding="utf-8")))
    _visit(module.tree, None, module)
    return module


def _visit(node: ast.AST, function: Function, module: Module) -> None:
    if isinstance(node, ast.Match):
        _narrow(node)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            module.calls.append(Call(node=child, function=function, module=module))
        if isinstance(child, ast.Tuple | ast.List) and len(child.elts) > 1:
            module.rows.append(child)
        inner = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        _visit(child, child if inner else function, module)  # type: ignore[arg-type]


def _narrow(node: ast.Match) -> None:
    """Writes into each case what a subject that is a plain name is there."""
    for case in node.cases:
        match node.subject, case.pattern:
            case ast.Name(id=name), ast.MatchValue(value=ast.Constant() as constant):
                case.body = [_Substitution({name: constant}).visit(line) for line in case.body]


def _constants(modules: list[Module]) -> dict[object, set[str]]:
    """Texts of names of modules: by module and name, and by name for those that import them."""
    found: dict[object, set[str]] = {}
    for module in modules:
        for name, text in itertools.chain.from_iterable(map(_texts_of, module.tree.body)):
            found[module.path, name] = {text}
            found.setdefault(name, set()).add(text)
    return found


def _texts_of(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """The texts that an assignment gives to names."""
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
            pairs = list(zip(names, values, strict=False))
        case ast.Assign(targets=[name], value=value):
            pairs = [(name, value)]
        case _:
            pairs = []
    for pair in pairs:
        match pair:
            case ast.Name(id=told), ast.Constant(value=str(text)):
                yield told, text


def _is_of(call: Call, function: ast.FunctionDef | ast.AsyncFunctionDef, module: Module) -> bool:
    """Whether a call of that name is of that function, and not of a namesake."""
    match call.node.func:
        case ast.Name(id=name):
            imported = any(
                isinstance(node, ast.ImportFrom)
                and (node.module or "").endswith(module.path.stem)
                and any((each.asname or each.name) == name for each in node.names)
                for node in ast.walk(call.module.tree)
            )
            return call.module is module or imported
        case ast.Attribute(value=ast.Name(id=name)):
            method = [each.arg for each in function.args.args[:1]] == ["self"]
            return method or name == module.path.stem
    return False


def _name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _named_severities(function: Function) -> set[str]:
    """All severities that a function names: of a finding whose own comes out of a table there."""
    return {
        _SEVERITIES[node.attr]
        for node in ast.walk(function or ast.Module(body=[], type_ignores=[]))
        if isinstance(node, ast.Attribute) and _names(node.value) == {"Severity"}
    }


def _names(expression: ast.expr) -> set[str]:
    """Names that an expression's value comes from, not those that choose between values."""
    if isinstance(expression, ast.IfExp):
        return _names(expression.body) | _names(expression.orelse)
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}


def _parameters(function: Function) -> set[str]:
    return {each.arg for each in _listed(function)}


def _listed(function: Function) -> list[ast.arg]:
    if function is None:
        return []
    given = function.args
    return [*given.posonlyargs, *given.args, *given.kwonlyargs]


def _arguments(call: ast.Call, function: Function) -> dict[str, ast.expr]:
    assert function is not None
    places = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    defaults = function.args.defaults
    given: dict[str, ast.expr] = {}
    given |= zip(places[len(places) - len(defaults) :], defaults, strict=True)
    for each, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        if default is not None:
            given[each.arg] = default
    positional = places[1:] if places[:1] == ["self"] else places
    given |= zip(positional, call.args, strict=False)
    given |= {word.arg: word.value for word in call.keywords if word.arg is not None}
    return given


class _Substitution(ast.NodeTransformer):
    def __init__(self, given: dict[str, ast.expr]) -> None:
        self._given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._given.get(node.id, node)


def _substituted(expression: ast.expr, given: dict[str, ast.expr]) -> ast.expr:
    copy = ast.parse(ast.unparse(expression), mode="eval").body
    return _Substitution(given).visit(copy)  # type: ignore[no-any-return]


def _expanded(expression: ast.expr, function: Function) -> ast.expr:
    """With what the function assigns to names of its own, in their place."""
    assigned: dict[str, ast.expr] = {}
    for node in ast.walk(function or ast.Module(body=[], type_ignores=[])):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                before = assigned.get(name)
                always = ast.Constant(value=True)
                assigned[name] = (
                    ast.IfExp(test=always, body=value, orelse=before) if before else value
                )
    return _substituted(expression, assigned)
