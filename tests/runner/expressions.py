"""Expressions and the `${{ }}` in texts: evaluated in contexts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.runner import functions, syntax
from tests.runner.functions import Function
from tests.runner.syntax import Binary, Call, Context, ExpressionError, Index, Literal, Node, Not
from tests.runner.values import Value, equal, every, greater, item, text, truthy

MARKED = re.compile(r"\$\{\{((?:'(?:[^']|'')*'|(?!\}\})[^'])*)\}\}", re.S)
COMPARED: dict[str, Callable[[Value, Value], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    ">": greater,
    "<": lambda left, right: greater(right, left),
    ">=": lambda left, right: equal(left, right) or greater(left, right),
    "<=": lambda left, right: equal(left, right) or greater(right, left),
}
STATUS = {"success", "failure", "always", "cancelled"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What an expression can name: contexts, and functions besides those that are always there."""

    contexts: Mapping[str, Value]
    functions: Mapping[str, Function] = field(default_factory=dict)

    def having(self, **contexts: Value) -> Scope:
        """The same with other contexts of these names."""
        return Scope(contexts={**self.contexts, **contexts}, functions=self.functions)


def evaluate(written: str, scope: Scope) -> Value:
    """The value of an expression without its `${{ }}`. Raises `ExpressionError`."""
    return _value(syntax.parsed(written), scope)


def _value(node: Node, scope: Scope) -> Value:
    match node:
        case Literal(value):
            return value
        case Context(name):
            return _context(name, scope)
        case Index(held, key):
            inner = _value(held, scope)
            return every(inner) if key is None else item(inner, _value(key, scope))
        case Not(operand):
            return not truthy(_value(operand, scope))
        case Call():
            return _called(node, scope)
    return _binary(node, scope)


def _context(name: str, scope: Scope) -> Value:
    for known, value in scope.contexts.items():
        if known == name.lower():
            return value
    raise ExpressionError(f"no context {name!r} here, only: {', '.join(sorted(scope.contexts))}")


def _called(node: Call, scope: Scope) -> Value:
    name = node.name.lower()
    function = scope.functions.get(name) or functions.FUNCTIONS.get(name)
    if function is None:
        raise ExpressionError(f"no function {node.name!r} here")
    if not function.least <= len(node.arguments) <= function.most:
        raise ExpressionError(f"{node.name} does not take {len(node.arguments)} arguments")
    return function.call(*(_value(each, scope) for each in node.arguments))


def _binary(node: Binary, scope: Scope) -> Value:
    left = _value(node.left, scope)
    if node.operator in ("&&", "||"):
        decided = truthy(left) == (node.operator == "||")
        return left if decided else _value(node.right, scope)
    right = _value(node.right, scope)
    return COMPARED[node.operator](left, right)


def filled(value: Value, scope: Scope) -> Value:
    """A value of a file with its `${{ }}` evaluated, at any depth; one alone keeps its type."""
    match value:
        case str():
            return _filled(value, scope)
        case Mapping():
            return {text(filled(name, scope)): filled(each, scope) for name, each in value.items()}
        case list():
            return [filled(each, scope) for each in value]
    return value


def _filled(written: str, scope: Scope) -> Value:
    whole = MARKED.fullmatch(written.strip())
    if whole:
        return evaluate(whole[1], scope)
    result = MARKED.sub(lambda found: text(evaluate(found[1], scope)), written)
    if "${{" in MARKED.sub("", written):
        raise ExpressionError(f"{written!r} has a ${{{{ that does not end")
    return result


def condition(written: Value, scope: Scope) -> bool:
    """Whether an `if` holds; without a status function it also wants success()."""
    if not isinstance(written, str):
        written = text(written)
    whole = MARKED.fullmatch(written.strip())
    if not whole and "${{" in written:
        raise ExpressionError(f"if: {written!r} is a text around an expression: always true")
    inner = whole[1] if whole else written
    if not inner.strip():
        inner = "success()"
    tree = syntax.parsed(inner)
    if not syntax.calls(tree) & STATUS:
        tree = Binary("&&", Call("success", ()), tree)
    return truthy(_value(tree, scope))
