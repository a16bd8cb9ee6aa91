from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reprocheck.action import rules
from reprocheck.errors import ConfigError, UsageError
from reprocheck.git import Git
from reprocheck.model import ReportDetail
from tests.conftest import Repo

BASE = """version: 1
tracker: {uri: "sqlite:///mlflow.db"}
command: python train.py
metrics: {accuracy: {margin: {abs: 0.005}, min: 0.9}}
reruns: {min: 3, max: 8, seed_env: SEED}
fail_on: [not-reproduced]
"""
HEAD = """version: 1
tracker: {uri: "https://evil.example"}
command: python train.py --better
metrics: {accuracy: {margin: {abs: 0.5}}, "la | tency": {max: 1e-3}}
reruns: {min: 1, max: 1, seed_env: RANDOM}
fail_on: []
pass_env: [AWS_SECRET_ACCESS_KEY]
"""


def _branches(repo: Repo, base: str | None, head: str | None) -> str:
    sha = repo.commit({"reprocheck.yaml": base} if base is not None else {"a": ""})
    (repo.path / "reprocheck.yaml").unlink(missing_ok=True)
    repo.commit({"reprocheck.yaml": head} if head is not None else {})
    return sha


def _in_force(repo: Repo, base: str, name: str = "reprocheck.yaml") -> rules.Rules:
    with rules.in_force(Git(repo.path, {}), repo.path, name, base) as ruled:
        return ruled


def test_the_base_branch_judges_and_the_pull_request_trains(repo: Repo) -> None:
    base = _branches(repo, BASE, HEAD)
    ruled = _in_force(repo, base)
    config = ruled.config
    assert config.tracking_uri == f"sqlite:///{repo.path.resolve() / 'mlflow.db'}"
    assert config.metrics["accuracy"].margin is not None
    assert config.metrics["accuracy"].margin.absolute is not None
    assert config.metrics["accuracy"].margin.absolute.below == 0.005
    assert (config.reruns.least, config.reruns.most, config.seed_env) == (3, 8, "RANDOM")
    assert config.command[0].args[-1] == "--better"
    assert [each.value for each in config.fail_on or ()] == ["not-reproduced"]
    assert (set(config.metrics), config.pass_env) == ({"accuracy"}, ())
    assert {(change.key, change.base, change.head) for change in ruled.changes} == {
        ("tracker.uri", '"sqlite:///mlflow.db"', '"https://evil.example"'),
        ("metrics.accuracy.margin", '{"abs":0.005}', '{"abs":0.5}'),
        ("metrics.accuracy.min", "0.9", ""),
        ("metrics.la | tency.max", "", "0.001"),
        ("reruns.min", "3", "1"),
        ("reruns.max", "8", "1"),
        ("fail_on", '["not-reproduced"]', "[]"),
        ("pass_env", "", '["AWS_SECRET_ACCESS_KEY"]'),
    }
    assert not list(repo.path.glob("reprocheck-base-rules-*"))


def test_while_it_counts_the_merged_config_is_a_file_beside_the_other(repo: Repo) -> None:
    base = _branches(repo, BASE.replace("min: 0.9", 'max: 1e-7, expr: "1e-3"'), HEAD)
    with rules.in_force(Git(repo.path, {}), repo.path, "reprocheck.yaml", base) as ruled:
        assert ruled.config.path is not None
        assert ruled.config.path.parent == repo.path
        rule = ruled.config.metrics["accuracy"]
        assert (rule.most, rule.expr) == (1e-7, "1e-3")  # a number, and a text


def test_the_same_rules_leave_the_pull_requests_file_in_force(repo: Repo) -> None:
    base = _branches(repo, BASE, BASE.replace("train.py", "train.py --better"))
    ruled = _in_force(repo, base)
    assert (ruled.changes, ruled.of_base) == ((), True)
    assert ruled.config.path == repo.path / "reprocheck.yaml"
    assert ruled.config.command[0].args[-1] == "--better"


@pytest.mark.parametrize(("base", "of_base"), [(None, False), ("version: 1\n", True)])
def test_only_a_base_branch_without_a_config_lets_the_other_judge(
    repo: Repo, base: str | None, of_base: bool
) -> None:
    ruled = _in_force(repo, _branches(repo, base, HEAD))
    assert ruled.of_base is of_base
    assert ("accuracy" in ruled.config.metrics) is not of_base


def test_a_deleted_config_still_judges(repo: Repo) -> None:
    ruled = _in_force(repo, _branches(repo, BASE, None))
    assert "accuracy" in ruled.config.metrics
    assert ruled.config.command == ()
    assert ("require", "", "") not in ruled.changes


