from pathlib import Path

import pytest

from reprocheck import config
from reprocheck.config import Config, Overrides
from reprocheck.errors import ConfigError, UsageError
from reprocheck.metric_rules import parse_margin
from reprocheck.model import Direction, Require, Width


def load(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "reprocheck.yaml"
    path.write_text(text)
    return config.load(path)


def test_the_examples_config_loads() -> None:
    loaded = config.load(Path(__file__).parents[1] / "examples/digits/reprocheck.yaml")
    assert loaded.metrics["accuracy"].direction is Direction.HIGHER
    assert loaded.metrics["accuracy"].margin
    assert loaded.command[0].args[:2] == ("python", "train.py")
    assert [rule.path for rule in loaded.data] == ["data/train.csv", "data/test.csv"]


def test_relative_store_addresses_start_at_the_configs_folder(tmp_path: Path) -> None:
    loaded = load(tmp_path, "version: 1\ntracker: {uri: 'sqlite:///mlflow.db'}\n")
    assert loaded.tracking_uri == f"sqlite:///{tmp_path / 'mlflow.db'}"


def test_condas_channels_are_addresses_or_folders_beside_the_config(tmp_path: Path) -> None:
    channels = "{conda-forge: 'https://mirror.invalid/cf', own: ../channel}"
    loaded = load(tmp_path, f"version: 1\nenvironment: {{channels: {channels}}}\n")
    assert loaded.conda_channels == {
        "conda-forge": "https://mirror.invalid/cf",
        "own": (tmp_path.parent / "channel").as_uri(),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 1\nmetric: {}\n", [":2", "metric"]),
        ("version: 1\nmetrics:\n  acc: {margin: {abs: x}}\n", [":3", "metrics.acc.margin.abs"]),
        ("version: 1\na: &a [*a]\n", [":2", "alias"]),
        ("version: 1\nversion: 1\n", [":2", "twice"]),
        ("version: 2\n", [":1", "version"]),
        ("version: 1\nmetrics:\n  acc:\n    x\nreruns: {parallel: 2}\n", [":5", "not supported"]),
        ("", [":1", "mapping"]),
        ("[1]", [":1", "mapping"]),
        ("a: b: c", [":1", "YAML"]),
        ("version: 1\nreruns:\n  alpha: .nan\n", [":3", "reruns.alpha", "finite"]),
        (
            "version: 1\nmetrics:\n  acc: {sigma: {value: .inf, df: 3}}\n",
            [":3", "acc.sigma.value", "finite"],
        ),
        ("version: 1\nreruns: {min: 5, max: 3}\n", ["min 5 is above", "max 3"]),
        ('version: 1\ncommand: "python \'train.py"\n', ["quotation"]),
    ],
)
def test_an_error_names_file_line_and_key(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    for word in ("reprocheck.yaml", *words):
        assert word in caught.value.message


def test_an_unknown_key_is_answered_by_the_nearest_right_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "version: 1\nmetrcs: {}\n")
    assert "metrics" in caught.value.hint


def test_a_file_that_expands_without_end_is_refused(tmp_path: Path) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n"
    for before, after in zip("abcdefg", "bcdefgh", strict=True):
        bomb += f"{after}: &{after} [{','.join([f'*{before}'] * 9)}]\n"
    with pytest.raises(ConfigError, match="expands"):
        load(tmp_path, bomb)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a\x00b"])
def test_a_file_that_is_no_text_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "reprocheck.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"reprocheck\.yaml"):
        config.load(path)


def test_floats_are_those_of_yaml_1_2(tmp_path: Path) -> None:
    loaded = load(tmp_path, "version: 1\nmetrics: {a: {margin: {abs: 1e-3}}}\n")
    assert loaded.metrics["a"].margin
    assert loaded.metrics["a"].margin.absolute == Width.both(0.001)


def test_whole_numbers_are_as_good_as_fractions(tmp_path: Path) -> None:
    rule = load(tmp_path, "version: 1\nmetrics: {a: {margin: {abs: 1}, resolution: 1}}\n").metrics[
        "a"
    ]
    assert rule.margin
    assert rule.margin.absolute
    assert isinstance(rule.margin.absolute.below, float)
    assert isinstance(rule.resolution, float)


