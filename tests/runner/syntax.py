"""Expressions into trees: GitHub's grammar, without its limits of depth and length."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NoReturn

from tests.runner.values import Value, number

TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^']|'')*')
    | (?P<number>(?:[+-]|(?<![\w)\]*])\.|\d)[\w.+-]*)
    | (?P<name>[A-Za-z_][\w-]*)
    | (?P<sign>&&|\|\||==|!=|<=|>=|[()\[\],.!<>*])
    | (?P<end>$)
    )""",
    re.X | re.A,
)
LITERALS = {"true": True, "false": False, "null": None, "NaN": float("nan")}
LITERALS |= {"Infinity": float("inf")}


class ExpressionError(Exception):
    """An expression that GitHub would refuse, or that this runner does not know."""


@dataclass(frozen=True, slots=True)
class Literal:
    value: Value


@dataclass(frozen=True, slots=True)
class Context:
    name: str


@dataclass(frozen=True, slots=True)
class Index:
    held: Node
    key: Node | None  # None: every one


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Node
    right: Node


Node = Literal | Context | Index | Call | Not | Binary
LEVELS = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="))


def parsed(written: str) -> Node:
    """The tree of an expression without its `${{ }}`."""
    parser = _Parser(written)
    tree = parser.binary(0)
    if parser.kind != "end":
        parser.refuse()
    return tree


def calls(node: Node) -> set[str]:
    """The functions that a tree calls, in lower case."""
    match node:
        case Call(name, arguments):
            return {name.lower()}.union(*(calls(each) for each in arguments))
        case Index(held, key):
            return calls(held) | (calls(key) if key is not None else set())
        case Not(operand):
            return calls(operand)
        case Binary(_, left, right):
            return calls(left) | calls(right)
    return set()


class _Parser:
    def __init__(self, written: str) -> None:
        self._written, self._at = written, 0
        self._next()

    def _next(self) -> str:
        before = getattr(self, "token", "")
        found = TOKEN.match(self._written, self._at)
        if found is None:
            raise ExpressionError(f"unexpected symbol at {self._at + 1} of {self._written!r}")
        self.kind, self._at = str(found.lastgroup), found.end()
        self.token = found[self.kind]
        return before

    def refuse(self) -> NoReturn:
        raise ExpressionError(f"unexpected {self.token or 'end'!r} in {self._written!r}")

    def _took(self, *signs: str) -> bool:
        if self.kind == "sign" and self.token in signs:
            self._next()
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._took(sign):
            self.refuse()

    def binary(self, level: int) -> Node:
        if level == len(LEVELS):
            return self._unary()
        tree = self.binary(level + 1)
        while self.kind == "sign" and self.token in LEVELS[level]:
            tree = Binary(self._next(), tree, self.binary(level + 1))
        return tree

    def _unary(self) -> Node:
        if self._took("!"):
            return Not(self._unary())
        tree = self._primary()
        while not isinstance(tree, Literal):
            if self._took("["):
                tree = Index(tree, None if self._took("*") else self.binary(0))
                self._expect("]")
            elif self._took("."):
                tree = Index(tree, self._property())
            else:
                break
        return tree

    def _property(self) -> Node | None:
        if self._took("*"):
            return None
        if self.kind != "name":
            self.refuse()
        return Literal(self._next())

    def _primary(self) -> Node:
        if self._took("("):
            tree = self.binary(0)
            self._expect(")")
            return tree
        match self.kind:
            case "string":
                return Literal(self._next()[1:-1].replace("''", "'"))
            case "number":
                return self._number()
            case "name":
                return self._named()
        return self.refuse()

    def _number(self) -> Node:
        value = number(self.token)
        if math.isnan(value):
            self.refuse()
        self._next()
        return Literal(value)

    def _named(self) -> Node:
        name = self._next()
        if self._took("("):
            return Call(name, self._arguments())
        return Literal(LITERALS[name]) if name in LITERALS else Context(name)

    def _arguments(self) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self._took(")"):
            found.append(self.binary(0))
            if not (self.kind == "sign" and self.token == ")"):
                self._expect(",")
        return tuple(found)
