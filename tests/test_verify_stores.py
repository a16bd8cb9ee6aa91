"""End to end with inputs that neither git nor DVC keeps."""

import hashlib
from pathlib import Path

from tests.datastores.servers import Site, site
from tests.lab import ROWS, Lab, copy_of

__all__ = ["site"]

COMMIT = "mlflow.source.git.commit"
PASSWORD = "hunter2hunter2"


def test_a_folder_on_a_web_server_is_proved_by_the_manifest_at_the_commit(
    lab: Lab, tmp_path: Path, site: Site
) -> None:
    own = copy_of(lab, tmp_path)
    (own.repo.path / "data/train.csv.dvc").unlink()
    (own.repo.path / "data/train.csv").unlink()
    site.login = f"me:{PASSWORD}"
    site.put("train.csv", ROWS.encode())
    site.put("unlisted.csv", b"?")
    address = site.address.replace("//", f"//{site.login}@")
    config = (own.repo.path / "reprocheck.yaml").read_text()
    config += f"data: [{{path: data, manifest: sums/data, url: '{address}?sig=abcdef'}}]\n"
    sums = f"{hashlib.sha256(ROWS.encode()).hexdigest()}  train.csv\n"
    commit = own.repo.commit({"reprocheck.yaml": config, "sums/data": sums})
    own.set_tag(own.seeded, COMMIT, commit)

    result = own.verify(own.seeded)

    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout + result.stderr
    (material,) = result.report["record"]["data"]
    assert (material["path"], material["files"]) == ("data", 1)
    assert material["digest"] == hashlib.sha256(sums.encode()).hexdigest()
    shown = result.stdout + result.stderr + (own.root / "report.json").read_text()
    assert PASSWORD not in shown
    assert "abcdef" not in shown
    assert len([line for line in site.asked if "unlisted" in line]) == 0
