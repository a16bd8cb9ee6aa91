"""The verdict on a product."""

from __future__ import annotations

import dataclasses

import pytest

from reprocheck.compare.evidence import is_result
from reprocheck.compare.products import compare_products, product_findings, products_sentence
from reprocheck.model import Numbers, Product, Tensors, Verdict


def of(value: object, path: str = "out.json") -> Product:
    """A product; of a text as its digest, of a number or a structure as its content."""
    match value:
        case Product():
            return value
        case str():
            return Product(path=path, sha256=value, size=1)
        case Numbers() | Tensors():
            return Product(path=path, sha256=repr(value), size=1, content=value)
        case _:
            numbers = Numbers(skeleton="s", values=(float(str(value)),))
            return Product(path=path, sha256=repr(value), size=1, content=numbers)


ROWS = Numbers(skeleton="other rows", values=(0.5,))
NOISE = 0.5 + 1e-12


@pytest.fixture
def ask(build_question, build_trial):
    def build(products, *reruns, gated=("*",), **given):
        question = dataclasses.replace(
            build_question({"loss": 0.5}, **given),
            products={path: of(value, path) for path, value in products.items()},
            gated_products=gated,
        )
        trials = [
            dataclasses.replace(
                build_trial(i, {"loss": 0.5}),
                products=tuple(of(value, path) for path, value in rerun.items()),
            )
            for i, rerun in enumerate(reruns, start=1)
        ]
        return question, tuple(trials)

    return build


@pytest.fixture
def judge(ask):
    """Verdict and reason of one gated product, by its values in the reruns."""

    def rule(original, *reruns, **given):
        files = [{} if rerun is None else {"out.json": rerun} for rerun in reruns]
        (found,) = compare_products(*ask({"out.json": original}, *files, **given))
        assert found.sentence.startswith("out.json: ")
        return found.verdict.value, found.reason

    return rule


CASES = [
    (0.5, [0.5], "IDENTICAL", "same"),
    (0.5, [0.5, 0.5], "IDENTICAL", "same"),
    (0.5, [0.5, NOISE], "NUMERICALLY_EQUAL", "tolerance"),
    (0.5, [0.6], "INCONCLUSIVE", "too_few"),
    (0.5, [ROWS], "INCONCLUSIVE", "too_few"),
    (0.5, [0.6, 0.7], "INCONCLUSIVE", "noise"),
    (0.5, [0.5, 0.6], "INCONCLUSIVE", "noise"),
    (0.5, [ROWS, 0.5], "INCONCLUSIVE", "noise"),
    (0.5, [0.6, 0.6], "INCONCLUSIVE", "shift_detected"),
    (0.5, [ROWS, ROWS], "NOT_REPRODUCED", "structure"),
    ("a", ["b", "b"], "INCONCLUSIVE", "shift_detected"),
    ("a", ["b", "c"], "INCONCLUSIVE", "noise"),
    (0.5, [0.5, None], "NOT_COMPARABLE", "missing"),
    (0.5, [None, 0.6], "NOT_COMPARABLE", "missing"),
    (0.5, [], "NOT_COMPARABLE", "missing"),
    ("", ["a"], "NOT_COMPARABLE", "unread"),
]


@pytest.mark.parametrize(("original", "reruns", "verdict", "reason"), CASES)
def test_the_verdict_of_a_gated_product(judge, original, reruns, verdict, reason):
    assert judge(original, *reruns) == (verdict, reason)
    shown = judge(original, *reruns, gated=())
    assert shown[0] == "INFORMATIONAL"


def test_on_the_same_machine_alike_reruns_are_no_noise(judge):
    assert judge(0.5, 0.6, 0.6, same_machine=True) == ("NOT_REPRODUCED", "numbers")
    assert judge("a", "b", "b", same_machine=True) == ("NOT_REPRODUCED", "differs")
    assert judge(0.5, 0.6, 0.7, same_machine=True) == ("INCONCLUSIVE", "noise")


def test_reruns_are_alike_by_content_whatever_packs_it(judge):
    packed = dataclasses.replace(of(0.6), sha256="otherwise packed")
    assert judge(0.5, 0.6, packed) == ("INCONCLUSIVE", "shift_detected")
    assert judge(0.6, packed, 0.6) == ("IDENTICAL", "same")


def test_a_crashed_trial_is_no_data(ask, build_trial):
    question, trials = ask({"out.json": 0.5}, {"out.json": 0.5})
    crashed = build_trial(2, {}, exit_code=1)
    (found,) = compare_products(question, (*trials, crashed))
    assert (found.verdict, found.reruns) == (Verdict.IDENTICAL, (repr(0.5),))


def test_what_is_not_gated_is_shown_with_its_reason(ask):
    products = {"model/MLmodel": "1", "a.json": 0.5, "b.json": 0.5, "c.bin": "x", "d.json": 0.5}
    rerun = {"model/MLmodel": "2", "a.json": NOISE, "b.json": 0.7, "d.json": 0.5}
    question, trials = ask(products, rerun, gated=("d.*",))
    found = compare_products(question, trials)
    assert [(p.path, p.gated, p.reason) for p in found] == [
        ("d.json", True, "same"),
        ("c.bin", False, "missing"),
        ("b.json", False, "numbers"),
        ("a.json", False, "tolerance"),
        ("model/MLmodel", False, "description"),
    ]
    assert found[1].reruns == (None,)
    assert found[2].sentence == (
        "b.json: 1 of 1 number differs, the largest relative difference is 0.2857, in the rerun."
    )
    assert products_sentence(found) == (
        "5 products: 1 the same, 1 equal up to floating-point noise, 1 differs, "
        "1 missing in a rerun, 1 describes the run and differs as it may."
    )
    assert products_sentence(()) == ""


def test_missing_and_new_products_are_findings(ask):
    question, trials = ask({"a": "1", "b": "1", "reprocheck/x": "1", "diff.patch": "1"}, {"a": "1"},
                           {"a": "1", "b": "1", "c": "1", "reprocheck/x": "1"})  # fmt: skip
    found = product_findings(question, trials)
    assert [(f.code, f.severity.value, f.message.split(": ")[1]) for f in found] == [
        ("missing-product", "warning", "b"),
        ("new-product", "note", "c"),
    ]
    sources, trials = ask({"code/train.csv": "1", "diff.patch": "1"}, {"code/train.csv": "1"})
    assert [each.reason for each in compare_products(sources, trials)] == ["missing", "same"]
    assert not is_result("code/train.csv")
    many, trials = ask({f"p{i}": "1" for i in range(9)}, {})
    (finding,) = product_findings(many, trials)
    assert finding.message.endswith("p4 and 4 more")


def test_without_the_originals_products_nothing_is_new_or_missing(ask):
    question, trials = ask({}, {"a": "1"}, gated=())
    assert compare_products(question, trials) == ()
    assert product_findings(question, trials) == ()


def test_a_gate_on_what_could_not_be_read_is_never_green(ask):
    (found,) = compare_products(*ask({}, {"m.onnx": "1"}, gated=("*.onnx",)))
    assert (found.path, found.verdict.value, found.reason) == ("*.onnx", "NOT_COMPARABLE", "unread")
