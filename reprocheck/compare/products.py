"""What the original left beside what the reruns left.

A digest cannot tell noise from change, so a product that differs is only shown unless the user
gates it, and then it counts against the run only where reruns agree with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from reprocheck.compare.contents import REASONS, SAME, STRUCTURE, TOLERANCE, Kinship, kinship
from reprocheck.compare.evidence import is_result
from reprocheck.compare.question import Question
from reprocheck.model import Finding, Product, ProductComparison, Severity, Trial, Verdict
from reprocheck.numbers import counted

OWN = "reprocheck/"
"""Where a run keeps its own record: no product of the training."""

DESCRIPTION, MISSING, UNREAD = "description", "missing", "unread"
_ORDER = (MISSING, UNREAD, *reversed(REASONS), DESCRIPTION)
_PATCHES = (".patch", ".diff")  # a rerun has nothing uncommitted
_NAMES_TOLD = 5
_NEVER = "no number of reruns settles that"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pair:
    """A product of the original with its counterparts, one for each rerun."""

    original: Product
    reruns: tuple[Product | None, ...]  # None: missing
    gated: bool
    kinships: tuple[Kinship, ...]  # of those that are not missing

    @property
    def furthest(self) -> Kinship:
        """What was found of the rerun that is furthest from the original."""
        return max(self.kinships, key=lambda kin: kin.rank)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ruling:
    verdict: Verdict
    reason: str
    text: str


def compare_products(question: Question, trials: Sequence[Trial]) -> tuple[ProductComparison, ...]:
    """Every product of the original beside those of the finished trials.

    Gated ones come first, then what differs most. A gated pattern without a product of the
    original is NOT_COMPARABLE.
    """
    finished = [trial for trial in trials if trial.exit_code == 0]
    logged = [{product.path: product for product in trial.products} for trial in finished]
    found = [
        _comparison(_pair(question, product, logged), question.same_machine)
        for path, product in question.products.items()
        if not path.startswith(OWN)
    ]
    compared = [*found, *_unmatched(question, len(finished))]
    return tuple(sorted(compared, key=_place))


def product_findings(question: Question, trials: Sequence[Trial]) -> tuple[Finding, ...]:
    """A finding for products of the original that reruns lack, and one for new products."""
    logged = [{p.path for p in trial.products} for trial in trials if trial.exit_code == 0]
    if not logged or not question.products:
        return ()
    ours = {path for path in question.products if not path.startswith(OWN)}
    lacking = (path for path in ours if any(path not in theirs for theirs in logged))
    missing = sorted(path for path in lacking if not path.endswith(_PATCHES))
    theirs = set().union(*logged)
    new = sorted(path for path in theirs - ours if not path.startswith(OWN))
    return (*_when(missing, _missing_finding), *_when(new, _new_finding))


def products_sentence(products: Iterable[ProductComparison]) -> str:
    """All products in one sentence, by what was found of them; "" without any."""
    counts: dict[str, int] = {}
    for product in products:
        told = _TOLD.get(product.reason, "differ")
        counts[told] = counts.get(told, 0) + 1
    parts = ", ".join(
        f"{counts[told]} {_OF_ONE.get(told, told) if counts[told] == 1 else told}"
        for told in _TOLD_ORDER
        if told in counts
    )
    return f"{counted(sum(counts.values()), 'product')}: {parts}." if parts else ""


_TOLD = {
    SAME: "the same",
    TOLERANCE: "equal up to floating-point noise",
    MISSING: "missing in a rerun",
    UNREAD: "not read",
    DESCRIPTION: "describe the run and differ as they may",
}
_OF_ONE = {
    "differ": "differs",
    _TOLD[DESCRIPTION]: "describes the run and differs as it may",
}
_TOLD_ORDER = (
    *(_TOLD[SAME], _TOLD[TOLERANCE], "differ"),
    *(_TOLD[MISSING], _TOLD[UNREAD], _TOLD[DESCRIPTION]),
)


def _pair(question: Question, original: Product, logged: Sequence[Mapping[str, Product]]) -> _Pair:
    reruns = tuple(products.get(original.path) for products in logged)
    return _Pair(
        original=original,
        reruns=reruns,
        gated=any(fnmatchcase(original.path, pattern) for pattern in question.gated_products),
        kinships=tuple(kinship(original, rerun) for rerun in reruns if rerun is not None),
    )


def _comparison(pair: _Pair, same_machine: bool) -> ProductComparison:
    ruling = _rule(pair, same_machine)
    return ProductComparison(
        path=pair.original.path,
        gated=pair.gated,
        verdict=ruling.verdict if pair.gated else Verdict.INFORMATIONAL,
        reason=ruling.reason if pair.gated else _reason_shown(pair),
        sentence=f"{pair.original.path}: {ruling.text if pair.gated else _shown(pair)}.",
        original=pair.original.sha256 or None,
        reruns=tuple(rerun.sha256 if rerun else None for rerun in pair.reruns),
    )


def _reason_shown(pair: _Pair) -> str:
    reason = _obstacle(pair) or pair.furthest.reason
    told = reason in (SAME, TOLERANCE, MISSING, UNREAD)
    return reason if told or is_result(pair.original.path) else DESCRIPTION


def _rule(pair: _Pair, same_machine: bool) -> _Ruling:
    """The verdict of a gated product."""
    obstacle = _obstacle(pair)
    if obstacle:
        return _Ruling(verdict=Verdict.NOT_COMPARABLE, reason=obstacle, text=_shown(pair))
    match pair.furthest.reason:
        case "same":
            return _Ruling(verdict=Verdict.IDENTICAL, reason=SAME, text=_shown(pair))
        case "tolerance":
            return _Ruling(verdict=Verdict.NUMERICALLY_EQUAL, reason=TOLERANCE, text=_shown(pair))
        case reason:
            verdict, why, text = _rule_on_difference(pair, reason, same_machine)
            return _Ruling(verdict=verdict, reason=why, text=f"{_shown(pair)}; {text}")


def _rule_on_difference(pair: _Pair, reason: str, same_machine: bool) -> tuple[Verdict, str, str]:
    if len(pair.kinships) == 1:
        text = "one rerun cannot tell a change from noise, 2 reruns would"
        return Verdict.INCONCLUSIVE, "too_few", text
    first, *others = [rerun for rerun in pair.reruns if rerun is not None]
    if any(kinship(first, other).reason != SAME for other in others):
        text = f"the reruns differ from each other too, so it may be noise; {_NEVER}"
        return Verdict.INCONCLUSIVE, "noise", text
    if reason == STRUCTURE or same_machine:
        return Verdict.NOT_REPRODUCED, reason, "the reruns are alike, so it is no noise: changed"
    text = f"the reruns are alike, but another machine may explain it; {_NEVER}"
    return Verdict.INCONCLUSIVE, "shift_detected", text


def _obstacle(pair: _Pair) -> str:
    """Why the product cannot be compared, "" where it can."""
    if not pair.original.sha256:
        return UNREAD
    return MISSING if None in pair.reruns or not pair.reruns else ""


def _shown(pair: _Pair) -> str:
    """What was found, in words."""
    match _obstacle(pair):
        case "unread":
            return "the original's was not read"
        case "missing":
            return _missing(pair)
    furthest, count = pair.furthest, len(pair.kinships)
    if furthest.reason == SAME:
        return "the same in the rerun" if count == 1 else f"the same in all {count} reruns"
    where = "in the rerun"
    if count > 1:
        apart = sum(kin.reason != SAME for kin in pair.kinships)
        where = f"in {apart} of {count} reruns"
    return f"{furthest.text}, {where}"


def _missing(pair: _Pair) -> str:
    lacking = [str(index) for index, rerun in enumerate(pair.reruns, start=1) if rerun is None]
    return f"missing in rerun {', '.join(lacking)}" if lacking else "no rerun finished"


def _unmatched(question: Question, reruns: int) -> Iterable[ProductComparison]:
    for pattern in question.gated_products:
        if not any(fnmatchcase(path, pattern) for path in question.products):
            yield ProductComparison(
                path=pattern,
                gated=True,
                verdict=Verdict.NOT_COMPARABLE,
                reason=UNREAD,
                sentence=f"{pattern}: no artifact of the original that could be read matches it.",
                original=None,
                reruns=(None,) * reruns,
            )


def _place(product: ProductComparison) -> tuple[bool, int, str]:
    known = product.reason in _ORDER  # reasons of a verdict are of gated ones, and come first
    return not product.gated, _ORDER.index(product.reason) if known else -1, product.path


def _when(paths: Sequence[str], tell: Callable[[str], Finding]) -> tuple[Finding, ...]:
    if not paths:
        return ()
    more = f" and {len(paths) - _NAMES_TOLD} more" if len(paths) > _NAMES_TOLD else ""
    return (tell(", ".join(paths[:_NAMES_TOLD]) + more),)


def _missing_finding(names: str) -> Finding:
    return Finding(
        code="missing-product",
        severity=Severity.WARNING,
        message=f"the run logged these artifacts and a rerun did not: {names}",
        hint="look whether the command does all that the run did; what was added to the run later, "
        "or by another command, has no counterpart",
        pointer="/artifacts",
    )


def _new_finding(names: str) -> Finding:
    return Finding(
        code="new-product",
        severity=Severity.NOTE,
        message=f"the reruns logged artifacts that the run has not: {names}",
        hint="look whether the command does more than the run's, or the run's were deleted since",
        pointer="/artifacts",
    )
