"""landed: what the run had beside what was installed."""

from __future__ import annotations

import dataclasses

import pytest

from reprocheck.environments.landed import findings_of, imported_frameworks, is_same, lists_of
from reprocheck.model import (
    BuiltEnvironment,
    EnvironmentKind,
    OriginKind,
    Package,
    PackageGrade,
    Severity,
)
from tests.environments.samples import record, recorded, spec


def built(python="3.11.7", **packages) -> BuiltEnvironment:
    return BuiltEnvironment(
        kind=EnvironmentKind.VENV,
        digest="",
        python=python,
        asked="",
        lock="",
        packages=tuple(Package(name=n.replace("_", "-"), version=v) for n, v in packages.items()),
        isolation="",
        cached=False,
    )


def differences(lists):
    return [(each.name, each.asked, each.landed, each.grade.value) for each in lists.differences]


def test_differences_are_graded_by_what_the_code_imports(tmp_path):
    (tmp_path / "train.py").write_text("import os, torch\nfrom sklearn.svm import SVC\n")
    freeze = "torch==2.1.0+cpu\nscikit_learn==1.4.0\nnumpy==1.26.0\nsix==1.15.0\njax==0.4\n"
    here = built("3.12.1", torch="2.1.0", scikit_learn="1.4.0", numpy="1.26.1", idna="2.9", pip="1")
    lists = lists_of(record(), tmp_path, spec(freeze, file="freeze.txt"), here)
    assert differences(lists) == [
        ("python", "3.11", "3.12.1", "python"),
        ("torch", "2.1.0+cpu", "2.1.0", "framework"),
        ("jax", "0.4", None, "numeric"),
        ("numpy", "1.26.0", "1.26.1", "numeric"),
        ("idna", None, "2.9", "other"),
        ("six", "1.15.0", None, "other"),
    ]
    assert lists.frameworks == ("scikit-learn", "torch")
    assert [finding.severity for finding in findings_of(lists)] == [Severity.WARNING, Severity.NOTE]
    assert "torch 2.1.0+cpu → 2.1.0" in findings_of(lists)[0].message


def test_what_was_left_open_differs_only_outside_of_its_bounds(tmp_path):
    lines = "six>=1.15\nidna<2\nnumpy\nwin; sys_platform == 'win32'\nold; python_version < '3.9'\n"
    asked = spec(lines, python="3.9")
    lists = lists_of(record(), tmp_path, asked, built("3.9.1", six="1.16", idna="2.9", numpy="1.0"))
    assert differences(lists) == [("idna", "<2", "2.9", "other")]
    assert not lists.whole


def test_a_freeze_of_the_run_counts_also_where_the_config_names_another_file(tmp_path):
    freeze = recorded("reprocheck/environment/freeze.txt", "six==1.15.0\n")
    asked = spec("six\n")
    named = dataclasses.replace(
        asked, origin=dataclasses.replace(asked.origin, kind=OriginKind.CONFIG)
    )
    lists = lists_of(record(freeze), tmp_path, named, built(six="1.16.0"))
    assert lists.source == "reprocheck/environment/freeze.txt"
    assert differences(lists) == [("six", "1.15.0", "1.16.0", "other")]
    assert findings_of(lists) == ()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("environment.yml", "dependencies: [python=3.11, numpy=1.16.4=py36_0, six=1.15]"),
        ("conda-list.txt", "@EXPLICIT\nhttps://host/numpy-1.16.4-py36_0.tar.bz2#00\n"),
    ],
)
def test_lists_of_conda_are_compared_too(tmp_path, file, content):
    asked = spec(content, file=file, kind=EnvironmentKind.CONDA)
    lists = lists_of(record(), tmp_path, asked, built(numpy="1.17.0", six="1.15.3"))
    (found,) = (each for each in lists.differences if each.grade is PackageGrade.NUMERIC)
    assert (found.asked, found.landed) == ("1.16.4", "1.17.0")


def test_what_lists_nothing_is_compared_with_nothing(tmp_path):
    asked = spec("FROM x", file="Dockerfile", kind=EnvironmentKind.DOCKER)
    lists = lists_of(record(), tmp_path, asked, built(six="1.15.0"))
    assert (lists.asked, lists.differences) == ((), ())


def test_only_code_of_the_tree_is_searched_for_frameworks(tmp_path):
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/x.py").write_text("import jax")
    (tmp_path / "notes.txt").write_text("import keras")
    (tmp_path / "a.py").write_text("# import flax\n    import xgboost as x")
    assert imported_frameworks(tmp_path) == {"xgboost", "xgboost-cpu"}


def test_the_runs_environment_is_known_only_by_a_whole_list_under_its_python(tmp_path):
    freeze = spec("numpy==1.26.0\n", file="freeze.txt", python="3.11.7")

    def same(asked, **packages):
        return is_same(lists_of(record(), tmp_path, asked, built(**packages)), asked)

    assert same(freeze, numpy="1.26.0")
    assert not same(freeze, numpy="1.26.1")
    assert not same(dataclasses.replace(freeze, python="3.11"), numpy="1.26.0")
    assert not same(dataclasses.replace(freeze, python=None), numpy="1.26.0")
