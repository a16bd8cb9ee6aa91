"""What a training computes on: the record's words for it, and where two machines differ.

The words are those of `hardware` in run.schema.json.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from reprocheck.hardware_probe import ISA
from reprocheck.model import (
    Finding,
    Hardware,
    HardwareDifference,
    HardwareGrade,
    HardwareSides,
    Origin,
    Severity,
)

NAMES = tuple(field.name for field in dataclasses.fields(Hardware))
NONE = "none"
"""The record's word for an empty list: there is no GPU, or no BLAS is loaded."""

_GRADES = {
    **dict.fromkeys(
        ("gpus", "gpu_count", "cuda", "blas_core", "isa", "threads", "world_size", "platform"),
        HardwareGrade.DIRECT,
    ),
    **dict.fromkeys(("cpu_model", "gpu_driver", "blas", "libc"), HardwareGrade.INDIRECT),
    **dict.fromkeys(("cpu_count", "memory_bytes", "gpu_memory_bytes", "os"), HardwareGrade.SPEED),
}
_ALWAYS = ("cpu_model", "cpu_count", "isa", "platform", "gpu_count", "blas")
_OF_GPUS = ("gpus", "gpu_driver")
_ABOUT = 0.05  # firmware takes a little of the memory, and not always as much

# --- the record's words -------------------------------------------------------------------


def parse(recorded: Mapping[str, str]) -> Hardware:
    """What a record's mapping tells; what is not understood is not known."""
    told = {name.casefold(): text.strip() for name, text in recorded.items() if text.strip()}
    gpus = _list(told.get("gpus"))
    if gpus is not None and all(name.isdigit() for name in gpus):
        told.setdefault("gpu_count", "".join(gpus) or "0")
        gpus = None if gpus else ()
    count = _whole(told.get("gpu_count"))
    if gpus is None and count == 0:
        gpus = ()
    return Hardware(
        cpu_model=told.get("cpu_model"),
        cpu_count=_whole(told.get("cpu_count")),
        isa=_isa(told.get("isa")),
        blas=_list(told.get("blas")),
        blas_core=_list(told.get("blas_core")),
        threads=_threads(told.get("threads")),
        memory_bytes=_whole(told.get("memory_bytes")),
        gpu_count=len(gpus) if gpus is not None else count,
        gpus=gpus,
        gpu_memory_bytes=_whole(told.get("gpu_memory_bytes")),
        gpu_driver=told.get("gpu_driver"),
        cuda=told.get("cuda"),
        world_size=_whole(told.get("world_size")),
        platform=told.get("platform"),
        os=told.get("os"),
        libc=told.get("libc"),
    )


def texts(hardware: Hardware) -> Mapping[str, str]:
    """What is known, in the record's words; `parse` reads it back."""
    known = ((name, getattr(hardware, name)) for name in NAMES)
    return {name: _text(value) for name, value in known if value is not None}


def _text(value: object) -> str:
    match value:
        case Mapping():
            return ", ".join(f"{name} {count}" for name, count in value.items()) or NONE
        case tuple():
            return ", ".join(map(str, value)) or NONE
        case _:
            return str(value)


def _whole(text: str | None) -> int | None:
    found = re.fullmatch(r"(\d{1,18})(\.0+)?", text or "")
    return int(found[1]) if found else None


