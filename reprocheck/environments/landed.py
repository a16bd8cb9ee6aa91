"""What the run had beside what was installed: the differences, graded by how much they matter."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from reprocheck.environments import asked, locks, own_wheel
from reprocheck.environments.asked import Format
from reprocheck.environments.candidates import WHOLE, rank
from reprocheck.environments.requirements import decode
from reprocheck.errors import RebuildError, SourceError
from reprocheck.model import (
    BuiltEnvironment,
    EnvironmentKind,
    EnvironmentSpec,
    Finding,
    OriginKind,
    PackageDifference,
    PackageGrade,
    PackageLists,
    RecordedFile,
    RunRecord,
    Severity,
)

# What installs packages, and what records runs, which trials have of our own version.
_TOOLS = frozenset({"pip", "setuptools", "wheel", "uv", "distribute", own_wheel.NAME})
_MODULES = {  # what is imported, where its package has another name
    "sklearn": ("scikit-learn",),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tf-nightly"),
    "xgboost": ("xgboost", "xgboost-cpu"),
    "paddle": ("paddlepaddle", "paddlepaddle-gpu"),
    "torch": ("torch", "pytorch"),
}
_FRAMEWORKS = frozenset(
    {
        *("torch", "torchvision", "torchaudio", "tensorflow", "keras", "jax", "flax", "sklearn"),
        *("xgboost", "lightgbm", "catboost", "transformers", "diffusers", "accelerate", "peft"),
        *("datasets", "pytorch_lightning", "lightning", "fastai", "mxnet", "paddle", "spacy"),
        *("gensim", "statsmodels", "stable_baselines3", "ray"),
    }
)
_NUMERIC = re.compile(
    r"numpy(-base)?|scipy|pandas|polars|pyarrow|numba|llvmlite|jaxlib|triton|cupy.*|mkl.*|"
    r"openblas|(lib)?(open)?blas.*|liblapack.*|blis|intel-openmp|libgomp|nvidia-.*|cudatoolkit|"
    r"cuda-.*|cudnn|onednn|threadpoolctl|ml-dtypes|tokenizers|numexpr|bottleneck"
)
_IMPORT = re.compile(rb"^[ \t]*(?:import|from)[ \t]+(\w+(?:[ \t]*,[ \t]*\w+)*)", re.MULTILINE)
_MOST_FILES, _LARGEST = 2000, 1_000_000


def lists_of(
    record: RunRecord, tree: Path, spec: EnvironmentSpec, built: BuiltEnvironment
) -> PackageLists:
    """What the run's record asks for, and where that is not what was installed.

    The most complete list that was recorded with the run counts; without one, what the environment
    was built from.
    """
    source, wanted, whole = _wanted(record, tree, spec, built)
    frameworks = imported_frameworks(tree)
    found = [*_python(spec, built), *_differences(wanted, built, frameworks, whole=whole)]
    order = list(PackageGrade)
    found.sort(key=lambda each: (order.index(each.grade), each.name))
    return PackageLists(
        source=source,
        asked=tuple(sorted(wanted.items())),
        whole=whole,
        frameworks=tuple(sorted(frameworks & {*wanted, *_landed(built)})),
        differences=tuple(found),
    )


def is_same(lists: PackageLists, spec: EnvironmentSpec) -> bool:
    """Whether what was installed is known to be what the run had: an image by its digest, or
    every package of a whole list that was recorded, under the very same Python.
    """
    if spec.kind is EnvironmentKind.DOCKER:
        return bool(
            spec.file == asked.IMAGE and re.search(rb"(^|@)sha256:\w{64}\s*$", spec.content)
        )
    exact = re.fullmatch(r"[= ]*\d+\.\d+\.\d+", spec.python or "")
    return bool(exact and lists.whole and lists.asked and not lists.differences)


def findings_of(lists: PackageLists) -> tuple[Finding, ...]:
    """A warning where a framework is another one, a note where numeric packages are."""
    graded = {
        Severity.WARNING: [PackageGrade.FRAMEWORK],
        Severity.NOTE: [PackageGrade.NUMERIC],
    }
    return tuple(
        Finding(
            code="other-packages",
            severity=severity,
            message=f"not as the run had it ({lists.source}): {'; '.join(map(_words, found))}",
            hint="a difference of the metrics may come from there; record a freeze with the run",
            pointer="/environment",
        )
        for severity, grades in graded.items()
        if (found := [each for each in lists.differences if each.grade in grades])
    )


def _words(difference: PackageDifference) -> str:
    return f"{difference.name} {difference.asked or 'absent'} → {difference.landed or 'absent'}"


# --- what was asked for -------------------------------------------------------------------


def _wanted(
    record: RunRecord, tree: Path, spec: EnvironmentSpec, built: BuiltEnvironment
) -> tuple[str, Mapping[str, str], bool]:
    """Where the list is from, its packages with versions or specifiers, and whether it is whole."""
    recorded = spec.origin.kind not in (OriginKind.CONFIG, OriginKind.FILE)
    if not (recorded and rank(spec.file) in WHOLE):
        for file in sorted(record.files, key=lambda file: (len(file.path), file.path)):
            if rank(PurePosixPath(file.path).name) in WHOLE:
                found = _of_file(_spec(file), tree, built)
                if found:
                    return file.path, found, True
    return spec.file, _of_file(spec, tree, built), rank(spec.file) in WHOLE


def _spec(file: RecordedFile) -> EnvironmentSpec:
    return EnvironmentSpec(
        kind=EnvironmentKind.VENV,
        file=PurePosixPath(file.path).name,
        content=file.content,
        directory=None,
        python=None,
        origin=file.origin,
    )


def _of_file(spec: EnvironmentSpec, tree: Path, built: BuiltEnvironment) -> Mapping[str, str]:
    """Packages by name; empty for what lists none that we can read."""
    if spec.kind is EnvironmentKind.SCRIPT:
        return {}
    try:
        kind = asked.format_of(spec.file, spec.content)
        if kind is Format.EXPLICIT:
            return dict(_explicit(decode(spec.content)))
        if kind is Format.CONDA:
            conda = asked.read_conda(spec.file, spec.content)
            return {**dict(_conda(conda.packages)), **dict(_pinned(conda.pip, built))}
        return dict(_pinned(_lines(kind, spec, tree, built), built))
    except (RebuildError, SourceError):
        return {}


def _lines(
    kind: Format, spec: EnvironmentSpec, tree: Path, built: BuiltEnvironment
) -> Iterable[str]:
    match kind:
        case Format.DOCKERFILE | Format.FOREIGN_LOCK:
            return ()
        case Format.UV_LOCK:
            return built.lock.splitlines()
        case Format.LOCK:
            return locks.requirements(spec.file, spec.content, b"", built.python)
        case _:
            return asked.read(spec, tree).requirements


def _pinned(lines: Iterable[str], built: BuiltEnvironment) -> Iterator[tuple[str, str]]:
    env = {
        "python_full_version": built.python,
        "python_version": ".".join(built.python.split(".")[:2]),
    }
    for line in lines:
        try:
            requirement = Requirement(re.split(r"\s--[a-z]", line, maxsplit=1)[0])
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate(dict(env)):
            text = str(requirement.specifier)
            exact = re.fullmatch(r"===?([^,*]+)", text)
            yield canonicalize_name(requirement.name), exact[1] if exact else text


def _conda(packages: Iterable[str]) -> Iterator[tuple[str, str]]:
    for entry in packages:
        found = re.fullmatch(r"(?:\S*::)?([\w.-]+)\s*(?:={1,2}\s*([\w.!+]+)(?:=\S*)?|(.*))", entry)
        if found:
            # conda's single = means any version that starts so
            whole = found[2] if entry.count("=") > 1 else found[2] and f"=={found[2]}.*"
            yield canonicalize_name(found[1]), whole or (found[3] or "").strip()


def _explicit(text: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"/([^/\s]+)-([^-/\s]+)-[^-/\s]+\.(?:conda|tar\.bz2)", text):
        yield canonicalize_name(found[1]), found[2]


# --- the code's frameworks ----------------------------------------------------------------


def imported_frameworks(tree: Path) -> frozenset[str]:
    """Packages of machine learning that the tree's Python files may import, by all their names."""
    modules: set[str] = set()
    for number, path in enumerate(_sources(tree)):
        if number >= _MOST_FILES:
            break
        if path.stat().st_size <= _LARGEST:
            modules |= _imports(path.read_bytes())
    known = modules & _FRAMEWORKS
    return frozenset(
        canonicalize_name(name) for module in known for name in _MODULES.get(module, (module,))
    )


