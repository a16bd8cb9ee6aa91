import json
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = {"mlflow", "dvc", "scipy", "docker", "pandas", "matplotlib", "numpy", "sqlalchemy"}
HEAVY |= {"jinja2"}


def run(*argv: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run([str(arg) for arg in argv], cwd=cwd, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return done.stdout.decode()


HATCH = (sys.executable, "-m", "hatchling", "build", "--directory")


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a release publishes, but for the source archive of reprocheck itself."""
    folder = tmp_path_factory.mktemp("dist")
    run(*HATCH, folder, "--target", "wheel")
    run(*HATCH, folder, cwd=ROOT / "capture")
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (built,) = dist.glob("reprocheck-*.whl")
    return built


@pytest.fixture(scope="module")
def capture(dist: Path) -> Path:
    (built,) = dist.glob("reprocheck_capture-*.whl")
    return built


def test_both_have_one_version_and_reprocheck_asks_for_exactly_it() -> None:
    import reprocheck

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"reprocheck-capture=={reprocheck.__version__}" in project["dependencies"]
    own = (ROOT / "capture/reprocheck_capture/__init__.py").read_text()
    assert f'__version__ = "{reprocheck.__version__}"\n' in own


def test_the_source_archive_of_capture_makes_the_same_wheel(
    dist: Path, capture: Path, tmp_path: Path
) -> None:
    (archive,) = dist.glob("reprocheck_capture-*.tar.gz")
    run("tar", "-xf", archive, cwd=tmp_path)
    (source,) = tmp_path.iterdir()
    run(*HATCH, tmp_path / "again", "--target", "wheel", cwd=source)
    assert (tmp_path / "again" / capture.name).read_bytes() == capture.read_bytes()


def test_both_have_the_same_license() -> None:
    assert (ROOT / "capture/LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_the_wheel_holds_schemas_example_and_injected_files(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for schema in (
        "run",
        "config",
        "experiment",
        "report",
        "check",
        "plan",
        "doctor",
        "audit",
        "validation",
    ):
        assert f"reprocheck/schemas/{schema}.schema.json" in names
    assert "reprocheck/examples/digits/train.py" in names
    assert "reprocheck/trackers/injected/sitecustomize.py" in names
    assert "reprocheck/reporters/templates/style.css" in names
    assert "reprocheck/supervisor.py" in names
    assert not any(name.startswith("tests/") for name in names)


OWN = """\
import sys, zipfile
from importlib.metadata import entry_points
from pathlib import Path
from reprocheck.environments import own_wheel
(point,) = entry_points(group="mlflow.run_context_provider", name="reprocheck")
print(point.load().__name__)
made, built = (zipfile.ZipFile(path) for path in (own_wheel.write(Path("own")), sys.argv[1]))
files = [name for name in built.namelist() if not name.endswith(("LICENSE", "WHEEL", "RECORD"))]
print(all(made.read(name) == built.read(name) for name in files), len(files) > 15)
"""


def test_the_wheels_work_in_an_empty_environment(
    wheel: Path, capture: Path, tmp_path: Path
) -> None:
    from uv import find_uv_bin

    uv, python = find_uv_bin(), tmp_path / "venv/bin/python"
    run(uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    run(uv, "pip", "install", "--quiet", "--python", python, "--require-hashes",
        "-r", ROOT / "requirements.lock")  # fmt: skip
    run(uv, "pip", "install", "--quiet", "--python", python, "--no-deps", capture, wheel)
    run(uv, "pip", "check", "--quiet", "--python", python)
    assert run(tmp_path / "venv/bin/reprocheck", "--version", cwd=tmp_path).startswith("reprocheck")
    record = {"schema_version": 1, "run_id": 5}
    code = (
        "import json, sys\nfrom reprocheck import schema\n"
        "print([issue.pointer for issue in schema.check(json.loads(sys.argv[1]), 'run')])"
    )
    assert "/run_id" in run(python, "-c", code, json.dumps(record), cwd=tmp_path)
    example = json.dumps(json.loads((ROOT / "schemas/run.schema.json").read_text())["examples"][0])
    assert run(python, "-c", code, example, cwd=tmp_path).strip() == "[]"
    assert run(python, "-c", OWN, capture, cwd=tmp_path).split() == [
        "CaptureContext",
        "True",
        "True",
    ]


@pytest.mark.parametrize(
    "args",
    [
        ["--help"],
        *(
            [command, "--help"]
            for command in ("verify", "plan", "compare", "record", "audit", "doctor", "demo")
        ),
    ],
)
def test_help_imports_nothing_heavy(args: list[str]) -> None:
    code = (
        "import sys\nfrom reprocheck.cli import run\n"
        f"code = run({args!r})\nprint(sorted(name for name in sys.modules if '.' not in name))\n"
        "sys.exit(code)"
    )
    printed = run(sys.executable, "-c", code)
    imported = set(json.loads(printed.splitlines()[-1].replace("'", '"')))
    assert not imported & HEAVY


def test_the_locks_name_no_index() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "reprocheck" not in text
        assert "--hash=sha256:" in text


def test_the_published_schemas_have_an_id_a_title_and_examples() -> None:
    for path in (ROOT / "schemas").glob("*.json"):
        schema = json.loads(path.read_text())
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["$id"].endswith(path.name)
        assert schema["title"]
        assert schema["description"]
        assert schema["examples"]


def test_the_public_names_are_there_and_cost_nothing_before_their_use() -> None:
    code = (
        "import sys, reprocheck\n"
        "assert 'reprocheck.pipeline' not in sys.modules\n"
        "from reprocheck import Report, Request, Verdict, verify\n"
        "assert all(hasattr(reprocheck, name) for name in reprocheck.__all__)\n"
        "print(verify.__module__)"
    )
    assert run(sys.executable, "-c", code).strip() == "reprocheck.pipeline"