def test_margins_are_absolute_or_relative() -> None:
    assert parse_margin("accuracy=0.005")[1].absolute == Width.both(0.005)
    name, margin = parse_margin("a=b=1%")
    assert (name, margin.relative, margin.absolute) == ("a=b", Width.both(0.01), None)


@pytest.mark.parametrize("text", ["accuracy", "=1", "a=", "a=x", "a=0", "a=-1", "a=nan", "a=inf"])
def test_what_is_no_margin_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--margin"):
        parse_margin(text)


def test_reruns_are_a_number_or_a_range() -> None:
    assert (config.parse_reruns("4"), config.parse_reruns("3..8")) == ((4, 4), (3, 8))
    for text in ("0", "x", "8..3", "1..", "101", "3...8"):
        with pytest.raises(UsageError, match="--reruns"):
            config.parse_reruns(text)


def test_options_win_over_the_file(tmp_path: Path) -> None:
    loaded = load(tmp_path, "version: 1\nmetrics: {acc: {margin: {abs: 1}, direction: higher}}\n")
    options = Overrides(
        margins=(parse_margin("acc=2"), parse_margin("loss=1%")),
        reruns=(3, 3),
        require=Require.REPRODUCED,
        environment_kind="venv",
        budget_s=60,
    )
    merged = config.override(loaded, options)
    assert merged.metrics["acc"].margin
    assert merged.metrics["acc"].margin.absolute == Width.both(2)
    assert merged.metrics["acc"].direction is Direction.HIGHER
    assert "loss" in merged.metrics
    assert (merged.reruns.most, merged.require, merged.budget_s) == (3, "reproduced", 60)
    assert (loaded.environment_kind, merged.environment_kind) == ("auto", "venv")


@pytest.mark.parametrize(
    ("page", "metrics"),
    [("README.md", [True]), ("docs/verify.md", [True]), ("docs/record.md", [False])],
)
def test_the_configs_of_the_pages_load(tmp_path: Path, page: str, metrics: list[bool]) -> None:
    text = (Path(__file__).parents[1] / page).read_text()
    blocks = [text.partition("```")[0] for text in text.split("```yaml\n")[1:]]
    configs = [text for text in blocks if text.startswith("version: 1") and "primary:" not in text]
    loaded = [load(tmp_path, text) for text in configs]
    assert [bool(config.metrics) for config in loaded] == metrics
    assert all(config.metrics or config.record.require for config in loaded)


def test_a_setup_belongs_to_kind_script(tmp_path: Path) -> None:
    def environment(text: str) -> Config:
        return load(tmp_path, f"version: 1\nenvironment: {text}\n")

    found = environment("{kind: script, run: [make, setup], download_python: true}")
    assert [step.args for step in found.environment_run] == [("make", "setup")]
    assert found.download_python
    for wrong in ("{kind: script}", "{run: make setup}"):
        with pytest.raises(ConfigError, match="go together"):
            environment(wrong)


def test_a_build_has_an_hour_or_what_is_asked(tmp_path: Path) -> None:
    assert load(tmp_path, "version: 1\n").environment_timeout_s == 3600
    assert load(tmp_path, "version: 1\nenvironment: {timeout: 90m}\n").environment_timeout_s == 5400


def test_steps_have_names_and_say_what_they_make(tmp_path: Path) -> None:
    path = tmp_path / "reprocheck.yaml"
    steps = "[{run: a b, outs: [data/../x.csv]}, {name: train, run: [c], cwd: d}]"
    path.write_text(f"version: 1\ncommand: {steps}\n")
    first, second = config.load(path).command
    assert (first.name, first.args, first.outs) == ("step 1", ("a", "b"), frozenset({"x.csv"}))
    assert (second.name, second.cwd, second.outs) == ("train", "d", None)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("[{run: a, name: x}, {run: b, name: x}]", "two steps have the same name"),
        ("[{run: a, outs: [../x]}]", "'../x' lies outside"),
        ("[{run: a, outs: [/x]}]", "'/x' lies outside"),
        ("[{run: a, outs: [.git/config]}]", "lies outside"),
    ],
)
def test_steps_that_cannot_be_meant_are_refused(tmp_path: Path, steps: str, said: str) -> None:
    path = tmp_path / "reprocheck.yaml"
    path.write_text(f"version: 1\ncommand: {steps}\n")
    with pytest.raises(ConfigError, match=said):
        config.load(path)
