"""End to end without the commit: what the run stored has to do, and is never taken for more."""

import shutil
from pathlib import Path

from tests.conftest import snapshot
from tests.lab import Lab, copy_of

LOST = "deadbeef" * 5
CONFIGURED = (
    'parser.add_argument("--config")\nargs = parser.parse_args()\n'
    'args.lr = float(Path(args.config).read_text().split(":")[1])\n'
)


def stored(lab: Lab, tmp_path: Path) -> Lab:
    """The seeded run, whose commit nobody has; its artifacts are its code and its config."""
    own = copy_of(lab, tmp_path)
    code = own.root / "artifacts/code"
    shutil.copytree(own.repo.path, code, ignore=shutil.ignore_patterns(".git", "cache", "tmp"))
    train = (code / "train.py").read_text()
    (code / "train.py").write_text(train.replace("args = parser.parse_args()\n", CONFIGURED))
    (code.parent / "exp7.yaml").write_text("lr: 0.005\n")
    own.set_tag(own.seeded, "mlflow.source.git.commit", LOST)
    own.sql("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", str(code.parent), own.seeded)
    command = "python train.py --config configs/exp7.yaml --seed {params.seed}"
    config = (own.repo.path / "reprocheck.yaml").read_text().splitlines()
    config[1] = f'command: "{command}"'
    own.repo.write({"reprocheck.yaml": "\n".join(config)})
    return own


def test_a_run_whose_commit_is_lost_is_verified_by_the_code_that_it_stored(
    lab: Lab, tmp_path: Path
) -> None:
    own = stored(lab, tmp_path)
    before = snapshot(own.repo.path / ".git")
    result = own.verify(own.seeded)
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout + result.stderr
    codes = {finding["code"] for finding in result.report["findings"]}
    assert {"code-from-artifacts", "file-from-record"} <= codes
    code = result.report["record"]["code"]
    assert (code["commit"], code["tree"], code["stored"]) == (LOST, "unknown", ["code/"])
    assert "NOT the commit's" in result.stdout
    assert "nothing proves" in " ".join(result.stdout.split())
    assert snapshot(own.repo.path / ".git") == before


def test_another_result_of_stored_code_is_not_the_runs_fault(lab: Lab, tmp_path: Path) -> None:
    own = stored(lab, tmp_path)
    own.add_to_metric(own.seeded, "accuracy", 0.2)
    result = own.verify(own.seeded)
    assert (result.exit_code, result.verdict) == (3, "NOT_VERIFIED"), result.stdout
    assert "their code is not the run's" in " ".join(result.report["sentence"].split())