def _list(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    return () if text.casefold() == NONE else parts


def _isa(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(re.split(r"[\s,]+", text.casefold()))


def _threads(text: str | None) -> Mapping[str, int] | None:
    if text is None:
        return None
    if _whole(text) is not None:
        return {"openmp": int(text)}
    return {name: int(count) for name, count in re.findall(r"(\w+)[ :=]+(\d{1,6})\b", text)}


# --- what the probe found -----------------------------------------------------------------


def from_facts(facts: Mapping[str, Any]) -> Hardware:
    """What hardware_probe.py wrote."""
    pools, torch, gpus = facts.get("pools"), facts.get("torch") or {}, facts.get("gpus")
    blas = [pool for pool in pools or () if pool["api"] == "blas"]
    memory = [each["memory_bytes"] for each in gpus or () if each["memory_bytes"]]
    isa = facts.get("isa")
    return Hardware(
        cpu_model=facts.get("cpu_model"),
        cpu_count=facts.get("cpu_count"),
        isa=None if isa is None else tuple(isa),
        blas=None if pools is None else _distinct(_library(pool) for pool in blas),
        blas_core=None if pools is None else _distinct(pool["core"] for pool in blas),
        threads=None if pools is None else _pool_threads(pools, torch),
        memory_bytes=facts.get("memory_bytes"),
        gpu_count=None if gpus is None else len(gpus),
        gpus=None if gpus is None else tuple(each["model"] for each in gpus),
        gpu_memory_bytes=min(memory, default=None),
        gpu_driver=next((each["driver"] for each in gpus or () if each["driver"]), None),
        cuda=torch.get("cuda"),
        platform=facts.get("platform"),
        os=facts.get("os"),
        libc=facts.get("libc"),
    )


def _library(pool: Mapping[str, Any]) -> str:
    return f"{pool['library']} {pool['version'] or ''}".strip()


def _distinct(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({text for text in texts if text}))


def _pool_threads(pools: Iterable[Mapping[str, Any]], torch: Mapping[str, Any]) -> dict[str, int]:
    """Of several pools of a kind, the most."""
    threads: dict[str, int] = {}
    for pool in pools:
        if pool["api"] and pool["threads"]:
            threads[pool["api"]] = max(pool["threads"], threads.get(pool["api"], 0))
    if torch.get("threads"):
        threads["torch"] = torch["threads"]
    return dict(sorted(threads.items()))


# --- both sides ---------------------------------------------------------------------------


def beside(asked: Hardware, origins: Mapping[str, Origin], landed: Hardware) -> HardwareSides:
    """Both sides, with their differences and what is not known well enough to tell."""
    found = [each for name in NAMES if (each := _difference(name, asked, landed)) is not None]
    order = list(HardwareGrade)
    return HardwareSides(
        asked=asked,
        origins=origins,
        landed=landed,
        differences=tuple(sorted(found, key=lambda each: order.index(each.grade))),
        lacking=tuple(_lacking(asked, landed)),
    )


def _difference(name: str, asked: Hardware, landed: Hardware) -> HardwareDifference | None:
    ours, theirs = getattr(landed, name), getattr(asked, name)
    named = name == "gpu_count" and asked.gpus is not None and landed.gpus is not None
    if ours is None or theirs is None or named or _alike(name)(theirs, ours):
        return None
    if isinstance(theirs, Mapping):  # the pools that are known on both sides
        common = theirs.keys() & ours.keys()
        theirs, ours = (
            {key: side[key] for key in side if key in common} for side in (theirs, ours)
        )
    if name == "isa":
        theirs, ours = _more(theirs, ours), _more(ours, theirs)
    return HardwareDifference(
        name=name, asked=_text(theirs), landed=_text(ours), grade=_GRADES[name]
    )


def _more(those: Iterable[str], others: Iterable[str]) -> str:
    """What one side has and lacks; what both have would fill a table."""
    has = _families([name for name in ISA if name in those and name not in others])
    lacks = _families([name for name in ISA if name in others and name not in those])
    told = (f"with {', '.join(has)}" if has else "", f"without {', '.join(lacks)}" if lacks else "")
    return "; ".join(part for part in told if part)


def _families(names: list[str]) -> list[str]:
    """Several instruction sets of a family as one: avx512*."""
    stem = {name: re.sub(r"^(avx512|amx|asimd|sve).*", r"\1*", name) for name in names}
    several = {each for each in stem.values() if list(stem.values()).count(each) > 1}
    return list(dict.fromkeys(stem[name] if stem[name] in several else name for name in names))


def _alike(name: str) -> Callable[[Any, Any], bool]:
    match name:
        case "threads":
            return lambda a, b: all(a[key] == b[key] for key in a.keys() & b.keys())
        case "blas" | "blas_core":  # one side may have loaded fewer libraries
            return lambda a, b: set(a) <= set(b) or set(b) <= set(a)
        case "isa":
            return lambda a, b: set(a) & set(ISA) == set(b) & set(ISA)
        case "gpus":
            return lambda a, b: sorted(map(_plain, a)) == sorted(map(_plain, b))
        case "memory_bytes" | "gpu_memory_bytes":
            return lambda a, b: abs(a - b) <= _ABOUT * max(a, b)
        case _:
            return lambda a, b: _plain(a) == _plain(b)


def _plain(value: object) -> str:
    return " ".join(str(value).casefold().split())


def _lacking(asked: Hardware, landed: Hardware) -> Iterator[str]:
    """What must be known on both sides; less where the trials load no BLAS or see no GPU."""
    needed = [*_ALWAYS, *(_OF_GPUS if landed.gpus != () else ())]
    needed += ["cuda"] if landed.cuda else []
    needed += ["blas_core"] if landed.blas_core else []
    needed += ["threads"] if landed.threads else []
    if asked.world_size != landed.world_size:
        needed.append("world_size")
    for name in needed:
        if name == "blas" and landed.blas == ():
            continue  # it is not loaded in the very environment of the run either
        if None in (getattr(asked, name), getattr(landed, name)):
            yield name
    if landed.threads and asked.threads and landed.threads.keys() - asked.threads.keys():
        yield "threads"


# --- what is told -------------------------------------------------------------------------


def findings_of(sides: HardwareSides) -> tuple[Finding, ...]:
    """A warning where what decides the numbers is another, a note where what goes along is."""
    graded = {
        Severity.WARNING: HardwareGrade.DIRECT,
        Severity.NOTE: HardwareGrade.INDIRECT,
    }
    return tuple(
        Finding(
            code="other-hardware",
            severity=severity,
            message=f"the reruns compute on other hardware: {'; '.join(map(_words, found))}",
            hint=_hint(found),
            pointer="/hardware",
        )
        for severity, grade in graded.items()
        if (found := [each for each in sides.differences if each.grade is grade])
    )


def _words(difference: HardwareDifference) -> str:
    return f"{difference.name} {difference.asked} → {difference.landed}"


def _hint(found: list[HardwareDifference]) -> str:
    """How to get nearer to the run's hardware."""
    told = []
    for each in found:
        if each.name == "threads":
            count = max((_threads(each.asked) or {}).values(), default=1)
            told.append(_variable(f"OMP_NUM_THREADS={count}"))
        elif each.name == "blas_core" and "," not in each.asked:
            told.append(_variable(f"OPENBLAS_CORETYPE={each.asked}"))
        elif each.name in ("gpus", "gpu_count"):
            told.append(f"verify on a machine with the run's GPUs: {each.asked}")
        elif each.name == "world_size":
            told.append(f"start {each.asked} processes in the command of reprocheck.yaml")
    told.append("a difference of the metrics may come from there")
    return "; ".join(told)


def _variable(assigned: str) -> str:
    name = assigned.partition("=")[0]
    return f"set {assigned} and let it through by  pass_env: [{name}]  in reprocheck.yaml"