def test_the_base_branchs_paths_start_at_the_configs_folder(repo: Repo) -> None:
    base = repo.commit({"ml/reprocheck.yaml": BASE})
    with rules.of_base(Git(repo.path, {}), repo.path, "ml/reprocheck.yaml", base) as config:
        assert config.tracking_uri == f"sqlite:///{repo.path.resolve() / 'ml' / 'mlflow.db'}"


def test_a_pull_request_without_the_configs_folder_is_refused(repo: Repo) -> None:
    base = repo.commit({"ml/reprocheck.yaml": BASE, "a": ""})
    repo.git("rm", "--quiet", "-r", "ml")
    with pytest.raises(UsageError, match="folder ml") as told:
        _in_force(repo, base, "ml/reprocheck.yaml")
    assert told.value.hint


def test_a_link_of_the_pull_request_leads_no_rules_out_of_the_checkout(
    repo: Repo, tmp_path: Path
) -> None:
    base = repo.commit({"ml/reprocheck.yaml": BASE, "a": ""})
    repo.git("rm", "--quiet", "-r", "ml")
    (repo.path / "ml").symlink_to(tmp_path)
    opened = rules.of_base(Git(repo.path, {}), repo.path, "ml/reprocheck.yaml", base)
    with pytest.raises(UsageError, match="outside of the checkout"), opened:
        pass


@pytest.mark.parametrize("side", ["base", "head"])
def test_minimal_detail_on_either_side_counts(repo: Repo, side: str) -> None:
    texts = {"base": BASE, "head": BASE}
    texts[side] += "report: {detail: minimal}\n"
    ruled = _in_force(repo, _branches(repo, texts["base"], texts["head"]))
    assert ruled.config.detail is ReportDetail.MINIMAL
    assert [change.key for change in ruled.changes] == ["report.detail"]


def test_a_config_that_does_not_validate_is_told_by_the_side_it_is_on(repo: Repo) -> None:
    with pytest.raises(ConfigError, match=r"reprocheck.yaml of the base branch:2: metrcs") as told:
        _in_force(repo, _branches(repo, "version: 1\nmetrcs: {}\n", BASE))
    assert told.value.hint.startswith("mend it on the base branch")
    with pytest.raises(ConfigError, match=r"^reprocheck.yaml:2: metrcs"):
        _in_force(repo, _branches(repo, BASE, "version: 1\nmetrcs: {}\n"))


def test_a_shallow_checkout_fetches_the_base_or_says_how(repo: Repo, tmp_path: Path) -> None:
    base = _branches(repo, BASE, HEAD)
    lone = Repo(tmp_path / "lone")
    lone.git("remote", "add", "origin", repo.path.as_uri())
    lone.git("fetch", "--quiet", "--depth=1", "origin", "main")
    lone.git("checkout", "--quiet", "FETCH_HEAD")
    lone.git("remote", "set-url", "origin", (tmp_path / "gone").as_uri())
    with pytest.raises(UsageError, match="is not in the checkout") as told:
        _in_force(lone, base)
    assert told.value.hint == "check out with fetch-depth: 0"
    lone.git("remote", "set-url", "origin", repo.path.as_uri())
    assert _in_force(lone, base).of_base


def test_no_config_outside_of_the_checkout_is_read(repo: Repo, tmp_path: Path) -> None:
    base = _branches(repo, BASE, None)
    outside = tmp_path / "outside.yaml"
    outside.write_text(BASE)
    (repo.path / "reprocheck.yaml").symlink_to(outside)
    for name in ("reprocheck.yaml", "../outside.yaml", str(outside)):
        with pytest.raises(UsageError, match="outside of the checkout"):
            _in_force(repo, base, name)


@pytest.mark.parametrize(
    ("base", "head", "keys"),
    [
        ({}, {}, []),
        ({"data": [1]}, {"data": [2], "limits": {"cpus": 1}}, []),
        ({"baselines": ["a"]}, {"baselines": ["a", "b"]}, ["baselines"]),
        ({"parameters": {"ignore": ["a"]}}, {}, ["parameters.ignore"]),
        ({"require": "reproduced"}, {"require": "consistent"}, ["require"]),
        ({"metrics": {"a": {"gate": True}}}, {"metrics": {"a": {}}}, ["metrics.a.gate"]),
    ],
)
def test_changes_of_rules_are_listed_by_key(
    base: Mapping[str, Any], head: Mapping[str, Any], keys: list[str]
) -> None:
    assert [change.key for change in rules.merge(base, head)[1]] == keys
