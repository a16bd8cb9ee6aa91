"""What the reruns had, as JSON: packages, settings, hardware, steps, and what nobody declared."""

from __future__ import annotations

from reprocheck import hardware, model
from reprocheck.detail import Document


def used(report: model.Report) -> Document:
    """The report's entries of all that the reruns ran on and read."""
    undeclared = report.undeclared
    return {
        "packages": report.packages and _packages(report.packages),
        "settings": [
            {"name": each.name, "value": each.value, "origin": origin(each.origin)}
            for each in report.settings
        ],
        "hardware": report.hardware and _hardware(report.hardware),
        "scope": report.scope and _scope(report.scope),
        "undeclared": None if undeclared is None else [_undeclared(each) for each in undeclared],
    }


def origin(origin: model.Origin) -> Document:
    """Where a fact was found."""
    return {"kind": origin.kind.value, "where": origin.where}


def _packages(lists: model.PackageLists) -> Document:
    return {
        "source": lists.source,
        "asked": [{"name": name, "version": version} for name, version in lists.asked],
        "whole": lists.whole,
        "frameworks": list(lists.frameworks),
        "differences": [_differing(each) for each in lists.differences],
    }


def _hardware(sides: model.HardwareSides) -> Document:
    return {
        "asked": [
            {"name": name, "value": text, "origin": origin(sides.origins[name])}
            for name, text in hardware.texts(sides.asked).items()
        ],
        "landed": dict(hardware.texts(sides.landed)),
        "differences": [_differing(each) for each in sides.differences],
        "lacking": list(sides.lacking),
        "same": sides.same,
    }


def _differing(each: model.PackageDifference | model.HardwareDifference) -> Document:
    return {
        "name": each.name,
        "asked": each.asked,
        "landed": each.landed,
        "grade": each.grade.value,
    }


def _scope(scope: model.Scope) -> Document:
    return {
        "rerun": list(scope.rerun),
        "skipped": list(scope.skipped),
        "given": [
            {"path": each.path, "digest": each.digest, "made_by": each.made_by}
            for each in scope.given
        ],
    }


def _undeclared(each: model.UndeclaredInput) -> Document:
    return {"path": each.path, "sha256": each.sha256, "size": each.size, "hint": each.hint}
