"""choice: config, record, artifacts, logged model, files at the commit; the first that exists."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from reprocheck.command_templates import StepTemplate
from reprocheck.config import Config
from reprocheck.environments.asked import read
from reprocheck.environments.choice import choose
from reprocheck.errors import ConfigError, SourceError
from reprocheck.model import EnvironmentKind, OriginKind
from tests.environments.images import engine
from tests.environments.samples import command, record, recorded

MODEL = OriginKind.MODEL
PINNED = "six==1.15.0\n"
CONDA = "dependencies: [python=3.8.18, numpy, pip]\n"
PIP_CONDA = "dependencies: [python=3.8.18, pip, {pip: [six==1.15.0]}]\n"
PYTHON_ENV = "python: 3.8.18\ndependencies: [-r requirements.txt]\n"


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


def put(tree: Path, **files: str) -> None:
    """Writes files; in a name, two underscores are a slash and 0 is a dot."""
    for name, content in files.items():
        path = tree / name.replace("__", "/").replace("0", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def codes(findings) -> list[str]:
    return [finding.code for finding in findings]


def test_the_config_comes_first(tree):
    put(tree, env__mine0txt=PINNED)
    run = record(recorded("reprocheck/environment/freeze.txt", "idna==3.2"))
    found, _ = choose(run, tree, Config(environment_file="env/mine.txt"))
    assert (found.content, found.directory) == (PINNED.encode(), "env")
    assert found.origin.kind is OriginKind.CONFIG


def test_the_configs_kind_and_python_count(tree):
    put(tree, environment0yml=PIP_CONDA)
    config = Config(
        environment_file="environment.yml", environment_kind="venv", environment_python="3.9"
    )
    found, _ = choose(record(hardware={"python": "3.11.7"}), tree, config)
    assert (found.kind, found.python) == (EnvironmentKind.VENV, "3.9")


@pytest.mark.parametrize("name", ["absent.txt", "../outside.txt"])
def test_a_file_that_the_config_names_in_vain_is_told(tree, name):
    (tree.parent / "outside.txt").write_text(PINNED)
    with pytest.raises(ConfigError, match=name):
        choose(record(), tree, Config(environment_file=name))


def test_what_was_recorded_comes_before_artifacts_models_and_the_commit(tree):
    put(tree, requirements0txt="idna")
    files = [
        recorded("model/requirements.txt", "idna", MODEL),
        recorded("env/requirements.txt", "idna"),
        recorded("reprocheck/environment/requirements.txt", PINNED),
    ]
    for count, kind in ((3, "ARTIFACT"), (2, "ARTIFACT"), (1, "MODEL"), (0, "FILE")):
        found, _ = choose(record(*files[:count]), tree, Config())
        assert found.origin.kind is OriginKind[kind]
        assert found.content.startswith(b"six" if count == 3 else b"idna")


def test_the_trackers_own_environment_is_taken(tree):
    found, _ = choose(record(recorded("freeze.txt", PINNED)), tree, Config())
    mine = dataclasses.replace(found, file="mine.txt")
    assert choose(record(environment=mine), tree, Config())[0].file == "mine.txt"


@pytest.mark.parametrize("name", ["Dockerfile", "conda.yaml", "conda-list.txt", "pixi.lock"])
def test_what_cannot_be_built_gives_way_to_what_was_recorded_beside_it(
    tree, name, without_conda, no_engine
):
    other = recorded(
        f"reprocheck/environment/{name}", CONDA if name == "conda.yaml" else "@EXPLICIT"
    )
    freeze = recorded("reprocheck/environment/requirements.txt", PINNED)
    found, findings = choose(record(other, freeze), tree, Config())
    assert found.file == "requirements.txt"
    assert codes(findings) == ["environment-skipped"]
    assert name in findings[0].message


def test_a_recorded_file_that_cannot_be_built_is_not_replaced_by_one_at_the_commit(tree):
    put(tree, requirements0txt=PINNED)
    found, _ = choose(
        record(recorded("reprocheck/environment/Dockerfile", "FROM x")), tree, Config()
    )
    assert found.kind is EnvironmentKind.DOCKER


def test_a_freeze_is_better_than_a_conda_files_pip_list(tree):
    files = recorded("env/conda.yaml", PIP_CONDA), recorded("env/pip-freeze.txt", PINNED)
    found, findings = choose(record(*files), tree, Config())
    assert (found.file, codes(findings)) == ("pip-freeze.txt", [])


@pytest.mark.parametrize(
    ("file", "content"), [("environment.yml", CONDA), ("conda-list.txt", "@EXPLICIT\n")]
)
def test_what_asks_for_condas_own_packages_is_better_than_a_freeze(tree, file, content):
    files = recorded(f"env/{file}", content), recorded("env/pip-freeze.txt", PINNED)
    found, findings = choose(record(*files), tree, Config())
    assert (found.file, codes(findings)) == (file, [])


def test_several_artifacts_of_one_rank_are_told_and_the_shallowest_is_taken(tree):
    files = [recorded("a/b/requirements.txt", "idna==3.2"), recorded("z/requirements.txt", PINNED)]
    found, findings = choose(record(*files), tree, Config())
    assert found.origin.where == "z/requirements.txt"
    assert codes(findings) == ["ambiguous-environment"]
    assert "a/b/requirements.txt" in findings[0].message


def test_several_artifacts_of_the_same_content_are_one(tree):
    files = [recorded("a/requirements.txt", PINNED), recorded("b/requirements.txt", PINNED)]
    assert choose(record(*files), tree, Config())[1] == ()


def test_an_artifact_that_only_looks_like_an_environment_is_none(tree):
    put(tree, requirements0txt=PINNED)
    files = recorded("environment.yaml", "gym: CartPole"), recorded("dvc.lock", "schema: '2.0'")
    found, _ = choose(record(*files), tree, Config())
    assert found.origin.kind is OriginKind.FILE


def test_a_models_python_is_that_beside_its_requirements(tree):
    files = [
        recorded("model/requirements.txt", PINNED, MODEL),
        recorded("model/python_env.yaml", PYTHON_ENV, MODEL),
        recorded("model/conda.yaml", PIP_CONDA.replace("3.8.18", "3.8.1"), MODEL),
    ]
    found, findings = choose(record(*files), tree, Config())
    assert (found.file, found.python, findings) == ("requirements.txt", "3.8.18", ())


def test_a_models_conda_packages_are_not_forgotten(tree):
    files = [
        recorded("model/requirements.txt", PINNED, MODEL),
        recorded("model/conda.yaml", CONDA, MODEL),
    ]
    found, _ = choose(record(files[1]), tree, Config())
    assert found.file == "conda.yaml"
    assert choose(record(*files), tree, Config())[0].file == "conda.yaml"


def test_a_file_is_read_with_those_recorded_in_its_own_folder(tree):
    files = [
        recorded("a/base.txt", "idna==3.1"),
        recorded("b/base.txt", "idna==3.2"),
        recorded("b/requirements.txt", "-r base.txt"),
    ]
    found, _ = choose(record(*files), tree, Config())
    assert read(found, tree).requirements == ("idna==3.2",)


def test_packages_that_only_the_commit_names_are_added_to_a_models(tree):
    put(tree, requirements0txt="Six==1.10\nidna==3.2\n")
    run = record(recorded("model/requirements.txt", "six==1.15.0", MODEL))
    found, findings = choose(run, tree, Config())
    assert found.content == b"six==1.15.0\nidna==3.2\n"
    assert codes(findings) == ["merged-environment"]


def test_the_commits_mlflow_skinny_stays_skinny_at_the_models_version(tree):
    put(tree, requirements0txt="mlflow-skinny\nidna==3.2\n")
    content = "mlflow==3.1.0\nmlflow-plugin==1\nsix==1.15.0"
    run = record(recorded("model/requirements.txt", content, MODEL))
    found, findings = choose(run, tree, Config())
    assert found.content == b"mlflow-skinny==3.1.0\nmlflow-plugin==1\nsix==1.15.0\nidna==3.2\n"
    assert set(codes(findings)) == {"merged-environment"}


# --- files at the commit ------------------------------------------------------------------


def test_files_beside_the_script_come_before_the_root(tree):
    put(tree, sub__requirements0txt=PINNED, requirements0txt="idna", sub__train0py="")
    run = record()
    run = dataclasses.replace(run, code=dataclasses.replace(run.code, script="sub/train.py"))
    assert choose(run, tree, Config())[0].directory == "sub"


def test_files_in_the_commands_directory_count(tree):
    put(tree, sub__requirements0txt=PINNED)
    run = record(command=command("true", cwd="sub"))
    assert choose(run, tree, Config())[0].directory == "sub"


@pytest.mark.parametrize(
    ("argv", "cwd"), [(("python", "a/b/train.py"), "."), (("python", "-m", "b.train"), "a/b")]
)
def test_files_are_looked_for_from_where_the_command_runs_upwards(tree, argv, cwd):
    put(tree, requirements0txt="idna", a__requirements0txt=PINNED, a__b__train0py="")
    run = dataclasses.replace(record(), command=command(*argv, cwd=cwd))
    assert choose(run, tree, Config())[0].directory == "a"


@pytest.mark.parametrize("script", ["/abs/train.py", "../../train.py", "no/such/train.py"])
def test_a_script_outside_the_tree_leaves_the_root(tree, script):
    put(tree, requirements0txt=PINNED)
    run = record()
    run = dataclasses.replace(run, code=dataclasses.replace(run.code, script=script))
    assert choose(run, tree, Config())[0].directory == "."


def test_an_mlproject_names_its_environment(tree):
    put(tree, MLproject="python_env: env/py.yaml", requirements0txt="idna")
    put(tree, env__py0yaml="python: '3.8.18'\ndependencies: [six==1.15.0]")
    found, findings = choose(record(), tree, Config())
    assert (found.file, found.directory, found.python) == ("py.yaml", "env", "3.8.18")
    assert findings == ()


def test_what_cannot_be_built_gives_way_at_the_commit_too(tree, without_conda, no_engine):
    put(tree, Dockerfile="FROM x", environment0yml=CONDA, requirements0txt=PINNED)
    found, findings = choose(record(), tree, Config())
    assert (found.file, codes(findings)) == ("requirements.txt", ["environment-skipped"])


def test_an_mlprojects_docker_gives_way_where_there_is_no_engine(tree, no_engine):
    put(tree, MLproject="docker_env: {image: x}", requirements0txt=PINNED)
    found, findings = choose(record(), tree, Config())
    assert (found.file, codes(findings)) == ("requirements.txt", ["environment-skipped"])


def test_an_mlprojects_docker_is_taken_without_what_reaches_into_the_machine(tree):
    engine()
    put(tree, MLproject="docker_env: {image: 'x:1', volumes: [/etc:/etc]}", requirements0txt=PINNED)
    found, findings = choose(record(), tree, Config())
    assert (found.kind, found.content) == (EnvironmentKind.DOCKER, b"x:1")
    assert codes(findings) == ["docker-env-ignored"]


def test_the_image_that_mlflow_built_is_taken_by_its_id(tree):
    tags = {"mlflow.docker.image.uri": "x:1", "mlflow.docker.image.id": "sha256:12ab"}
    found, _ = choose(record(tags=tags), tree, Config())
    assert (found.kind, found.content) == (EnvironmentKind.DOCKER, b"sha256:12ab")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"requirements0txt": PINNED, "docker__Dockerfile": "FROM x"}, "docker/Dockerfile"),
        ({"requirements0txt": PINNED, "train0Dockerfile": "FROM x"}, "train.Dockerfile"),
        ({"environment0yml": PIP_CONDA, "requirements0txt": PINNED}, "requirements.txt"),
    ],
)
def test_which_file_was_taken_and_which_not_is_told(tree, files, told):
    put(tree, **files)
    _, findings = choose(record(), tree, Config())
    (finding,) = [item for item in findings if item.code == "environment-choice"]
    assert f"is taken, not {told}: " in finding.message


def test_a_choice_by_option_or_of_one_file_is_not_told(tree):
    put(tree, requirements0txt=PINNED)
    assert codes(choose(record(), tree, Config())[1]) == []
    put(tree, docker__Dockerfile="FROM x")
    assert codes(choose(record(), tree, Config(environment_kind="venv"))[1]) == []


def test_an_engine_that_does_not_answer_is_told_as_that(tree, no_engine):
    put(tree, Dockerfile="FROM x", requirements0txt=PINNED)
    _, (finding,) = choose(record(), tree, Config())
    assert finding.message.startswith("Dockerfile needs Docker, and no engine answers")


def test_requirements_txt_comes_before_its_variants(tree):
    put(tree, requirements0txt=PINNED)
    (tree / "requirements-dev.txt").write_text("idna")
    assert choose(record(), tree, Config())[0].content == PINNED.encode()


def test_the_kind_of_the_config_limits_the_choice(tree):
    put(tree, Dockerfile="FROM x", requirements0txt=PINNED)
    found, findings = choose(record(), tree, Config(environment_kind="venv"))
    assert (found.file, findings) == ("requirements.txt", ())
    found, _ = choose(record(), tree, Config(environment_kind="docker"))
    assert found.file == "Dockerfile"


@pytest.mark.parametrize(
    ("name", "content"),
    [("pyproject.toml", "[tool.ruff]"), ("dvc.lock", "schema: '2.0'"), ("setup.cfg", "")],
)
def test_without_an_environment_it_says_what_was_looked_for(tree, name, content):
    (tree / name).write_text(content)
    with pytest.raises(SourceError, match="missing-environment") as caught:
        choose(record(), tree, Config())
    assert "environment: {file: …}" in caught.value.hint


# --- Python's version ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "version"),
    [
        (".python-version", "3.8.18\n", "3.8.18"),
        (".python-version", "my-virtualenv\n", None),
        ("pyproject.toml", "[project]\nrequires-python = '>=3.8'", ">=3.8"),
        ("MLproject", "python_env: env.yaml", "3.10"),
        ("conda.yaml", CONDA, "=3.8.18"),
    ],
)
def test_pythons_version_is_found_at_the_commit(tree, name, content, version):
    put(tree, requirements0txt=PINNED)
    (tree / "env.yaml").write_text("python: 3.10")
    (tree / name).write_text(content)
    run = record(recorded("freeze.txt", PINNED))
    assert choose(run, tree, Config())[0].python == version


def test_the_recorded_python_is_the_best_witness(tree):
    put(tree, requirements0txt=PINNED)
    (tree / ".python-version").write_text("3.9")
    run = record(hardware={"python": "3.8.18 (default, May 9)"})
    assert choose(run, tree, Config())[0].python == "3.8.18"


# --- what is not pinned -------------------------------------------------------------------


def test_what_is_not_pinned_is_told(tree):
    put(tree, requirements0txt="six\nidna>=2\npackaging==21.0\npip\n")
    (finding,) = choose(record(), tree, Config())[1]
    assert finding.code == "unpinned-environment"
    assert finding.message.startswith("2 of 4 packages in requirements.txt are not pinned")
    assert "2020-06-01" in finding.message


@pytest.mark.parametrize("copy", ["COPY env/req.txt /", "COPY . ."])
def test_what_a_dockerfile_installs_without_a_pin_is_told(tree, copy):
    where = "env/req.txt" if copy == "COPY . ." else "/req.txt"
    put(tree, env__req0txt="numpy\nsix==1.15.0\n")
    put(tree, Dockerfile=f"FROM x\n{copy}\nRUN pip install -r {where}\n")
    _, (finding,) = choose(record(), tree, Config(environment_file="Dockerfile"))
    assert finding.code == "unpinned-environment"
    assert "1 of 2 packages in req.txt is not pinned; resolved as of now" in finding.message


def test_a_file_that_cannot_be_read_is_left_to_the_rebuild(tree):
    put(tree, requirements0txt="-e .\nsix\n")
    assert choose(record(), tree, Config())[1] == ()


def test_a_setup_of_the_config_comes_before_everything(tree):
    config = Config(
        environment_kind="script",
        environment_run=(StepTemplate(args=("make", "setup"), cwd="sub"),),
        environment_python="3.9",
    )
    found, findings = choose(record(recorded("freeze.txt", PINNED)), tree, config)
    assert (found.kind, found.file, found.python) == (EnvironmentKind.SCRIPT, "make setup", "3.9")
    assert json.loads(found.content) == [{"argv": ["make", "setup"], "cwd": "sub"}]
    assert findings == ()


def test_another_kind_by_option_leaves_the_setup_aside(tree):
    steps = (StepTemplate(args=("make", "setup")),)
    config = Config(environment_kind="venv", environment_run=steps)
    assert choose(record(recorded("freeze.txt", PINNED)), tree, config)[0].file == "freeze.txt"
