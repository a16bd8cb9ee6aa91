import json
import shutil
from pathlib import Path

from reprocheck import cli, schema

EXPECTED = {
    "seeded": "IDENTICAL",
    "unseeded": "REPRODUCED",
    "old-data": "IDENTICAL",
    "inflated": "NOT_REPRODUCED",
}


TRACED = shutil.which("strace") is not None


def test_the_demo_makes_trains_and_verifies_real_runs(tmp_path: Path, capfd) -> None:
    asked = ["--trace"] if TRACED else []  # without it, only that the fifth run is not there
    assert cli.run(["demo", str(tmp_path / "demo"), "--quiet", *asked]) == 0
    printed = capfd.readouterr().out
    expected = EXPECTED | ({"traced": "IDENTICAL"} if TRACED else {})
    for name, verdict in expected.items():
        report = json.loads((tmp_path / f"demo/reports/{name}.json").read_text())
        assert report["verdict"] == verdict
        assert not schema.check(report, "report")
        assert (tmp_path / f"demo/reports/{name}.md").is_file()
        assert f"{name:<10}{verdict}" in printed
        assert report["environment"]["isolation"] in printed
    assert str(tmp_path / "demo/reports") in printed
    if TRACED:
        report = json.loads((tmp_path / "demo/reports/traced.json").read_text())
        read = [each["path"] for each in report["undeclared"]]
        assert read == [str(tmp_path / "demo/shared/largest.txt")]
        assert "Undeclared" in printed


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path, capfd) -> None:
    (tmp_path / "mine").write_text("keep")
    assert cli.run(["demo", str(tmp_path)]) == 2
    assert "not empty" in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
