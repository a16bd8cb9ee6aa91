"""What the original left, beside which each trial's products and predictions are put."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path, PurePosixPath

from reprocheck import exhibits, products
from reprocheck.compare import aligned
from reprocheck.errors import ConfigError
from reprocheck.model import (
    Exhibit,
    Finding,
    Numbers,
    Predictions,
    PredictionsRule,
    Product,
    ProductRule,
    RunRecord,
    Severity,
)
from reprocheck.predictions import UnusableError, nearest, read_predictions
from reprocheck.trackers.base import Fetched, LoggedRun

MOST_NUMBERS = 4_000_000
"""Numbers of all products of all trials that are kept: about 130 MB."""

_INCOMPLETE = {"artifacts-unreachable", "artifacts-truncated"}


@dataclass(kw_only=True, slots=True)
class Originals:
    """The original's products and predictions, and what was found of the trials' on the way.

    Content is read where digests differ, and once for each file, so judging needs no files.
    """

    products: dict[str, Product] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    rule: PredictionsRule | None = None
    predictions: Predictions | None = None
    findings: list[Finding] = field(default_factory=list)
    exhibits: tuple[Exhibit, ...] | None = None  # None: none was looked for yet
    _left: int = MOST_NUMBERS

    @classmethod
    def of(
        cls, fetched: Fetched, rule: PredictionsRule | None, predictions: Predictions | None
    ) -> Originals:
        """Those that a tracker fetched."""
        named = {product.path: product for product in fetched.products}
        return cls(products=named, files=fetched.files, rule=rule, predictions=predictions)

    def put_beside(self, run: LoggedRun) -> tuple[Product, ...]:
        """A trial's products by the original's names; with content where it may tell more."""
        names = counterparts(self.products, [product.path for product in run.products])
        return tuple(
            self._beside(
                dataclasses.replace(product, path=names[product.path]), run.files.get(product.path)
            )
            for product in run.products
        )

    def _beside(self, product: Product, file: Path | None) -> Product:
        ours = self.products.get(product.path)
        if ours is None or not ours.sha256 or ours.sha256 == product.sha256:
            return product
        if ours.content is None and not ours.opaque:
            ours = self._with_content(ours, self.files.get(ours.path))
            self.products[ours.path] = ours
        return product if ours.content is None else self._with_content(product, file)

    def _with_content(self, product: Product, file: Path | None) -> Product:
        if file is None or not products.is_readable(product.path):
            return products.opaque(product)
        found = products.with_content(product, file)
        if isinstance(found.content, Numbers):
            self._left -= len(found.content.values)
            if self._left < 0:
                reason = "the products hold too many numbers in all"
                return dataclasses.replace(product, opaque=reason)
        return found

    def exhibit_beside(self, run: LoggedRun, index: int) -> None:
        """Takes what can be looked at of both sides, from the first trial that is given."""
        if self.exhibits is not None:
            return
        names = counterparts(self.products, [product.path for product in run.products])
        theirs = {names[product.path]: product for product in run.products}
        shown = self.rule.artifact if self.rule else ""
        pairs = [
            exhibits.Pair(
                original=product,
                rerun=(rerun := theirs.get(path)),
                original_file=self.files.get(path),
                rerun_file=run.files.get(rerun.path) if rerun else None,
            )
            for path, product in self.products.items()
            if path != shown  # single predictions are compared as such
        ]
        self.exhibits = exhibits.exhibits(pairs, index)

    def predictions_of(self, run: LoggedRun, index: int) -> Predictions | None:
        """A trial's predictions in the original's order; a finding where they are none such."""
        if self.rule is None or self.predictions is None:
            return None
        file = run.files.get(self.rule.artifact)
        if file is None:
            self.findings.append(_missing(self.rule, index))
            return None
        try:
            found = aligned(self.predictions, read_predictions(self.rule, file))
        except UnusableError as error:
            self.findings.append(_other(index, error.message, error.hint))
            return None
        if found is None:
            told = f"{self.rule.artifact} has other ids or labels than the run's"
            hint = "evaluate on the same test set, with the ids and labels of the run"
            self.findings.append(_other(index, told, hint))
        return found


def counterparts(ours: Iterable[str], theirs: Sequence[str]) -> Mapping[str, str]:
    """For each path of a trial the one that it has in the original.

    MLflow 2 keeps a model in a folder of the run's artifacts, MLflow 3 beside them: `model/` there
    is `models/model/` here.
    """
    left, right = _model_folders(ours), _model_folders(theirs)
    moved = {}
    for folder in right - left:
        other = folder[7:] if folder.startswith("models/") else f"models/{folder}"
        if other in left - right:
            moved[folder] = other
    return {path: _moved(path, moved) for path in theirs}


def gated_patterns(rules: Sequence[ProductRule], record: RunRecord) -> tuple[str, ...]:
    """Patterns of the run's artifacts that are gated; of the rules that match one the last counts.

    Raises `ConfigError` for a gate that no artifact of the run matches, where all are known.
    """
    paths = [artifact.path for artifact in record.artifacts]
    known = not _INCOMPLETE.intersection(finding.code for finding in record.findings)
    open_patterns = []
    for rule in rules:
        if not rule.gate or any(fnmatchcase(path, rule.pattern) for path in paths):
            continue
        if known:
            place = f"{rule.place}: " if rule.place else ""
            told = f"{place}no artifact of the run matches {rule.pattern}"
            raise ConfigError(told, nearest(rule.pattern, paths))
        open_patterns.append(rule.pattern)
    gated = (escape(path) for path in paths if _is_gated(path, rules))
    return (*gated, *open_patterns)


def _is_gated(path: str, rules: Sequence[ProductRule]) -> bool:
    matching = [rule.gate for rule in rules if fnmatchcase(path, rule.pattern)]
    return bool(matching) and matching[-1]


def _model_folders(paths: Iterable[str]) -> set[str]:
    files = map(PurePosixPath, paths)
    return {file.parent.as_posix() for file in files if file.name == "MLmodel"}


def _moved(path: str, moved: Mapping[str, str]) -> str:
    for folder, other in moved.items():
        if path.startswith(f"{folder}/"):
            return other + path[len(folder) :]
    return path


def _missing(rule: PredictionsRule, index: int) -> Finding:
    return Finding(
        code="missing-predictions",
        severity=Severity.WARNING,
        message=f"trial {index} logged no {rule.artifact}; single predictions are not compared",
        hint="look whether the command writes the predictions, as the run did",
        pointer="/artifacts",
    )


def _other(index: int, message: str, hint: str) -> Finding:
    return Finding(
        code="other-predictions",
        severity=Severity.WARNING,
        message=f"trial {index}: {message}; its single predictions are not compared",
        hint=hint,
        pointer="/artifacts",
    )
