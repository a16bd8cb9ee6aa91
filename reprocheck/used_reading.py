"""What the reruns had, out of a report's document: packages, settings, hardware, steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reprocheck import hardware, model
from reprocheck.record_reading import origin_of


def used(document: Mapping[str, Any]) -> dict[str, Any]:
    """The report's fields of all that the reruns ran on and read. Raises `ValueError`."""
    undeclared = document["undeclared"]
    return {
        "packages": _packages(document["packages"]),
        "settings": tuple(
            model.Setting(name=each["name"], value=each["value"], origin=origin_of(each["origin"]))
            for each in document["settings"]
        ),
        "hardware": _hardware(document["hardware"]),
        "scope": _scope(document["scope"]),
        "undeclared": None if undeclared is None else tuple(map(_undeclared, undeclared)),
    }


def _packages(lists: Mapping[str, Any] | None) -> model.PackageLists | None:
    if lists is None:
        return None
    return model.PackageLists(
        source=lists["source"],
        asked=tuple((each["name"], each["version"]) for each in lists["asked"]),
        whole=lists["whole"],
        frameworks=tuple(lists["frameworks"]),
        differences=tuple(
            model.PackageDifference(
                name=each["name"],
                asked=each["asked"],
                landed=each["landed"],
                grade=model.PackageGrade(each["grade"]),
            )
            for each in lists["differences"]
        ),
    )


def _hardware(sides: Mapping[str, Any] | None) -> model.HardwareSides | None:
    if sides is None:
        return None
    told = {each["name"]: each for each in sides["asked"]}
    origins = {name: origin_of(each["origin"]) for name, each in told.items()}
    asked = hardware.parse({name: each["value"] for name, each in told.items()})
    some = next(iter(origins.values()), None)
    return model.HardwareSides(
        asked=asked,
        # One fact may follow from another, as the number of GPUs from their names.
        origins={n: each for n in hardware.texts(asked) if (each := origins.get(n, some))},
        landed=hardware.parse(sides["landed"]),
        differences=tuple(
            model.HardwareDifference(
                name=each["name"],
                asked=each["asked"],
                landed=each["landed"],
                grade=model.HardwareGrade(each["grade"]),
            )
            for each in sides["differences"]
        ),
        lacking=tuple(sides["lacking"]),
    )


def _scope(scope: Mapping[str, Any] | None) -> model.Scope | None:
    if scope is None:
        return None
    return model.Scope(
        rerun=tuple(scope["rerun"]),
        skipped=tuple(scope["skipped"]),
        given=tuple(
            model.Given(path=each["path"], digest=each["digest"], made_by=each["made_by"])
            for each in scope["given"]
        ),
    )


def _undeclared(each: Mapping[str, Any]) -> model.UndeclaredInput:
    return model.UndeclaredInput(
        path=each["path"], sha256=each["sha256"], size=each["size"], hint=each["hint"]
    )