def _imports(content: bytes) -> set[str]:
    lines = (found[1].decode(errors="replace") for found in _IMPORT.finditer(content))
    return {name.strip() for line in lines for name in line.split(",")}


def _sources(tree: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(tree):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(names):
            path = Path(folder) / name
            if name.endswith(".py") and path.is_file() and not path.is_symlink():
                yield path


# --- the differences ----------------------------------------------------------------------


def _python(spec: EnvironmentSpec, built: BuiltEnvironment) -> Iterator[PackageDifference]:
    wanted = (spec.python or "").lstrip("= ")
    if re.fullmatch(r"\d+\.\d+(\.\d+)?", wanted):
        same = built.python == wanted or built.python.startswith(f"{wanted}.")
        if not same:
            yield PackageDifference(
                name="python", asked=wanted, landed=built.python, grade=PackageGrade.PYTHON
            )


def _differences(
    wanted: Mapping[str, str], built: BuiltEnvironment, frameworks: frozenset[str], *, whole: bool
) -> Iterator[PackageDifference]:
    landed = _landed(built)
    for name in sorted({*wanted, *(landed if whole and wanted else ())}):
        if name in _TOOLS or name == "python":
            continue
        version, here = wanted.get(name), landed.get(name)
        if version is None or here is None or not _fits(version, here):
            yield PackageDifference(
                name=name,
                asked="any" if version == "" else version,
                landed=here,
                grade=_grade(name, frameworks),
            )


def _landed(built: BuiltEnvironment) -> Mapping[str, str]:
    return {canonicalize_name(item.name): item.version for item in built.packages}


def _fits(wanted: str, landed: str) -> bool:
    if wanted in ("", landed):
        return True
    try:
        if re.match(r"\d", wanted):
            return Version(wanted) == Version(landed)
        return SpecifierSet(wanted).contains(landed, prereleases=True)
    except (InvalidVersion, InvalidSpecifier):
        return False


def _grade(name: str, frameworks: frozenset[str]) -> PackageGrade:
    if name in frameworks:
        return PackageGrade.FRAMEWORK
    known = {canonicalize_name(each) for each in _FRAMEWORKS}
    if _NUMERIC.fullmatch(name) or name in known or name == "scikit-learn":
        return PackageGrade.NUMERIC
    return PackageGrade.OTHER
