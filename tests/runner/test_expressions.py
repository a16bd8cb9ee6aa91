import json
from pathlib import Path

import pytest

from tests.runner.expressions import Scope, condition, evaluate, filled
from tests.runner.functions import Function
from tests.runner.syntax import ExpressionError
from tests.runner.values import Closed, UnknownNameError, text

TABLE = json.loads(Path(__file__).with_name("expressions.json").read_text(encoding="utf-8"))
SCOPE = Scope(contexts=TABLE["contexts"])
KINDS = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "string"}


def told(expression: str) -> dict[str, object]:
    """What our engine says of an expression, as the table has it."""
    try:
        value = evaluate(expression, SCOPE)
    except ExpressionError:
        return {"expression": expression, "error": True}
    kind = KINDS.get(type(value)) or ("array" if isinstance(value, list) else "object")
    result = {"expression": expression, "kind": kind, "text": text(value)}
    return result | ({"json": value} if kind in ("array", "object") else {})


def test_every_result_is_that_of_githubs_own_engine() -> None:
    assert len(TABLE["results"]) > 250
    different = [(told(each["expression"]), each) for each in TABLE["results"]]
    assert [pair for pair in different if pair[0] != pair[1]] == []


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("${{ inputs.flag }}", True),
        (" ${{ inputs.flag }} ", True),
        ("a ${{ inputs.flag }} b", "a true b"),
        ("${{ inputs.flag }}${{ inputs.off }}", "truefalse"),
        ("${{ '}}' }}", "}}"),
        ("$(touch pwn) `id`", "$(touch pwn) `id`"),
        ({"a-${{ inputs.reruns }}": ["${{ null }}", 1]}, {"a-3": [None, 1]}),
    ],
)
def test_marked_expressions_are_filled_in(written: object, expected: object) -> None:
    assert filled(written, SCOPE) == expected


def test_an_expression_without_an_end_is_refused() -> None:
    with pytest.raises(ExpressionError, match="does not end"):
        filled("a ${{ inputs.flag", SCOPE)


def scope(succeeded: bool) -> Scope:
    status = {
        "success": Function(lambda: succeeded, 0, 0),
        "failure": Function(lambda: not succeeded, 0, 0),
        "always": Function(lambda: True, 0, 0),
    }
    return Scope(contexts=TABLE["contexts"], functions=status)


@pytest.mark.parametrize(
    ("written", "after_success", "after_failure"),
    [
        ("", True, False),
        (True, True, False),
        ("true", True, False),
        ("${{ inputs.flag }}", True, False),
        ("inputs.off", False, False),
        ("always()", True, True),
        ("failure()", False, True),
        ("always() && inputs.off", False, False),
        ("!success() && inputs.flag", False, True),
        ("contains(format('{0}', success()), 'true') || true", True, True),
    ],
)
def test_conditions_want_success_unless_they_ask_for_the_status(
    written: object, after_success: bool, after_failure: bool
) -> None:
    assert condition(written, scope(True)) is after_success
    assert condition(written, scope(False)) is after_failure


def test_a_condition_that_would_always_be_true_is_refused() -> None:
    with pytest.raises(ExpressionError, match="always true"):
        condition("${{ inputs.off }} == 'true'", scope(True))


def test_names_that_the_file_does_not_declare_are_refused() -> None:
    known = Closed("inputs", {"run-id": ""}, known=("reruns",))
    closed = Scope(contexts={"inputs": known})
    assert evaluate("inputs.reruns", closed) is None
    with pytest.raises(UnknownNameError, match="run_id"):
        evaluate("inputs.run_id", closed)
